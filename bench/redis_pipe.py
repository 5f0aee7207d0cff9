"""What a Redis command costs this process: the plain client against the store's, which sends together what is asked
together. Prints CPU and latency of one script call (a write of 600 bytes) for 1, 10 and 100 callers, medians of rounds.

    .venv/bin/python bench/redis_pipe.py [redis://127.0.0.1:6390/0] [--uvloop]
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable

from redis.asyncio import BlockingConnectionPool, Redis

from service.store.connection import connect

SCRIPT = "redis.call('HSET', KEYS[1], 'v', ARGV[1]) return 1"
BODY = b"x" * 600
CALLS = {1: 3000, 10: 8000, 100: 12000}
ROUNDS = 5


async def arm(call: Callable[[], Awaitable[object]], callers: int) -> tuple[float, float, float]:
    """µs: CPU of a call, its median and its 99th percentile."""
    took: list[float] = []

    async def one() -> None:
        for _ in range(CALLS[callers] // callers):
            started = time.perf_counter()
            await call()
            took.append(time.perf_counter() - started)

    cpu = time.process_time()
    await asyncio.gather(*(one() for _ in range(callers)))
    cpu = time.process_time() - cpu
    took.sort()
    return cpu / len(took) * 1e6, statistics.median(took) * 1e6, took[int(len(took) * 0.99)] * 1e6


async def main(url: str) -> None:
    plain = Redis.from_pool(BlockingConnectionPool.from_url(url, max_connections=256, timeout=1, socket_timeout=1))
    piped = connect(url, 1000)
    key = "{orbit:bench}:pipe"
    scripts = {"plain": plain.register_script(SCRIPT), "piped": piped.register_script(SCRIPT)}
    arms = {
        f"{name} {what}": call
        for name, client, script in (("plain", plain, scripts["plain"]), ("piped", piped, scripts["piped"]))
        for what, call in (
            ("script", lambda script=script: script(keys=[key], args=[BODY])),
            ("hmget", lambda client=client: client.hmget(key, ["v", "doc"])),
        )
    }
    arms["piped durable"] = (lambda script: lambda: script(keys=[key], args=[BODY]))(piped.durable_script(SCRIPT))
    print("| callers | client | CPU, µs | p50, µs | p99, µs |\n|---|---|---|---|---|")
    for callers in CALLS:
        found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in arms}
        for _ in range(ROUNDS):
            for name, call in arms.items():
                found[name].append(await arm(call, callers))
        for name, rounds in found.items():
            cpu, half, most = (statistics.median(column) for column in zip(*rounds, strict=True))
            print(f"| {callers} | {name} | {cpu:.0f} | {half:.0f} | {most:.0f} |", flush=True)
    await piped.delete(key)
    await plain.aclose()
    await piped.aclose()


if __name__ == "__main__":
    given = [each for each in sys.argv[1:] if not each.startswith("--")]
    work = main(given[0] if given else "redis://127.0.0.1:6390/0")
    if "--uvloop" in sys.argv:
        import uvloop

        uvloop.run(work)
    else:
        asyncio.run(work)
