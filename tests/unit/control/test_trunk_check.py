"""A live check: bounded, and whole whatever is away."""

import asyncio
import time
from dataclasses import replace

import orjson
import pytest

from service.control import trunk_check as module
from service.control.membership import Round
from service.control.trunk_check import TrunkCheck
from service.errors import AsteriskUnavailable
from service.trunks.findings import Answer, Handshake, Place
from service.trunks.health import Health, State
from service.trunks.trunk import Encryption, Trunk

ENCRYPTED = Trunk("trunk_1", "one", 1, termination_uri="sip:carrier.example", auth_password="hunter2")
PLAIN = Trunk("trunk_1", "one", 1, termination_uri="sip:carrier.example", encryption=Encryption.NONE)
PLACE = Place("carrier.example", 5061, ("192.0.2.1",))
SOON = 4_102_444_800_000


class World:
    """Nodes and a far end as a test wants them; `None` for what never answers."""

    def __init__(self, *nodes):
        self.nodes = {f"n{i}": answer for i, answer in enumerate(nodes, 1)}
        self.where, self.tls, self.verified = PLACE, Handshake(True, expires_at=SOON), []
        self.round = Round(attended=frozenset(self.nodes))

    def of(self, trunks):
        return {trunk.id: Health(State.REACHABLE, 1.0, 5) for trunk in trunks}

    async def check(self, node, endpoint):
        answer = self.nodes[node]
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def place(self, trunk):
        return self.where

    async def handshake(self, place, verify):
        self.verified.append(verify)
        if self.tls is None:
            await asyncio.Event().wait()
        return self.tls

    async def run(self, trunk=ENCRYPTED):
        return await TrunkCheck(self, self, self, self).run(trunk)

    async def check_twice(self, trunk=ENCRYPTED, other=None):
        """Asked for two at once; the first one hangs up."""
        check = TrunkCheck(self, self, self, self)
        first, second = asyncio.create_task(check.run(trunk)), asyncio.create_task(check.run(other or trunk))
        await asyncio.sleep(0)
        first.cancel()
        found = await second
        assert not check._running or other
        return found


THERE = Answer(True, True, 23.0, ("OPUS", "PCMU"))


async def test_all_is_well():
    found = await World(THERE).run()
    assert found["explanation"] == "The far end answers in 23 ms."
    assert (found["trunk_id"], found["status"], found["health"]["state"]) == ("trunk_1", "active", "reachable")
    assert found["options"] == [{"node": "n1", "reachable": True, "rtt_ms": 23.0, "error": None}]
    assert found["codecs"] == ["OPUS", "PCMU"]
    assert found["dns"] == {"host": "carrier.example", "port": 5061, "addresses": ("192.0.2.1",), "error": None}
    assert (found["tls"]["ok"], found["tls"]["verified"], found["tls"]["warning"]) == (True, True, None)
    assert found["tls"]["expires_at"] == "2100-01-01T00:00:00.000Z"
    assert b"hunter2" not in orjson.dumps(found)


async def test_a_plain_trunk_has_no_tls():
    world = World(THERE)
    found = await world.run(PLAIN)
    assert found["tls"] is None
    assert world.verified == []


@pytest.mark.parametrize("verify", [True, False])
async def test_the_certificate_is_verified_as_the_trunk_demands(verify):
    world = World(THERE)
    await world.run(Trunk("trunk_1", "one", 1, termination_uri="sip:carrier.example", tls_verify=verify))
    assert world.verified == [verify]


async def test_a_node_that_fails_is_part_of_the_result():
    found = await World(THERE, AsteriskUnavailable()).run()
    assert [each["error"] for each in found["options"]] == [None, "The node does not answer."]
    assert found["explanation"] == "The far end answers in 23 ms."


async def test_nothing_answers_and_it_ends_in_time(monkeypatch):
    monkeypatch.setattr(module, "LONGEST_SECONDS", 0.05)
    world = World(None)
    world.tls = None
    begun = time.monotonic()
    found = await world.run()
    assert time.monotonic() - begun < 1
    assert found["explanation"] == "No Asterisk node answers, so the far end was not asked."
    assert found["tls"]["error"] == "it takes too long"


async def test_no_node_at_all():
    assert (await World().run())["explanation"] == "No Asterisk node is there to ask through."


async def test_one_that_is_switched_off_is_not_looked_at():
    world = World(THERE)
    found = await world.run(Trunk("trunk_1", "one", 1, termination_uri="sip:carrier.example", enabled=False))
    assert (found["status"], found["options"], found["dns"]) == ("disabled", [], None)
    assert found["explanation"] == "The trunk is switched off."


async def test_of_several_at_once_one_looks_and_no_one_who_hangs_up_ends_it():
    world = World(THERE)
    assert (await world.check_twice())["explanation"] == "The far end answers in 23 ms."
    assert world.verified == [True]
    await world.check_twice(other=replace(ENCRYPTED, tls_verify=False))
    assert sorted(world.verified[1:]) == [False, True]


async def test_where_something_breaks_nothing_goes_on():
    world = World(KeyError("something"))
    world.tls = None
    with pytest.raises(ExceptionGroup):
        await world.run()
    assert asyncio.all_tasks() == {asyncio.current_task()}
