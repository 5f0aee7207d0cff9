"""Menus of a story, the numbers that lead to them, and those who call these numbers."""

import itertools
from collections.abc import Sequence
from typing import Any, Self

from tests.stories.client import Api, until
from tests.stories.farends.callers import Caller, Callers, When
from tests.stories.farends.far_asterisk import FarAsterisk

IVR, NUMBERS = "/v1/voice/ivr", "/v1/numbers"
_ours = (f"+1202556{number:04}" for number in itertools.count())  # numbers that no other story has
_theirs = (f"+1415557{number:04}" for number in itertools.count())
_names = (f"menu {number}" for number in itertools.count())


def option(key: str, action: str, target: str | None = None, **more: Any) -> dict[str, Any]:
    return {"key": key, "action": action, **({} if target is None else {"target": target}), **more}


class Menus:
    """Makes flows and numbers by the API `live`, whose transfers go by the trunk `trunk_id` to `far`, and lets people
    call them. All is gone in the end."""

    def __init__(self, live: Api, far: FarAsterisk, trunk_id: str, callers: Callers) -> None:
        self.live, self.far, self.trunk_id, self.callers = live, far, trunk_id, callers
        self._numbers: list[str] = []
        self._flows: list[str] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for number_id in self._numbers:
            await self.live.ask("DELETE", f"{NUMBERS}/{number_id}")
        for flow_id in reversed(self._flows):
            await self.live.ask("DELETE", f"{IVR}/{flow_id}")

    async def flow(
        self, *options: dict[str, Any], greeting: str = "Main menu.", patience: float = 60, **fields: Any
    ) -> str:
        """A flow, once it is active, within `patience` seconds; returns its id."""
        body = {"name": next(_names), "greeting": greeting, "menu": {"options": list(options)}, **fields}
        body = {"timeout_seconds": 2, "max_retries": 1, "fallback_action": "hangup", **body}
        status, _, answer = await self.live.ask("POST", IVR, json=body)
        assert status == 201, answer
        self._flows.append(answer["data"]["id"])
        await self.active(answer["data"]["id"], patience)
        return str(answer["data"]["id"])

    async def active(self, flow_id: str, seconds: float = 60) -> dict[str, Any]:
        """The flow, once its prompts are ready and on the nodes."""

        async def ready() -> dict[str, Any] | None:
            """an active flow"""
            flow = await self.live.get(f"/voice/ivr/{flow_id}")
            assert flow["status"] != "failed", flow
            return dict(flow) if flow["status"] == "active" else None

        return dict(await until(ready, seconds))

    async def change(self, flow_id: str, **fields: Any) -> None:
        """The change is active when this returns."""
        status, _, answer = await self.live.ask("PUT", f"{IVR}/{flow_id}", json=fields)
        assert status == 200, answer
        await self.active(flow_id)

    async def number(self, route: dict[str, Any] | None, **fields: Any) -> str:
        """A number with this route, in E.164. Its transfers go by the trunk unless told."""
        number = next(_ours)
        body = {"number": number, "route": route, "trunk_id": self.trunk_id, **fields}
        status, _, answer = await self.live.ask("POST", NUMBERS, json=body)
        assert status == 201, answer
        self._numbers.append(answer["data"]["id"])
        return number

    async def leading_to(self, flow_id: str) -> str:
        """A number whose callers enter that flow."""
        return await self.number({"type": "ivr", "target": flow_id})

    async def routed(self, number: str, route: dict[str, Any] | None) -> None:
        """A number gets another route."""
        number_id = await self.id_of(number)
        status, _, answer = await self.live.ask("PUT", f"{NUMBERS}/{number_id}/routing", json=route or {"type": None})
        assert status == 200, answer

    async def id_of(self, number: str) -> str:
        for number_id in self._numbers:
            if (await self.live.get(f"/numbers/{number_id}"))["number"] == number:
                return number_id
        raise AssertionError(number)

    async def calls(self, number: str, *keys: tuple[When, str], dtmf: str = "rfc4733") -> Caller:
        """Somebody whom nobody else is calls that number, and presses these keys."""
        return await self.callers.dial(number, keys, dtmf=dtmf, caller=next(_theirs))

    async def record(self, caller: Caller) -> dict[str, Any]:
        """The call that somebody made, once it is there."""
        return dict(await until(lambda: self._found(caller)))

    async def ended(self, caller: Caller) -> dict[str, Any]:
        """The call that somebody made, once it is on record that it has ended."""
        call = await self.record(caller)
        return await self.live.ends(call["id"], seconds=40)

    async def _found(self, caller: Caller) -> dict[str, Any] | None:
        """The call of a caller."""
        calls = await self.live.get("/voice/calls", params={"from": caller.number, "direction": "inbound"})
        assert len(calls) < 2, calls
        return calls[0] if calls else None

    async def steps(self, call_id: str) -> list[dict[str, Any]]:
        """What was pressed in menus, and what came of it, in order."""
        return [row["detail"] for row in await self.rows(call_id) if row["type"] == "ivr.input"]

    async def rows(self, call_id: str) -> list[dict[str, Any]]:
        return list(await self.live.get(f"/voice/calls/{call_id}/events"))

    async def outcome(self, call_id: str) -> str | None:
        """How the menus were left; None where they were not."""
        found = [row["detail"]["outcome"] for row in await self.rows(call_id) if row["type"] == "ivr.completed"]
        assert len(found) < 2, found
        return found[0] if found else None


def pressed(steps: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Input and action of each step."""
    return [(step["input"], step["action"]) for step in steps]
