"""A call with several trunks: who carries it when the first one cannot."""

import asyncio
import itertools

import pytest

from tests.stories.client import until
from tests.stories.farends import loopback
from tests.stories.farends.far_asterisk import FarAsterisk
from tests.stories.farends.scripted import RESET, Scripted
from tests.stories.sound import channels, part_of

TERMINAL = {"completed", "failed", "busy", "no_answer", "cancelled"}
numbers = (f"+1415557{n:04}" for n in itertools.count())  # each call has its own, by which the carrier's calls are told


@pytest.fixture(scope="module")
async def carrier(tree, authority, tmp_path_factory):
    async with FarAsterisk(tree, tmp_path_factory.mktemp("carrier"), authority=authority) as far:
        yield far


@pytest.fixture
async def good(carrier, trunks):
    """The trunk that works."""
    return await trunks.make(carrier.at())


async def invited(carrier, number):
    return [m for m in carrier.messages("INVITE") if m.status is None and m.start.startswith(f"INVITE sip:{number}@")]


async def rerouted(live, call_id):
    """The details of the timeline's rows that tell of another trunk."""
    rows = await live.get(f"/voice/calls/{call_id}/events")
    return [row["detail"] for row in rows if row["type"] == "call.rerouted"]


async def goes_over(live, carrier, speech, first, good, reason, sip_code):
    """The second trunk carries the call, which is told to nobody but the timeline."""
    number = next(numbers)
    call = await live.call(number, trunk_ids=[first, good], record=True)
    await live.reaches(call["id"], "in_progress", seconds=30)
    channel = await carrier.taken(number)

    async def heard():
        return len(carrier.recording(channel).said) > 12000

    await until(heard)
    await live.hang_up(call["id"])
    ended = await live.ends(call["id"])
    assert (ended["status"], ended["trunk_id"]) == ("completed", good)
    [detail] = await rerouted(live, call["id"])
    assert (detail["trunk_id"], detail["next_trunk_id"]) == (first, good)
    assert (detail["reason"], detail["sip_code"]) == (reason, sip_code)
    assert detail["message"].endswith(f"(SIP {sip_code})." if sip_code else ".")
    timeline = await live.timeline(call["id"])
    assert [row for row in timeline if row in TERMINAL] == ["completed"]
    assert timeline.index("rerouted") < timeline.index("answered")
    assert part_of(channels(await live.recording(call["id"]))[1], speech) > 0.9


@pytest.mark.parametrize(
    ("replies", "reason", "code"),
    [
        (["500 Oops"], "network_out_of_order", 500),
        (["100 Trying", "502 Bad Gateway"], "destination_out_of_order", 502),
        (["503 Service Unavailable"], "congestion", 503),
        (["504 Server Time-out"], "timer_expired", 504),
        (["100 Trying", "408 Request Timeout"], "no_user_response", 408),
        ([RESET], "trunk_unreachable", None),
        (["100 Trying", RESET], "connection_lost", None),
    ],
)
async def test_the_second_trunk_carries_the_call(live, carrier, trunks, good, speech, replies, reason, code):
    async with Scripted(*replies, transport="tcp" if RESET in replies else "udp") as far:
        await goes_over(live, carrier, speech, await trunks.make(far.at()), good, reason, code)
        assert len(far.invites) == 1


async def test_nobody_there_and_silence_are_no_end_either(live, carrier, trunks, good, speech):
    host = loopback.address()
    async with Scripted() as silent:
        refused = await trunks.make(f"{host}:{loopback.port(host)};transport=tcp")
        unheard = await trunks.make(silent.at())
        nameless = await trunks.make("carrier.test")
        await asyncio.gather(
            goes_over(live, carrier, speech, refused, good, "trunk_unreachable", None),
            goes_over(live, carrier, speech, nameless, good, "trunk_unreachable", None),
            goes_over(live, carrier, speech, unheard, good, "no_response", None),
        )


@pytest.mark.parametrize("reply", ["486 Busy", "603 Decline", "404 Not Found", "403 Forbidden", "480 Away", "600 Busy"])
async def test_an_answer_of_the_callees_is_final(live, carrier, trunks, good, reply):
    number = next(numbers)
    async with Scripted(reply) as far:
        first = await trunks.make(far.at())
        call = await live.call(number, trunk_ids=[first, good])
        ended = await live.ends(call["id"])
    assert (ended["trunk_id"], ended["hangup"]["sip_code"]) == (first, int(reply[:3]))
    assert await rerouted(live, call["id"]) == []
    assert await invited(carrier, number) == []


