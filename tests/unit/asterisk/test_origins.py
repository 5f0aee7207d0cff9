"""Where a trunk's calls come from."""

import asyncio

import pytest

from service.asterisk import origins
from service.asterisk.origins import AddressBook
from service.control.trunk_sync import Origin
from service.trunks.trunk import Trunk


def trunk(*uris, **fields):
    return Trunk("trunk_1", "Carrier", 1, origination_uris=uris, **fields)


class World:
    """The world's names, as a table, and its clock. `asked` are the names that somebody looked up, `most` how many at
    once; while `silent`, nobody is answered."""

    def __init__(self):
        self.hosts, self.asked, self.now, self.silent = {}, [], 1_000.0, asyncio.Event()
        self.silent.set()
        self.here = self.most = 0

    async def of(self, name, seconds):
        self.asked.append(name)
        self.here += 1
        self.most = max(self.most, self.here)
        await asyncio.sleep(0)
        await self.silent.wait()
        self.here -= 1
        return tuple(self.hosts.get(name, ()))


@pytest.fixture
async def world(monkeypatch):
    made = World()
    monkeypatch.setattr(origins, "monotonic", lambda: made.now)
    return made


async def later(book, world, seconds, *trunks):
    """Time passes, and what is due then is looked up."""
    world.now += seconds
    await book.of(trunks)
    await asyncio.gather(*book._asked.values())
    return await book.of(trunks)


async def test_addresses_and_networks_are_taken_as_they_are():
    found = await AddressBook().of([trunk("sip:192.0.2.1:5070", "sip:198.51.100.0/24", "sip:[2001:db8::1]")])
    assert found == {"trunk_1": Origin(("192.0.2.1", "198.51.100.0/24", "2001:db8::1"), True)}


async def test_a_name_is_all_its_addresses(world):
    world.hosts["sip.example.com"] = ["2001:db8::1", "192.0.2.1"]
    found = await AddressBook(world).of([trunk("sip:sip.example.com")])
    assert found["trunk_1"] == Origin(("192.0.2.1", "2001:db8::1"), True)


async def test_a_trunk_that_registers_is_called_from_where_it_registers(world):
    world.hosts["sip.example.com"] = ["192.0.2.1"]
    registers = trunk(termination_uri="sip:sip.example.com", register=True)
    assert (await AddressBook(world).of([registers]))["trunk_1"].addresses == ("192.0.2.1",)


async def test_an_unknown_name_leaves_the_others_and_says_that_something_is_missing(world):
    found = await AddressBook(world).of([trunk("sip:192.0.2.1", "sip:gone.example.com")])
    assert found["trunk_1"] == Origin(("192.0.2.1",), False)


async def test_an_unknown_name_is_asked_for_less_and_less_often(world):
    book, gone = AddressBook(world), trunk("sip:gone.example.com")
    for _ in range(600):
        await later(book, world, 1, gone)
    assert 8 <= len(world.asked) <= 18


async def test_a_name_that_cannot_be_looked_up_again_keeps_its_answer(world):
    book, one = AddressBook(world), trunk("sip:sip.example.com")
    world.hosts["sip.example.com"] = ["192.0.2.1"]
    await book.of([one])
    world.hosts.clear()
    assert (await later(book, world, 9_000, one))["trunk_1"] == Origin(("192.0.2.1",), True)
    assert len(world.asked) == 2


async def test_an_address_that_an_answer_lacks_stays_for_an_hour(world):
    book, one = AddressBook(world), trunk("sip:sip.example.com")
    for n in range(1, 4):  # a name server that gives two of its addresses in turn
        world.hosts["sip.example.com"] = [f"192.0.2.{n}", f"192.0.2.{n + 1}"]
        found = await later(book, world, 90, one)
    assert found["trunk_1"].addresses == ("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4")
    world.hosts["sip.example.com"] = ["192.0.2.9"]
    assert "192.0.2.4" in (await later(book, world, 3_500, one))["trunk_1"].addresses
    assert (await later(book, world, 200, one))["trunk_1"].addresses == ("192.0.2.9",)


async def test_the_addresses_of_a_name_are_bounded(world):
    book, one = AddressBook(world), trunk("sip:sip.example.com")
    for n in range(40):
        world.hosts["sip.example.com"] = [f"192.0.{n}.{k}" for k in range(8)]
        found = await later(book, world, 80, one)
    assert len(found["trunk_1"].addresses) == origins.MOST_ADDRESSES
    assert "192.0.39.0" in found["trunk_1"].addresses


async def test_one_look_up_serves_all_trunks(world):
    world.hosts["sip.example.com"] = ["192.0.2.1"]
    book = AddressBook(world)
    many = [trunk("sip:sip.example.com")] * 50
    assert await asyncio.gather(*(book.of(many) for _ in range(3))) == [{"trunk_1": Origin(("192.0.2.1",), True)}] * 3
    assert world.asked == ["sip.example.com"]


async def test_many_names_are_asked_some_at_a_time_and_not_again_all_in_the_same_moment(world):
    many = [trunk(*(f"sip:h{n}.example.com" for n in range(500)))]
    world.hosts = {f"h{n}.example.com": ["192.0.2.1"] for n in range(500)}
    book = AddressBook(world)
    await book.of(many)
    assert (len(world.asked), world.most) == (500, origins.AT_ONCE)
    await later(book, world, origins.KEPT_SECONDS, *many)
    assert 600 < len(world.asked) < 900


async def test_silent_name_servers_hold_up_nobody_who_has_an_answer(world, monkeypatch):
    monkeypatch.setattr(origins, "LONGEST_SECONDS", 0.05)
    old = trunk("sip:sip.example.com")
    world.hosts["sip.example.com"] = ["192.0.2.1"]
    book = AddressBook(world)
    await book.of([old])
    world.now += 90
    world.silent.clear()
    assert (await book.of([old]))["trunk_1"].complete  # with the old answer, at once
    new = trunk("sip:192.0.2.2", *(f"sip:h{n}.example.com" for n in range(100)))
    async with asyncio.timeout(1):
        assert (await book.of([new]))["trunk_1"] == Origin(("192.0.2.2",), False)
    world.silent.set()
    assert "sip.example.com" in world.asked[1:]


async def test_a_name_that_no_trunk_has_any_more_is_forgotten(world):
    book = AddressBook(world)
    for n in range(100):
        world.hosts[f"h{n}.example.com"] = ["192.0.2.1"]
        await later(book, world, 100, trunk(f"sip:h{n}.example.com"))
    assert len(book._known) < 10
