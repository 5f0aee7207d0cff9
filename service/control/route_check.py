"""Whether a number's route leads to something."""

from collections.abc import Awaitable, Callable, Mapping

from service.control.originate import FlowBook, NumberBook, TrunkBook
from service.control.ports import Destinations
from service.control.sip_destinations import that_may_dial
from service.errors import Fault
from service.numbers import route
from service.numbers.number import Number, is_e164
from service.numbers.route import TARGETS, RouteType
from service.trunks.uri import parse

Check = Callable[[Number, str], Awaitable[str | None]]
"""What is expected of a target of a number's route instead; None where nothing is."""


class RouteCheck:
    """Asks what there is. Without `destinations`, a SIP URI may lead anywhere."""

    def __init__(
        self, numbers: NumberBook, trunks: TrunkBook, flows: FlowBook, destinations: Destinations | None
    ) -> None:
        self._numbers, self._trunks, self._flows, self._destinations = numbers, trunks, flows, destinations
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

    async def _flow(self, _: Number, target: str) -> str | None:
        return None if await self._flows.by_id(target) else TARGETS[RouteType.IVR]

    async def _telephone(self, number: Number, target: str) -> str | None:
        """Our own numbers on the way must not lead back."""
        way = [number.number, target]
        while way[-1] not in way[:-1]:
            on = await self._numbers.by_number(way[-1])
            if on is None or on.route is None or on.route.type is not RouteType.NUMBER or on.route.target is None:
                return None
            way.append(on.route.target)
        return f"a number that does not lead back: {' → '.join(way)}"

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
