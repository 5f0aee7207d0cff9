"""A call as JSON and back. Field names are the core's own; what users see is made elsewhere."""

from typing import Any

import orjson

from service.calls.call import Call, Direction, Hangup, Leg, Recording, Side
from service.calls.status import Status


def dump(call: Call) -> bytes:
    """The stored form of a call."""
    return orjson.dumps(call)


def load(document: bytes) -> Call:
    """The call of a stored form. Fields that this version does not know are passed over."""
    data: dict[str, Any] = orjson.loads(document)
    hangup = data.get("hangup")
    known = {name: value for name, value in data.items() if name in Call.__dataclass_fields__}
    return Call(
        **{
            **known,
            "direction": Direction(data["direction"]),
            "status": Status(data["status"]),
            "recording": Recording(data["recording"]),
            "leg": Leg(**data["leg"]),
            "hangup": Hangup(**{**hangup, "by": Side(hangup["by"])}) if hangup else None,
        }
    )
