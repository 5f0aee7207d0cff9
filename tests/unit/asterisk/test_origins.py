"""Where a trunk's calls come from."""

from service.asterisk import origins
from service.asterisk.origins import AddressBook
from service.control.trunk_sync import Origin
from service.trunks.trunk import Trunk


def trunk(*uris, **fields):
    return Trunk("trunk_1", "Carrier", 1, origination_uris=uris, **fields)


def names(monkeypatch, hosts, services=None):
    """The world's names, as a table."""
    asked = []

    async def resolve(host):
        asked.append(host)
        if host not in hosts:
            raise OSError(host)
        return hosts[host]

    async def srv(name):
        return (services or {}).get(name, [])

    monkeypatch.setattr(origins, "addresses", resolve)
    monkeypatch.setattr(origins, "_srv", srv)
    return asked


async def test_addresses_and_networks_are_taken_as_they_are():
    found = await AddressBook().of([trunk("sip:192.0.2.1:5070", "sip:198.51.100.0/24", "sip:[2001:db8::1]")])
    assert found == {"trunk_1": Origin(("192.0.2.1", "198.51.100.0/24", "2001:db8::1"), True)}


async def test_a_name_is_all_its_addresses(monkeypatch):
    names(monkeypatch, {"sip.example.com": ["192.0.2.1", "2001:db8::1"]})
    assert (await AddressBook().of([trunk("sip:sip.example.com")]))["trunk_1"].addresses == ("192.0.2.1", "2001:db8::1")


async def test_a_name_is_also_the_hosts_that_its_domain_names_for_sip(monkeypatch):
    hosts = {"example.com": ["192.0.2.80"], "sbc1.example.com": ["192.0.2.1"]}
    names(monkeypatch, hosts, {"example.com": ["sbc1.example.com", "sbc2.example.com"]})
    assert (await AddressBook().of([trunk("sip:example.com")]))["trunk_1"].addresses == ("192.0.2.1", "192.0.2.80")


async def test_a_trunk_that_registers_is_called_from_where_it_registers(monkeypatch):
    names(monkeypatch, {"sip.example.com": ["192.0.2.1"]})
    registers = trunk(termination_uri="sip:sip.example.com", register=True)
    assert (await AddressBook().of([registers]))["trunk_1"].addresses == ("192.0.2.1",)


async def test_an_unknown_name_leaves_the_others_and_says_that_something_is_missing(monkeypatch):
    names(monkeypatch, {})
    found = await AddressBook().of([trunk("sip:192.0.2.1", "sip:gone.example.com")])
    assert found["trunk_1"] == Origin(("192.0.2.1",), False)


async def test_a_name_that_cannot_be_looked_up_again_keeps_its_answer(monkeypatch):
    hosts = {"sip.example.com": ["192.0.2.1"]}
    names(monkeypatch, hosts)
    monkeypatch.setattr(origins, "KEPT_SECONDS", 0.0)
    book = AddressBook()
    await book.of([trunk("sip:sip.example.com")])
    hosts.clear()
    assert (await book.of([trunk("sip:sip.example.com")]))["trunk_1"] == Origin(("192.0.2.1",), True)


async def test_one_look_up_serves_all_trunks(monkeypatch):
    asked = names(monkeypatch, {"sip.example.com": ["192.0.2.1"]})
    book = AddressBook()
    for _ in range(3):
        await book.of([trunk("sip:sip.example.com")] * 50)
    assert asked == ["sip.example.com"]
