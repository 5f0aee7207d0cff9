"""Captures ARI event streams of a running stack into *.jsonl, one per sandbox behaviour.

    source $ORBIT_HOME/env && python tests/recordings/capture.py

Each line is a message as ARI sent it, of the types that the service asks for. The streams are replayed by
tests/unit/asterisk/test_recordings.py.
"""

import asyncio
import json
import os
import secrets
import sys
from pathlib import Path

import aiohttp

sys.path.insert(0, str(Path(__file__).parents[2]))

from service.asterisk.decode import TYPES
from service.calls.ids import channel_of, mint

APP = "orbit-capture"
OUTBOUND = {  # name: number, ring time-out, longest duration, seconds to the API's hang-up
    "busy": ("+15005550001", 10, 60, None),
    "no_answer": ("+15005550002", 2, 60, None),
    "cancelled": ("+15005550002", 10, 60, 1),
    "unallocated": ("+15005550003", 10, 60, None),
    "congestion": ("+15005550004", 10, 60, None),
    "answered_later": ("+15005550005", 10, 60, 4),
    "far_end_hangs_up": ("+15005550006", 10, 60, None),
    "api_hangs_up": ("+15005550007", 10, 60, 1),
    "max_duration": ("+15005550007", 10, 2, None),
}


async def originate(ari, name, number, timeout, longest, hangup):
    channel = channel_of(mint("call"))
    await ari.post(
        "channels",
        json={
            "endpoint": f"PJSIP/{number}@sandbox",
            "context": "orbit-answered",
            "extension": "s",
            "priority": 1,
            "callerId": "+12025551234",
            "timeout": timeout,
            "channelId": channel,
            "variables": {
                "CHANNEL(hangup_handler_push)": "orbit-ledger,s,1",
                "ORBIT_APP": APP,
                "ORBIT_MAX_DURATION": str(longest),
                "ORBIT_RECORD": "0",
            },
        },
    )
    if hangup:
        await asyncio.sleep(hangup)
        await ari.delete(f"channels/{channel}")


async def inbound(ari, name):
    async with aiohttp.ClientSession(os.environ["ORBIT_CARRIER_ARI_URL"] + "/", headers=ari.headers) as carrier:
        channel = secrets.token_hex(4)
        await carrier.post(
            "channels",
            json={
                "endpoint": "PJSIP/+12025551234@orbit",
                "context": "speak",
                "extension": "s",
                "priority": 1,
                "callerId": "+14155550100",
                "channelId": channel,
            },
        )
        await asyncio.sleep(2)
        await carrier.delete(f"channels/{channel}")


async def record(ari, name, scene):
    lines = []
    async with ari.ws_connect("events", params={"app": APP}) as socket:
        await ari.put(f"applications/{APP}/eventFilter", json={"allowed": [{"type": t} for t in TYPES]})
        await ari.post(f"applications/{APP}/subscription", params={"eventSource": "channel:"})
        task = asyncio.create_task(scene)
        async for frame in socket:
            message = json.loads(frame.data)
            lines.append(frame.data)
            if message["type"] == "CallBroadcast":
                await ari.post("events/claim", params={"channelId": message["channel"]["id"], "application": APP})
            if message.get("args") == ["offered"]:
                await ari.post(
                    f"channels/{message['channel']['id']}/continue",
                    params={"context": "orbit-claimed", "extension": APP, "priority": 1},
                )
            if message["type"] == "ChannelDestroyed":
                break
        await task
    Path(__file__).with_name(f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    print(f"{name}: {len(lines)} events")


async def main():
    login = aiohttp.encode_basic_auth(os.environ["ORBIT_ARI_USER"], os.environ["ORBIT_ARI_PASSWORD"])
    headers = {"Authorization": login}
    async with aiohttp.ClientSession(os.environ["ORBIT_ARI_URL"] + "/", headers=headers) as ari:
        for name, scene in OUTBOUND.items():
            await record(ari, name, originate(ari, name, *scene))
        await record(ari, "inbound", inbound(ari, "inbound"))


asyncio.run(main())
