"""The grammar of SIP URIs, of where calls go, and of where they come from."""

import pytest

from service.trunks.uri import parse, parse_origin, parse_termination

HOSTILE = [
    "", " ", "sip:", "sip:a b", "sip:a\r\nVia: x", "sip:a\n", "sip:a;x=y", "sip:a,sip:b", "sip:a^b", "sip:a?Subject=x",
    "sip:a&PJSIP/b", "sip:${EXTEN}", "sip:[::1", "sip:1.2.3", "sip:1.2.3.400", "sip:-a", "sip:a:0", "sip:a:65536",
    "http://a", "tel:+12025550100", "sip:u:p@a", "sip:a\x00", "sip:ａ", "sip:" + "a" * 300,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_neither(text):
    assert parse(text) is None
    assert parse_termination(text) is None
    assert parse_origin(text) is None


@pytest.mark.parametrize(
    "text",
    ["sip:trunk.carrier.com", "sip:trunk.carrier.com:5060", "SIP:h;transport=TCP", "sips:h", "sip:192.0.2.1:5061",
     "sip:[2001:db8::1]:5061;transport=tls"],
)  # fmt: skip
def test_where_calls_can_go(text):
    assert parse_termination(text)


@pytest.mark.parametrize("text", ["sip:alice@h", "sip:192.0.2.0/24", "trunk.carrier.com", "sips:h;transport=udp"])
def test_where_calls_cannot_go(text):
    assert parse_termination(text) is None


@pytest.mark.parametrize(
    ("text", "host", "prefix"),
    [
        ("sip:gw.example.com", "gw.example.com", None),
        ("sips:gw.example.com:5061;transport=TLS", "gw.example.com", None),
        ("gw.example.com", "gw.example.com", None),
        ("gw.example.com:5080", "gw.example.com", None),
        ("192.0.2.1", "192.0.2.1", None),
        ("sip:192.0.2.0/24", "192.0.2.0", 24),
        ("192.0.2.7/24", "192.0.2.7", 24),
        ("10.0.0.0/8", "10.0.0.0", 8),
        ("sip:[2001:db8::1]", "[2001:db8::1]", None),
        ("[2001:db8::]/32", "[2001:db8::]", 32),
        ("2001:db8::/32", "[2001:db8::]", 32),
        ("2001:db8::1", "[2001:db8::1]", None),
    ],
)
def test_where_calls_can_come_from(text, host, prefix):
    found = parse_origin(text)
    assert (found.host, found.prefix) == (host, prefix)


@pytest.mark.parametrize(
    "text",
    ["0.0.0.0/0", "sip:0.0.0.0/0", "10.0.0.0/7", "192.0.2.0/33", "[::]/0", "[2000::]/15", "[::]/16", "[::ffff:0:0]/96",
     "[::ffff:192.0.2.1]", "0.0.0.0", "224.0.0.1", "[ff02::1]", "sip:alice@h", "h/24", "sip:192.0.2.0:5060/24",
     "fe80::1%eth0", "/8", "sip:/8"],
)  # fmt: skip
def test_where_calls_cannot_come_from(text):
    assert parse_origin(text) is None
