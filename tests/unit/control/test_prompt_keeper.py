"""Prompts are made in the background, by somebody, whatever happens."""

import asyncio
import itertools

import pytest

from service.calls.times import now_ms
from service.control import prompt_keeper
from service.control.flow_view import present_flow
from service.ivr.flow import flow_of
from tests.unit.control.flows import GOOD, Away, House, Never, until

SOUND = "https://a.example/hello.wav"


@pytest.fixture
def house():
    return House()


@pytest.fixture
async def another(house, monkeypatch):
    """Another process, that looks all the time, while ten seconds pass with each look at the clock."""
    clock = itertools.count(now_ms(), 10_000)
    monkeypatch.setattr(prompt_keeper, "LOOK_SECONDS", 0)
    monkeypatch.setattr(prompt_keeper, "now_ms", lambda: next(clock))
    running = asyncio.create_task(house.process().run())
    yield
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def no_orders(house):
    async def none():
        return not await house.orders.all()

    await until(none)


async def error_of(house, flow_id):
    async def told():
        return (await house.flows.get(flow_id))["error"]

    return await until(told)


async def written(house, monkeypatch):
    """A flow whose process died right after it was written; its id."""
    monkeypatch.setattr(house.keeper, "begin", lambda flow_id, version: None)
    return (await house.flows.create(GOOD))["id"]


async def test_all_that_is_spoken(house):
    flow_id = await house.make(invalid_prompt="Nope.")
    live = flow_of(await house.documents.get(flow_id)).live
    assert [text for text, _ in house.speaker.spoken] == [GOOD["greeting"], "Nope.", live.unavailable]
    assert live.greeting_hash == f"h:{GOOD['greeting']}"
    await no_orders(house)


async def test_of_many_saves_in_a_row_the_last_is_made(house, monkeypatch):
    flow_id = await house.make()
    house.speaker.spoken.clear()
    house.speaker.gate.clear()
    for number in range(20):
        await house.flows.update(flow_id, {"greeting": f"Greeting {number}."})
        await asyncio.sleep(0)
    house.speaker.gate.set()
    assert (await house.active(flow_id))["live_version"] == 21
    greetings = {text for text, _ in house.speaker.spoken if text.startswith("Greeting")}
    assert "Greeting 19." in greetings
    assert len(greetings) <= 2  # the first was under way
    monkeypatch.setattr(prompt_keeper, "now_ms", lambda: now_ms() + 10_000)
    await house.keeper._look()
    await no_orders(house)
    assert len(house.speaker.spoken) <= 6


async def test_what_a_dead_process_left_is_taken_up(house, monkeypatch, another):
    flow_id = await written(house, monkeypatch)
    assert (await house.active(flow_id))["live_version"] == 1
    await no_orders(house)


async def test_what_somebody_is_at_is_left_to_them(house, monkeypatch):
    await written(house, monkeypatch)
    other = house.process()
    await other._look()
    assert house.speaker.spoken == []


async def test_an_order_is_renewed_while_it_takes_long(house, monkeypatch):
    monkeypatch.setattr(prompt_keeper, "HELD_MS", 30)
    house.speaker.gate.clear()
    made = await house.flows.create(GOOD)
    (first,) = await house.orders.all()

    async def renewed():
        return (await house.orders.all())[0]["until"] != first["until"]

    await until(renewed)
    house.speaker.gate.set()
    await house.active(made["id"])


async def test_an_order_for_what_was_never_written_is_forgotten(house, monkeypatch):
    monkeypatch.setattr(prompt_keeper, "now_ms", lambda: now_ms() - 30_000)
    await house.keeper.announce("ivr_1", 1)
    monkeypatch.setattr(prompt_keeper, "now_ms", now_ms)
    await house.keeper._look()
    assert await house.orders.all()  # it may be about to be written
    monkeypatch.setattr(prompt_keeper, "now_ms", lambda: now_ms() + 31_000)
    await house.keeper._look()
    assert not await house.orders.all()


async def test_what_can_pass_is_tried_again(house, another):
    house.speaker.fails[GOOD["greeting"]] = Away("The engine crashed.")
    flow_id = (await house.flows.create(GOOD))["id"]
    assert await error_of(house, flow_id) == "The engine crashed."
    assert (await house.flows.get(flow_id))["status"] == "preparing"
    house.speaker.fails.clear()
    found = await house.active(flow_id)
    assert found["error"] is None


