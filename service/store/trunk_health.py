"""What is known of trunks' far ends in Redis: one record each, changed together with the event that tells of it."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

import orjson

from service.control.trunk_health import Change, Stored
from service.errors import Fenced
from service.store import keys
from service.store.cache import Cache
from service.store.connection import Client, guarded
from service.trunks.health import Record, Registration, Sighting, State

Word = TypeVar("Word", bound=StrEnum)

KIND = "trunk_health"  # of what processes tell each other

# KEYS: records, outbox, holders of nodes. ARGV: application and node that it must hold ('' for what anybody may write),
# channel of changes, kind, then of each trunk: id, the record before and after ('' none), its event's id ('' none),
# type and body.
# Returns the ids whose record is another by now, which is then left as it is; 0 where the node is another's.
WRITE = """
if ARGV[1] ~= '' and redis.call('HGET', KEYS[3], ARGV[2]) ~= ARGV[1] then return 0 end
local late = {}
for i = 5, #ARGV, 6 do
  local id = ARGV[i]
  if (redis.call('HGET', KEYS[1], id) or '') ~= ARGV[i + 1] then
    late[#late + 1] = id
  else
    if ARGV[i + 2] == '' then redis.call('HDEL', KEYS[1], id) else redis.call('HSET', KEYS[1], id, ARGV[i + 2]) end
    if ARGV[i + 3] ~= '' then
      redis.call('XADD', KEYS[2], '*', 'id', ARGV[i + 3], 'type', ARGV[i + 4], 'resource', id, 'url', '',
        'body', ARGV[i + 5])
    end
  end
end
redis.call('PUBLISH', ARGV[3], ARGV[4])
return late
"""


class Records(Mapping[str, Stored]):
    """Trunk → what is stored, decoded when it is asked for. `before`: what was decoded of earlier ones, and may be the
    same."""

    def __init__(self, raw: dict[bytes, bytes], before: dict[str, Stored]) -> None:
        self.raw = raw
        self.made: dict[str, Stored] = {}
        self._before = before

    def __getitem__(self, trunk_id: str) -> Stored:
        if trunk_id not in self.made:
            raw, before = self.raw[trunk_id.encode()], self._before.get(trunk_id)
            self.made[trunk_id] = before if before is not None and before.raw == raw else Stored(load(raw), raw)
        return self.made[trunk_id]

    def __iter__(self) -> Iterator[str]:
        return (name.decode() for name in self.raw)

    def __len__(self) -> int:
        return len(self.raw)


class RedisTrunkHealth:
    """`HealthStore`. `writer` is this process's application."""

    def __init__(self, redis: Client, cache: Cache, writer: str) -> None:
        self._redis, self._cache, self._writer = redis, cache, writer
        self._write = redis.durable_script(WRITE)
        self._records = Records({}, {})

    async def all(self) -> Records:
        with guarded():
            [raw] = await self._cache.get(KIND, "all", self._read)
        if raw is not self._records.raw:
            self._records = Records(raw, self._records.made)
        return self._records

    async def write(self, changes: Sequence[Change], node: str = "") -> set[str]:
        args: list[Any] = [self._writer if node else "", node, keys.CHANGED, KIND]
        for change in changes:
            event = change.event
            args += [change.trunk_id, change.before.raw if change.before else "", dump(change.after)]
            args += [event.id, event.type, event.body] if event else ["", "", ""]
        try:
            with guarded():
                late = await self._write(keys=[keys.TRUNK_HEALTH, keys.OUTBOX, keys.HOLDERS], args=args)
        finally:
            self._cache.drop(KIND)
        if late == 0:
            raise Fenced
        return {trunk_id.decode() for trunk_id in late}

    async def _read(self) -> tuple[dict[bytes, bytes]]:
        return (await self._redis.hgetall(keys.TRUNK_HEALTH),)  # a cache keeps nothing that is empty


def dump(record: Record | None) -> bytes:
    return orjson.dumps(record) if record else b""


def load(raw: bytes) -> Record:
    """The record of a stored form. Fields and words that this version does not know are passed over, fields that an
    older one did not know have their defaults."""
    document = orjson.loads(raw)
    sightings = {node: _sighting(each) for node, each in document.get("sightings", {}).items()}
    states = {name: _word(State, document.get(name)) or State.UNKNOWN for name in ("state", "told")}
    return Record(**{**_known(Record, document), **states, "sightings": sightings})


def _sighting(document: dict[str, Any]) -> Sighting:
    return Sighting(**{**_known(Sighting, document), "registration": _word(Registration, document.get("registration"))})


def _known(kind: type[Any], document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name in kind.__dataclass_fields__}


def _word(kind: type[Word], value: object) -> Word | None:
    return next((word for word in kind if word == value), None)
