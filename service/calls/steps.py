"""What a party did in a menu: one step after another, numbered from 1 on each channel. Values only."""

from dataclasses import dataclass
from typing import Any

TRANSFERRED = "transferred"


@dataclass(frozen=True, slots=True)
class Step:
    """One step; times in ms since 1970.

    `since` is when the menu began to ask, or a transfer to ring. `input` is a key, `timeout`, or what became of a
    transfer (Asterisk's DIALSTATUS in small letters); empty where the party leaves the menus for good: then `outcome`
    says how, `transferred`, `hangup`, `caller_hung_up`, `unavailable` or `max_duration`. `by` is `key` or `speech`,
    empty where the party did nothing, `valid` where the menu has such a key. `action` is what the menu does then,
    `replay` where it begins again.
    """

    flow_id: str
    since: int
    at: int
    input: str = ""
    by: str = ""
    valid: bool = False
    action: str = ""
    target: str = ""
    outcome: str = ""

    @property
    def last(self) -> bool:
        return not self.input

    @property
    def detail(self) -> dict[str, Any]:
        """As the timeline and webhooks show it."""
        if self.last:
            there = {"target": self.target or None} if self.outcome == TRANSFERRED else {}
            return {"ivr_id": self.flow_id, "outcome": self.outcome, **there}
        return {
            "ivr_id": self.flow_id,
            "input": self.input,
            "by": self.by or None,
            "valid": self.valid,
            "action": self.action,
            "target": self.target or None,
            "took_ms": max(0, self.at - self.since),
        }
