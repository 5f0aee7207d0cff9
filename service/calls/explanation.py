"""What a hangup means, in one sentence for people. Pure; a table of reasons, and one of SIP answers that say more."""

from typing import Any

from service.calls.call import Hangup, Side
from service.calls.causes import UNREACHABLE

REASONS: dict[str, str] = {
    # ours
    "hangup_requested": "The API hung up.",
    "max_duration": "The call reached its longest duration.",
    "no_controller": "No service process could take the call, and the caller heard an apology.",
    "max_channels": "All channels of the trunk were in use.",
    "no_route": "The number has no route: nothing says where its calls go.",
    "rejected": "The number's route turns all calls away.",
    "menu_hangup": "The menu ended the call.",
    "unavailable": "The menu could reach nobody, said so and ended the call.",
    "asterisk_unavailable": "The Asterisk node that was to dial did not answer.",
    "node_lost": "The call's Asterisk node restarted or was lost, and nobody knows how the call went on.",
    "channel_lost": "The call's channel is gone, and nothing tells how it ended.",
    # a trunk that does not work
    "trunk_unreachable": "The trunk cannot be reached: no such host, no connection, or a TLS handshake that failed.",
    "no_response": "The trunk did not respond to the call at all.",
    "connection_lost": "The connection to the trunk broke while the call was being set up.",
    "trunk_auth_rejected": "The carrier did not accept the trunk's user name or password.",
    "incompatible_destination": "The far end accepts none of the trunk's codecs, or not its encryption.",
    "encryption_refused": "The far end answered without the encryption that the trunk demands, and was hung up on.",
    # Q.850
    "unknown": "The call ended, and the far end did not say why.",
    "unallocated_number": "The number is not in use.",
    "no_route_transit_net": "The carrier has no route through the network that the number needs.",
    "no_route_destination": "The carrier has no route to the number.",
    "channel_unacceptable": "The carrier could not use the channel.",
    "normal_clearing": "The call was hung up.",
    "user_busy": "The number is busy.",
    "no_user_response": "The carrier got no response from the number.",
    "no_answer": "Nobody answered in time.",
    "subscriber_absent": "The telephone is switched off or out of reach.",
    "call_rejected": "The call was rejected.",
    "number_changed": "The number has changed.",
    "redirected": "The carrier sent the call elsewhere, and redirects are not followed.",
    "routing_loop": "The call went in a circle between carriers.",
    "answered_elsewhere": "The call was answered elsewhere.",
    "destination_out_of_order": "The destination is out of order.",
    "invalid_number_format": "The carrier does not understand the number in this format.",
    "facility_rejected": "The carrier does not offer what the call asked for.",
    "normal_unspecified": "The call was cleared without a reason.",
    "congestion": "The carrier cannot take the call now: it is congested or out of service.",
    "network_out_of_order": "The carrier's network failed.",
    "temporary_failure": "The carrier failed for a moment.",
    "switch_congestion": "The carrier is congested.",
    "media_timeout": "No audio came from the far end for too long.",
    "resource_unavailable": "The carrier lacks a resource for the call.",
    "facility_not_subscribed": "The account at the carrier does not include what the call asked for.",
    "bearer_not_authorised": "The account at the carrier may not make this kind of call.",
    "bearer_not_available": "The carrier cannot carry this kind of call now.",
    "bearer_not_implemented": "The carrier does not carry this kind of call.",
    "not_implemented": "The carrier does not support what the call asked for.",
    "timer_expired": "The carrier gave up waiting for another network.",
    "protocol_error": "The far end's signalling was not understood.",
    "interworking": "The far end gave an answer that has no telephone equivalent.",
}

SIP: dict[int, str] = {
    403: "The carrier refused the call: the trunk's user name or password, the caller ID or the number is not allowed.",
    500: "The carrier failed with an error of its own.",
    502: "The carrier got a bad answer from the network behind it.",
    603: "The call was declined.",
}
DOWN = "The call was not dialled: the trunk is known to be down, or its node does not have it yet."
_WHO = {Side.CALLER: "The caller hung up.", Side.CALLEE: "The callee hung up."}


def explain(hangup: Hangup) -> str:
    """Never empty; with the SIP code where the far end gave one."""
    sip, text = hangup.sip_code, REASONS.get(hangup.reason)
    if hangup.reason == "normal_clearing":
        text = _WHO.get(hangup.by, text)
    elif hangup.reason == "trunk_unreachable" and hangup.cause == UNREACHABLE:
        text = DOWN
    elif sip in SIP and hangup.by is not Side.API:
        text = SIP[sip]
    text = text or f"The call ended with cause {hangup.cause} (Q.850)."
    return f"{text.removesuffix('.')} (SIP {sip})." if sip else text


def shown(hangup: Hangup) -> dict[str, Any]:
    """As the API, webhooks and the timeline show it."""
    return {
        "by": hangup.by,
        "cause": hangup.cause,
        "sip_code": hangup.sip_code,
        "reason": hangup.reason,
        "message": explain(hangup),
    }
