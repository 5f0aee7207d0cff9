"""The far ends of the trunk stories, against one another: they show what the stories conclude from them."""

import asyncio
import ssl
from functools import partial

import numpy as np
import pytest

from service.stack import tree as trees
from service.stack.progress import Progress
from service.stack.settings import StackSettings
from tests.stories.client import until
from tests.stories.farends import loopback
from tests.stories.farends.baresip import Baresip
from tests.stories.farends.capture import Capture
from tests.stories.farends.certificates import Authority
from tests.stories.farends.codecs import CODECS
from tests.stories.farends.far_asterisk import FarAsterisk
from tests.stories.farends.rtp import as_if_plain, encrypted
from tests.stories.farends.sipp import Sipp
from tests.stories.sound import at_8_khz, part_of, prompt

SPEAKS, ECHOES = "+15005550007", "+15005550008"


@pytest.fixture(scope="module")
async def tree():
    return await trees.ready(StackSettings().tree, Progress(None))


@pytest.fixture(scope="module")
async def baresip_tree():
    return await trees.baresip_ready(StackSettings().tree, Progress(None))


@pytest.fixture(scope="module")
def speech(tree):
    return prompt(tree.data / "sounds/en/demo-congrats.wav")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


async def over(far, channel):
    """Hangs up, and waits for the end of the recording."""
    await far.hangs_up(channel)
    await far.network.quiet()


def only(messages):
    """The one request among them, sent again or not."""
    [request] = {message.text: message for message in messages if message.status is None}.values()
    return request


@pytest.mark.parametrize(
    ("encryption", "codec"), [("tls_srtp", "OPUS"), ("tls_srtp", "PCMA"), ("tls", "G722"), ("none", "PCMU")]
)
async def test_two_asterisks_talk_and_the_wire_shows_how(tree, tmp_path, authority, speech, encryption, codec):
    carrier = partial(FarAsterisk, tree, encryption=encryption, codecs=[codec], authority=authority, verify=True)
    async with carrier(tmp_path / "a") as a, carrier(tmp_path / "b") as b, Capture(a.host) as wire:
        calling = await a.dials(SPEAKS, b.at())
        called = await b.taken(SPEAKS)
        ways = [wire_of(a, b), wire_of(b, a)]
        await until(lambda: enough(wire, ways))
        media = [await a.media(calling), await b.media(called)]
        await over(a, calling)
        await b.network.quiet()
        srtp, tls = encryption == "tls_srtp", encryption != "none"
        assert {(each.codec, each.srtp, each.tls) for each in media} == {(codec, srtp, tls)}
        assert min(each.received for each in media) > 40
        invite = only(b.messages("INVITE"))
        assert (invite.sent, invite.transport) == (False, "TLS" if tls else "UDP")
        assert (invite.sdp.codecs, invite.sdp.profile) == ([codec], "RTP/SAVP" if srtp else "RTP/AVP")
        assert invite.sdp.crypto == (["AES_CM_128_HMAC_SHA1_80"] if srtp else [])
        for source, destination in ways:
            assert wire.payload_types(source, destination) == {CODECS[codec].payload}
            assert encrypted(wire.rtp(source, destination), codec) == srtp
        for far, channel in ((a, calling), (b, called)):
            assert part_of(far.recording(channel).heard, speech) > 0.9
            assert part_of(far.recording(channel).said, speech) > 0.9


def wire_of(source, destination):
    return source.host, destination.host


async def enough(wire, ways):
    """1.2 s of RTP each way"""
    return all(len(wire.rtp(*way)) >= 60 for way in ways)


@pytest.mark.parametrize("encryption", ["none", "tls_srtp"])
async def test_an_eavesdropper_understands_plain_rtp_alone(tree, tmp_path, authority, speech, encryption):
    carrier = partial(FarAsterisk, tree, encryption=encryption, authority=authority)
    async with carrier(tmp_path / "a") as a, carrier(tmp_path / "b") as b, Capture(b.host) as wire:
        channel = await a.dials(SPEAKS, b.at(), who="listens")
        await until(lambda: enough(wire, [wire_of(b, a)]))
        await over(a, channel)
        overheard = part_of(as_if_plain(wire.rtp(b.host), "PCMU"), speech)
        assert overheard < 0.3 if encryption == "tls_srtp" else overheard > 0.9


