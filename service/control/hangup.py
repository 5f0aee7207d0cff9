"""Hang up a call on the API's wish."""

from service.calls.call import Call
from service.calls.events import HangupRequested
from service.calls.times import now_ms
from service.control.reactor import Reactor
from service.errors import NotFound


async def hang_up(reactor: Reactor, call_id: str) -> Call:
    """Records the intent and asks Asterisk; the end arrives as an event. An ended call is answered as it is.

    Raises `NotFound`.
    """
    call = await reactor.handle(HangupRequested(call_id=call_id, at=now_ms()))
    if call is None:
        raise NotFound
    return call
