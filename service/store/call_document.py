"""A call as JSON and back. Field names are the core's own; what users see is made elsewhere."""

from typing import Any

import orjson

from service.calls.call import Call, Direction, Hangup, Leg, Recording, Route, Side
from service.calls.status import Status


def dump(call: Call) -> bytes:
    """The stored form of a call."""
    return orjson.dumps(call)


def load(document: bytes) -> Call:
    """The call of a stored form. Fields that this version does not know are passed over, those that an older one did
    not know have their defaults."""
    data: dict[str, Any] = orjson.loads(document)
    hangup = data.get("hangup")
    return Call(
        **{
            **_known(Call, data),
            "direction": Direction(data["direction"]),
            "status": Status(data["status"]),
            "recording": Recording(data["recording"]),
            "leg": Leg(**_known(Leg, data["leg"])),
            "routes": tuple(Route(**_known(Route, route)) for route in data.get("routes") or ()),
            "hangup": Hangup(**{**hangup, "by": Side(hangup["by"])}) if hangup else None,
        }
    )


def _known(kind: type[Any], data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name in kind.__dataclass_fields__}