async def test_srtp_is_demanded_and_refused(tree, tmp_path, authority):
    async with (
        FarAsterisk(tree, tmp_path / "a", encryption="tls_srtp", authority=authority) as a,
        FarAsterisk(tree, tmp_path / "b", encryption="tls", authority=authority) as b,
    ):
        for one, other in ((a, b), (b, a)):
            await one.dials(SPEAKS, other.at())
            await until(lambda one=one: ended(one))
            assert one.network.ended == [(58, 488)]


async def ended(far):
    return far.network.ended


@pytest.mark.parametrize(("encryption", "codec"), [("tls_srtp", "OPUS"), ("tls", "G722"), ("none", "PCMU")])
async def test_baresip_is_called(tree, baresip_tree, tmp_path, authority, speech, encryption, codec):
    says = tree.data / "sounds/en/demo-congrats.wav"
    own = {"encryption": encryption, "authority": authority, "verify": True}
    async with (
        FarAsterisk(tree, tmp_path / "a", codecs=[codec], **own) as a,
        Baresip(baresip_tree, tmp_path / "b", says, codec=codec, **own) as telephone,
        Capture(a.host) as wire,
    ):
        channel = await a.dials(telephone.number, telephone.at())
        await telephone.established()
        ways = [(a.host, telephone.media_port), (telephone.media_port, a.host)]
        await until(lambda: enough(wire, ways))
        await over(a, channel)
        await telephone.closed()
        assert telephone.negotiated == codec
        assert telephone.suite == ("AES_CM_128_HMAC_SHA1_80" if encryption == "tls_srtp" else None)
        assert part_of(a.recording(channel).heard, speech) > 0.9
        assert part_of(at_8_khz(*telephone.heard()), speech) > 0.9
        answer = next(message for message in telephone.messages("INVITE") if message.status == 200)
        assert (answer.sent, answer.sdp.codecs) == (True, [codec])
        assert {encrypted(wire.rtp(*way), codec) for way in ways} == {encryption == "tls_srtp"}


@pytest.mark.parametrize("encryption", ["tls_srtp", "none"])
async def test_baresip_calls(tree, baresip_tree, tmp_path, authority, speech, encryption):
    says = tree.data / "sounds/en/demo-congrats.wav"
    async with (
        FarAsterisk(tree, tmp_path / "a", encryption=encryption, authority=authority) as a,
        Baresip(baresip_tree, tmp_path / "b", says, encryption=encryption, authority=authority) as telephone,
    ):
        await telephone.dials(ECHOES, a.at())
        channel = await a.taken(ECHOES)
        await until(lambda: heard_a_second(a, channel))
        await telephone.hangs_up()
        await telephone.closed()
        await a.network.quiet()
        assert part_of(a.recording(channel).heard, speech) > 0.9
        assert part_of(at_8_khz(*telephone.heard()), speech) > 0.9  # by way of the echo
        invite = only(a.messages("INVITE"))
        assert invite.header("From").startswith(f"<sip:{telephone.number}@")
        assert invite.peer == telephone.source


async def heard_a_second(far, channel):
    return len(far.recording(channel).heard) > 12000


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_sipp_refuses(tree, tmp_path, authority, transport):
    async with (
        FarAsterisk(tree, tmp_path / "a", authority=authority, verify=True) as a,
        Sipp(tree, tmp_path / "s", "refuses", transport=transport, authority=authority) as far,
    ):
        await a.dials(SPEAKS, far.at())
        await until(lambda: ended(a))
        assert a.network.ended == [(34, 503)]
        [answer] = [message for message in far.messages("INVITE") if message.status == 503]
        assert (answer.sent, answer.transport) == (True, transport.upper())


@pytest.mark.parametrize("scenario", ["answers", "refuses", "challenges", "silent"])
async def test_sipp_answers_options(tree, tmp_path, scenario):
    async with Sipp(tree, tmp_path, scenario) as far:
        for _ in range(2):
            assert (await options(far)).startswith("SIP/2.0 200 ")


