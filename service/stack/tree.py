"""The Debian tree: Asterisk, its sounds and music, Redis and SIPp of a newer Debian, unpacked and not installed; and a
small one beside it with baresip, which only the tests call.

Their programs run on the older host through the tree's own loader (ld.so(8)). A tree is built beside its place and
renamed when it is whole; a marker inside tells by a hash what it was built from.
"""

import fcntl
import hashlib
import os
import re
import shutil
from asyncio import sleep
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from service.stack import apt
from service.stack.errors import StackError
from service.stack.process import output
from service.stack.progress import Progress

SUITE = "forky"
RECIPE = 1  # raise it when the way a tree is made changes
MARKER = ".orbit-tree"
ASTERISK = (22, 10, 1)  # the first with the fixes of ARI's deadlocks, and that denies SHELL, FILE and CURL to ARI
REDIS = (8,)


@dataclass(frozen=True, slots=True)
class Tree:
    """An unpacked tree in `folder`."""

    folder: Path

    @property
    def lib(self) -> Path:
        """The folder of the machine's own libraries, where the loader lies as well."""
        return self._loader.parent

    @property
    def _loader(self) -> Path:
        found = sorted(self.folder.glob("usr/lib/*-linux-gnu*/ld-linux*.so*"))
        if not found:
            raise StackError(f"{self.folder} holds no Debian tree")
        return found[0]

    def argv(self, program: str) -> tuple[str, ...]:
        """The command that runs `program`, a path inside the tree."""
        path = ":".join(str(part) for part in (self.lib, self.lib / "blas", self.lib / "lapack"))
        return (str(self._loader), "--library-path", path, str(self.folder / program))

    @property
    def asterisk(self) -> tuple[str, ...]:
        return self.argv("usr/sbin/asterisk")

    @property
    def redis_server(self) -> tuple[str, ...]:
        return self.argv("usr/bin/redis-server")

    @property
    def sipp(self) -> tuple[str, ...]:
        return self.argv("usr/bin/sipp")

    @property
    def baresip(self) -> tuple[str, ...]:
        return self.argv("usr/bin/baresip")

    @property
    def data(self) -> Path:
        """Asterisk's `astdatadir`."""
        return self.folder / "usr/share/asterisk"

    @property
    def modules(self) -> Path:
        return self.lib / "asterisk/modules"

    @property
    def baresip_modules(self) -> Path:
        return self.folder / "usr/lib/baresip/modules"

    def marker(self) -> str | None:
        """What this tree was built from; None where it is none of ours."""
        marker = self.folder / MARKER
        return marker.read_text().strip() if marker.is_file() else None


@dataclass(frozen=True, slots=True)
class Content:
    """What a tree is made of. `finish` does the rest once it is unpacked and says in words what is there; it raises
    where that is not good enough."""

    packages: tuple[str, ...]
    megabytes: int  # about, unpacked
    finish: Callable[[Tree], Awaitable[str]]

    @property
    def right(self) -> str:
        """The marker of a tree with this content."""
        return hashlib.sha256(f"{SUITE} {self.packages} {RECIPE}".encode()).hexdigest()


async def ready(folder: Path, progress: Progress, content: Content | None = None) -> Tree:
    """The tree in `folder`, built where it is missing or was built from something else. `content` is the stack's."""
    tree, content = Tree(folder), content or STACK
    if tree.marker() == content.right:
        return tree
    folder.parent.mkdir(parents=True, exist_ok=True)
    async with _alone(folder.with_name(f"{folder.name}.lock"), progress) as lock:
        if tree.marker() != content.right:  # another process may have built it meanwhile
            await _replace(tree, content, lock, progress)
    return tree


async def baresip_ready(stack: Path, progress: Progress) -> Tree:
    """The tree with baresip, beside that of the stack in `stack`."""
    return await ready(stack.with_name(f"{stack.name}-baresip"), progress, BARESIP)


async def _replace(tree: Tree, content: Content, lock: int, progress: Progress) -> None:
    folder = tree.folder
    if tree.marker() is None and folder.exists() and any(folder.iterdir()):
        raise StackError(f"{folder} holds something else; it is only replaced where the stack made it (ORBIT_TREE)")
    await apt.need("mmdebstrap", progress)
    new, old = folder.with_name(f"{folder.name}.new"), folder.with_name(f"{folder.name}.old")
    what = f"Debian {SUITE}'s {', '.join(content.packages)} (about {content.megabytes} MB)"
    with progress.step("tree", f"unpacking {what}") as step:
        _remove(new, old)
        try:
            await _unpack(new, content, lock)
            step.result = await content.finish(Tree(new))
            (new / MARKER).write_text(f"{content.right}\n")
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
        finally:
            _remove(new, old)


async def _unpack(folder: Path, content: Content, lock: int) -> None:
    """Nothing in the tree is configured, so any user can unpack it. The lock holds until the last process has ended."""
    options = [*await apt.acquire_options(), 'APT::Sandbox::User "root";', 'Acquire::Languages "none";']
    await output(
        "mmdebstrap",
        f"--mode={'root' if os.geteuid() == 0 else 'chrootless'}",
        "--variant=extract",
        f"--include={','.join(content.packages)}",
        *(f"--aptopt={option}" for option in options),
        SUITE,
        str(folder),
        await apt.mirror(),
        keep=(lock,),
    )


async def _finish_stack(tree: Tree) -> str:
    """Gives the sounds their usual name. Raises where Asterisk or Redis is too old or does not run on this machine."""
    (tree.data / "sounds/en").symlink_to("en_US_f_Allison")
    asterisk = _version(await output(*tree.asterisk, "-V"), r"Asterisk (\d+)\.(\d+)\.(\d+)")
    redis = _version(await output(*tree.redis_server, "--version"), r"v=(\d+)\.(\d+)\.(\d+)")
    for name, found, needed in (("Asterisk", asterisk, ASTERISK), ("Redis", redis, REDIS)):
        if found < needed:
            raise StackError(f"the mirror has {name} {_dotted(found)}; {_dotted(needed)} or newer is needed")
    return f"Asterisk {_dotted(asterisk)}, Redis {_dotted(redis)}"


async def _finish_baresip(tree: Tree) -> str:
    """Raises where a library that baresip needs is missing."""
    loader, *program = tree.baresip
    await output(loader, "--list", *program)
    return "baresip"


STACK = Content(
    ("asterisk", "asterisk-core-sounds-en-wav", "asterisk-moh-opsound-wav", "redis-server", "sip-tester"),
    350,
    _finish_stack,
)
BARESIP = Content(("baresip-core",), 75, _finish_baresip)


def _version(text: str, pattern: str) -> tuple[int, ...]:
    found = re.search(pattern, text)
    if not found:
        raise StackError(f"no version can be read from {text[:80]!r}")
    return tuple(int(number) for number in found.groups())


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _remove(*folders: Path) -> None:
    for folder in folders:
        if folder.exists():
            shutil.rmtree(folder)


@asynccontextmanager
async def _alone(lock: Path, progress: Progress) -> AsyncIterator[int]:
    """One process at a time builds a tree; the others wait for it. Yields the lock's file descriptor."""
    with lock.open("w") as held:
        waiting = False
        while True:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not waiting:
                    progress.line("  tree      another process builds it; waiting ...")
                waiting = True
                await sleep(0.2)
        yield held.fileno()
