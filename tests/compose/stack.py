"""The stack of compose.yaml that `tests/compose/run` has brought up, as its operator handles it."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.stories.client import Api


async def compose(*words: str, given: str = "") -> str:
    """Runs `docker compose …`, which reads `given`, and returns what it wrote."""
    process = await asyncio.create_subprocess_exec(
        "docker",
        "compose",
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate(given.encode())
    assert process.returncode == 0, f"docker compose {' '.join(words)}: {errors.decode()}"
    return out.decode()


async def asterisk(command: str) -> str:
    return await compose("exec", "-T", "asterisk", "asterisk", "-rx", command)


@asynccontextmanager
async def keyed(*options: str) -> AsyncIterator[Api]:
    """The API with a key made by the operator's own command."""
    key = (await compose("exec", "-T", "service", "python", "-m", "service", "keys", "create", *options)).strip()
    async with Api(f"http://127.0.0.1:{os.environ['ORBIT_API_PORT']}", key) as client:
        await client.ready()
        yield client
