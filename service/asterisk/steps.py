"""Steps of parties in menus: each one an event at once, and a row of AstDB until it is stored (extensions_menu.conf):
`step/<channel>/<number>`."""

from collections import defaultdict
from typing import Any

import structlog

from service.asterisk.ami import Ami
from service.asterisk.channel import seconds_to_ms
from service.calls.steps import Step
from service.control.node_state import Walk
from service.ivr.flow import Action

log = structlog.get_logger()

EVENT = "OrbitStep"
FAMILY = "step"
_DIAL = {"NOANSWER": "no_answer", "CHANUNAVAIL": "unreachable"}  # of a transfer; others are plain words


def parse(row: str) -> Step | None:
    """`at|since|flow|input|by|valid|action|target|outcome`, times in seconds since 1970; None for a foreign row."""
    fields = row.split("|")
    if len(fields) != 9:
        return None
    at, since = seconds_to_ms(fields[0]), seconds_to_ms(fields[1])
    if at is None or not fields[2]:
        return None
    flow, typed, by, valid, action, target, outcome = fields[2:]
    if action == Action.SAY:
        target = ""  # the name of a file
    if len(typed) != 1:
        typed = _DIAL.get(typed, typed.lower())
    return Step(flow, since or at, at, typed, by, valid == "1", action, target, outcome)


def step_of(message: dict[str, Any]) -> tuple[int, Step] | None:
    """The number and the step of a user event; None for any other."""
    if message.get("eventname") != EVENT:
        return None
    said = message["userevent"]
    step = parse(str(said["step"]))
    return (int(said["n"]), step) if step else None


class NodeSteps:
    """The rows of one node."""

    def __init__(self, ami: Ami) -> None:
        self._ami = ami

    async def read(self) -> list[Walk]:
        """All that is there, by channel, in order. A row that cannot be read is passed over."""
        found: defaultdict[str, list[tuple[int, Step]]] = defaultdict(list)
        for message in await self._ami.action("DBGetTree", Family=FAMILY):
            channel, _, number = str(message.get("Key", "")).removeprefix(f"/{FAMILY}/").rpartition("/")
            step = parse(str(message.get("Val", "")))
            if channel and number.isdecimal() and step is not None:
                found[channel].append((int(number), step))
        return [Walk(channel, tuple(sorted(steps, key=lambda each: each[0]))) for channel, steps in found.items()]

    async def forget(self, channel_id: str) -> None:
        """Deletes a channel's rows; where there are none, that is no error."""
        await self._ami.action("DBDelTree", Family=FAMILY, Key=channel_id)
