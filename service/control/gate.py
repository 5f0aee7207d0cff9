"""Whether a trunk takes another call now, so far as that is known before it is dialled; and what calls show of it."""

from dataclasses import dataclass

from service.calls.call import Call, Direction, Route
from service.calls.causes import UNAUTHORIZED
from service.calls.status import Status
from service.control.ports import Meter, Reachability


@dataclass(frozen=True, slots=True)
class Gate:
    """Open where nothing is wired. How many calls a trunk has at once, the store's write tells."""

    reachability: Reachability | None = None
    meter: Meter | None = None

    def down(self, trunk_id: str | None) -> bool:
        """Whether a trunk is known to be down."""
        return trunk_id is not None and self.reachability is not None and self.reachability.down(trunk_id)

    def down_from(self, trunk_id: str, node: str) -> bool:
        """Whether a trunk is known not to be reached from a node."""
        return self.reachability is not None and self.reachability.down_from(trunk_id, node)

    async def wait_ms(self, route: Route) -> int:
        """Takes one of the trunk's new calls of this second; 0 where it was taken, else the ms until there is one."""
        if self.meter is None or not route.calls_per_second:
            return 0
        return await self.meter.take(route.trunk_id, route.calls_per_second)

    async def give_back(self, route: Route) -> None:
        """What was taken of this second became no call."""
        if self.meter is not None and route.calls_per_second:
            await self.meter.give_back(route.trunk_id)

    def saw(self, call: Call) -> None:
        """Takes a call whose status has just changed: its trunk's credentials are refused, or good."""
        if self.reachability is None or call.trunk_id is None or call.direction is Direction.INBOUND:
            return
        if call.status in (Status.RINGING, Status.IN_PROGRESS):
            self.reachability.called(call.trunk_id, refused=False)
        elif call.hangup is not None and call.hangup.sip_code in UNAUTHORIZED:
            self.reachability.called(call.trunk_id, refused=True)

    async def takes(self, route: Route) -> bool:
        """Whether the trunk is up and has a new call left in this second, which is taken."""
        return not self.down(route.trunk_id) and not await self.wait_ms(route)
