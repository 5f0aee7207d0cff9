"""A trunk as PJSIP's objects."""

from dataclasses import replace

import orjson
import pytest

from service.asterisk.pjsip import KINDS, differences, objects, owner
from service.asterisk.push import LONGEST
from service.trunks.trunk import Codec, Encryption, Trunk

TRUNK = Trunk("trunk_01J00000000000000000000000", "Carrier", 1, termination_uri="sip:sip.example.com:5070")
LOGIN = {"auth_username": "orbit", "auth_password": "secret"}


def made(trunk, origins=("192.0.2.1",), registers=True):
    return {each.kind: each for each in objects(trunk, tuple(origins), 15, registers)}


def test_a_plain_trunk_is_an_aor_an_endpoint_and_an_identify():
    assert list(made(TRUNK)) == ["aor", "endpoint", "identify"]


def test_a_trunk_without_origins_takes_no_calls():
    assert "identify" not in made(TRUNK, origins=())


@pytest.mark.parametrize("trunk", [replace(TRUNK, enabled=False), replace(TRUNK, sandbox=True)])
def test_nothing_is_pushed_of_a_trunk_that_is_switched_off_or_built_in(trunk):
    assert made(trunk) == {}


@pytest.mark.parametrize(
    ("encryption", "context", "transport", "media", "contact"),
    [
        (Encryption.TLS_SRTP, "orbit-inbound-tls", "transport-tls", "sdes", "sip:sip.example.com:5070;transport=tls"),
        (Encryption.TLS, "orbit-inbound-tls", "transport-tls", "no", "sip:sip.example.com:5070;transport=tls"),
        (Encryption.NONE, "orbit-inbound", "transport-udp", "no", "sip:sip.example.com:5070"),
    ],
)
def test_the_encryption_decides_transport_media_and_context(encryption, context, transport, media, contact):
    found = made(replace(TRUNK, encryption=encryption))
    endpoint = found["endpoint"].fields
    assert (endpoint["context"], endpoint["transport"], endpoint["media_encryption"]) == (context, transport, media)
    assert found["aor"].fields["contact"] == contact


def test_an_unverified_trunk_has_a_transport_of_its_own():
    assert made(replace(TRUNK, tls_verify=False))["endpoint"].fields["transport"] == "transport-tls-unverified"


def test_tcp_is_taken_from_the_uri():
    trunk = replace(TRUNK, encryption=Encryption.NONE, termination_uri="sip:192.0.2.9;transport=tcp")
    assert made(trunk)["endpoint"].fields["transport"] == "transport-tcp"


def test_an_ipv6_address_is_dialled_from_one():
    trunk = replace(TRUNK, termination_uri="sip:[2001:db8::1]:5061", tls_verify=False)
    assert made(trunk)["endpoint"].fields["transport"] == "transport-tls6-unverified"


def test_a_user_name_is_escaped_where_it_stands_in_a_uri():
    registration = made(replace(TRUNK, auth_username="a@b", auth_password="p", register=True))["registration"].fields
    assert registration["client_uri"] == "sip:a%40b@sip.example.com"


def test_codecs_keep_their_order_and_nothing_else_is_allowed():
    trunk = replace(TRUNK, codecs=(Codec.OPUS, Codec.PCMA, Codec.G722, Codec.PCMU))
    assert made(trunk)["endpoint"].fields["allow"] == "!all,opus,alaw,g722,ulaw"


def test_a_login_answers_challenges_and_registers_from_one_node_only():
    trunk = replace(TRUNK, **LOGIN, register=True)
    assert made(trunk)["registration"].fields["client_uri"] == "sip:orbit@sip.example.com"
    assert "registration" not in made(trunk, registers=False)
    assert made(trunk)["endpoint"].fields["outbound_auth"] == trunk.id == made(trunk)["auth"].id


def test_a_login_that_is_taken_away_is_taken_off_the_endpoint():
    """A push keeps the fields that it does not name."""
    with_login, without = made(replace(TRUNK, **LOGIN))["endpoint"], made(TRUNK)["endpoint"]
    assert with_login.fields.keys() == without.fields.keys()
    assert without.fields["outbound_auth"] == ""


def test_every_endpoint_is_found_by_address_alone():
    assert made(TRUNK)["endpoint"].fields["identify_by"] == "ip"


def test_changed_addresses_make_another_identify_and_the_old_one_goes():
    before = {each.key: each.fields for each in objects(TRUNK, ("192.0.2.1",), 15, True)}
    put, gone = differences(objects(TRUNK, ("192.0.2.2",), 15, True), before)
    assert [each.kind for each in put] == ["identify"]
    assert [kind for kind, _ in gone] == ["identify"]


def test_the_order_of_addresses_makes_no_difference():
    one, other = (objects(TRUNK, each, 15, True) for each in (("192.0.2.1", "192.0.2.2"), ("192.0.2.2", "192.0.2.1")))
    assert one == other


def test_what_is_the_same_is_left_alone():
    wanted = objects(replace(TRUNK, **LOGIN, register=True), ("192.0.2.1",), 15, True)
    assert differences(wanted, {each.key: each.fields for each in wanted}) == ([], [])


def test_made_in_order_and_unmade_in_reverse():
    wanted = objects(replace(TRUNK, **LOGIN, register=True), ("192.0.2.1",), 15, True)
    put, _ = differences(wanted, {})
    assert [each.kind for each in put] == list(KINDS)
    _, gone = differences([], {each.key: each.fields for each in wanted})
    assert [kind for kind, _ in gone] == list(reversed(KINDS))


def test_an_object_tells_whose_it_is():
    assert {owner(each.id) for each in objects(replace(TRUNK, **LOGIN), ("192.0.2.1",), 15, True)} == {TRUNK.id}


def test_the_longest_rows_fit_into_a_line_of_ami():
    host = ".".join(["a" * 60] * 4)
    trunk = replace(
        TRUNK,
        termination_uri=f"sip:{host}:65535;transport=tls",
        auth_username="#" * 64,
        auth_password='"' * 128,
        register=True,
        codecs=tuple(Codec),
        tls_verify=False,
    )
    origins = tuple(f"2001:db8:1111:2222:3333:4444:5555:{n:04x}/128" for n in range(64))
    found = objects(trunk, origins, 3600, True)
    assert len([each for each in found if each.kind == "identify"]) == 4
    assert max(len(orjson.dumps(each.fields)) for each in found) <= LONGEST
