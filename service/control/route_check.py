"""Whether a number's route leads to something."""

from collections.abc import Awaitable, Callable, Mapping

from service.control.originate import FlowBook, NumberBook, TrunkBook
from service.control.ports import Destinations
from service.control.sip_destinations import that_may_dial
from service.control.ways import Ways
from service.errors import Fault
from service.numbers import route
from service.numbers.number import Number, is_e164
from service.numbers.route import TARGETS, RouteType
from service.trunks.uri import parse

Check = Callable[[Number, str], Awaitable[str | None]]
"""What is expected of a target of a number's route instead; None where nothing is."""


class RouteCheck:
    """Asks what there is; `numbers` and `flows` as the store has them now. Without `destinations`, a SIP URI
    may lead anywhere."""

    def __init__(
        self, numbers: NumberBook, trunks: TrunkBook, flows: FlowBook, destinations: Destinations | None
    ) -> None:
        self._trunks, self._flows, self._destinations = trunks, flows, destinations
        self._ways = Ways(numbers, flows)
        self._checks: Mapping[RouteType, Check] = {
            RouteType.IVR: self._flow,
            RouteType.NUMBER: self._telephone,
            RouteType.SIP: self._uri,
        }

    async def faults(self, number: Number) -> list[Fault]:
        """What is wrong with the number's route; its fields are `route.type` and `route.target`."""
        if number.route is None:
            return []
        kind, target = number.route.type, number.route.target
        found = route.faults(number.route)
        if found or target is None:
            return found
        if kind is RouteType.NUMBER and not is_e164(target):
            return [Fault("route.target", target, TARGETS[kind], "INVALID_PHONE_NUMBER")]
        expected = await self._checks[kind](number, target)
        return [Fault("route.target", target, expected)] if expected else []

    async def _flow(self, number: Number, target: str) -> str | None:
        if await self._flows.by_id(target) is None:
            return TARGETS[RouteType.IVR]
        way = await self._ways.back(number.number, target)
        return f"a flow that does not lead back: {' → '.join(way)}" if way else None

    async def _telephone(self, number: Number, target: str) -> str | None:
        way = await self._ways.back(number.number, target)
        return f"a number that does not lead back: {' → '.join(way)}" if way else None

    async def _uri(self, number: Number, target: str) -> str | None:
        uri = parse(target)
        if uri is None or not uri.user or uri.prefix is not None:
            return TARGETS[RouteType.SIP]
        named = [trunk for each in number.trunks if (trunk := await self._trunks.by_id(each))]
        default = None if named else await self._trunks.default()
        trunks = named or ([default] if default else [])
        allowed, expected = await that_may_dial(target, trunks, self._destinations)
        if allowed:
            return None
        names = ", ".join(trunk.name for trunk in trunks)
        return f"{expected} ({names})" if names else "a number: there is no trunk that dials SIP URIs"
