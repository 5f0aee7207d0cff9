"""Names of trunks' hosts, in a world that is a table."""

import asyncio
import threading

import pytest

from service.asterisk import names
from service.asterisk.names import Names


def hosts(monkeypatch, table, services=None):
    """The world's names, as tables."""

    def look_up(host):
        if host not in table:
            raise OSError(host)
        return table[host]

    async def srv(name, seconds):
        return (services or {}).get(name, [])

    monkeypatch.setattr(names, "_look_up", look_up)
    monkeypatch.setattr(names, "_services", srv)


async def test_the_addresses_of_a_host(monkeypatch):
    hosts(monkeypatch, {"sip.example.com": ("192.0.2.1", "2001:db8::1")})
    assert await Names().addresses("sip.example.com") == ("192.0.2.1", "2001:db8::1")
    with pytest.raises(OSError, match="gone"):
        await Names().addresses("gone.example.com")


async def test_a_name_is_also_the_hosts_that_its_domain_names_for_sip(monkeypatch):
    table = {"example.com": ("192.0.2.80",), "sbc1.example.com": ("192.0.2.1",)}
    services = {
        "_sip._udp.example.com": [("sbc1.example.com", 5060), ("gone.example.com", 5060)],
        "_sips._tcp.example.com": [("sbc1.example.com", 5061)],
    }
    hosts(monkeypatch, table, services)
    assert await Names().of("example.com", 1) == ("192.0.2.1", "192.0.2.80")
    assert await Names().of("gone.example.com", 1) == ()
    found = await Names().services("example.com", ["_sips._tcp", "_sip._tcp"], 1)
    assert found == [[("sbc1.example.com", 5061)], []]


async def test_a_look_up_that_hangs_holds_up_its_own_asker_alone_and_not_for_long(monkeypatch):
    end = threading.Event()

    def hang(host):
        end.wait(5)
        return ()

    monkeypatch.setattr(names, "_look_up", hang)
    monkeypatch.setattr(names, "Resolver", lambda: (_ for _ in ()).throw(names.DNSException))
    try:
        book = Names()
        assert await asyncio.gather(*(book.of(f"h{n}.example.com", 0.1) for n in range(100))) == [()] * 100
        async with asyncio.timeout(2):
            await asyncio.to_thread(int)
    finally:
        end.set()
