"""A call that reaches one of our numbers: looked up, created, answered and held; or turned away."""

from dataclasses import dataclass
from typing import Protocol

import structlog

from service.calls.call import Call, Direction, Leg
from service.calls.events import CallCreated, Event
from service.calls.ids import derive
from service.control.originate import NumberBook, TrunkBook
from service.control.reactor import Reactor
from service.errors import StoreUnavailable
from service.numbers.number import as_e164

log = structlog.get_logger()

UNALLOCATED = 1  # Q.850: the number is nobody's; SIP 404


@dataclass(frozen=True, slots=True)
class Offer:
    """An inbound channel as a node shows it. `called` and `caller` are digits as they came, `at` when it was made."""

    channel_id: str
    node: str
    app: str
    called: str
    caller: str
    at: int


class Doorkeeper(Protocol):
    """What is done with a channel that becomes no call."""

    async def turn_away(self, offer: Offer, cause: int) -> None:
        """Refuses it, with a Q.850 cause."""
        ...

    async def apologise(self, offer: Offer) -> None:
        """Tells the caller that nobody can take the call, and ends it. The ledger keeps it."""
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
            log.warning("a caller hears the apology: the store is away", channel=offer.channel_id)
            await self._door.apologise(offer)

    async def _take(self, offer: Offer) -> None:
        call = await self._call(offer)
        if call is None:
            log.info("inbound call to an unknown number", called=offer.called, channel=offer.channel_id)
            await self._door.turn_away(offer, UNALLOCATED)
        else:
            await self._reactor.handle(CallCreated(call_id=call.id, at=offer.at, call=call))

    async def recovered(self, offer: Offer) -> None:
        """A channel, or a row of the ledger, of a call that may not have been stored: it is, afterwards."""
        call = await self._call(offer)
        if call is not None:
            await self._reactor.handle(CallCreated(call_id=call.id, at=offer.at, call=call, recovered=True))

    async def untaken(self, offer: Offer, end: Event) -> None:
        """A caller is gone whom nobody had taken: on record all the same. What fails here, the ledger brings."""
        try:
            await self.recovered(offer)
            await self._reactor.handle(end)
        except StoreUnavailable:
            log.warning("a caller whom nobody took is on record later", channel=offer.channel_id)

    async def _call(self, offer: Offer) -> Call | None:
        number = await self._numbers.by_number(as_e164(offer.called))
        if number is None:
            return None
        trunk = await self._trunks.by_id(number.trunk_id) if number.trunk_id else await self._trunks.default()
        return Call(
            id=self.call_id(offer.channel_id, offer.at),
            direction=Direction.INBOUND,
            to=number.number,
            from_=offer.caller,
            leg=Leg(offer.channel_id, offer.node, offer.app),
            created_at=offer.at,
            trunk_id=trunk.id if trunk else None,
            max_duration=self._max_duration,
            webhook_url=number.webhook_url,
            sandbox=trunk.sandbox if trunk else False,
        )
