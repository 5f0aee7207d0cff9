"""URLs of Redis."""

import pytest

from service.store.address import parse


@pytest.mark.parametrize(
    ("url", "hosts", "more"),
    [
        ("redis://h", (("h", 6379),), {}),
        ("redis://h:1/3", (("h", 1),), {"db": 3}),
        ("redis://u:p%40@[::1]:7/0", (("::1", 7),), {"username": "u", "password": "p@"}),
        ("rediss://h:1?ssl_cert_reqs=none", (("h", 1),), {"ssl_cert_reqs": "none"}),
        ("redis+cluster://u:p@a,b:2", (("a", 6379), ("b", 2)), {"username": "u", "password": "p"}),
        ("redis+sentinel://:p@a,b:2/main/4", (("a", 26379), ("b", 2)), {"password": "p", "db": 4}),
    ],
)
def test_what_a_url_says(url, hosts, more):
    address = parse(url)
    assert address.hosts == hosts
    assert more.items() <= address.options.items()


def test_the_sentinels_have_their_own_password():
    address = parse("rediss+sentinel://u:p@a/main?sentinel_password=s")
    assert (address.kind, address.master, address.tls) == ("sentinel", "main", True)
    assert address.sentinel_options == {"password": "s"}
    assert "sentinel_password" not in address.options


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "must begin with"),
        ("http://h", "must begin with"),
        ("redis+many://h", "must begin with"),
        ("redis+://h", "must begin with"),
        ("redis://", "host:port"),
        ("redis://:secret@h:port", "host:port"),
        ("redis://h:99999", "host:port"),
        ("redis://a,b", "several hosts"),
        ("redis://h/x", "'x' is no number of a database"),
        ("redis://h/1/2", "no number of a database"),
        ("redis://h?colour=red", "unknown option 'colour'"),
        ("redis://h?socket_timeout=x", "socket_timeout"),
        ("redis://h?sentinel_password=x", "unknown option sentinel_password"),
        ("redis+sentinel://h", "master's name"),
        ("redis+sentinel://h/main/x", "'x' is no number of a database"),
        ("redis+sentinel://h/main?sentinel_colour=x", "unknown option sentinel_colour"),
        ("redis+cluster://h/2", "no databases"),
        ("redis://[::1", "URL"),
    ],
)
def test_a_bad_url_is_told_in_a_sentence(url, says):
    with pytest.raises(ValueError, match=says) as told:
        parse(url)
    assert "secret" not in str(told.value)
    assert "\n" not in str(told.value)
