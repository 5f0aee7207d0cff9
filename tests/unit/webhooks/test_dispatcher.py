"""The dispatcher outlives whatever its store and its receivers do."""

import asyncio

import pytest
from structlog.testing import capture_logs

from service.control.ports import OutboxEntry
from service.errors import StoreUnavailable
from service.webhooks import dispatcher as module
from service.webhooks.dispatcher import Dispatcher
from service.webhooks.guard import Guard
from service.webhooks.sender import Sender


class FakeStore:
    """An outbox and lanes with one event; `fault` is raised at every question while it is set."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.entries = [("1-1", OutboxEntry("evt_1", "call.ringing", "call_1", "https://mine.example/", b"{}"))]
        self.planned: list = []
        self.questions = 0

    def _ask(self) -> None:
        self.questions += 1
        if self.fault:
            raise self.fault

    async def depth(self):
        return len(self.entries)

    async def read(self, count, block_ms):
        self._ask()
        await asyncio.sleep(0.001)
        return self.entries

    async def fan_out(self, batch, now):
        self._ask()
        self.planned += [targets for _, _, targets in batch]
        self.entries = []

    async def sweep(self, in_hand, now):
        pass

    async def claim(self, now, each, total, busy):
        self._ask()
        await asyncio.sleep(0.001)
        return [], None


@pytest.fixture
async def store(monkeypatch):
    monkeypatch.setattr(module, "BACKOFF_SECONDS", 0.001)
    made = FakeStore()

    async def none():
        return []

    sender = Sender(Guard(allow_private=True), 1)
    dispatcher = Dispatcher(made, made, none, sender, b"account", per_endpoint=4, retry_seconds=(5,))
    with capture_logs() as made.logs:
        running = asyncio.create_task(dispatcher.run())
        yield made
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert running.done()


async def asked(store: FakeStore, times: int) -> None:
    goal = store.questions + times
    async with asyncio.timeout(5):
        while store.questions < goal:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_events_are_fanned_out(store):
    await asked(store, 5)
    [[target]] = store.planned
    assert target.url == "https://mine.example/"


async def test_an_outage_is_one_line_and_its_end_another(store):
    await asked(store, 5)
    store.fault = StoreUnavailable()
    await asked(store, 10)
    store.fault = None
    await asked(store, 10)
    assert [line["event"] for line in store.logs] == ["webhooks wait for the store", "webhooks go on"]


async def test_a_fault_of_our_own_does_not_end_it(store):
    store.fault = RuntimeError("bug")
    await asked(store, 3)
    store.fault = None
    await asked(store, 5)
    assert store.planned
