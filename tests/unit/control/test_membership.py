"""A process among others: when it counts as alive, when it may take over, and how it leaves."""

import asyncio

import pytest

from service.control import membership as module
from service.control.membership import Membership, Round, stasis_name
from service.errors import Fenced, StoreUnavailable


class FakeMembers:
    """Answers renewals with what a test put into `round`; None fences."""

    def __init__(self):
        self.round, self.away = Round(), False
        self.adopted, self.retired, self.steps = [], [], []
        self.before, self.heir_awaited = [], False

    def _asked(self):
        if self.away:
            raise StoreUnavailable

    async def join(self, app, name, lease_ms):
        self._asked()
        return self.before

    async def renew(self, app, lease_ms, streams, nodes):
        self._asked()
        return self.round

    async def adopt(self, app, dead):
        self._asked()
        self.adopted.append(dead)
        return True

    async def retire(self, app, adopted):
        self.retired.append(adopted)

    async def leave(self, app):
        self._asked()
        self.steps.append("left")

    async def awaits_heir(self, app):
        self.steps.append("asked")
        return self.heir_awaited


class FakeLines:
    names = streams = ("node1",)

    def __init__(self):
        self.followed, self.load = frozenset(), {}

    def measured(self, load):
        self.load = load

    def follow(self, apps):
        self.followed = apps


class World:
    def __init__(self, monkeypatch):
        self.members, self.lines, self.now, self.taken_over = FakeMembers(), FakeLines(), 1000.0, []
        monkeypatch.setattr(module, "_clock", lambda: self.now)
        self.us = Membership(self.members, "orbit-us", "us", 3000, self.lines, self.taken_over.extend)

    async def renew(self, after=0.5, **found):
        self.now += after
        self.members.round = Round(**found)
        await self.us._renew()


@pytest.fixture
def world(monkeypatch):
    return World(monkeypatch)


def test_each_start_has_a_name_of_its_own():
    assert stasis_name("p1") != stasis_name("p1")
    assert stasis_name("p1").startswith("orbit-p1-")


async def test_it_follows_its_own_calls_while_its_lease_lasts(world):
    with pytest.raises(Fenced):
        world.us.check()
    await world.us.join()
    world.us.check()
    assert world.us.owns("orbit-us")
    assert not world.us.owns("orbit-other")
    world.now += 3.1  # halted, or without the store
    with pytest.raises(Fenced):
        world.us.check()
    await world.renew()
    world.us.check()


async def test_a_command_waits_for_the_next_proof(world):
    await world.us.join()
    world.now += 5  # the store was away
    waiting = asyncio.create_task(world.us.confirm())
    await asyncio.sleep(0)
    assert not waiting.done()
    await world.renew()
    await waiting
    world.us.end()
    with pytest.raises(Fenced):
        await world.us.confirm()


async def test_who_ran_under_the_same_name_before_is_taken_over_at_once(world):
    world.members.before = ["orbit-us-before"]
    await world.us.join()
    assert world.members.adopted == ["orbit-us-before"]
    await world.renew(apps={"orbit-us": 0, "orbit-us-before": 3})
    assert world.taken_over == ["orbit-us-before"]
    assert world.us.owns("orbit-us-before")
    assert world.lines.followed == {"orbit-us-before"}


async def test_overdue_processes_are_taken_over_once_the_store_was_there_for_a_lease(world):
    await world.us.join()
    for _ in range(5):
        await world.renew(overdue=("orbit-dead",))
        assert world.members.adopted == []
    await world.renew(overdue=("orbit-dead",))
    assert world.members.adopted == ["orbit-dead"]


async def test_after_an_outage_the_others_get_time_to_renew(world):
    await world.us.join()
    for _ in range(8):
        await world.renew()
    world.us._steady_since = 0.0  # as `run` sets it where the store was away
    await world.renew(after=5, overdue=("orbit-alive",))
    for _ in range(5):
        await world.renew(overdue=("orbit-alive",))
    assert world.members.adopted == []


async def test_one_that_was_halted_itself_gives_the_others_time(world):
    await world.us.join()
    for _ in range(8):
        await world.renew()
    await world.renew(after=20, overdue=("orbit-alive",))
    assert world.members.adopted == []


async def test_who_left_in_order_is_taken_over_at_once(world):
    await world.us.join()
    assert await world.us._renew() is False
    world.members.round = Round(left=("orbit-leaver",))
    assert await world.us._renew() is True  # the next one follows at once
    assert world.members.adopted == ["orbit-leaver"]


async def test_an_adoption_whose_answer_got_lost_is_done_all_the_same(world):
    await world.us.join()
    await world.renew(apps={"orbit-us": 0, "orbit-dead": 2})
    assert world.taken_over == ["orbit-dead"]
    await world.renew(apps={"orbit-us": 0, "orbit-dead": 2})
    assert world.taken_over == ["orbit-dead"]


async def test_an_adopted_name_is_given_up_with_its_last_call(world):
    await world.us.join()
    await world.renew(apps={"orbit-us": 0, "orbit-dead": 2})
    assert world.us.owns("orbit-dead")
    await world.renew(apps={"orbit-us": 0, "orbit-dead": 0})
    assert world.members.retired == ["orbit-dead"]
    await world.renew(apps={"orbit-us": 0})
    assert not world.us.owns("orbit-dead")
    assert world.lines.followed == frozenset()


async def test_the_lease_is_renewed_whatever_goes_wrong(world):
    await world.us.join()
    renewed = 0

    async def renew(*_):
        nonlocal renewed
        renewed += 1
        raise RuntimeError("a bug")

    world.members.renew = renew
    world.us._lease_ms = 6
    world.us.start()
    while renewed < 3:  # noqa: ASYNC110
        await asyncio.sleep(0)
    await world.us.leave()


async def test_a_fenced_process_ends_and_stays_fenced(world):
    await world.us.join()
    world.members.round = None
    await world.us._renew()
    assert world.us.fenced.is_set()
    with pytest.raises(Fenced):
        world.us.check()
    await world.us._run()  # returns


async def test_one_that_leaves_alone_does_not_wait(world):
    await world.us.join()
    await world.renew()
    await world.us.leave()
    assert world.members.steps == ["left", "asked"]


async def test_one_that_leaves_others_waits_until_they_have_its_calls(world):
    await world.us.join()
    await world.renew()
    world.members.heir_awaited = True
    leaving = asyncio.create_task(world.us.leave())
    while "asked" not in world.members.steps:  # noqa: ASYNC110
        await asyncio.sleep(0)
    world.members.heir_awaited = False
    await leaving
    assert world.members.steps[0] == "left"


async def test_one_that_leaves_is_not_fenced_by_its_heir(world):
    await world.us.join()
    await world.us.leave()
    world.us.end()
    assert not world.us.fenced.is_set()


async def test_leaving_without_the_store_is_no_error(world):
    await world.us.join()
    world.members.away = True
    await world.us.leave()


async def test_the_load_reaches_the_lines(world):
    await world.us.join()
    await world.renew(load={"node1": 7})
    assert world.lines.load == {"node1": 7}
