"""One stack of the bench's own, with a far end in the sandbox carrier's place."""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes import family
from bench.sipp import Sipp
from service.stack.ports import SETTINGS
from service.stack.process import output
from service.stack.settings import StackSettings
from service.stack.stack import Stack
from service.stack.tree import Tree

DIALPLAN = "999"  # the number that the dialplan itself answers, for the first arm
CALLS = 900  # at once, by default
# The limits of a key stay on, so that their cost is in the figures, and out of the load's reach.
SERVICE = {"ORBIT_RATE_PER_MINUTE": "6000000", "ORBIT_RATE_BURST": "100000", "ORBIT_CALLS_PER_SECOND": "100000"}


@dataclass(frozen=True, slots=True)
class Rig:
    """A stack that runs, and what the bench knows of it."""

    stack: Stack
    ports: Mapping[str, int]
    sipp: Sipp

    @property
    def url(self) -> str:
        return self.stack.env["ORBIT_URL"]

    @property
    def key(self) -> str:
        return self.stack.env["ORBIT_TEST_KEY"]

    @property
    def ari(self) -> tuple[str, str, str]:
        """URL, user and password."""
        env = self.stack.env
        return env["ORBIT_ARI_URL"], env["ORBIT_ARI_USER"], env["ORBIT_ARI_PASSWORD"]

    @property
    def far_port(self) -> int:
        return self.ports["carrier_sip_port"]

    @property
    def sip_addr(self) -> str:
        return f"127.0.0.1:{self.ports['sip_udp']}"

    def pids(self, part: str) -> list[int]:
        """The processes of a part."""
        return family(self.stack.pid(part))

    async def console(self, command: str) -> str:
        """What Asterisk's console says."""
        tree, config = Tree(self.stack.settings.tree), self.stack.home.folder / "asterisk/etc/asterisk.conf"
        return await output(*tree.asterisk, "-C", str(config), "-rx", command)

    async def longest_queue(self) -> int:
        """The longest that a task processor's queue has been since this was last asked."""
        longest = deepest(await self.console("core show taskprocessors"))
        await self.console("core reset taskprocessors")
        return longest

    async def quiet(self, seconds: float = 20) -> None:
        """Returns when Asterisk has no channel; what a step above the limit has left is hung up after `seconds`. Raises
        `TimeoutError` where that does not help either."""
        try:
            await self._empty(seconds)
        except TimeoutError:
            await self.console("channel request hangup all")
            await self._empty(seconds)

    async def _empty(self, seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while not (await self.console("core show channels count")).startswith("0 active channels"):  # noqa: ASYNC110
                await asyncio.sleep(0.1)


def deepest(table: str) -> int:
    """The largest `Max Depth` of `core show taskprocessors`: name, processed, in queue, max depth, low, high."""
    depths = re.findall(r"^\S+ +\d+ +\d+ +(\d+) +\d+ +\d+", table, re.MULTILINE)
    return max(map(int, depths), default=0)


@asynccontextmanager
async def rig(folder: Path, service: Mapping[str, str] | None = None, calls: int = CALLS) -> AsyncIterator[Rig]:
    """Brings a stack up beside others, without the sandbox carrier, with ports for so many calls at once."""
    settings = StackSettings.model_validate({"home": folder, "rtp_size": 2 * calls + 200, **dict.fromkeys(SETTINGS, 0)})
    shell = {name: value for name, value in os.environ.items() if not name.startswith("ORBIT_")}
    async with Stack(settings, shell=shell | SERVICE | dict(service or {})) as stack:
        await stack.stop("carrier")
        ports = json.loads(stack.home.ports.read_text())
        sipp = Sipp(Tree(settings.tree).sipp, stack.home.log, ports["carrier_rtp_start"])
        made = Rig(stack, ports, sipp)
        await made.console(f"dialplan add extension {DIALPLAN},1,Answer, into orbit-inbound")
        await made.console(f"dialplan add extension {DIALPLAN},2,Wait,30 into orbit-inbound")
        yield made
