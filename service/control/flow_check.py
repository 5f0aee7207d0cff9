"""Whether a flow is one that callers can use: its own fields, and all that its keys lead to."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from service.control.collections import Collection
from service.control.flow_view import Voice
from service.control.ports import Destinations
from service.control.ways import Ways
from service.errors import Fault
from service.ivr import rules
from service.ivr.flow import KEYS, Action, Fallback, Flow, flow_of
from service.numbers.number import is_e164
from service.trunks.uri import parse

LONGEST_TEXT = 4000  # characters; what is longer is a fault by itself
REACH = 500  # flows that one may lead to, by whatever way
SPOKEN = "a language that an engine here speaks: see /v1/voice/speech/engines"

Check = Callable[[Any], Awaitable[str | None]]
"""What is expected instead of a target; None where nothing is."""


class Speaks(Protocol):
    """Which voice speaks a language."""

    def voice(self, language: str) -> Voice | None: ...

    def fault(self, text: str, language: str) -> str | None:
        """What is expected instead of a text; None where nothing is. Blocks for some milliseconds."""
        ...


class FlowCheck:
    """Asks what there is. `check_url` says why a URL may not be fetched, or None; without `destinations`, a SIP URI may
    lead anywhere."""

    def __init__(
        self,
        flows: Collection,
        speaker: Speaks,
        check_url: Check,
        ways: Ways,
        destinations: Destinations | None = None,
    ) -> None:
        self._flows, self._speaker, self._check_url = flows, speaker, check_url
        self._ways, self._destinations = ways, destinations
        self._targets: Mapping[Action, Check] = {
            Action.TRANSFER_NUMBER: self._telephone,
            Action.TRANSFER_SIP: self._uri,
            Action.IVR: self._flow,
        }

    async def faults(self, fields: Mapping[str, Any]) -> list[Fault]:
        """What is wrong with fields of a flow as JSON has them. What is no value of its kind is passed over."""
        found = await rules_of(fields)
        language, url = fields.get("language"), fields.get("greeting_url")
        if isinstance(language, str) and self._speaker.voice(language) is None:
            found.append(Fault("language", language, SPOKEN))
        if isinstance(url, str) and url.lower().startswith("https://") and (expected := await self._check_url(url)):
            found.append(Fault("greeting_url", url, expected))
        spoken = {field: text for field, text in _texts(fields) if text.strip() and len(text) <= LONGEST_TEXT}
        for field, text in spoken.items():
            if expected := await asyncio.to_thread(self._speaker.fault, text, str(language)):
                found.append(Fault(field, text, expected))
        pointing = self._pointing(fields)
        answers = await asyncio.gather(*(check(target) for _, target, check in pointing))
        for (field, target, check), expected in zip(pointing, answers, strict=True):
            if expected:
                code = "INVALID_PHONE_NUMBER" if check == self._telephone else "VALIDATION_ERROR"
                found.append(Fault(field, target, expected, code))
        return found

    def _pointing(self, fields: Mapping[str, Any]) -> list[tuple[str, str, Check]]:
        """Each target that is there, with its field and who checks it."""
        found: list[tuple[str, Any, Check]] = []
        options = fields["menu"].get("options") if isinstance(fields.get("menu"), Mapping) else None
        for place, option in enumerate(options[: len(KEYS)] if isinstance(options, list | tuple) else ()):
            action = option.get("action") if isinstance(option, Mapping) else None
            if isinstance(action, str) and action in list(self._targets):
                found.append((f"menu.options.{place}.target", option.get("target"), self._targets[Action(action)]))
        if fields.get("fallback_action") == Fallback.TRANSFER_NUMBER:
            found.append(("fallback_target", fields.get("fallback_target"), self._telephone))
        return [(field, target, check) for field, target, check in found if isinstance(target, str)]

    async def _telephone(self, target: str) -> str | None:
        return None if is_e164(target) else rules.TARGETS[Action.TRANSFER_NUMBER]

    async def _uri(self, target: str) -> str | None:
        uri = parse(target)
        if uri is None or not uri.user or uri.prefix is not None:
            return rules.TARGETS[Action.TRANSFER_SIP]
        return await self._destinations.fault(target) if self._destinations else None

    async def _flow(self, target: str) -> str | None:
        return None if await self._flows.get(target) else rules.TARGETS[Action.IVR]

    async def circle(self, flow: Flow) -> list[Fault]:
        """Menus that lead to each other with no way out, and our own numbers that lead back here, by what
        `flow` would become."""
        if returning := await self._returning(flow):
            return returning
        reached = await self.reached(flow)
        if len(reached) > REACH:
            return [Fault("menu.options", None, f"a menu that leads to {REACH} others at most")]
        if rules.leaves(flow) or any(map(rules.leaves, reached.values())):
            return []
        everyone = {each.id: each for each in map(flow_of, await self._flows.all())}  # some of them may lead here
        way = rules.trap(flow, everyone)
        if not way:
            return []
        names = " → ".join(str(flow.name) for flow in way)
        return [Fault("menu.options", None, f"a way out of the menus: {names} goes round for ever")]

    async def _returning(self, flow: Flow) -> list[Fault]:
        """Numbers of ours whose calls come back to this flow: new calls without end."""
        dialled = [target for target in dict.fromkeys(flow.dials) if isinstance(target, str) and is_e164(target)]
        ways = await asyncio.gather(*(self._ways.back(flow.id, target) for target in dialled))
        names = {each: " → ".join(way) for each, way in zip(dialled, ways, strict=True) if way}
        placed = [(f"menu.options.{place}.target", option.target) for place, option in enumerate(flow.options)]
        if flow.fallback_action is Fallback.TRANSFER_NUMBER:
            placed.append(("fallback_target", flow.fallback_target))
        return [
            Fault(field, target, f"a number that does not lead back: {names[target]}")
            for field, target in placed
            if isinstance(target, str) and target in names
        ]

    async def reached(self, flow: Flow) -> dict[str, Flow]:
        """The flows that one leads to, by whatever way; those that are gone are left out, those beyond `REACH` too."""
        found: dict[str, Flow] = {}
        ahead = list(flow.leads_to)
        while ahead and len(found) <= REACH:
            flow_id = ahead.pop()
            document = await self._flows.get(flow_id) if flow_id not in found and flow_id != flow.id else None
            if document:
                found[flow_id] = flow_of(document)
                ahead += found[flow_id].leads_to
        return found


async def rules_of(fields: Mapping[str, Any]) -> list[Fault]:
    """`rules.faults`, beside the event loop."""
    return await asyncio.to_thread(rules.faults, fields)


def _texts(fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each text that would be spoken, with its field."""
    found = [(name, fields.get(name)) for name in ("greeting", "invalid_prompt")]
    options = fields["menu"].get("options") if isinstance(fields.get("menu"), Mapping) else None
    for place, option in enumerate(options[: len(KEYS)] if isinstance(options, list | tuple) else ()):
        if isinstance(option, Mapping) and option.get("action") == Action.SAY:
            found.append((f"menu.options.{place}.target", option.get("target")))
    return [(field, text) for field, text in found if isinstance(text, str)]
