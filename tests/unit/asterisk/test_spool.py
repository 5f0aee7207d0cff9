"""A recording on its node: finished, on its way, left behind by a node that died, as the version before wrote it."""

import array

import pytest

from service.asterisk import spool
from service.asterisk.ari import AriRefused

HEARD, SAID, BOTH = [1, 2, 3], [-1, -2], [1, -1, 2, -2, 3, 0]


def raw(samples):
    return array.array("h", samples).tobytes()


class Node:
    """Its stored recordings by name. `asked` runs before each look at a name, as time passes meanwhile."""

    def __init__(self, *names):
        self.files = {name: raw(HEARD if "heard" in name else SAID if "said" in name else BOTH) for name in names}
        self.asked = lambda name: None

    def mv(self, side):
        self.files[f"done/c.1-{side}"] = self.files.pop(f"live/c.1-{side}")

    async def download(self, name, destination):
        self.asked(name)
        if name in self.files:
            destination.write_bytes(self.files[name])
        return name in self.files

    async def call(self, repository, operation, *, recordingName):  # noqa: N803 as ARI names it
        assert (repository, operation) == ("recordings", "deleteStored")
        self.asked(recordingName)
        if self.files.pop(recordingName, None) is None:
            raise AriRefused(404, "none")


async def fetched(node, folder, late):
    destination = folder / "call.raw"
    if not await spool.fetch(node, "c.1", destination, late=late):
        assert not destination.exists()
        return None
    return list(array.array("h", destination.read_bytes()))


LEFT, RIGHT = [1, 0, 2, 0, 3, 0], [0, -1, 0, -2]  # one side alone


@pytest.mark.parametrize(
    ("names", "soon", "late"),
    [
        (["done/c.1-heard", "done/c.1-said"], BOTH, BOTH),
        (["live/c.1-heard", "live/c.1-said"], None, BOTH),
        (["done/c.1-heard", "live/c.1-said"], None, BOTH),  # it died between the two
        (["done/c.1-heard"], None, LEFT),
        (["done/c.1-said"], RIGHT, RIGHT),
        (["live/c.1-said"], None, RIGHT),
        (["done/c.1"], BOTH, BOTH),  # of the version before
        (["live/c.1"], None, BOTH),
        ([], None, None),
        (["done/c.10-heard", "done/c.10-said", "done/c.2"], None, None),  # of others
    ],
)
async def test_what_is_there_is_fetched_and_then_gone(tmp_path, names, soon, late):
    for is_late, expected in ((False, soon), (True, late)):
        node = Node(*names)
        assert await fetched(node, tmp_path, is_late) == expected
        (tmp_path / "call.raw").unlink(missing_ok=True)
        await spool.drop(node, "c.1")
        assert not [name for name in node.files if "c.1-" in name or name.endswith("c.1")]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("first", range(6))
@pytest.mark.parametrize("second", range(6))
async def test_a_move_meanwhile_is_never_seen_half_done(tmp_path, late, first, second):
    node, looks = Node("live/c.1-heard", "live/c.1-said"), iter(range(100))

    def time_passes(_):
        look = next(looks)
        if look >= first and "live/c.1-heard" in node.files:
            node.mv("heard")
        if look >= first + second and "live/c.1-said" in node.files:
            node.mv("said")

    node.asked = time_passes
    assert await fetched(node, tmp_path, late) in ([BOTH] if late else [BOTH, None])
    if late:
        await spool.drop(node, "c.1")
        assert not node.files
