"""Callers say what they could press; whatever fails, keys are left alone."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from service.control import listening as module
from service.control.listening import Listen, Listening, Phrases
from service.errors import AsteriskUnavailable, OrbitError, StoreUnavailable

MENU = Phrases("en-US", {"1": ["sales"], "2": ["support"]})
LISTEN = Listen("node1", "c-1", "ivr_1", "1", "v1")


@dataclass
class Said:
    text: str
    confidence: float = 0.9
    others: tuple = ()


@dataclass
class House:
    """Everything that a session meets. Each piece of sound is an utterance of its own, and its words as bytes."""

    menu: Phrases | None = MENU
    understands: bool = True
    confidence: float = 0.9
    others: tuple = ()
    fails: set[str] = field(default_factory=set)
    pressed: list = field(default_factory=list)
    opened: list = field(default_factory=list)
    heard: list = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    sound: asyncio.Queue = field(default_factory=asyncio.Queue)

    async def phrases(self, flow, version):
        if "store" in self.fails:
            raise StoreUnavailable
        return self.menu

    @asynccontextmanager
    async def open(self, node, channel_id):
        if "ear" in self.fails:
            raise AsteriskUnavailable
        self.opened.append(channel_id)
        try:
            yield self._pieces()
        finally:
            self.opened.remove(channel_id)

    async def _pieces(self):
        while (piece := await self.sound.get()) is not None:
            yield piece

    async def press(self, node, channel_id, visit, key):
        self.pressed.append((node, channel_id, visit, key))

    def engine(self, language):
        return "whisper" if self.understands else None

    async def warm(self, language):
        pass

    async def transcribe(self, sound, language, rate=8000, hint=()):
        self.heard.append(sound)
        await self.gate.wait()
        if "engine" in self.fails:
            raise OrbitError("it crashed")
        return Said(sound.decode(), self.confidence, self.others)

    def feed(self, sound):
        return sound

    async def utterances(self):
        return self

    def listening(self, at_once=4):
        return Listening(self, self, self, self.utterances, at_once)

    def says(self, *words):
        for word in words:
            self.sound.put_nowait(word.encode())


@pytest.fixture
def house():
    house = House()
    house.gate.set()
    return house


async def settled(listening):
    """Until every session has ended."""
    async with asyncio.timeout(5):
        while listening._sessions:
            await asyncio.wait(list(listening._sessions.values()))
            await asyncio.sleep(0)


async def until(true):
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 (whatever it looks at has no event)
            await asyncio.sleep(0)


async def test_a_phrase_presses_its_key_in_the_visit_that_asked(house):
    listening = house.listening()
    listening.begin(LISTEN)
    house.says("hello", "I would like support please")
    await settled(listening)
    assert house.pressed == [("node1", "c-1", "v1", "2")]
    assert house.opened == []


@pytest.mark.parametrize(("others", "pressed"), [(("sales", "sail"), ["1"]), (("sales", "support"), []), ((), [])])
async def test_of_its_readings_one_key_must_come(house, others, pressed):
    house.others = others
    listening = house.listening()
    listening.begin(LISTEN)
    house.says("so")
    await until(lambda: house.pressed or (house.heard and not listening._asked))
    house.sound.put_nowait(None)
    await settled(listening)
    assert [key for *_, key in house.pressed] == pressed


async def test_only_the_first_choice_counts(house):
    listening = house.listening()
    listening.begin(LISTEN)
    house.says("sales", "support")
    await settled(listening)
    assert len(house.pressed) == 1


async def test_of_what_is_said_meanwhile_the_newest_is_heard(house):
    house.gate.clear()
    listening = house.listening()
    listening.begin(LISTEN)
    house.says("nothing")
    await until(lambda: house.heard)
    house.says("sales", "no, sales", "support")
    await until(house.sound.empty)
    house.gate.set()
    await settled(listening)
    assert house.heard == [b"nothing", b"support"]
    assert house.pressed[0][-1] == "2"


@pytest.mark.parametrize("fault", ["store", "ear"])
async def test_what_is_away_leaves_the_menu_to_keys(house, fault):
    house.fails.add(fault)
    listening = house.listening()
    listening.begin(LISTEN)
    await settled(listening)
    assert house.pressed == house.opened == []


async def test_an_engine_that_fails_is_asked_again_at_the_next_word(house):
    house.fails.add("engine")
    listening = house.listening()
    listening.begin(LISTEN)
    house.says("sales")
    await until(lambda: house.heard and not listening._asked)
    house.fails.clear()
    house.says("sales")
    await settled(listening)
    assert house.pressed[0][-1] == "1"


@pytest.mark.parametrize("change", [{"menu": None}, {"understands": False}])
async def test_without_phrases_or_engine_no_ear_is_opened(house, change):
    house = replace(house, **change)
    listening = house.listening()
    listening.begin(LISTEN)
    await settled(listening)
    assert house.heard == house.opened == []


async def test_a_doubtful_word_chooses_nothing(house):
    house.confidence = 0.05
    listening = house.listening()
    listening.begin(LISTEN)
    house.says("sales")
    house.sound.put_nowait(None)
    await settled(listening)
    assert house.pressed == []


async def test_what_is_understood_too_late_chooses_nothing(house, monkeypatch):
    monkeypatch.setattr(module, "LATE_SECONDS", 0.0)
    listening = house.listening()
    listening.begin(LISTEN)
    house.says("sales")
    await until(lambda: house.heard and not listening._asked)
    house.sound.put_nowait(None)
    await settled(listening)
    assert house.pressed == []


async def test_a_key_ends_the_session_and_the_engine_is_let_finish(house):
    house.gate.clear()
    listening = house.listening()
    listening.begin(LISTEN)
    house.says("sales")
    await until(lambda: house.heard)
    listening.end("c-1")
    await until(lambda: not house.opened)
    assert listening._asked
    house.gate.set()
    await until(lambda: not listening._asked)
    assert house.pressed == []


async def test_the_next_menu_ends_the_last_ones_session(house):
    listening = house.listening()
    listening.begin(LISTEN)
    await until(lambda: house.opened)
    first = listening._sessions["c-1"]
    listening.begin(replace(LISTEN, flow="ivr_2", visit="v2"))
    await until(first.done)
    await until(lambda: house.opened == ["c-1"])
    house.says("sales")
    await settled(listening)
    assert house.pressed == [("node1", "c-1", "v2", "1")]


@pytest.mark.parametrize("at_once", [0, 1, 2])
async def test_more_callers_than_may_speak_press_keys(house, at_once):
    listening = house.listening(at_once)
    for number in range(3):
        listening.begin(replace(LISTEN, channel_id=f"c-{number}"))
    assert len(listening._sessions) == at_once
    await listening.close()
    assert house.opened == []


async def test_a_channel_that_ends_frees_its_place(house):
    listening = house.listening(1)
    listening.begin(LISTEN)
    await until(lambda: house.opened)
    house.sound.put_nowait(None)
    await settled(listening)
    listening.begin(replace(LISTEN, channel_id="c-2"))
    await until(lambda: house.opened == ["c-2"])
    await listening.close()
