"""Prompts whose files are lost are made again, and callers keep their version meanwhile."""

from types import SimpleNamespace

import pytest

from service.control.prompt_repair import PromptRepair
from tests.unit.control.flows import GOOD, Away, House


class Lossy(House):
    """`files` are the prompts that are there; `tone` is what an engine makes of words today."""

    def __init__(self):
        super().__init__()
        self.files, self.tone = set(), "h"
        self.speaker.render = self.render
        nodes = SimpleNamespace(apply=self.apply)
        self.repair = PromptRepair(self.documents, self.speaker, self.files.__contains__, nodes)

    async def render(self, text, language):
        self.speaker.spoken.append((text, language))
        if text in self.speaker.fails:
            raise self.speaker.fails[text]
        name = f"{self.tone}:{text}"
        self.files.add(name)
        return SimpleNamespace(hash=name)

    async def look(self):
        self.speaker.spoken.clear()
        self.told.clear()
        await self.repair.look()
        return len(self.speaker.spoken)


@pytest.fixture
def house():
    return Lossy()


async def test_what_is_there_is_left_alone(house):
    await house.make()
    assert await house.look() == 0
    assert house.told == []


async def test_a_lost_file_is_spoken_again_under_the_same_version(house):
    flow_id = await house.make()
    before = await house.flows.get(flow_id)
    house.files.discard(f"h:{GOOD['greeting']}")
    house.tone = "other"
    assert await house.look() == 1
    ((kind, told, document),) = house.told
    assert (kind, told) == ("flow", flow_id)
    assert document["published"]["prompts"][GOOD["greeting"]] == f"other:{GOOD['greeting']}"
    assert document["prompts"] == document["published"]["prompts"]
    assert await house.flows.get(flow_id) == before
    assert await house.look() == 0


async def test_the_version_that_callers_have_is_made_again_while_another_is_preparing(house):
    flow_id = await house.make()
    house.speaker.fails["New."] = Away()
    await house.flows.update(flow_id, {"greeting": "New."})
    house.files.clear()
    await house.look()
    stored = await house.documents.get(flow_id)
    assert (stored["version"], stored["status"], stored["published"]["version"]) == (2, "preparing", 1)
    assert set(stored["published"]["prompts"].values()) <= house.files


async def test_what_cannot_be_made_now_waits_and_what_was_uploaded_stays(house):
    flow_id = await house.make()
    house.files.clear()
    house.speaker.fails[GOOD["greeting"]] = Away()
    await house.look()
    assert house.told == []
    house.speaker.fails.clear()
    await house.flows.upload(flow_id, b"RIFF")
    await house.active(flow_id)
    assert await house.look() == 0
    assert house.told == []
