"""When the next trunk is tried: this one brought the call to nobody. Pure.

Never after ringing, whatever ended it: a telephone has rung, and no second one is rung for the same call.
"""

from service.calls import causes
from service.calls.call import Call
from service.calls.events import LegEnded, LegRefused
from service.calls.status import Status

NEXT = frozenset({408, 500, 502, 503, 504})  # SIP answers of a trunk that cannot: RFC 3261, 21.4.9 and 21.5
TRYING = 100  # SIP: the far end has the INVITE
NOBODY = frozenset({18, 27, causes.CONGESTION, causes.OUT_OF_ORDER, 102})  # causes, where the SIP answer is not known
REDIAL_MS = 20_000  # a call that is older is not dialled any more by who finds it later


def goes_on(call: Call, event: LegEnded | LegRefused) -> bool:
    """Whether the call is dialled by its next route instead of ending."""
    if not call.routes or call.status is not Status.INITIATING or call.hangup_requested_at is not None:
        return False
    if isinstance(event, LegRefused):
        return event.reason == "trunk_unreachable" and _young(call, event.at, False)
    if event.answered_at is not None or event.rang or event.end:
        return False
    return _reached_nobody(event) and _young(call, event.found_at, event.recovered)


def _reached_nobody(event: LegEnded) -> bool:
    if event.sip_code is None:
        return event.cause in NOBODY
    lost = event.sip_code == TRYING and event.cause == causes.CONGESTION
    return event.sip_code == 0 or lost or event.sip_code in NEXT


def _young(call: Call, at: int, found_later: bool) -> bool:
    """The time to ring bounds the search for a trunk too."""
    longest = call.timeout * 1000
    return at - call.created_at < (min(longest, REDIAL_MS) if found_later else longest)
