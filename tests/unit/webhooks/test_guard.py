"""What a webhook's URL may be, and where it may lead."""

import asyncio
import socket
import threading

import pytest

from service.webhooks import guard
from service.webhooks.guard import Guard, fault_of
from service.webhooks.names import Names

FINE = [
    "https://example.com/hooks?key=value#part",
    "http://example.com",
    "HTTPS://EXAMPLE.COM:8443/x",
    "http://example.com.:80/",
    "https://faß.example/",
    "http://a_b.example/",
    "http://8.8.8.8:1/",
    "http://[2606:4700::1111]:65535/",
    "https://example.com/" + "x" * 2028,
]
MALFORMED = [
    "",
    "example.com/hooks",
    "/hooks",
    "//example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "javascript:alert(1)",
    "http://",
    "http:///path",
    "http:example.com",
    "http://user@example.com/",
    "http://user:secret@example.com/",
    "http://@example.com/",
    "http://example.com@169.254.169.254/",
    "http://example.com\\@10.0.0.1/",
    "http://exam ple.com/",
    " http://example.com/",
    "http://example.com/a b",
    "http://example.com/\r\nHost: evil",
    "http://example.com/\x00",
    "http://example.com/\x7f",
    "http://example.com/\u2028",
    "http://example.com:0/",
    "http://example.com:65536/",
    "http://example.com:-1/",
    "http://example.com:80:80/",
    "http://example.com:port/",
    "http://[::1",
    "http://[nonsense]/",
    "http://exa%6dple.com/",
    "http://example..com/",
    "http://-example.com/",
    "http://.",
    "http://" + "a" * 64 + ".com/",
    "https://example.com/" + "x" * 2029,
]
NUMBERS = [
    "http://2130706433/",
    "http://017700000001/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.0.0.1./",
    "http://1.2.3.4.5/",
    "http://256.1.1.1/",
    "http://example.0x7f/",
]
INWARD = [
    "http://127.0.0.1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://10.1.2.3:8080/",
    "http://0.0.0.0/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fe80::1%25eth0]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:7f00:1::]/",
    "http://255.255.255.255/",
]


def guarding(answers: dict[str, list[str]], allow_private: bool = False) -> Guard:
    """A guard for which names resolve to what the table says."""

    def look_up(host: str) -> list[tuple[int, str]]:
        if host not in answers:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET6 if ":" in address else socket.AF_INET, address) for address in answers[host]]

    return Guard(allow_private, Names(look_up))


@pytest.mark.parametrize("url", FINE)
def test_ordinary_urls_have_no_fault(url):
    assert fault_of(url) is None


@pytest.mark.parametrize("url", MALFORMED)
def test_malformed_urls_are_refused(url):
    assert fault_of(url)


@pytest.mark.parametrize("url", NUMBERS)
def test_an_address_in_disguise_is_refused(url):
    assert fault_of(url)


@pytest.mark.parametrize("url", INWARD)
async def test_an_address_that_leads_inward_is_refused(url):
    assert await guarding({}).check(url)


@pytest.mark.parametrize("url", INWARD[:7])
async def test_loopback_and_private_addresses_pass_where_the_operator_allows_them(url):
    assert await guarding({}, allow_private=True).check(url) is None


@pytest.mark.parametrize("url", INWARD[7:11] + INWARD[12:])
async def test_the_rest_stays_refused_even_then(url):
    assert await guarding({}, allow_private=True).check(url)


async def test_a_name_is_judged_by_every_address_it_has():
    names = guarding({"good.example": ["8.8.8.8"], "mixed.example": ["8.8.8.8", "10.0.0.1"]})
    assert await names.check("https://good.example/") is None
    assert await names.check("https://mixed.example/") == "must not lead to a private address"


async def test_a_name_that_does_not_resolve_passes_for_now():
    assert await guarding({}).check("https://nowhere.example/") is None


async def test_a_name_server_that_hangs_holds_the_check_up_no_longer_than_its_bound(monkeypatch):
    monkeypatch.setattr(guard, "RESOLVE_SECONDS", 0.05)
    released = threading.Event()

    def hang(host: str) -> list[tuple[int, str]]:
        released.wait(10)
        return []

    async with asyncio.timeout(5):
        assert await Guard(False, Names(hang)).check("https://slow.example/") is None
    released.set()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "169.254.169.254", "fe80::1%eth0", "::ffff:10.0.0.1"])
def test_no_socket_is_made_for_a_forbidden_address(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(PermissionError):
        Guard(allow_private=False).open_socket((family, socket.SOCK_STREAM, 0, "", (address, 80)))
