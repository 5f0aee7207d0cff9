"""From what was found at a trunk's far end to one sentence. Pure."""

from collections.abc import Callable, Sequence

from service.trunks.findings import Findings
from service.trunks.health import TIMEOUT_MS, Registration


def explain(found: Findings) -> str:
    """The first sentence of `SENTENCES` that holds."""
    place = found.place
    words = {
        "answers": "The far end answers" + (f" in {found.rtt_ms:g} ms" if found.rtt_ms is not None else ""),
        "where": f"{place.host}:{place.port}" if place else found.trunk.target.partition(";")[0],
        "host": place.host if place else "",
        "nowhere": found.nowhere,
        "tls": found.untrusted,
        "warning": found.warning,
        "missing": ", ".join(found.missing),
        "unable": found.unable and (found.unable[0].lower() + found.unable[1:].rstrip(".")),
        "seconds": TIMEOUT_MS // 1000,
    }
    return next(sentence.format(**words) for holds, sentence in SENTENCES if holds(found))


SENTENCES: Sequence[tuple[Callable[[Findings], object], str]] = (
    (lambda f: not f.trunk.enabled, "The trunk is switched off."),
    (lambda f: not f.answers, "No Asterisk node is there to ask through."),
    (
        lambda f: all(a.error and not a.known for a in f.answers.values()),
        "No Asterisk node answers, so the far end was not asked.",
    ),
    (
        lambda f: not any(a.known for a in f.answers.values()),
        "No Asterisk node has the trunk yet; look again in a few seconds.",
    ),
    (lambda f: not f.reached and not f.missing and f.unable, "The far end at {where} was not asked: {unable}."),
    (
        lambda f: f.trunk.sandbox and not f.reached and not f.missing,
        "The built-in carrier is part of this installation and is not asked.",
    ),
    (lambda f: not f.reached and f.nowhere, "The host name {host} does not resolve: {nowhere}."),
    (
        lambda f: not f.reached and f.untrusted,
        "The far end at {where} is unreachable, because TLS fails: {tls}.",
    ),
    (
        lambda f: f.missing and not f.reached and f.handshake,
        "TLS works with {where}, but nobody there answers OPTIONS within {seconds} s.",
    ),
    (
        lambda f: f.missing and not f.reached,
        "Nobody answers OPTIONS at {where} within {seconds} s: check host, port and transport, and that the far end "
        "lets this site in.",
    ),
    (lambda f: not f.reached, "Whether the far end answers could not be found out."),
    (lambda f: f.unable, "{answers}, but not through every node: {unable}."),
    (lambda f: f.missing, "{answers}, but not to {missing}: check whom the far end lets in."),
    (
        lambda f: f.health.registration is Registration.REJECTED,
        "{answers}, but refuses the registration: check user name and password.",
    ),
    (lambda f: f.health.refused, "{answers}, but refuses the credentials of calls: check user name and password."),
    (
        lambda f: f.health.registration not in (None, Registration.REGISTERED),
        "{answers}, but has not confirmed the registration yet.",
    ),
    (lambda f: f.untrusted, "{answers}, but not to a TLS handshake of the service: {tls}."),
    (lambda f: f.warning, "{answers}, but its certificate {warning}."),
    (lambda f: f.health.registration, "{answers}, and the trunk is registered."),
    (lambda f: f.reached, "{answers}."),
)
