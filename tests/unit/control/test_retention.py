"""What is forgotten, and what is not."""

import asyncio
from dataclasses import replace

import pytest

from service.calls.call import Call, Direction, Leg, Recording
from service.calls.ids import channel_of, mint
from service.calls.status import Status
from service.control import retention
from service.control.ports import Versioned
from service.control.retention import DAY_MS, Retention
from service.errors import StoreUnavailable

NOW = 1_000 * DAY_MS


def a_call(days_ago, **more):
    at = NOW - round(days_ago * DAY_MS)
    call_id = mint("call", at)
    leg = Leg(channel_of(call_id), "node1", "orbit-p1")
    call = Call(call_id, Direction.OUTBOUND, "+1", "+2", leg, at, status=Status.COMPLETED, ended_at=at + 60_000)
    return replace(call, **more)


class Shelf:
    """`OldCalls` and `Recordings` in memory."""

    def __init__(self, *calls):
        self.calls = {c.id: Versioned(c, 1) for c in sorted(calls, key=lambda c: c.id)}
        self.asked, self.empty = 0, asyncio.Event()
        self.files, self.broken = {c.id for c in calls if c.recording is Recording.READY}, set()

    async def created_before(self, before_ms, after, limit):
        self.asked += 1
        return [h for i, h in self.calls.items() if i > after and h.call.created_at < before_ms][:limit]

    async def delete(self, held):
        if isinstance(held, str):
            if held in self.broken:
                raise OSError("read-only")
            self.files.discard(held)
            return None
        was_there = self.calls.pop(held.call.id, None) is not None
        if not self.calls:
            self.empty.set()
        return was_there


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 3)
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0)


def sweeper(shelf, days=90):
    return Retention(shelf, shelf, days, lambda: NOW)


async def test_ended_calls_go_when_they_are_old_enough():
    old, young = [a_call(100 - n / 100) for n in range(8)], [a_call(89.9), a_call(0)]
    shelf = Shelf(*old, *young)
    assert await sweeper(shelf).sweep() == 8
    assert set(shelf.calls) == {c.id for c in young}
    assert shelf.asked == 3
    assert await sweeper(shelf).sweep() == 0


async def test_the_end_counts_and_not_the_beginning():
    long = a_call(90.5, ended_at=NOW - 89 * DAY_MS)
    shelf = Shelf(long, a_call(90.4))
    assert await sweeper(shelf).sweep() == 1
    assert set(shelf.calls) == {long.id}


async def test_what_has_not_ended_or_waits_for_its_recording_stays():
    stay = [
        a_call(200, status=Status.IN_PROGRESS, ended_at=None),
        a_call(199, recording=Recording.PENDING),
        a_call(198, status=Status.INITIATING, ended_at=None),
    ]
    shelf = Shelf(*stay, a_call(150, recording=Recording.LOST), a_call(149))
    assert await sweeper(shelf).sweep() == 2
    assert set(shelf.calls) == {c.id for c in stay}


async def test_a_recording_goes_with_its_call():
    shelf = Shelf(a_call(100, recording=Recording.READY), a_call(10, recording=Recording.READY))
    await sweeper(shelf).sweep()
    assert shelf.files == set(shelf.calls)


async def test_a_call_stays_while_its_recording_cannot_be_deleted():
    call = a_call(100, recording=Recording.READY)
    shelf = Shelf(call, a_call(99))
    shelf.broken.add(call.id)
    assert await sweeper(shelf).sweep() == 1
    assert set(shelf.calls) == {call.id}


async def test_parts_of_a_day_count():
    shelf = Shelf(a_call(0.6), a_call(0.4))
    assert await sweeper(shelf, days=0.5).sweep() == 1


async def test_a_store_that_is_away_is_waited_for(monkeypatch):
    monkeypatch.setattr(retention, "SWEEP_SECONDS", 0)
    shelf = Shelf(a_call(100))
    there = shelf.created_before

    async def away(*args):
        monkeypatch.setattr(shelf, "created_before", there)
        raise StoreUnavailable

    monkeypatch.setattr(shelf, "created_before", away)
    task = asyncio.create_task(sweeper(shelf).run())
    await asyncio.wait_for(shelf.empty.wait(), 2)
    task.cancel()
