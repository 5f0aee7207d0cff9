"""A call that reaches one of our numbers: looked up, created, answered and held; or turned away."""

from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from service.calls.call import Call, Direction, Leg
from service.calls.events import CallCreated, Event
from service.calls.ids import derive
from service.control.originate import NumberBook, TrunkBook
from service.control.reactor import Reactor
from service.errors import StoreUnavailable, TrunkFull
from service.numbers.number import Number, as_e164
from service.numbers.route import RouteType
from service.trunks.trunk import SANDBOX, Trunk

log = structlog.get_logger()

UNALLOCATED = 1  # Q.850: the number is nobody's; SIP 404
REJECTED = 21  # Q.850: the trunk takes no calls; SIP 403
OURS = "trunk_"  # endpoints that were pushed bear their trunk's id


@dataclass(frozen=True, slots=True)
class Offer:
    """An inbound channel as a node shows it. `called` and `caller` are as they came, `at` when it was made;
    `endpoint` is the one that it came by."""

    channel_id: str
    node: str
    app: str
    called: str
    caller: str
    at: int
    endpoint: str = ""


class Doorkeeper(Protocol):
    """What is done with a channel that becomes no call."""

    async def turn_away(self, offer: Offer, cause: int) -> None:
        """Refuses it, with a Q.850 cause."""
        ...

    async def refuse(self, offer: Offer, reason: str) -> None:
        """Refuses it for a reason of ours, `max_channels`. The ledger keeps it."""
        ...

    async def leave_alone(self, offer: Offer) -> None:
        """The node goes on by itself, as if nobody had claimed the caller: by the route of the number, with an apology
        where that needs a controller. The ledger keeps it."""
        ...


class Reception:
    """Makes calls of offers. The call's id follows from the channel, so that it is the same call whoever sees it."""

    def __init__(
        self,
        reactor: Reactor,
        numbers: NumberBook,
        trunks: TrunkBook,
        door: Doorkeeper,
        secret: bytes,
        max_duration: int = 3600,
    ) -> None:
        self._reactor, self._numbers, self._trunks, self._door = reactor, numbers, trunks, door
        self._secret, self._max_duration = secret, max_duration

    def call_id(self, channel_id: str, at: int) -> str:
        """The id of the call that an inbound channel is."""
        return derive("call", at, self._secret, channel_id)

    async def offered(self, offer: Offer) -> None:
        """A claimed channel waits to be answered."""
        try:
            await self._take(offer)
        except StoreUnavailable:
            log.warning("a caller is left to the node: the store is away", channel=offer.channel_id)
            await self._door.leave_alone(offer)

    async def _take(self, offer: Offer) -> None:
        found = await self._place(offer)
        if isinstance(found, int):
            log.info("inbound call refused", cause=found, called=offer.called, channel=offer.channel_id)
            await self._door.turn_away(offer, found)
            return
        call = self._call(offer, *found)
        try:
            await self._reactor.handle(CallCreated(call_id=call.id, at=offer.at, call=call))
        except TrunkFull:
            log.info("inbound call refused: the trunk is full", trunk=call.trunk_id, channel=offer.channel_id)
            await self._door.refuse(offer, "max_channels")

    async def recovered(self, offer: Offer) -> None:
        """A channel, or a row of the ledger, of a call that may not have been stored: it is, afterwards."""
        found = await self._place(offer)
        if not isinstance(found, int):
            call = self._call(offer, *found)
            call = replace(call, leg=replace(call.leg, max_channels=0))  # it was let in, or its end is known
            await self._reactor.handle(CallCreated(call_id=call.id, at=offer.at, call=call, recovered=True))

    async def untaken(self, offer: Offer, end: Event) -> None:
        """A caller is gone whom nobody had taken: on record all the same. What fails here, the ledger brings."""
        try:
            await self.recovered(offer)
            await self._reactor.handle(end)
        except StoreUnavailable:
            log.warning("a caller whom nobody took is on record later", channel=offer.channel_id)

    async def _place(self, offer: Offer) -> tuple[Number, Trunk | None] | int:
        """The number that was called and the trunk that brought the call; the cause of a refusal where there is none,
        or where the trunk takes no calls. An operator's own endpoint stands for the number's trunk, if for any."""
        trunk = await self._trunk_of(offer.endpoint)
        if not (trunk.enabled if trunk else not offer.endpoint.startswith(OURS)):
            return REJECTED
        for candidate in as_e164(offer.called, trunk.country if trunk else None):
            if (number := await self._numbers.by_number(candidate)) is not None:
                return number, trunk or await self._trunk_of(number.trunk_id or "")
        return UNALLOCATED

    async def _trunk_of(self, endpoint: str) -> Trunk | None:
        if endpoint == SANDBOX:
            return await self._trunks.sandbox()
        return await self._trunks.by_id(endpoint) if endpoint.startswith(OURS) else None

    def _call(self, offer: Offer, number: Number, trunk: Trunk | None) -> Call:
        trunk_id, most = (trunk.id, trunk.max_channels or 0) if trunk else (None, 0)
        leg = Leg(offer.channel_id, offer.node, offer.app, offer.endpoint, trunk_id, max_channels=most)
        return Call(
            id=self.call_id(offer.channel_id, offer.at),
            direction=Direction.INBOUND,
            to=number.number,
            from_=offer.caller,
            leg=leg,
            created_at=offer.at,
            trunk_id=trunk_id,
            max_duration=self._max_duration,
            webhook_url=number.webhook_url,
            ivr_id=route.target if (route := number.route) and route.type is RouteType.IVR else None,
            sandbox=trunk.sandbox if trunk else False,
        )
