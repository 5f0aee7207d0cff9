"""A call's recording as its node keeps it: a file per side, under `live` while it is written, then under `done`."""

import asyncio
from pathlib import Path

from service.asterisk.ari import Ari, AriRefused
from service.asterisk.stereo import interleave

SIDES = "heard", "said"  # from the far end, and to it; the dialplan moves them to `done` in this order


async def fetch(ari: Ari, channel: str, destination: Path, *, late: bool) -> bool:
    """Writes both sides to `destination`, interleaved, `heard` first. False where the node has no finished recording;
    where it is `late`, one that was never finished is taken too, and a side that is nowhere is silent."""
    states = ("live", "done") if late else ("done",)  # in the order of the move, so that no file slips through

    async def found(name: str, path: Path) -> bool:
        for state in states:
            if await ari.download(f"{state}/{name}", path):
                return True
        return False

    heard, said = (destination.with_name(f"{destination.name}.{side}") for side in SIDES)
    has_said = await found(f"{channel}-said", said)  # moved last: the other one is there as well
    has_heard = (has_said or late) and await found(f"{channel}-heard", heard)
    if has_said or has_heard:
        await asyncio.to_thread(interleave, heard, said, destination)
        return True
    return await found(channel, destination)  # the version before wrote both sides into one


async def drop(ari: Ari, channel: str) -> None:
    """Deletes the node's files of a recording."""
    gone = [await _deleted(ari, f"{channel}-{side}") for side in SIDES]
    if not any(gone):
        await _deleted(ari, channel)


async def _deleted(ari: Ari, name: str) -> bool:
    """False where there is none."""
    for state in ("done", "live", "done"):  # it may be moved between two looks
        try:
            await ari.call("recordings", "deleteStored", recordingName=f"{state}/{name}")
        except AriRefused:
            continue
        return True
    return False