async def options(far):
    """The answer to OPTIONS from a socket of our own."""
    answer = asyncio.get_running_loop().create_future()

    class Asks(asyncio.DatagramProtocol):
        def datagram_received(self, data, _):
            answer.done() or answer.set_result(data.decode())

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        Asks, (loopback.address(), 0), (far.host, far.port)
    )
    here = "{}:{}".format(*transport.get_extra_info("sockname"))
    transport.sendto(
        f"OPTIONS sip:{far.host}:{far.port} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{here[-4:]}\r\n"
        f"From: <sip:{here}>;tag=1\r\nTo: <sip:{far.host}>\r\nCall-ID: {here}\r\nCSeq: 1 OPTIONS\r\n"
        "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n".encode()
    )
    try:
        return await asyncio.wait_for(answer, 5)
    finally:
        transport.close()


@pytest.mark.parametrize("transport", ["udp", "tls"])
async def test_sipp_answers_with_its_codec_and_echoes(tree, tmp_path, authority, speech, transport):
    async with (
        FarAsterisk(tree, tmp_path / "a", codecs=["PCMU", "PCMA"], authority=authority) as a,
        Sipp(tree, tmp_path / "s", "answers", codec="PCMA", transport=transport, authority=authority) as far,
    ):
        channel = await a.dials(SPEAKS, far.at())
        await until(lambda: heard_a_second(a, channel))
        assert (await a.media(channel)).codec == "PCMA"
        await over(a, channel)
        assert part_of(a.recording(channel).heard, speech) > 0.9
        assert only(far.messages("INVITE")).sdp.codecs == ["PCMU", "PCMA"]


async def test_sipp_calls_from_an_address_of_its_own(tree, tmp_path, authority):
    async with FarAsterisk(tree, tmp_path / "a", authority=authority) as a:
        for transport in ("udp", "tls"):
            own = {"transport": transport, "to": a.at(transport), "authority": authority}
            async with Sipp(tree, tmp_path / transport, "calls", **own) as caller:
                assert await caller.ended()
            invite = only(a.messages("INVITE")[-3:])
            assert (invite.transport, invite.peer) == (transport.upper(), caller.host)
        assert a.network.arrived == [SPEAKS, SPEAKS]


async def test_a_carrier_challenges_and_registers(tree, tmp_path):
    async with FarAsterisk(tree, tmp_path / "a", login=("acme", "s3cret")) as a:
        async with Sipp(tree, tmp_path / "w", "registers", to=a.at(), number="acme", password="wrong") as wrong:
            assert not await wrong.ended()
        assert await a.registered() == []
        async with Sipp(tree, tmp_path / "r", "registers", to=a.at(), number="acme", password="s3cret") as right:
            assert await right.ended()
        assert await a.registered() == [f"sip:acme@{right.host}:{right.port};transport=UDP"]
        async with Sipp(tree, tmp_path / "c", "calls", to=a.at()) as caller:
            assert not await caller.ended()
        assert [message.status for message in a.messages("INVITE") if message.status] == [401]
        assert a.network.arrived == []


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("good", None),
        ("wrong_name", "IP address mismatch"),
        ("expired", "certificate has expired"),
        ("unknown", "unable to get local issuer certificate"),
    ],
)
async def test_certificates_are_good_or_bad_in_one_way_each(authority, kind, fault):
    host = loopback.address()
    certificate = getattr(authority, kind)(*([] if kind == "wrong_name" else [host]))
    ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.load_cert_chain(certificate.cert, certificate.key)
    server = await asyncio.start_server(lambda _, writer: writer.close(), host, 0, ssl=ours)
    port = server.sockets[0].getsockname()[1]
    try:
        connecting = asyncio.open_connection(host, port, ssl=ssl.create_default_context(cafile=str(authority.ca)))
        if fault is None:
            (await connecting)[1].close()
        else:
            with pytest.raises(ssl.SSLCertVerificationError, match=fault):
                await connecting
    finally:
        server.close()


def test_a_recording_is_compared_at_8_khz(speech):
    second = speech[8000:24000]
    for rate in (16000, 48000):
        finer = np.interp(np.arange(2 * rate) * 8000 / rate, np.arange(len(second)), second)
        assert part_of(at_8_khz(finer, rate), speech) > 0.95
    assert part_of(np.zeros(16000), speech) == 0
    assert part_of(speech[:4000], speech) == 0
