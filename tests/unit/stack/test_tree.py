"""The Debian tree: when it is built, and how its programs are run. Building is played."""

import pytest

from service.stack import tree
from service.stack.errors import StackError
from service.stack.progress import Progress
from service.stack.tree import MARKER, RIGHT, Tree

QUIET = Progress(None)


def lay_out(folder, triplet="x86_64-linux-gnu", loader="ld-linux-x86-64.so.2"):
    (folder / "usr/lib" / triplet).mkdir(parents=True)
    (folder / "usr/lib" / triplet / loader).touch()
    (folder / "usr/share/asterisk/sounds").mkdir(parents=True)
    return folder


@pytest.fixture
def built(monkeypatch):
    """Counts the builds, and gives the programs' answers."""
    builds = []
    said = {"asterisk": "Asterisk 22.10.1~dfsg", "redis-server": "Redis server v=8.0.6 sha=0"}

    async def output(*argv, **_):
        if argv[0] == "mmdebstrap":
            builds.append(argv)
            lay_out(type(tree_path := argv[-2])() if False else __import__("pathlib").Path(tree_path))
            return ""
        return said[argv[3].rpartition("/")[2]]

    async def nothing(*_):
        return ""

    async def options():
        return ['Acquire::Check-Valid-Until "false";']

    monkeypatch.setattr(tree, "output", output)
    monkeypatch.setattr(tree.apt, "need", nothing)
    monkeypatch.setattr(tree.apt, "mirror", nothing)
    monkeypatch.setattr(tree.apt, "acquire_options", options)
    return builds, said
