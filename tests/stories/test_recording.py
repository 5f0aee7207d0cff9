"""What a recording holds, by its sound."""

import os
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from service.stack.tree import Tree
from tests.stories.client import Api, until
from tests.stories.farends.far_asterisk import FarAsterisk
from tests.stories.sound import channels, likeness, loudness, prompt


@pytest.fixture(scope="session")
def sounds(stack):
    data = Path(stack.settings.tree) / "usr/share/asterisk"
    return {
        "speech": prompt(data / "sounds/en/demo-congrats.wav"),
        "hold": prompt(sorted((data / "moh").glob("*.wav"))[0]),
    }


async def test_an_outbound_call_has_us_on_the_left_and_the_callee_on_the_right(api, sounds):
    call = await api.call("+15005550007", record=True, max_duration=4)
    assert call["recording_url"] is None
    ended = await api.ends(call["id"])
    left, right = channels(await api.recording(call["id"]))
    assert likeness(right, sounds["speech"]) > 0.9
    assert likeness(left, sounds["hold"]) > 0.9
    assert likeness(left, sounds["speech"]) < 0.3
    assert likeness(right, sounds["hold"]) < 0.3
    assert abs(len(left) / 8000 - ended["duration_seconds"]) <= 0.5


async def test_an_echo_comes_back_on_the_callees_side(api, sounds):
    call = await api.call("+15005550008", record=True, max_duration=4)
    await api.ends(call["id"])
    left, right = channels(await api.recording(call["id"]))
    assert likeness(left, sounds["hold"]) > 0.9
    assert likeness(right, sounds["hold"]) > 0.9


async def test_an_answering_machine_beeps(api, stack):
    call = await api.call("+15005550010", record=True, max_duration=12)
    await api.ends(call["id"], seconds=30)
    beep = prompt(Path(stack.settings.tree) / "usr/share/asterisk/sounds/en/beep.wav")
    assert likeness(channels(await api.recording(call["id"]))[1], beep, 0.2) > 0.8


async def test_a_recording_is_ready_within_two_seconds_of_the_end(api):
    call = await api.call("+15005550006", record=True)
    ended = await api.ends(call["id"])
    await api.recording(call["id"])
    rows = {row["type"]: row for row in await api.get(f"/voice/calls/{call['id']}/events")}
    ready = datetime.fromisoformat(rows["call.recording.ready"]["created_at"])
    assert (ready - datetime.fromisoformat(ended["ended_at"])).total_seconds() <= 2
    assert rows["call.recording.ready"]["detail"]["duration_ms"] > 1000


async def test_a_call_that_was_not_answered_has_no_recording(api):
    call = await api.call("+15005550001", record=True)
    ended = await api.ends(call["id"])
    status, _, body = await api.ask("GET", f"/v1/voice/calls/{call['id']}/recording")
    assert (status, body["error"]["code"]) == (404, "NOT_FOUND")
    assert ended["recording_url"] is None


async def test_a_recordings_url_plays_without_a_key_and_only_with_its_signature(api):
    call = await api.call("+15005550006", record=True)
    await api.ends(call["id"])
    await api.recording(call["id"])
    url = (await api.get(f"/voice/calls/{call['id']}"))["recording_url"]
    path, query = url.removeprefix(api.url).split("?")
    nobody = {"headers": {"X-API-Key": ""}}
    for broken in ("", query[:-1] + ("0" if query[-1] != "0" else "1"), query.replace("expires=1", "expires=2", 1),
                   query.replace("expires=", "expires=x"), "expires=1&signature="):  # fmt: skip
        status, _, _ = await api.ask("GET", f"{path}?{broken}", **nobody)
        assert status == 401, broken
    assert (await api.ask("GET", f"{path}?{query}", **nobody))[0] == 200
    assert (await api.ask("GET", f"{path}?{query}", headers={"X-API-Key": "dv_test_sk_gone"}))[0] == 200
    assert (await api.ask("GET", path))[0] == 200


