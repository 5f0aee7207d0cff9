"""A trunk that is changed or deleted under a live call."""

import itertools

import pytest

from tests.stories.client import until
from tests.stories.farends.far_asterisk import FarAsterisk
from tests.stories.trunks import TRUNKS

numbers = (f"+1415554{n:04}" for n in itertools.count())


@pytest.fixture(scope="module")
async def carrier(tree, authority, tmp_path_factory):
    own = {"encryption": "tls_srtp", "codecs": ("OPUS", "PCMA"), "authority": authority}
    async with FarAsterisk(tree, tmp_path_factory.mktemp("carrier"), **own) as far:
        yield far


@pytest.fixture
async def talking(live, carrier, trunks):
    """A trunk, a call on it, and the carrier's channel."""
    trunk, number = await trunks.make(carrier.at(), encryption="tls_srtp", codecs=["OPUS"]), next(numbers)
    call = await live.call(number, trunk_id=trunk)
    await live.reaches(call["id"], "in_progress")
    return trunk, call["id"], await carrier.taken(number)


async def goes_on(carrier, channel):
    """Audio comes and goes from now on."""
    before = await carrier.media(channel)

    async def more():
        now = await carrier.media(channel)
        return min(now.received - before.received, now.sent - before.sent) > 25

    await until(more)


async def test_a_change_leaves_the_call_up_and_counts_for_the_next(live, carrier, trunks, talking):
    trunk, call_id, channel = talking
    await goes_on(carrier, channel)
    await trunks.change(trunk, codecs=["PCMA"], max_channels=7)
    await goes_on(carrier, channel)
    assert (await carrier.media(channel)).codec == "OPUS"

    other = await live.call(number := next(numbers), trunk_id=trunk)
    theirs = await carrier.taken(number)
    assert (await carrier.media(theirs)).codec == "PCMA"
    await trunks.change(trunk, termination_uri="sip:127.0.0.1:9;transport=tls")
    await goes_on(carrier, channel)
    await carrier.hangs_up(theirs)  # a BYE from that side finds its call still
    assert (await live.ends(other["id"]))["hangup"]["by"] == "callee"
    await live.hang_up(call_id)  # and one from ours its carrier
    assert (await live.ends(call_id))["status"] == "completed"
    await carrier.network.quiet()


async def test_a_trunk_is_deleted_under_its_call_by_force_alone(live, carrier, talking):
    trunk, call_id, channel = talking
    status, _, body = await live.ask("DELETE", f"{TRUNKS}/{trunk}")
    assert (status, body["error"]["code"]) == (409, "IN_USE")
    status, _, _ = await live.ask("DELETE", f"{TRUNKS}/{trunk}?force=true")
    assert status == 204
    await goes_on(carrier, channel)
    await live.hang_up(call_id)
    ended = await live.ends(call_id)
    assert (ended["status"], ended["hangup"]["by"], ended["trunk_id"]) == ("completed", "api", trunk)
    await carrier.network.quiet()


async def test_a_trunk_that_is_switched_off_lets_its_call_end(live, carrier, trunks, talking):
    trunk, call_id, channel = talking
    await trunks.change(trunk, enabled=False)
    await goes_on(carrier, channel)
    await carrier.hangs_up(channel)
    assert (await live.ends(call_id))["status"] == "completed"
