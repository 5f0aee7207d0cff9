"""A trunk, as it is stored and as it is dialled."""

from dataclasses import asdict, replace

import orjson
import pytest

from service.trunks.trunk import Codec, Encryption, Trunk, trunk_of

TRUNK = Trunk(
    "trunk_1", "Carrier", 1, 2, "sip:h:5060", ("192.0.2.0/24",), "u", "hunter2", (Codec.G722,), Encryption.TLS
)


def test_it_comes_back_from_the_store_as_it_went_in():
    assert trunk_of(orjson.loads(orjson.dumps(asdict(TRUNK)))) == TRUNK


def test_one_of_an_older_version_has_defaults():
    old = {"id": "trunk_1", "name": "Sandbox", "created_at": 1, "endpoint": "sandbox", "sandbox": True}
    assert trunk_of(old) == Trunk("trunk_1", "Sandbox", 1, sandbox=True)


def test_its_password_does_not_show():
    assert "hunter2" not in repr(TRUNK)


@pytest.mark.parametrize(
    ("uri", "encryption", "target"),
    [
        ("sip:h:5060", "tls_srtp", "h:5060;transport=tls"),
        ("sips:h", "tls", "h;transport=tls"),
        ("sip:h;transport=TCP", "none", "h;transport=tcp"),
        ("sip:h", "none", "h"),
        ("sip:[2001:db8::1]:5070", "none", "[2001:db8::1]:5070"),
    ],
)
def test_where_its_calls_go(uri, encryption, target):
    assert replace(TRUNK, termination_uri=uri, encryption=Encryption(encryption)).target == target