async def test_the_node_keeps_no_copy(api, stack):
    call = await api.call("+15005550006", record=True)
    await api.ends(call["id"])
    await api.recording(call["id"])
    if os.environ.get("TEST_STACK") == "containers":
        pytest.skip("the spool is inside the container")
    spool = stack.home.folder / "asterisk"

    async def gone():
        return not list(spool.rglob(f"{call['id']}*"))

    await until(gone)


async def test_loudness_is_that_of_speech(api):
    call = await api.call("+15005550007", record=True, max_duration=3)
    await api.ends(call["id"])
    left, right = channels(await api.recording(call["id"]))
    assert loudness(left) > 300
    assert loudness(right) > 300


@pytest.fixture(params=["PCMU", "G722", "OPUS"])
async def recorded(request, stack, tmp_path):
    """Records a call over a trunk of this codec for some seconds: what the callee heard, and what it said."""
    if os.environ.get("TEST_STACK") == "containers":
        pytest.skip("the far end is on this machine's loopback")
    codecs = [request.param]
    async with (
        FarAsterisk(Tree(stack.settings.tree), tmp_path / "far", codecs=codecs) as far,
        Api(stack.env["ORBIT_URL"], stack.env["ORBIT_LIVE_KEY"]) as live,
    ):
        body = {"name": "far", "termination_uri": f"sip:{far.at()}", "encryption": "none", "codecs": codecs}
        status, _, answer = await live.ask("POST", "/v1/voice/sip-trunks", json=body)
        assert status == 201, answer
        trunk_id = answer["data"]["id"]

        async def record(number, seconds):
            call = await live.call(number, record=True, max_duration=seconds, trunk_id=trunk_id)
            assert (await far.media(await far.taken(number))).codec == request.param
            ended = await live.ends(call["id"], seconds=seconds + 15)
            left, right = channels(await live.recording(call["id"]))
            assert abs(len(left) / 8000 - ended["duration_seconds"]) <= 0.5
            return left, right

        yield record
        await live.ask("DELETE", f"/v1/voice/sip-trunks/{trunk_id}?force=true")


async def test_both_sides_are_whole_whatever_the_codec(recorded, sounds):
    left, right = await recorded("+15005550007", 4)
    assert likeness(right, sounds["speech"]) > 0.9
    assert likeness(left, sounds["hold"]) > 0.9


def delay(said, heard, second):
    """Seconds, up to half a one, until `heard` has what `said` has in this second of the call."""
    wanted, window = said[second * 8000 :][:8000], heard[second * 8000 :][:12000]
    power = np.convolve(window**2, np.ones(8000), "valid")
    return float(np.argmax(np.correlate(window, wanted, "valid") / np.sqrt(np.maximum(power, 1)))) / 8000


async def test_both_sides_stay_in_step(recorded):
    left, right = await recorded("+15005550008", 12)
    delays = [delay(left, right, second) for second in range(1, 10)]
    # Where the machine halts for a moment, a side goes a packet ahead (20 ms).
    assert abs(np.median(delays[:3]) - np.median(delays[-3:])) < 0.05, delays


async def test_what_a_node_had_written_before_it_died_is_kept(api, stack, sounds):
    if os.environ.get("TEST_STACK") == "containers":
        pytest.skip("the spool is inside the container")
    call = await api.call("+15005550007", record=True)
    live = stack.home.folder / "asterisk/spool/recording/live"

    async def two_seconds():
        return [file.stat().st_size > 32_000 for file in live.glob(f"{call['id']}*")] == [True, True]

    await until(two_seconds)
    await stack.kill("asterisk")
    await stack.start("asterisk")
    await api.ends(call["id"])
    left, right = channels(await api.recording(call["id"]))
    assert likeness(right, sounds["speech"]) > 0.9
    assert likeness(left, sounds["hold"]) > 0.9

    async def gone():
        return not list(live.iterdir())

    await until(gone)
