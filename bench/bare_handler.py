"""What a POST costs at the least: an aiohttp handler that reads JSON, runs one Redis script, and answers 201. No
key, no limits, no validation, no calls. asyncio's own event loop and redis-py, as most would write it.

    python -m bench.bare_handler <Redis URL>    says its own URL, and ends with its input
"""

import asyncio
import json
import sys
import uuid

from aiohttp import web
from redis.asyncio import Redis

STORE = """
redis.call('HSET', KEYS[1], 'doc', ARGV[1])
redis.call('ZADD', KEYS[2], 0, ARGV[2])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 1000, '*', 'body', ARGV[1])
return 1
"""


async def main(url: str) -> None:
    redis = Redis.from_url(url)
    store = redis.register_script(STORE)

    async def create(request: web.Request) -> web.Response:
        call = {"id": uuid.uuid4().hex, "status": "initiating", **await request.json()}
        await store(keys=[f"bare:{call['id']}", "bare:all", "bare:events"], args=[json.dumps(call), call["id"]])
        return web.json_response({"data": call}, status=201)

    app = web.Application()
    app.router.add_post("/v1/voice/calls", create)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()
    await redis.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
