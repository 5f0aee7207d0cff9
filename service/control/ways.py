"""Calls that would come back to where they are from by our own numbers, each time as a new call that somebody pays."""

from collections import deque
from collections.abc import Iterable

from service.control.originate import FlowBook, NumberBook
from service.numbers.route import RouteType

REACH = 500  # places that one may lead to
_ONWARD = (RouteType.IVR, RouteType.NUMBER)


class Ways:
    """Goes by routes of numbers, and by transfers and fallbacks of flows, as the store has them now. A place is a
    number, E.164, or a flow's id."""

    def __init__(self, numbers: NumberBook, flows: FlowBook) -> None:
        self._numbers, self._flows = numbers, flows

    async def back(self, start: str, first: str) -> list[str]:
        """The way from `start` by `first` back to `start`; empty: there is none."""
        came, ahead = {first: start}, deque([first])
        while ahead and len(came) <= REACH:
            place = ahead.popleft()
            if place == start:
                return _way(start, came)
            for onward in await self._onward(place):
                if onward not in came:
                    came[onward] = place
                    ahead.append(onward)
        return []

    async def _onward(self, place: str) -> Iterable[str]:
        if not place.startswith("+"):
            flow = await self._flows.by_id(place)
            return flow.dials if flow else ()
        number = await self._numbers.by_number(place)
        route = number.route if number else None
        return (route.target,) if route and route.target and route.type in _ONWARD else ()


def _way(start: str, came: dict[str, str]) -> list[str]:
    way = [start, came[start]]
    while way[-1] != start:
        way.append(came[way[-1]])
    return way[::-1]
