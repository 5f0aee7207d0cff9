"""Prompts of a node: what it has is asked, what it lacks is fetched, what nobody hears any more is deleted."""

# ruff: noqa: N802, N803 (the names are ARI's)

import pytest
from structlog.testing import capture_logs

from service.asterisk import prompts
from service.asterisk.ari import AriRefused
from service.asterisk.prompts import MOST_FAILURES, UNUSED_SECONDS, NodePrompts
from service.errors import AsteriskUnavailable


class Ari:
    """A node that fetches; those in `lost` never come. `meanwhile` runs while it lists what it has."""

    def __init__(self, *there):
        self.there, self.lost, self.fetched, self.refuses = {f"prompts/{each}" for each in there}, set(), [], {}
        self.fetching, self.most, self.meanwhile = {}, 0, None

    async def call(self, kind, operation, **values):
        if operation in self.refuses:
            raise self.refuses[operation]
        return await getattr(self, f"_{operation}")(**values)

    async def _listStored(self):
        found = [{"name": each} for each in sorted(self.there)]
        if self.meanwhile:
            await self.meanwhile()
        return found

    async def _originate(self, endpoint, channelId, variables, **_):
        name = endpoint.removeprefix("Local/").removesuffix("@orbit-fetch/n")
        self.fetched.append((name, variables))
        self.fetching[channelId] = [name, 2]
        self.most = max(self.most, len(self.fetching))

    async def _get(self, channelId):
        self.fetching[channelId][1] -= 1
        if not self.fetching[channelId][1]:
            name, _ = self.fetching.pop(channelId)
            self.there |= set() if name in self.lost else {f"prompts/{name}"}
            raise AriRefused(404, "no channel")

    async def _getStored(self, recordingName):
        if recordingName not in self.there:
            raise AriRefused(404, "no recording")

    async def _deleteStored(self, recordingName):
        if recordingName not in self.there:
            raise AriRefused(404, "no recording")
        self.there.remove(recordingName)


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    monkeypatch.setattr(prompts, "LOOK_SECONDS", 0)


@pytest.fixture
def folder(tmp_path):
    for n in range(10):
        (tmp_path / f"a{n}").write_bytes(b"x" * (n + 1))
    return tmp_path


def of(ari, folder):
    def file(name):
        return path if (path := folder / name).is_file() else None

    return NodePrompts("node1", ari, file, lambda name: f"http://orbit/{name}")


async def test_a_node_tells_which_it_has(folder):
    node = of(Ari("a1", "a2"), folder)
    assert not node.there
    await node.look()
    assert node.there == {"a1", "a2"}


async def test_other_recordings_are_no_prompts(folder):
    ari = Ari()
    ari.there = {"live/a1", "a1"}
    node = of(ari, folder)
    await node.look()
    assert "a1" not in node.there


async def test_what_a_node_lacks_is_fetched_once_by_a_link_and_with_its_size(folder):
    ari = Ari("a1")
    node = of(ari, folder)
    await node.look()
    assert await node.bring(["a1", "a2", "a2"])
    assert not await node.bring(["a2"])
    assert ari.fetched == [("a2", {"PROMPT_URL": "http://orbit/a2", "PROMPT_BYTES": "3"})]
    assert node.there == {"a1", "a2"}


async def test_few_are_on_their_way_at_once(folder):
    ari = Ari()
    await of(ari, folder).bring(f"a{n}" for n in range(10))
    assert (len(ari.fetched), ari.most) == (10, prompts.AT_ONCE)


async def test_one_that_does_not_come_is_tried_again_and_stands_in_no_others_way(folder):
    ari = Ari()
    ari.lost = {"a1"}
    node = of(ari, folder)
    assert await node.bring(["a1", "gone", "a2"])
    assert node.there == {"a2"}
    ari.lost.clear()
    assert await node.bring(["a1"])
    assert "a1" in node.there


async def test_one_that_is_deleted_while_it_is_looked_for(folder):
    node = NodePrompts("node1", Ari(), lambda name: folder / "gone", str)
    await node.bring(["a1"])
    assert "a1" not in node.there


@pytest.mark.parametrize("operation", ["originate", "get", "getStored"])
@pytest.mark.parametrize("error", [AriRefused(500, "Allocation failed"), AsteriskUnavailable(), TimeoutError()])
async def test_a_fetch_that_fails_is_not_there(folder, operation, error):
    ari = Ari()
    ari.refuses[operation] = error
    node = of(ari, folder)
    assert not await node.bring(["a1"])
    assert "a1" not in node.there


async def test_after_many_that_do_not_come_the_rest_waits_and_is_first_the_next_time(folder):
    ari = Ari()
    node = of(ari, folder)
    lost = [f"gone{n}" for n in range(MOST_FAILURES)]
    with capture_logs() as logs:
        assert not await node.bring([*lost, "a1", "a2"])
    assert not ari.fetched
    assert [(line["node"], line["prompts"], line["first"]) for line in logs] == [("node1", MOST_FAILURES, "gone0")]
    with capture_logs() as logs:
        assert await node.bring([*lost, "a1", "a2"])
    assert (node.there, len(logs)) == ({"a1", "a2"}, 1)


async def test_a_fetch_without_end_is_given_up(folder, monkeypatch):
    monkeypatch.setattr(prompts, "LONGEST_SECONDS", 0)
    ari = Ari()
    ari._get = ari._getStored = lambda **_: never()
    node = of(ari, folder)
    await node.bring(["a1"])
    assert "a1" not in node.there


async def never():
    pass


async def test_one_that_comes_during_a_look_is_not_forgotten(folder):
    ari = Ari()
    node = of(ari, folder)
    ari.meanwhile = lambda: node.bring(["a1"])
    await node.look()
    assert "a1" in node.there


async def test_a_node_that_does_not_tell_has_what_was_known(folder):
    ari = Ari("a1")
    node = of(ari, folder)
    await node.look()
    ari.refuses["listStored"] = AriRefused(500, "Allocation failed")
    await node.look()
    assert "a1" in node.there


async def test_one_that_no_flow_uses_is_deleted_when_nobody_can_hear_it_any_more(folder, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(prompts.time, "monotonic", lambda: now)
    ari = Ari("a1", "a2", "a3")
    node = of(ari, folder)
    await node.look()
    await node.clear({"a1"})
    now += UNUSED_SECONDS - 1
    await node.clear({"a1", "a3"})  # it is used again
    assert len(ari.there) == 3
    now += 2
    await node.clear({"a1"})
    assert ari.there == {"prompts/a1", "prompts/a3"}
    assert "a2" not in node.there


async def test_one_that_is_gone_by_itself_is_cleared(folder, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(prompts.time, "monotonic", lambda: now)
    ari = Ari("a1")
    node = of(ari, folder)
    await node.look()
    await node.clear(set())
    ari.there.clear()
    now += UNUSED_SECONDS + 1
    await node.clear(set())
    assert "a1" not in node.there
