"""A carrier: a second Asterisk, with one endpoint for the node under test."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np

from service.stack.asterisk import CONFIG, Asterisk
from service.stack.process import end, spawn
from service.stack.tls import Certificate
from service.stack.tree import Tree
from tests.stories.client import until
from tests.stories.farends import loopback
from tests.stories.farends.certificates import Authority
from tests.stories.farends.codecs import CODECS
from tests.stories.farends.messages import Message
from tests.stories.media import Media, media, variable
from tests.stories.network import Network

OWN = Path(__file__).parent / "asterisk"
MEDIA = {"none": "no", "tls": "no", "tls_srtp": "sdes"}
UNUSED = ("ORBIT_SIP_UDP", "ORBIT_SIP_TLS", "ORBIT_SIP_TLS_UNVERIFIED", "ORBIT_INBOUND_MAX_DURATION")  # a node's own
BLOCK = re.compile(rb"<--- (Received|Transmitting) SIP \w+ \((\d+) bytes\) (?:from|to) (\w+):(\S+):\d+ --->\n")


@dataclass(frozen=True, slots=True)
class Recording:
    """8 kHz samples: what the far end heard, and what it said meanwhile."""

    heard: np.ndarray
    said: np.ndarray


class FarAsterisk:
    """Takes calls from the addresses `nodes` over UDP, TCP and TLS, and makes calls. What a number does is said by the
    dialplan of the sandbox carrier (+15005550001 busy … 0004 503, 0007 speech, 0008 echo).

    `encryption` as in a trunk: `tls_srtp` demands SRTP, the others refuse it. `codecs` in order. With `login`, a user
    and a password, calls to it are challenged, and so are registrations, which only that user can have. `certificate`
    is one of `authority` for its own address unless given; where `verify`, it checks the other's against
    `certificate.ca`.

    It lives in `folder`; `network` is its ARI as in `tests.stories.network`.
    """

    def __init__(
        self,
        tree: Tree,
        folder: Path,
        *,
        encryption: str = "none",
        codecs: Sequence[str] = ("PCMU",),
        authority: Authority | None = None,
        certificate: Certificate | None = None,
        verify: bool = False,
        login: tuple[str, str] | None = None,
        challenge_calls: bool = True,
        nodes: Sequence[str] = ("127.0.0.0/8",),
        host: str | None = None,
    ) -> None:
        self.host = host or loopback.address()
        first = loopback.port(self.host, count=4)
        self.sip_port, self.tls_port, http, ami = range(first, first + 4)
        self.folder, self.encryption, self.codecs = folder, encryption, tuple(codecs)
        self.user = login[0] if login else "nobody"
        folder.mkdir(parents=True, exist_ok=True)
        self.certificate = certificate or (authority or Authority(folder / "tls")).good(self.host)
        self._env = {
            "ORBIT_NODE": "far",
            "ORBIT_ASTERISK_BIND": self.host,
            "ORBIT_SIP_BIND6": "",
            "ORBIT_ARI_USER": "far",
            "ORBIT_ARI_PASSWORD": "far",
            "ORBIT_AMI_USER": "far",
            "ORBIT_AMI_PASSWORD": "far",
            "ORBIT_CARRIER_ARI_URL": f"http://{self.host}:{http}/ari",
            "ORBIT_FAR_NETWORK": str(CONFIG / "carrier/extensions.conf"),
            "ORBIT_FAR_RECORDINGS": str(folder / "recordings"),
            "ORBIT_FAR_HOST": self.host,
            "ORBIT_FAR_SIP": str(self.sip_port),
            "ORBIT_FAR_TLS": str(self.tls_port),
            "ORBIT_FAR_VERIFY": "yes" if verify else "no",
            "ORBIT_FAR_CODECS": ",".join(CODECS[name].asterisk for name in codecs),
            "ORBIT_FAR_MEDIA": MEDIA[encryption],
            "ORBIT_FAR_AUTH": "digest" if login and challenge_calls else "",
            "ORBIT_FAR_USER": self.user,
            "ORBIT_FAR_PASSWORD": login[1] if login else "none",
            "ORBIT_FAR_NODES": ",".join(nodes),
            **dict.fromkeys(UNUSED, ""),
        }
        rtp = loopback.RTP
        state = folder / "asterisk"
        self._asterisk = Asterisk("carrier", state, (CONFIG, OWN), self._env, tree, http, ami, rtp.start, len(rtp))

    def at(self, transport: str | None = None) -> str:
        """`host:port;transport=…`, as it stands in a URI; the transport is that of its encryption unless named."""
        transport = transport or ("udp" if self.encryption == "none" else "tls")
        return f"{self.host}:{self.tls_port if transport == 'tls' else self.sip_port};transport={transport}"

    async def __aenter__(self) -> Self:
        (self.folder / "recordings").mkdir(exist_ok=True)
        await self._asterisk.prepare(self.certificate)
        env = {"PATH": os.defpath, "MALLOC_ARENA_MAX": "2"}
        argv = (*self._asterisk.argv, "-f", "-n")
        self._process = await spawn(argv, env, self.folder / "asterisk.log")
        try:
            await until(partial(self._asterisk.booted, self._env), seconds=30)
            self.network = await Network(self._env).__aenter__()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.network.__aexit__()
        await self._end()

    async def _end(self) -> None:
        await end(self._process, 5)
        self._asterisk.tidy()

    @property
    def pid(self) -> int:
        return self._process.pid

    async def dials(self, number: str, at: str = "", caller: str = "+14155550100", who: str = "speaks") -> str:
        """Calls `number` at `at` (`host:port;transport=…`), or at the contact that was registered. `who` speaks,
        listens or echoes. Returns the channel."""
        return await self.network.dials(number, caller, who, at)

    async def hangs_up(self, channel: str) -> None:
        await self.network.hangs_up(channel)

    async def taken(self, number: str) -> str:
        """The live channel of a call to `number`, once there is one."""

        async def found() -> str | None:
            for channel in await self.network.channels():
                if await self.variable(channel["id"], "FAR_CALLED") == number:
                    return str(channel["id"])
            return None

        return str(await until(found))

    async def variable(self, channel: str, name: str) -> str | None:
        """A variable or function of the dialplan, as the channel has it; None where it has none."""
        return await variable(self.network.session, channel, name)

    async def media(self, channel: str) -> Media:
        """Of a live channel."""
        return await media(self.network.session, channel)

    def recording(self, channel: str) -> Recording:
        """Of a call that it took or made, as far as it is written; it is whole once the channel is gone."""

        def samples(which: str) -> np.ndarray:
            path = self.folder / f"recordings/{channel}.{which}.sln"
            written = path.read_bytes() if path.exists() else b""
            return np.frombuffer(written[: len(written) // 2 * 2], "<i2").astype(float)

        return Recording(samples("heard"), samples("said"))

    def messages(self, method: str | None = None) -> list[Message]:
        """All SIP messages of this transaction's method, requests and responses, in their order."""
        log = (self._asterisk.folder / "log/sip.log").read_bytes()
        found = [
            Message(
                block[1] == b"Transmitting",
                block[3].decode(),
                log[block.end() : block.end() + int(block[2])].decode(),
                block[4].decode(),
            )
            for block in BLOCK.finditer(log)
        ]
        return [message for message in found if method in (None, message.method)]

    async def registered(self) -> list[str]:
        """The contacts that are registered."""
        kept = await self.console("database show registrar/contact")
        return [uri.replace("^3B", ";") for uri in re.findall(r'"uri":"([^"]+)"', kept)]

    async def console(self, command: str) -> str:
        """What a command of Asterisk's console answers. Raises StackError where it fails."""
        return await self._asterisk.console(command)
