"""Why calls end: Q.850 causes (ITU-T Q.850, table 1) as our reasons, and the status each gives before an answer.

Asterisk maps SIP answers to these causes (res_pjsip, `hangup_sip2cause`): 486 and 600 to 17, 480 to 19, 408 to 18, 404
to 1, 403 and 603 to 21, 503 to 34, 500 to 38, 504 to 102.
"""

from typing import NamedTuple

from service.calls.status import Status


class Cause(NamedTuple):
    """A cause's reason slug, the status of a call that it ends unanswered, and whether it is our side's doing."""

    reason: str
    unanswered: Status = Status.FAILED
    ours: bool = False


UNKNOWN = 0
NORMAL = 16
NO_RESPONSE = 18
NO_ANSWER = 19
REDIRECTED = 23
UNREACHABLE = 27
CONGESTION = 34
OUT_OF_ORDER = 38
BEARER = 58
INTERWORKING = 127

CAUSES: dict[int, Cause] = {
    0: Cause("unknown"),
    1: Cause("unallocated_number"),
    2: Cause("no_route_transit_net"),
    3: Cause("no_route_destination"),
    6: Cause("channel_unacceptable"),
    16: Cause("normal_clearing"),
    17: Cause("user_busy", Status.BUSY),
    18: Cause("no_user_response", Status.NO_ANSWER),
    19: Cause("no_answer", Status.NO_ANSWER),
    20: Cause("subscriber_absent", Status.NO_ANSWER),
    21: Cause("call_rejected"),
    22: Cause("number_changed"),
    23: Cause("redirected"),
    25: Cause("routing_loop"),
    26: Cause("answered_elsewhere", Status.NO_ANSWER),
    27: Cause("destination_out_of_order"),
    28: Cause("invalid_number_format"),
    29: Cause("facility_rejected"),
    31: Cause("normal_unspecified"),
    34: Cause("congestion"),
    38: Cause("network_out_of_order", ours=True),
    41: Cause("temporary_failure"),
    42: Cause("switch_congestion"),
    44: Cause("media_timeout", ours=True),
    47: Cause("resource_unavailable"),
    50: Cause("facility_not_subscribed"),
    57: Cause("bearer_not_authorised"),
    58: Cause("bearer_not_available"),
    65: Cause("bearer_not_implemented"),
    79: Cause("not_implemented"),
    88: Cause("incompatible_destination"),
    102: Cause("timer_expired"),
    111: Cause("protocol_error"),
    127: Cause("interworking"),
}


def cause_of(code: int) -> Cause:
    """The row of a cause; one that we do not know fails a call as `cause_<n>`."""
    return CAUSES.get(code) or Cause(f"cause_{code}")


UNAUTHORIZED = frozenset({401, 407})  # SIP answers that ask for credentials; final, those that we gave are refused
_AUTH = Cause("trunk_auth_rejected")
_MEDIA = Cause("incompatible_destination")

SAID: dict[int, Cause] = {
    **dict.fromkeys(UNAUTHORIZED, _AUTH),
    **dict.fromkeys((406, 415, 488, 606), _MEDIA),
}
"""SIP answers to a call of ours that say more than the cause that Asterisk makes of them."""

UNHEARD: dict[int, Cause] = {
    NO_RESPONSE: Cause("no_response"),
    CONGESTION: Cause("trunk_unreachable"),
}
"""Causes of a call to which no SIP answer ever came: Asterisk makes them up, and they mean something else then."""

LOST = Cause("connection_lost")


def unanswered(code: int, sip_code: int | None) -> Cause:
    """Why a call of ours was not answered. `sip_code` as of `LegEnded`."""
    if sip_code is None:
        return cause_of(code)
    if sip_code == 0:
        return UNHEARD.get(code) or cause_of(code)
    if sip_code < 200 and code == CONGESTION:  # the far end was at work on it when its connection broke
        return LOST
    if sip_code < 300 and code == BEARER:  # it answered with codecs that were not offered
        return _MEDIA
    return SAID.get(sip_code) or cause_of(code)
