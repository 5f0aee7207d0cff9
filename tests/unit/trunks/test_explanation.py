"""One sentence for what was found."""

from dataclasses import replace

import pytest

from service.trunks.explanation import SENTENCES, explain
from service.trunks.findings import DAY_MS, Answer, Findings, Handshake, Place
from service.trunks.health import Health, Registration, State
from service.trunks.trunk import Encryption, Trunk

NOW = 1_800_000_000_000
PLAIN = Trunk("trunk_01", "one", 1, termination_uri="sip:carrier.example:5060", encryption=Encryption.NONE)
REGISTERS = replace(PLAIN, register=True)
THERE = Answer(True, True, 23.4, ("PCMU",))
SILENT = Answer(True, False, None, ("PCMU",))
UNABLE = Answer(True, None, None, ("PCMU",), "The node has no transport for UDP.")
PLACE = Place("carrier.example", 5060, ("192.0.2.1",))
GOOD = Handshake(True, None, "TLSv1.3", "TLS_AES_256_GCM_SHA384", "CN=carrier", "CN=ca", NOW + 100 * DAY_MS)


def found(*answers, trunk=PLAIN, place=PLACE, **more):
    health = Health(registration=more.pop("registration", None), refused=more.pop("refused", False))
    return Findings(trunk, health, NOW, dict(zip(("n1", "n2"), answers, strict=False)), place, **more)


TABLE = [
    (found(trunk=replace(PLAIN, enabled=False)), "The trunk is switched off."),
    (found(), "No Asterisk node is there to ask through."),
    (
        found(Answer(error="x"), Answer(error="x")),
        "No Asterisk node answers, so the far end was not asked.",
    ),
    (found(Answer()), "No Asterisk node has the trunk yet; look again in a few seconds."),
    (
        found(Answer(True), trunk=replace(PLAIN, sandbox=True), place=None),
        "The built-in carrier is part of this installation and is not asked.",
    ),
    (
        found(SILENT, place=Place("nope.example", 5060, (), "there is no address for it")),
        "The host name nope.example does not resolve: there is no address for it.",
    ),
    (
        found(SILENT, handshake=Handshake(error="the certificate has expired")),
        "The far end at carrier.example:5060 is unreachable, because TLS fails: the certificate has expired.",
    ),
    (
        found(SILENT, handshake=GOOD),
        "TLS works with carrier.example:5060, but nobody there answers OPTIONS within 3 s.",
    ),
    (
        found(SILENT),
        "Nobody answers OPTIONS at carrier.example:5060 within 3 s: check host, port and transport, and that the far "
        "end lets this site in.",
    ),
    (found(Answer(True)), "Whether the far end answers could not be found out."),
    (found(UNABLE), "The far end at carrier.example:5060 was not asked: the node has no transport for UDP."),
    (
        found(THERE, UNABLE),
        "The far end answers in 23.4 ms, but not through every node: the node has no transport for UDP.",
    ),
    (found(THERE, SILENT), "The far end answers in 23.4 ms, but not to n2: check whom the far end lets in."),
    (
        found(THERE, trunk=REGISTERS, registration=Registration.REJECTED),
        "The far end answers in 23.4 ms, but refuses the registration: check user name and password.",
    ),
    (
        found(THERE, refused=True),
        "The far end answers in 23.4 ms, but refuses the credentials of calls: check user name and password.",
    ),
    (
        found(THERE, trunk=REGISTERS, registration=Registration.TRYING),
        "The far end answers in 23.4 ms, but has not confirmed the registration yet.",
    ),
    (
        found(THERE, handshake=Handshake(error="the certificate is for another host")),
        "The far end answers in 23.4 ms, but not to a TLS handshake of the service: the certificate is for another "
        "host.",
    ),
    (
        found(THERE, handshake=replace(GOOD, expires_at=NOW + 5 * DAY_MS + 1)),
        "The far end answers in 23.4 ms, but its certificate expires in 5 days.",
    ),
    (
        found(THERE, trunk=REGISTERS, registration=Registration.REGISTERED),
        "The far end answers in 23.4 ms, and the trunk is registered.",
    ),
    (found(THERE, handshake=GOOD), "The far end answers in 23.4 ms."),
]


@pytest.mark.parametrize(("findings", "sentence"), TABLE, ids=[sentence[:40] for _, sentence in TABLE])
def test_the_sentence(findings, sentence):
    assert explain(findings) == sentence


def test_every_sentence_is_in_the_table():
    assert len(TABLE) == len(SENTENCES)


@pytest.mark.parametrize(
    ("left_ms", "words"),
    [
        (-1, "has expired"),
        (0, "expires in 0 days"),
        (DAY_MS, "expires in 1 day"),
        (14 * DAY_MS - 1, "expires in 13 days"),
        (14 * DAY_MS, None),
    ],
)
def test_a_certificate_that_runs_out(left_ms, words):
    assert found(THERE, handshake=replace(GOOD, expires_at=NOW + left_ms)).warning == words


def test_a_name_that_only_the_service_cannot_resolve_is_no_fault():
    assert explain(found(THERE, place=Place("carrier.example", 5060, (), "x"))) == "The far end answers in 23.4 ms."


def test_the_shortest_round_trip_is_told():
    assert explain(found(THERE, replace(THERE, rtt_ms=7.0))) == "The far end answers in 7 ms."


def test_no_sentence_holds_a_password():
    secret = replace(REGISTERS, auth_username="u", auth_password="hunter2")
    for findings, _ in TABLE:
        assert "hunter2" not in explain(replace(findings, trunk=replace(findings.trunk, auth_password="hunter2")))
    assert "hunter2" not in repr(found(SILENT, trunk=secret))


def test_a_state_alone_explains_nothing():
    """What is known from before does not stand in for what was found now."""
    assert explain(replace(found(THERE), health=Health(State.UNREACHABLE))) == "The far end answers in 23.4 ms."