@pytest.mark.parametrize("replies", [["180 Ringing", "503 Gone"], ["180 Ringing", RESET]])
async def test_no_second_telephone_rings(live, carrier, trunks, good, replies):
    number = next(numbers)
    async with Scripted(*replies, transport="tcp") as far:
        first = await trunks.make(far.at())
        call = await live.call(number, trunk_ids=[first, good])
        ended = await live.ends(call["id"])
    assert (ended["status"], ended["trunk_id"]) == ("failed", first)
    assert await invited(carrier, number) == []


async def test_a_call_that_no_trunk_takes_has_failed_once(live, trunks, receiver):
    async with Scripted("503 No") as one, Scripted("500 No") as two, Scripted("502 No") as three:
        made = [await trunks.make(far.at()) for far in (one, two, three)]
        call = await live.call(next(numbers), trunk_ids=made, webhook_url=receiver.url)
        ended = await live.ends(call["id"])
        assert (ended["status"], ended["trunk_id"], ended["hangup"]["sip_code"]) == ("failed", made[2], 502)
        assert [(d["trunk_id"], d["next_trunk_id"]) for d in await rerouted(live, call["id"])] == [
            (made[0], made[1]), (made[1], made[2]),
        ]  # fmt: skip
        heard = await receiver.hears(call["id"], "call.failed")
        assert [each.event["type"] for each in heard] == ["call.initiated", "call.failed"]


async def test_a_number_has_trunks_of_its_own(live, carrier, trunks, good):
    own, number = "+12025550177", next(numbers)
    async with Scripted("503 No") as far:
        first = await trunks.make(far.at())
        status, _, body = await live.ask("POST", "/v1/numbers", json={"number": own, "trunk_ids": [first, good]})
        assert status == 201, body
        call = await live.call(number, **{"from": own})
        await live.reaches(call["id"], "in_progress")
        await live.hang_up(call["id"])
        assert (await live.ends(call["id"]))["trunk_id"] == good
        [offer] = await invited(carrier, number)
        assert f"<sip:{own}@" in offer.header("From")
        await live.ask("DELETE", f"/v1/numbers/{body['data']['id']}")


async def test_the_service_dies_between_two_legs(live, carrier, trunks, good, stack):
    number = next(numbers)
    async with Scripted("100 Trying") as far:
        first = await trunks.make(far.at())
        call = await live.call(number, trunk_ids=[first, good])
        await far.called()
        await stack.kill("service")
        far.says("503 Service Unavailable")
        await until(lambda: acknowledged(far))
        await stack.start("service")
        await live.ready()
        await live.reaches(call["id"], "in_progress")
        await live.hang_up(call["id"])
        ended = await live.ends(call["id"])
    assert (ended["status"], ended["trunk_id"]) == ("completed", good)
    assert [(d["trunk_id"], d["sip_code"]) for d in await rerouted(live, call["id"])] == [(first, 503)]
    assert len(await invited(carrier, number)) == 1


async def acknowledged(far):
    return far.messages("ACK")


async def test_a_trunk_that_is_known_to_be_down_is_not_dialled(live, carrier, trunks, good):
    async with Scripted("486 Busy Here", deaf=True) as one, Scripted("486 Busy Here", deaf=True) as two:
        down = [await trunks.make(far.at()) for far in (one, two)]

        async def are_down():
            shown = [await live.get(f"/voice/sip-trunks/{trunk}") for trunk in down]
            return all(trunk["status"] == "unreachable" for trunk in shown)

        await until(are_down, seconds=25)
        for which in ({"trunk_id": down[0]}, {"trunk_ids": down}):
            call = await live.call(next(numbers), **which)
            ended = await live.ends(call["id"], seconds=2)
            hangup = ended["hangup"]
            assert (ended["status"], ended["trunk_id"], hangup["by"]) == ("failed", down[0], "system")
            assert (hangup["cause"], hangup["reason"], hangup["sip_code"]) == (27, "trunk_unreachable", None)
            assert "not dialled" in hangup["message"]
        number = next(numbers)
        call = await live.call(number, trunk_ids=[*down, good])
        await live.reaches(call["id"], "in_progress")
        await live.hang_up(call["id"])
        assert (await live.ends(call["id"]))["trunk_id"] == good
        assert one.invites == two.invites == []
        assert len(await invited(carrier, number)) == 1
