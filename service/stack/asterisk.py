"""One Asterisk of the stack: its folders, its rendered configuration, and when it has booted."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from service.stack import probes
from service.stack.errors import StackError
from service.stack.process import output
from service.stack.tls import Certificate
from service.stack.tree import Tree

CONFIG = Path(__file__).resolve().parents[2] / "asterisk-config"
RECORDINGS = ("spool", "spool/recording", "spool/recording/live", "spool/recording/done", "spool/recording/prompts")
FOLDERS = ("", "etc", "lib", "lib/keys", "log", "cache", *RECORDINGS)  # each after the one that it is in
SOCKET_PATH = 100  # bytes that the path of a Unix socket may have (unix(7) allows 107)


@dataclass(frozen=True, slots=True)
class Asterisk:
    """An instance: its part's name, its state in `folder`, its configuration from `sources`, later over earlier, filled
    with the variables of `env`."""

    name: str
    folder: Path
    sources: tuple[Path, ...]
    env: Mapping[str, str]
    tree: Tree
    http_port: int
    ami_port: int
    rtp_start: int
    rtp_size: int

    @property
    def argv(self) -> tuple[str, ...]:
        return (*self.tree.asterisk, "-C", str(self.folder / "etc/asterisk.conf"))

    async def prepare(self, tls: Certificate) -> None:
        """Makes the folders and renders the configuration. Whoever prepares it calls `tidy` in the end."""
        for name in FOLDERS:
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)
        self.tidy()
        await self.render(tls, self._run_folder())

    async def render(self, tls: Certificate, run: Path | None = None) -> None:
        """Writes the configuration. One that runs keeps its folder `run`, and takes up what is new at a reload."""
        own = {
            "AST_ETC": str(self.folder / "etc"),
            "AST_STATE": str(self.folder),
            "AST_RUN": str(run or (self.folder / "run").resolve()),
            "AST_MODULES": str(self.tree.modules),
            "AST_DATA": str(self.tree.data),
            "AST_HTTP_PORT": str(self.http_port),
            "AST_AMI_PORT": str(self.ami_port),
            "AST_RTP_START": str(self.rtp_start),
            "AST_RTP_END": str(self.rtp_start + self.rtp_size - 1),
            "AST_NO_IPV6": "" if self.env["ORBIT_SIP_BIND6"] else "!,",
            "AST_TLS_CA": str(tls.ca),
            "AST_TLS_CERT": str(tls.cert),
            "AST_TLS_KEY": str(tls.key),
        }
        await output(str(CONFIG / "render"), str(self.folder / "etc"), *map(str, self.sources), env={**self.env, **own})

    async def console(self, command: str) -> str:
        """What it answers to a command of its console. Raises `StackError` where it does not run."""
        return await output(*self.argv, "-rx", command)

    def _run_folder(self) -> Path:
        """`run` in the state; where that is too long for a socket's path, a link to a short folder of our own."""
        run = self.folder / "run"
        if len(os.fsencode(run / "asterisk.ctl")) > SOCKET_PATH:
            run.symlink_to(tempfile.mkdtemp(prefix="orbit-"))
            return run.readlink()
        run.mkdir(mode=0o700)
        return run

    def tidy(self) -> None:
        """Removes the folder of the control socket, and the short folder that it may link to."""
        run = self.folder / "run"
        if run.is_symlink():
            shutil.rmtree(run.readlink(), ignore_errors=True)
            run.unlink()
        elif run.exists():
            shutil.rmtree(run)

    async def booted(self, stack: Mapping[str, str]) -> bool:
        """Whether it has booted and serves ARI. Once its console answers, this waits for the end of its boot.
        `stack` is the environment of the stack."""
        if not (self.folder / "run/asterisk.ctl").exists():
            return False
        with suppress(StackError, TimeoutError):
            async with asyncio.timeout(10):
                await self.console("core waitfullybooted")
            return await probes.part(self.name, stack)
        return False
