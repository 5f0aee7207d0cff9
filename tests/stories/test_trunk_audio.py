"""Calls over trunks to real far ends: which codec they have, how they are encrypted, and who hears what.

Nothing is concluded from settings: both channels are asked, the far end's trace shows what was agreed, and a capture
shows what went over the wire.
"""

import asyncio
import itertools
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from service.calls.ids import channel_of
from tests.stories.client import Api, until
from tests.stories.evidence import STRETCH, SUITE, about, agreed, as_asked, enough, on_the_wire, samples
from tests.stories.farends import loopback
from tests.stories.farends.baresip import Baresip
from tests.stories.farends.capture import Capture
from tests.stories.farends.codecs import CODECS
from tests.stories.farends.far_asterisk import FarAsterisk
from tests.stories.farends.sipp import Sipp
from tests.stories.node import NodeView
from tests.stories.sound import at_8_khz, channels, part_of
from tests.stories.trunks import Trunks

ENCRYPTIONS = ("tls_srtp", "tls", "none")
OURS = "+12025551234"
HEARD = 7000  # samples that a node must have heard

numbers = (f"+1415556{n:04}" for n in itertools.count())  # of a far end; each call has its own


@dataclass(frozen=True)
class Place:
    """Where the stories happen: what they ask the API, the node and the far ends for."""

    live: Api
    node: NodeView
    env: dict[str, str]
    folder: Path
    speech: np.ndarray
    hold: np.ndarray

    def at(self, encryption):
        """The node, as far ends dial it."""
        port, transport = ("UDP", "udp") if encryption == "none" else ("TLS", "tls")
        return f"127.0.0.1:{self.env[f'ORBIT_SIP_{port}']};transport={transport}"


@pytest.fixture
def place(live, node, stack, tmp_path, speech, hold):
    return Place(live, node, stack.env, tmp_path, speech, hold)


@pytest.fixture(scope="module")
async def carriers(live, tree, authority, tmp_path_factory):
    """A carrier with all codecs for each encryption, and a trunk to it."""
    folder = tmp_path_factory.mktemp("carriers")
    async with AsyncExitStack() as stack, Trunks(live) as trunks:
        own = {"codecs": tuple(CODECS), "authority": authority, "verify": True}
        found = {kind: FarAsterisk(tree, folder / kind, encryption=kind, **own) for kind in ENCRYPTIONS}
        await asyncio.gather(*(stack.enter_async_context(far) for far in found.values()))
        yield {
            kind: SimpleNamespace(
                far=far,
                trunks=trunks,
                trunk=await trunks.make(far.at(), encryption=kind, origination_uris=[f"sip:{far.host}"]),
            )
            for kind, far in found.items()
        }


class OnRecord:
    """A call of ours whose recording shows that its two sides heard each other. The far end says `said`."""

    def __init__(self, place, number, trunk, said):
        self._place, self._number, self._trunk, self._said = place, number, trunk, said

    async def __aenter__(self):
        self._call = await self._place.live.call(self._number, trunk_id=self._trunk, record=True)
        self.channel = channel_of(self._call["id"])
        return self

    async def __aexit__(self, kind, *_):
        live, call_id = self._place.live, self._call["id"]
        if kind:
            return
        await live.hang_up(call_id)
        ended = await live.ends(call_id)
        assert (ended["status"], ended["trunk_id"]) == ("completed", self._trunk)
        said, heard = channels(await live.recording(call_id))
        assert part_of(heard, self._said, STRETCH) > 0.9
        assert part_of(said, self._place.hold, STRETCH) > 0.9


class Taken:
    """A call to us, from `caller`, that is held. The far end says `said`, and the node hears it."""

    def __init__(self, place, caller, trunk, said):
        self._place, self._caller, self._trunk, self._said = place, caller, trunk, said
        self._heard = place.folder / f"{caller}.sln"

    async def __aenter__(self):
        live, node = self._place.live, self._place.node
        self.channel = await node.caller(self._caller)
        [self._call] = await until(lambda: live.get("/voice/calls", params={"from": self._caller}))
        await live.reaches(self._call["id"], "in_progress")
        await node.hears(self.channel, self._heard)
        await until(self._heard_enough)
        return self

    async def __aexit__(self, kind, *_):
        if kind:
            return
        ended = await self._place.live.ends(self._call["id"])
        assert (ended["direction"], ended["trunk_id"], ended["to"]) == ("inbound", self._trunk, OURS)
        assert (ended["status"], ended["hangup"]["by"]) == ("completed", "caller")
        assert part_of(samples(self._heard), self._said, STRETCH) > 0.9

    async def _heard_enough(self):
        return len(samples(self._heard)) > HEARD


async def to_carrier(place, carrier, wire, encryption, codec):
    """The far end speaks and hears hold music."""
    far, number = carrier.far, next(numbers)
    async with OnRecord(place, number, carrier.trunk, place.speech) as call:
        theirs = await far.taken(number)
        port = (await far.media(theirs)).port
        await until(lambda: enough(wire, port))
        as_asked([await place.node.media(call.channel), await far.media(theirs)], encryption, codec)
    payload = agreed(*about(far, number), encryption, codec)
    on_the_wire(wire, port, encryption, codec, payload, place.speech, place.hold)
    assert part_of(far.recording(theirs).heard, place.hold, STRETCH) > 0.9


