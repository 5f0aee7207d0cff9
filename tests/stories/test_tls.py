"""SIP over TLS as peers see it: certificates, their change under live calls, and what strangers learn."""

import asyncio
import os
import socket
import ssl
from functools import partial
from pathlib import Path

import pytest

from service.stack import reload
from service.stack.errors import StackError
from service.stack.stack import Stack
from service.stack.tree import Tree
from tests.stories.client import until
from tests.stories.conftest import FASTER
from tests.stories.farends import loopback
from tests.stories.farends.certificates import Authority
from tests.stories.farends.far_asterisk import FarAsterisk
from tests.stories.network import Network

pytestmark = pytest.mark.skipif(os.environ.get("TEST_STACK") == "containers", reason="about the embedded stack alone")

APP = "tls-stories"  # controls the calls of these stories
MEDIA = {"media_encryption": "sdes", "disallow": "all", "allow": "ulaw", "rtp_symmetric": "yes", "identify_by": "ip"}


class Files:
    """An operator's certificate and key, in files that are renewed in place."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder / "authority")
        self.cert, self.key = folder / "cert.pem", folder / "key.pem"
        self.renew()

    def renew(self) -> str:
        """Puts a new pair there; returns its certificate."""
        new = self.authority.good()
        self.cert.write_bytes(new.cert.read_bytes())
        self.key.write_bytes(new.key.read_bytes())
        return new.cert.read_text()


@pytest.fixture(scope="module")
async def files(tmp_path_factory):
    return Files(tmp_path_factory.mktemp("operator"))


@pytest.fixture(scope="module")
async def stack(files, tmp_path_factory):
    """One with a certificate of the operator's, and the operator's authority. Its service is down: it would take away
    trunks that it does not know, and nothing here needs it."""
    own = {"ORBIT_TLS_CERT": str(files.cert), "ORBIT_TLS_KEY": str(files.key), "ORBIT_TLS_CA": str(files.authority.ca)}
    async with Stack.apart(tmp_path_factory.mktemp("tls"), FASTER | own) as running:
        await running.stop("service")
        yield running


@pytest.fixture
async def node(stack):
    """The node's own ARI, with an application that is there."""
    async with (
        Network(stack.env | {"ORBIT_CARRIER_ARI_URL": stack.env["ORBIT_ARI_URL"]}) as ari,
        ari.session.ws_connect("events", params={"app": APP}),
    ):
        for transport in ("transport-tls", "transport-tls-unverified"):
            await trunk(ari, transport)
        yield ari


async def trunk(node: Network, transport: str) -> None:
    """An endpoint for calls over that transport, of the same name."""
    fields = [{"attribute": name, "value": value} for name, value in (MEDIA | {"transport": transport}).items()]
    place = f"asterisk/config/dynamic/res_pjsip/endpoint/{transport}"
    async with node.session.put(place, json={"fields": fields}) as answer:
        assert answer.status == 200, await answer.text()


async def dial(node: Network, far: FarAsterisk, trunk: str) -> str:
    """A call to the far end's echo. Returns the node's channel."""
    channel = f"story-{os.urandom(4).hex()}"
    to = {"endpoint": f"PJSIP/{trunk}/sip:+15005550008@{far.at()}", "app": APP, "channelId": channel}
    async with node.session.post("channels", json=to) as answer:
        assert answer.status == 200, await answer.text()
    return channel


async def state(node: Network, channel: str) -> str:
    """Of a channel of the node; nothing once it has ended."""
    async with node.session.get(f"channels/{channel}") as answer:
        return (await answer.json())["state"] if answer.status == 200 else ""


async def is_up(node: Network, channel: str) -> bool:
    return await state(node, channel) == "Up"


async def is_gone(node: Network, channel: str) -> bool:
    return not await state(node, channel)


async def only_one(far: FarAsterisk) -> str:
    """The far end's channel, where it has one call left."""
    channels = await far.network.channels()
    return channels[0]["id"] if len(channels) == 1 else ""


async def heard(node: Network, channel: str) -> int:
    """RTP packets that came back from the echo."""
    async with node.session.get(f"channels/{channel}/rtp_statistics") as answer:
        return (await answer.json())["rxcount"]


async def more_is_heard(node: Network, channel: str, than: int) -> bool:
    return await heard(node, channel) > than + 25  # half a second of audio


async def shown(stack: Stack) -> str:
    """The certificate that a new connection gets, PEM."""
    return await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", int(stack.env["ORBIT_SIP_TLS"])))


async def test_a_new_certificate_is_taken_up_and_live_calls_go_on(stack, files, node, tmp_path):
    assert await shown(stack) == files.cert.read_text()
    async with FarAsterisk(
        Tree(stack.settings.tree), tmp_path, encryption="tls_srtp", authority=files.authority
    ) as far:
        calls = [await dial(node, far, "transport-tls") for _ in range(2)]
        for call in calls:
            await until(partial(is_up, node, call))
            async with node.session.post(f"channels/{call}/moh", params={"mohClass": "orbit-hold"}) as answer:
                assert answer.status == 204
            await until(partial(more_is_heard, node, call, 0))

        new, said = files.renew(), []
        await reload.reload(stack.settings, {}, said.append)
        assert await shown(stack) == new
        assert "its certificate is valid until" in said[0]

        for call in calls:
            await until(partial(more_is_heard, node, call, await heard(node, call)))
        mine, theirs = calls
        await node.hangs_up(mine)  # BYE from this side
        await until(partial(is_gone, node, mine))
        left = await until(partial(only_one, far))
        assert (await far.media(left)).srtp
        await far.hangs_up(left)  # BYE from that side
        await until(partial(is_gone, node, theirs))

        again = await dial(node, far, "transport-tls")
        await until(partial(is_up, node, again))
        await node.hangs_up(again)
        await far.network.quiet()


