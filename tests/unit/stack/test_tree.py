"""The Debian trees: when one is built, and how its programs are run. mmdebstrap and the programs are played."""

from pathlib import Path

import pytest

from service.stack import tree
from service.stack.errors import StackError
from service.stack.progress import Progress
from service.stack.tree import BARESIP, MARKER, STACK, Tree

QUIET = Progress(None)


def lay_out(folder, triplet="x86_64-linux-gnu", loader="ld-linux-x86-64.so.2"):
    (folder / "usr/lib" / triplet).mkdir(parents=True)
    (folder / "usr/lib" / triplet / loader).touch()
    (folder / "usr/share/asterisk/sounds").mkdir(parents=True)


class Played:
    """Counts the builds, and answers for the programs."""

    def __init__(self):
        self.builds = 0
        self.says = {"usr/sbin/asterisk": "Asterisk 22.10.1~dfsg+1", "usr/bin/redis-server": "Redis server v=8.0.6"}
        self.fails = False
        self.packages = []

    async def output(self, *argv, **_):
        if "--list" in argv:
            return ""
        if argv[0] != "mmdebstrap":
            return next(answer for program, answer in self.says.items() if argv[3].endswith(program))
        self.builds += 1
        self.packages += [option for option in argv if "--include=" in option]
        lay_out(Path(argv[-2]))
        if self.fails:
            raise StackError("mmdebstrap failed")
        return ""


@pytest.fixture
def played(monkeypatch):
    async def nothing(*_):
        return []

    player = Played()
    monkeypatch.setattr(tree, "output", player.output)
    for name in ("need", "mirror", "acquire_options"):
        monkeypatch.setattr(tree.apt, name, nothing)
    return player


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "stack/tree"


async def test_it_is_built_once(played, folder):
    for _ in range(2):
        built = await tree.ready(folder, QUIET)
    assert played.builds == 1
    assert built.marker() == STACK.right
    assert (built.data / "sounds/en").readlink() == Path("en_US_f_Allison")


async def test_baresip_has_a_small_tree_of_its_own_beside_the_stacks(played, folder):
    await tree.ready(folder, QUIET)
    for _ in range(2):
        built = await tree.baresip_ready(folder, QUIET)
    assert played.packages == [f"--include={','.join(STACK.packages)}", "--include=baresip-core"]
    assert (built.folder, built.marker()) == (folder.with_name("tree-baresip"), BARESIP.right)
    assert built.baresip_modules == built.folder / "usr/lib/baresip/modules"
    assert Tree(folder).marker() == STACK.right


async def test_one_that_was_built_from_something_else_is_replaced(played, folder):
    await tree.ready(folder, QUIET)
    (folder / MARKER).write_text("something else\n")
    (folder / "old").touch()
    assert (await tree.ready(folder, QUIET)).marker() == STACK.right
    assert not (folder / "old").exists()
    assert {path.name for path in folder.parent.iterdir()} == {"tree", "tree.lock"}


async def test_a_folder_that_is_none_of_ours_is_left_alone(played, folder):
    folder.mkdir(parents=True)
    (folder / "thesis.txt").touch()
    with pytest.raises(StackError, match="holds something else"):
        await tree.ready(folder, QUIET)
    assert (folder / "thesis.txt").exists()
    assert played.builds == 0


async def test_a_build_that_fails_leaves_what_was_there(played, folder):
    await tree.ready(folder, QUIET)
    (folder / MARKER).write_text("older\n")
    played.fails = True
    with pytest.raises(StackError, match="mmdebstrap failed"):
        await tree.ready(folder, QUIET)
    assert Tree(folder).marker() == "older"
    assert {path.name for path in folder.parent.iterdir()} == {"tree", "tree.lock"}


@pytest.mark.parametrize(
    ("program", "says", "fault"),
    [
        ("usr/sbin/asterisk", "Asterisk 22.10.0", "has Asterisk 22.10.0; 22.10.1 or newer"),
        ("usr/sbin/asterisk", "Asterisk 22.9.12", "has Asterisk 22.9.12"),
        ("usr/bin/redis-server", "Redis server v=7.4.1", "has Redis 7.4.1; 8 or newer"),
        ("usr/bin/redis-server", "no such file", "no version can be read"),
    ],
)
async def test_too_old_programs_are_refused(played, folder, program, says, fault):
    played.says[program] = says
    with pytest.raises(StackError, match=fault):
        await tree.ready(folder, QUIET)
    assert not folder.exists()


@pytest.mark.parametrize(
    ("triplet", "loader"),
    [("x86_64-linux-gnu", "ld-linux-x86-64.so.2"), ("aarch64-linux-gnu", "ld-linux-aarch64.so.1")],
)
def test_programs_run_through_the_trees_own_loader(tmp_path, triplet, loader):
    lay_out(tmp_path, triplet, loader)
    lib = tmp_path / "usr/lib" / triplet
    assert Tree(tmp_path).sipp == (
        *(str(lib / loader), "--library-path", f"{lib}:{lib}/blas:{lib}/lapack"),
        str(tmp_path / "usr/bin/sipp"),
    )
    assert Tree(tmp_path).modules == lib / "asterisk/modules"


def test_a_folder_without_a_loader_is_no_tree(tmp_path):
    with pytest.raises(StackError, match="holds no Debian tree"):
        _ = Tree(tmp_path).asterisk
