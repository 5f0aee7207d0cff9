"""How long `POST /v1/voice/calls` takes on an idle stack: one after the other, each call ended before the next.

    . .stack/home/env && .venv/bin/python bench/post_calls.py [count]
"""

import asyncio
import os
import statistics
import sys
import time

import aiohttp


async def main(count: int) -> None:
    body = {"to": "+15005550003", "from": "+12025551234"}
    headers = {"X-API-Key": os.environ["ORBIT_TEST_KEY"]}
    took = []
    async with aiohttp.ClientSession(os.environ["ORBIT_URL"], headers=headers) as session:
        for _ in range(count):
            started = time.perf_counter()
            async with session.post("/v1/voice/calls", json=body) as answer:
                await answer.read()
                assert answer.status == 201, await answer.text()
            took.append((time.perf_counter() - started) * 1000)
            await asyncio.sleep(0.03)
    took.sort()
    print(f"POST /v1/voice/calls, {count} of them: p50 {statistics.median(took):.1f} ms, "
          f"p99 {took[int(len(took) * 0.99) - 1]:.1f} ms, longest {took[-1]:.1f} ms")


asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 500))