async def test_the_pauses_grow(house, monkeypatch):
    house.speaker.fails[GOOD["greeting"]] = Away()
    flow_id = (await house.flows.create(GOOD))["id"]
    pauses = []

    async def failed():
        (order,) = await house.orders.all()
        return order["until"] if order["failures"] == len(pauses) + 1 and not house.keeper._tasks else None

    for _ in range(3):
        pauses.append(await until(failed) - now_ms())
        house.keeper.begin(flow_id, 1)
    assert pauses == sorted(pauses)
    assert pauses[2] > pauses[0] + 5000


async def test_what_can_never_be_said_fails_and_the_version_before_goes_on(house):
    flow_id = await house.make()
    house.speaker.fails["!!!"] = Never()
    await house.flows.update(flow_id, {"greeting": "!!!"})
    found = await house.is_status(flow_id, "failed")
    assert (found["error"], found["version"], found["live_version"]) == ("There is nothing in it.", 2, 1)
    await no_orders(house)
    await house.flows.update(flow_id, {"greeting": "Hello."})
    assert (await house.active(flow_id))["error"] is None


async def test_a_failed_one_is_tried_again_by_the_same_put(house):
    house.speaker.fails[GOOD["greeting"]] = Never()
    flow_id = (await house.flows.create(GOOD))["id"]
    await house.is_status(flow_id, "failed")
    house.speaker.fails.clear()
    assert (await house.flows.update(flow_id, {"name": GOOD["name"]}))["version"] == 2
    await house.active(flow_id)


async def test_a_failure_that_nobody_thought_of_is_tried_again(house, another):
    house.speaker.fails[GOOD["greeting"]] = RuntimeError("?")
    flow_id = (await house.flows.create(GOOD))["id"]
    assert await error_of(house, flow_id)
    house.speaker.fails.clear()
    await house.active(flow_id)


async def test_a_greeting_is_fetched_once(house):
    house.pages[SOUND] = b"RIFF"
    flow_id = await house.make(greeting_url=SOUND)
    await house.flows.update(flow_id, {"name": "Other", "greeting_url": SOUND})
    found = await house.active(flow_id)
    assert (found["greeting_audio"], found["greeting_url"]) == ("url", SOUND)
    assert house.fetched == [SOUND]
    assert all(text != GOOD["greeting"] for text, _ in house.speaker.spoken)
    await house.flows.update(flow_id, {"greeting_url": None})
    assert (await house.active(flow_id))["greeting_audio"] is None


async def test_a_new_url_is_fetched_too(house):
    house.pages |= {SOUND: b"RIFF", f"{SOUND}?2": b"RIFF2"}
    flow_id = await house.make(greeting_url=SOUND)
    await house.flows.update(flow_id, {"greeting_url": f"{SOUND}?2"})
    await house.active(flow_id)
    assert house.fetched == [SOUND, f"{SOUND}?2"]
    assert house.speaker.kept == [b"RIFF", b"RIFF2"]


@pytest.mark.parametrize("page", [Never("greeting_url: HTTP 404."), b"noise"])
async def test_a_url_that_leads_to_no_audio(house, page):
    house.pages[SOUND] = page
    flow_id = (await house.flows.create({**GOOD, "greeting_url": SOUND}))["id"]
    assert (await house.is_status(flow_id, "failed"))["live_version"] is None


async def test_one_that_is_deleted_meanwhile(house):
    house.speaker.gate.clear()
    flow_id = (await house.flows.create(GOOD))["id"]
    await house.flows.delete(flow_id)
    house.speaker.gate.set()
    await no_orders(house)
    assert await house.documents.get(flow_id) is None


async def test_one_that_another_process_changes_meanwhile(house, monkeypatch):
    house.speaker.gate.clear()
    flow_id = (await house.flows.create(GOOD))["id"]
    monkeypatch.setattr(house.keeper, "begin", house.process().begin)
    await house.flows.update(flow_id, {"greeting": "Hello."})
    house.speaker.gate.set()
    assert (await house.active(flow_id))["live_version"] == 2
    await no_orders(house)


def test_a_flow_whose_engine_is_gone_is_shown():
    flow = flow_of({"id": "ivr_1", "name": "x", "created_at": 1})
    assert present_flow(flow, None)["voice"] is None
