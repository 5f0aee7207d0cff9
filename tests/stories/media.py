"""What a channel says of its own media, asked of its Asterisk by ARI."""

from dataclasses import dataclass

import aiohttp

from tests.stories.farends.codecs import named


@dataclass(frozen=True, slots=True)
class Media:
    """`srtp` and `tls`: whether its audio and its signalling are encrypted. `sent` and `received` count RTP packets,
    `port` is where it takes and sends them."""

    codec: str
    srtp: bool
    tls: bool
    sent: int
    received: int
    port: int


async def variable(session: aiohttp.ClientSession, channel: str, name: str) -> str | None:
    """A variable or function of the dialplan, as the channel has it; None where it has none."""
    async with session.get(f"channels/{channel}/variable", params={"variable": name}) as answer:
        return str((await answer.json())["value"]) if answer.status == 200 else None


async def media(session: aiohttp.ClientSession, channel: str) -> Media:
    """Of a live channel. `session` is at the ARI of its Asterisk."""
    async with session.get(f"channels/{channel}/rtp_statistics") as answer:
        assert answer.status == 200, await answer.text()
        statistics = await answer.json()

    async def says(name: str) -> str:
        return await variable(session, channel, name) or "?"

    return Media(
        codec=named(await says("CHANNEL(audionativeformat)")),
        srtp=await says("CHANNEL(rtp,secure,audio)") == "1",
        tls=await says("CHANNEL(pjsip,secure)") == "1",
        sent=statistics["txcount"],
        received=statistics["rxcount"],
        port=int((await says("CHANNEL(rtp,src,audio)")).rpartition(":")[2]),
    )
