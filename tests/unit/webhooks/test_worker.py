"""Work on lanes: what is claimed, what an outcome means, and what happens while the store is away."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace

import pytest

from service.control.ports import OutboxEntry
from service.errors import StoreUnavailable
from service.webhooks import worker as module
from service.webhooks.roster import Roster
from service.webhooks.sender import Answer
from service.webhooks.worker import Worker

PAUSES = (5, 60)
EVENT = OutboxEntry("evt_1", "call.ringing", "call_1", "https://mine.example/", b"{}")


@dataclass(frozen=True)
class Held:
    id: str
    endpoint: str = "url_1"
    attempts: int = 0
    status: str = "pending"
    created_at: int = 0
    untried: bool = True
    event: OutboxEntry = EVENT


@dataclass
class FakeLanes:
    """Gives what it is told to give; keeps what it is asked and told."""

    due: list[Held] = field(default_factory=list)
    following: dict[str, Held] = field(default_factory=dict)
    failures: int = 0
    asked: list[tuple[int, int, Counter]] = field(default_factory=list)
    settled: list[tuple[str, str, int, dict]] = field(default_factory=list)

    async def claim(self, now, each, total, busy):
        self.asked.append((each, total, Counter(busy)))
        taken, self.due = self.due[:total], self.due[total:]
        return taken, None

    async def sweep(self, in_hand, now):
        pass

    async def settle(self, held, now, status, due, fields, go_on):
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable
        self.settled.append((held.id, status, due, fields))
        return self.following.pop(held.id, None) if go_on else None


class FakeSender:
    def __init__(self, *answers: Answer) -> None:
        self.answers, self.sent = list(answers) or [Answer(200, "", 7)], []
        self.gate, self.asked = asyncio.Event(), asyncio.Event()
        self.gate.set()

    async def send(self, url, secret, delivery_id, event):
        self.sent.append(delivery_id)
        self.asked.set()
        await self.gate.wait()
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def worker(lanes: FakeLanes, sender: FakeSender, per_endpoint: int = 4) -> Worker:
    async def none():
        return []

    return Worker(lanes, Roster(none, b"account"), sender, lambda: 1000, per_endpoint, PAUSES)


async def work(made: Worker) -> None:
    """One claim, and all that it started."""
    await made._claim()
    await asyncio.wait(made._tasks)


async def test_a_lane_goes_on_until_it_is_empty():
    lanes = FakeLanes([Held("dlv_1")], {"dlv_1": Held("dlv_2"), "dlv_2": Held("dlv_3")})
    sender = FakeSender()
    await work(worker(lanes, sender))
    assert sender.sent == ["dlv_1", "dlv_2", "dlv_3"]
    assert [(name, status) for name, status, _, _ in lanes.settled] == [(f"dlv_{i}", "delivered") for i in (1, 2, 3)]


async def test_the_outcome_is_recorded():
    lanes, sender = FakeLanes([Held("dlv_1", attempts=1)]), FakeSender(Answer(500, "HTTP 500", 12, "oops"))
    await work(worker(lanes, sender))
    [(_, status, due, fields)] = lanes.settled
    assert (status, due) == ("retrying", 61_000)
    assert fields == {
        "attempts": 2,
        "url": "https://mine.example/",
        "error": "HTTP 500",
        "response_status": 500,
        "response_body": "oops",
        "duration_ms": 12,
    }


async def test_after_the_last_attempt_it_is_dead_and_the_lane_goes_on():
    lanes = FakeLanes([Held("dlv_1", attempts=2)], {"dlv_1": Held("dlv_2")})
    sender = FakeSender(Answer(None, "timeout", 12), Answer(200, "", 1))
    await work(worker(lanes, sender))
    assert [s[:2] for s in lanes.settled] == [("dlv_1", "dead"), ("dlv_2", "delivered")]
    assert lanes.settled[0][3]["response_status"] == ""


async def test_a_deleted_webhook_is_not_sent_to():
    lanes, sender = FakeLanes([Held("dlv_1", endpoint="wh_gone")]), FakeSender()
    await work(worker(lanes, sender))
    assert sender.sent == []
    assert lanes.settled == [("dlv_1", "dead", 1000, {"error": "webhook deleted"})]


async def test_an_outcome_waits_for_the_store_and_nothing_is_sent_twice(monkeypatch):
    monkeypatch.setattr(module, "STORE_PAUSE_SECONDS", 0)
    lanes, sender = FakeLanes([Held("dlv_1")], failures=3), FakeSender()
    await work(worker(lanes, sender))
    assert (sender.sent, lanes.settled[0][1]) == (["dlv_1"], "delivered")


async def test_where_the_store_stays_away_the_lease_brings_the_lane_back(monkeypatch):
    monkeypatch.setattr(module, "STORE_PAUSE_SECONDS", 0)
    monkeypatch.setattr(module, "OUTCOME_SECONDS", 0)
    lanes, sender = FakeLanes([Held("dlv_1")], failures=100), FakeSender()
    made = worker(lanes, sender)
    await work(made)
    assert lanes.settled == []
    lanes.failures, lanes.due = 0, [replace(Held("dlv_1"), untried=False)]
    await work(made)
    assert lanes.asked[-1][2] == Counter()
    assert lanes.settled[0][1] == "delivered"


async def test_what_is_under_way_is_told_and_at_the_end_forgotten():
    lanes, sender = FakeLanes([Held("dlv_1"), Held("dlv_2"), Held("dlv_3", endpoint="url_2")]), FakeSender()
    sender.gate.clear()
    made = worker(lanes, sender)
    await made._claim()
    await made._claim()
    assert lanes.asked[1] == (4, module.CLAIM, Counter({"url_1": 2, "url_2": 1}))
    sender.gate.set()
    await asyncio.wait(made._tasks)
    await made._claim()
    assert lanes.asked[2][2] == Counter()


async def test_with_many_requests_under_way_each_endpoint_has_one_at_a_time(monkeypatch):
    monkeypatch.setattr(module, "REQUESTS", 10)
    lanes, sender = FakeLanes([Held(f"dlv_{i}", endpoint=f"url_{i}") for i in range(20)]), FakeSender()
    sender.gate.clear()
    made = worker(lanes, sender)
    monkeypatch.setattr(module, "CLAIM", 5)
    for _ in range(3):
        await made._claim()
    assert [(each, total) for each, total, _ in lanes.asked] == [(4, 5), (1, 5)]
    sender.gate.set()
    await asyncio.wait(made._tasks)


async def test_a_full_claim_is_followed_by_another_at_once():
    lanes = FakeLanes([Held(f"dlv_{i}", endpoint=f"url_{i}") for i in range(module.CLAIM)])
    made = worker(lanes, FakeSender())
    assert await made._claim() == 0
    assert await made._claim() == module.POLL_SECONDS
    await asyncio.wait(made._tasks)


async def test_what_does_not_finish_in_time_is_given_back():
    lanes, sender = FakeLanes([Held("dlv_1", status="retrying")]), FakeSender()
    sender.gate.clear()
    made = worker(lanes, sender)
    await made._claim()
    await sender.asked.wait()
    await made.drain(0)
    assert lanes.settled == [("dlv_1", "retrying", 1000, {})]


async def test_a_turn_sleeps_until_it_is_woken():
    lanes = FakeLanes()
    made = worker(lanes, FakeSender())
    turn = asyncio.create_task(made.turn())
    await asyncio.sleep(0)
    made.wake()
    async with asyncio.timeout(module.POLL_SECONDS / 2):
        await turn
    assert len(lanes.asked) == 1


@pytest.mark.parametrize("fault", [RuntimeError("bug"), StoreUnavailable()])
async def test_a_failure_frees_its_slot(fault):
    lanes, sender = FakeLanes([Held("dlv_1")]), FakeSender()

    async def fail(*_):
        raise fault

    sender.send = fail
    made = worker(lanes, sender)
    await work(made)
    await made._claim()
    assert lanes.asked[-1][2] == Counter()
