"""Calls on the stack of compose.yaml, which `tests/compose/run` has brought up: whatever part is killed meanwhile."""

import json
import os
from datetime import datetime

import pytest

from tests.compose.stack import asterisk, compose, keyed
from tests.stories.client import until
from tests.stories.sound import channels, loudness

SPEECH, RINGS_AND_HANGS_UP = "+15005550007", "+15005550006"
ENDINGS = {  # the number, what is asked for besides: who ended it, cause, reason, seconds
    "the callee hangs up": (RINGS_AND_HANGS_UP, {}, ("callee", 16, "normal_clearing", 2)),
    "the time is over": (SPEECH, {"max_duration": 3}, ("system", 16, "max_duration", 3)),
}


async def node_is_quiet() -> bool:
    """No channel is left on the node."""
    return "0 active channels" in await asterisk("core show channels count")


def at(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


@pytest.fixture(scope="session")
async def api():
    async with keyed("--test") as client:
        yield client


async def test_a_call_lives_on_while_the_service_is_killed_and_started_again(api):
    call = await api.call(SPEECH, record=True)
    before = await api.reaches(call["id"], "in_progress")
    await compose("kill", "-s", "SIGKILL", "service")
    assert "1 active channel" in await asterisk("core show channels count")
    await compose("start", "service")
    await api.ready()
    after = await api.get(f"/voice/calls/{call['id']}")
    assert (after["status"], after["answered_at"]) == ("in_progress", before["answered_at"])
    await api.hang_up(call["id"])
    ended = await api.ends(call["id"])
    assert (ended["status"], ended["hangup"]["by"], ended["hangup"]["cause"]) == ("completed", "api", 16)
    assert abs(ended["duration_seconds"] - (at(ended["ended_at"]) - at(ended["answered_at"]))) <= 1
    left, right = channels(await api.recording(call["id"]))
    assert loudness(left) > 300
    assert loudness(right) > 300
    assert abs(len(left) / 8000 - ended["duration_seconds"]) <= 1.2
    assert await api.timeline(call["id"]) == ["initiated", "answered", "completed", "recording.ready"]


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_call_that_ends_while_the_service_is_down_has_its_true_end(api, ending):
    number, more, (by, cause, reason, seconds) = ENDINGS[ending]
    call = await api.call(number, record=True, **more)
    await api.reaches(call["id"], "in_progress")
    await compose("kill", "-s", "SIGKILL", "service")
    await until(node_is_quiet)
    await compose("start", "service")
    await api.ready()
    ended = await api.ends(call["id"])
    assert ended["status"] == "completed"
    assert ended["hangup"].pop("message")
    assert ended["hangup"] == {"by": by, "cause": cause, "sip_code": None, "reason": reason}
    assert ended["duration_seconds"] == seconds
    left, _ = channels(await api.recording(call["id"]))
    assert abs(len(left) / 8000 - seconds) <= 1
    assert (await api.timeline(call["id"]))[-2:] == ["completed", "recording.ready"]


@pytest.mark.parametrize("part", ["redis", "carrier", "asterisk", "service"])
async def test_after_any_part_was_killed_and_started_again_calls_go_through(api, part):
    await compose("kill", "-s", "SIGKILL", part)
    await compose("up", "-d", "--no-build", "--wait", "--wait-timeout", "60")
    await api.ready()
    call = await api.call(RINGS_AND_HANGS_UP)
    ended = await api.ends(call["id"])
    assert (ended["status"], ended["duration_seconds"]) == ("completed", 2)


async def test_what_is_kept_outlives_its_container(api):
    call = await api.call(RINGS_AND_HANGS_UP, record=True)
    await api.ends(call["id"])
    recording = await api.recording(call["id"])
    await compose("up", "-d", "--no-build", "--force-recreate", "--wait", "--wait-timeout", "120")
    await api.ready()
    assert await api.recording(call["id"]) == recording
    again = await api.call(RINGS_AND_HANGS_UP)
    assert (await api.ends(again["id"]))["status"] == "completed"


async def test_nothing_but_the_api_sip_and_rtp_is_published_and_only_on_loopback():
    rows = [json.loads(line) for line in (await compose("ps", "--format", "json")).splitlines()]
    published = {
        (row["Service"], port["TargetPort"], port["URL"])
        for row in rows
        for port in row["Publishers"]
        if port["PublishedPort"]
    }
    first, last = (int(os.environ[f"ORBIT_RTP_{end}"]) for end in ("START", "END"))
    sip, tls = (int(os.environ[name]) for name in ("ORBIT_SIP_UDP", "ORBIT_SIP_TLS"))
    own = {("asterisk", port, "127.0.0.1") for port in (sip, tls, *range(first, last + 1))}
    assert published == {("service", 8080, "127.0.0.1")} | own


async def test_no_container_runs_as_root_and_no_secret_is_in_the_settings():
    for part in ("service", "asterisk", "carrier"):
        assert (await compose("exec", "-T", part, "id", "-u")).strip() == "10001"
    written = await compose("config")
    for file in ("/var/lib/orbit/secrets.env", "/var/lib/orbit-passwords/env"):
        for line in (await compose("exec", "-T", "service", "cat", file)).splitlines():
            assert len(line.partition("=")[2]) >= 40
            assert line.partition("=")[2] not in written


async def test_each_part_stops_in_order_when_asked():
    await compose("stop")
    rows = [json.loads(line) for line in (await compose("ps", "-a", "--format", "json")).splitlines()]
    assert {row["Service"]: row["ExitCode"] for row in rows} == dict.fromkeys(
        ("service", "asterisk", "carrier", "redis"), 0
    )
