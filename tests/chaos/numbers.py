"""Numbers. Every call of a run has its own, so that what SIP saw and what the API says can be laid side by side; the
digit after +1415 tells the far end what to do (scenarios/callee.xml)."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

OUR_NUMBER = "+12025551234"  # registered in every embedded stack: `from` of all calls out, `to` of all calls in
RECORDED = 6  # one call in so many is recorded


@dataclass(frozen=True, slots=True)
class Manner:
    """What becomes of a call. `weight` in 100 calls are of it; the API hangs up `hang_up` seconds after it accepted."""

    name: str
    digit: int
    weight: int
    hang_up: tuple[float, float] | None = None
    limits: dict[str, tuple[int, int]] = field(default_factory=dict)


MANNERS = (
    Manner("held until the API hangs up", 0, 30, hang_up=(5, 9)),
    Manner("held to its limit", 0, 14, limits={"max_duration": (4, 7)}),
    Manner("hangs up after 2 s", 1, 8),
    Manner("hangs up after 4 s", 2, 14),
    Manner("hangs up after 6 s", 3, 14),
    Manner("busy", 4, 5),
    Manner("rings, then is away", 5, 5),
    Manner("unknown", 6, 3),
    Manner("rings until the API hangs up", 7, 4, hang_up=(1.5, 3)),
    Manner("rings out", 7, 3, limits={"timeout": (2, 4)}),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """A call to place: its manner, the body of its POST, and when the API is to hang up."""

    manner: Manner
    body: dict[str, Any]
    hang_up_after: float | None

    @property
    def number(self) -> str:
        return str(self.body["to"])

    @property
    def limited(self) -> bool:
        return bool(self.manner.limits)


def plans(seed: int) -> Iterator[Plan]:
    """Calls to place, the same for the same seed."""
    chance = random.Random(seed)
    for n in itertools.count(1):
        [manner] = chance.choices(MANNERS, [m.weight for m in MANNERS])
        limits = {name: chance.randint(*span) for name, span in manner.limits.items()}
        body = {"to": f"+1415{manner.digit}{n:06}", "from": OUR_NUMBER, "record": n % RECORDED == 0, **limits}
        yield Plan(manner, body, chance.uniform(*manner.hang_up) if manner.hang_up else None)


def callers(row: int, node: int) -> list[str]:
    """The numbers of those who call one of ours, for one row of the table and one node."""
    return [f"+1416{row:02}{node}{n:04}" for n in range(1000)]