async def test_a_bad_file_is_named_and_what_works_stays(stack, files):
    works, key = await shown(stack), files.key.read_bytes()
    files.key.write_bytes(files.authority.good().key.read_bytes())
    with pytest.raises(StackError, match=f"ORBIT_TLS_KEY={files.key} is not the key of ORBIT_TLS_CERT={files.cert}"):
        await reload.reload(stack.settings, {}, print)
    files.key.write_bytes(key)
    assert await shown(stack) == works


@pytest.mark.parametrize(
    ("kind", "transport", "goes"),
    [
        ("good", "transport-tls", True),
        ("unknown", "transport-tls", False),
        ("wrong_name", "transport-tls", False),
        ("expired", "transport-tls", False),
        ("unknown", "transport-tls-unverified", True),
        ("wrong_name", "transport-tls-unverified", True),
    ],
)
async def test_a_carrier_must_show_a_certificate_for_its_host(stack, files, node, tmp_path, kind, transport, goes):
    host = loopback.address()
    certificate = getattr(files.authority, kind)(*(() if kind == "wrong_name" else (host,)))
    tree = Tree(stack.settings.tree)
    async with FarAsterisk(tree, tmp_path, encryption="tls_srtp", host=host, certificate=certificate) as far:
        call = await dial(node, far, transport)
        await until(partial(is_up if goes else is_gone, node, call))
        assert bool(far.messages("INVITE")) is goes
        await node.hangs_up(call)


async def test_a_connection_that_was_not_verified_is_not_used_by_one_that_must_be(stack, files, node, tmp_path):
    host = loopback.address()
    tree, certificate = Tree(stack.settings.tree), files.authority.unknown(host)
    async with FarAsterisk(tree, tmp_path, encryption="tls_srtp", host=host, certificate=certificate) as far:
        loose = await dial(node, far, "transport-tls-unverified")
        await until(partial(is_up, node, loose))
        strict = await dial(node, far, "transport-tls")
        await until(partial(is_gone, node, strict))
        assert await is_up(node, loose)
        await node.hangs_up(loose)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
@pytest.mark.parametrize("version", ["TLSv1_1", "TLSv1_2", "TLSv1_3"])
async def test_versions(stack, files, version):
    context = ssl.create_default_context(cafile=files.authority.ca)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.maximum_version = context.minimum_version = ssl.TLSVersion[version]
    connecting = asyncio.open_connection("127.0.0.1", int(stack.env["ORBIT_SIP_TLS"]), ssl=context)
    if version == "TLSv1_1":
        with pytest.raises(ssl.SSLError):
            await connecting
    else:
        _, writer = await connecting
        assert writer.get_extra_info("cipher")[0].endswith(("GCM-SHA256", "GCM-SHA384", "GCM_SHA384"))
        writer.close()


class Stranger(asyncio.DatagramProtocol):
    """Somebody at an address that no trunk has. `answers` are the responses, without what they repeat of a request."""

    def __init__(self, stack: Stack) -> None:
        self.to, self.answers = ("127.0.0.1", int(stack.env["ORBIT_SIP_UDP"])), []

    async def __aenter__(self):
        self.host, loop = loopback.address(), asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, (self.host, 0))
        self._port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._transport.close()

    def datagram_received(self, data: bytes, peer: object) -> None:
        self.answers.append(data.decode())

    def asks(self, method: str, user: str) -> None:
        branch, here = os.urandom(4).hex(), f"{self.host}:{self._port}"
        self._transport.sendto(
            f"{method} sip:{user}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{branch}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{user}@127.0.0.1>;tag=1\r\nTo: <sip:{user}@127.0.0.1>\r\n"
            f"Call-ID: {branch}\r\nCSeq: 1 {method}\r\nContact: <sip:{user}@{here}>\r\n"
            "Content-Length: 0\r\n\r\n".encode(),
            self.to,
        )

    async def answered(self, count: int) -> bool:
        return len(self.answers) >= count


async def test_strangers_learn_nothing(stack):
    """The sandbox's name, a trunk's, nobody's: one and the same answer to each request, once, and no product in it."""
    async with Stranger(stack) as stranger:
        every = [(m, u) for m in ("INVITE", "REGISTER", "OPTIONS") for u in ("sandbox", "orbit", "nobody")]
        for method, user in every:
            stranger.asks(method, user)
        await until(partial(stranger.answered, len(every)))
        stranger.asks("OPTIONS", "last")  # what would be sent again after T1, 500 ms, comes before the end of this
        await asyncio.sleep(0.7)
        assert len(stranger.answers) == len(every) + 1
    for answer in stranger.answers:
        assert answer.startswith("SIP/2.0 401 Unauthorized\r\n")
        assert "orbit-voice" not in answer.lower()
        assert "asterisk" not in answer.lower()
        assert "server:" not in answer.lower()
    assert socket.gethostname() not in "".join(stranger.answers)
