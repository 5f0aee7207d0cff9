"""The arms of the comparison on one stack: R0 the dialplan alone, R1 raw ARI, and us."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from bench.child import Generator
from bench.figures import middle
from bench.rig import Rig

WARM_RATE, WARM_SECONDS = 20.0, 1.0


class Rounds:
    """What was measured, round by round; `rounds[name]` is the median."""

    def __init__(self) -> None:
        self._found: dict[str, list[float]] = defaultdict(list)

    def note(self, name: str, value: float) -> None:
        self._found[name].append(value)

    def __getitem__(self, name: str) -> float:
        return middle(self._found[name])

    def __contains__(self, name: str) -> bool:
        return name in self._found


@asynccontextmanager
async def without_service(on: Rig) -> AsyncIterator[None]:
    """The service is down: it listens to every channel, and another arm is not to pay for that."""
    await on.stack.stop("service")
    try:
        yield
    finally:
        await on.stack.start("service")


@asynccontextmanager
async def raw(on: Rig) -> AsyncIterator[Generator]:
    """R1's script, warmed up."""
    async with Generator("bench.raw_ari", *on.ari) as generator:
        await generator.run(WARM_RATE, WARM_SECONDS)
        yield generator


@asynccontextmanager
async def us(on: Rig) -> AsyncIterator[Generator]:
    """The API's load generator, warmed up as the service is. Its webhook is deleted in the end."""
    async with Generator("bench.api_load", on.url, on.key) as generator:
        await generator.run(WARM_RATE, WARM_SECONDS)
        yield generator
    async with aiohttp.ClientSession(on.url, headers={"X-API-Key": on.key}) as session:
        async with session.get("/v1/webhooks") as answer:
            hooks = (await answer.json())["data"]
        for hook in hooks:
            async with session.delete(f"/v1/webhooks/{hook['id']}") as answer:
                await answer.read()