async def from_carrier(place, carrier, wire, encryption, codec):
    """The far end dials a number of the account, speaks, and hears hold music."""
    far, caller = carrier.far, next(numbers)
    theirs = await far.dials(OURS, place.at(encryption), caller)
    async with Taken(place, caller, carrier.trunk, place.speech) as call:
        port = (await far.media(theirs)).port
        await until(lambda: enough(wire, port))
        as_asked([await place.node.media(call.channel), await far.media(theirs)], encryption, codec)
        await far.hangs_up(theirs)
    payload = agreed(*about(far, caller), encryption, codec)
    on_the_wire(wire, port, encryption, codec, payload, place.speech, place.hold)
    assert part_of(far.recording(theirs).heard, place.hold, STRETCH) > 0.9


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("encryption", ENCRYPTIONS)
async def test_a_carrier_calls_and_is_called(place, carriers, encryption, codec):
    carrier = carriers[encryption]
    await carrier.trunks.change(carrier.trunk, codecs=[codec])
    async with Capture(carrier.far.host) as wire:
        cell = (place, carrier, wire, encryption, codec)
        await asyncio.gather(to_carrier(*cell), from_carrier(*cell))
        await carrier.far.network.quiet()


@pytest.fixture
def telephones(baresip_tree, tree, authority, tmp_path):
    """One for each codec, not started."""

    def make(encryption):
        own = {"encryption": encryption, "authority": authority, "verify": True}
        says = tree.data / "sounds/en/demo-congrats.wav"
        return [
            Baresip(baresip_tree, tmp_path / codec, says, number=next(numbers), codec=codec, **own) for codec in CODECS
        ]

    return make


async def to_telephone(place, telephone, trunk, wire, encryption):
    async with OnRecord(place, telephone.number, trunk, place.speech) as call:
        await telephone.established()
        port = telephone.media_port
        await until(lambda: enough(wire, port))
        as_asked([await place.node.media(call.channel)], encryption, telephone.codec)
    await shown_by(place, telephone, wire, encryption, port)


async def from_telephone(place, telephone, trunk, wire):
    await telephone.dials(OURS, place.at("none"))
    async with Taken(place, telephone.number, trunk, place.speech) as call:
        port = telephone.media_port
        await until(lambda: enough(wire, port))
        as_asked([await place.node.media(call.channel)], "none", telephone.codec)
        await telephone.hangs_up()
    await shown_by(place, telephone, wire, "none", port)


async def shown_by(place, telephone, wire, encryption, port):
    """What is found at a telephone, and on its wire, once its call is over."""
    await telephone.closed()
    assert telephone.negotiated == telephone.codec
    assert telephone.suite == (SUITE if encryption == "tls_srtp" else None)
    payload = agreed(*about(telephone, telephone.number), encryption, telephone.codec)
    on_the_wire(wire, port, encryption, telephone.codec, payload, place.speech, place.hold)
    assert part_of(at_8_khz(*telephone.heard()), place.hold, STRETCH) > 0.9


@pytest.mark.parametrize("encryption", ENCRYPTIONS)
async def test_telephones_are_called(place, trunks, telephones, encryption):
    async with AsyncExitStack() as stack:
        phones = telephones(encryption)
        await asyncio.gather(*(stack.enter_async_context(phone) for phone in phones))
        wire = await stack.enter_async_context(Capture("127.0.0.1"))
        made = [await trunks.make(phone.at(), encryption=encryption, codecs=[phone.codec]) for phone in phones]
        await asyncio.gather(*(to_telephone(place, *each, wire, encryption) for each in zip(phones, made, strict=True)))


async def test_telephones_call(place, trunks, telephones):
    """Without encryption: over TLS they all call from 127.0.0.1, which is the sandbox's address here."""
    async with AsyncExitStack() as stack:
        phones = telephones("none")
        await asyncio.gather(*(stack.enter_async_context(phone) for phone in phones))
        wire = await stack.enter_async_context(Capture("127.0.0.1"))
        made = [
            await trunks.make(phone.at(), codecs=[phone.codec], origination_uris=[phone.source]) for phone in phones
        ]
        await asyncio.gather(*(from_telephone(place, *each, wire) for each in zip(phones, made, strict=True)))


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
async def test_sipp_echoes_over_tls(place, trunks, tree, authority, codec):
    """Both ways of the call carry what the node plays."""
    own = {"transport": "tls", "codec": codec, "authority": authority}
    async with Sipp(tree, place.folder / "far", "answers", **own) as far, Capture(far.host) as wire:
        trunk, number = await trunks.make(far.at(), encryption="tls", codecs=[codec]), next(numbers)
        async with OnRecord(place, number, trunk, place.hold) as call:
            await until(lambda: enough(wire, far.host))
            as_asked([await place.node.media(call.channel)], "tls", codec)
        payload = agreed(*about(far, number), "tls", codec)
        on_the_wire(wire, far.host, "tls", codec, payload, place.hold, place.hold)


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
async def test_sipp_calls_over_tls(place, trunks, tree, authority, codec):
    host, caller = loopback.address(), next(numbers)
    trunk = await trunks.make(f"{host}:5061", encryption="tls", codecs=[codec], origination_uris=[host])
    own = {
        "transport": "tls",
        "codec": codec,
        "authority": authority,
        "host": host,
        "caller": caller,
        "options": ("-d", "3000"),
    }
    async with Capture(host) as wire:
        async with Sipp(tree, place.folder, "calls", to=place.at("tls"), number=OURS, **own) as far:
            async with Taken(place, caller, trunk, place.hold) as call:
                await until(lambda: enough(wire, host))
                as_asked([await place.node.media(call.channel)], "tls", codec)
            assert await far.ended()
        payload = agreed(*about(far, caller), "tls", codec)
        on_the_wire(wire, host, "tls", codec, payload, place.hold, place.hold)
