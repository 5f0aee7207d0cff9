"""Fills Redis with ended calls: copies of one that the API has made, in whatever form the store keeps it."""

import time
from typing import Any

from service.calls.ids import mint

BATCH = 1000
DAYS = 30  # over which the copies were made

# KEYS: the call's hash, then the sorted sets that it is in. ARGV: the call's id, then ids of copies.
COPY = """
local old, fields, scores = ARGV[1], redis.call('HGETALL', KEYS[1]), {}
for k = 2, #KEYS do scores[k] = redis.call('ZSCORE', KEYS[k], old) end
for i = 2, #ARGV do
  local copy = {}
  for f, text in ipairs(fields) do copy[f] = string.gsub(text, old, ARGV[i]) end
  local name = string.gsub(KEYS[1], old, ARGV[i])
  redis.call('HSET', name, unpack(copy))
  for k = 2, #KEYS do redis.call('ZADD', KEYS[k], scores[k], ARGV[i]) end
end
"""


async def fill(redis: Any, call_id: str, count: int) -> None:
    """Makes `count` copies of an ended call, without its timeline."""
    documents, indexes = [], []
    async for key in redis.scan_iter(count=1000):
        kind = await redis.type(key)
        if kind == b"hash" and key.endswith(call_id.encode()):
            documents.append(key)
        elif kind == b"zset" and await redis.zscore(key, call_id) is not None:
            indexes.append(key)
    (document,) = documents
    script = redis.register_script(COPY)
    now = round(time.time() * 1000)
    step = DAYS * 86_400_000 / count
    for start in range(0, count, BATCH):
        ids = [mint("call", now - round((count - i) * step)) for i in range(start, min(start + BATCH, count))]
        await script(keys=[document, *indexes], args=[call_id, *ids])
