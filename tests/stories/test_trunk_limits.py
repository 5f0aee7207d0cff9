"""How many calls a trunk takes: at once, and in a second."""

import itertools

import pytest

from tests.stories.client import until
from tests.stories.farends.far_asterisk import FarAsterisk

OURS = "+12025551234"
numbers = (f"+1415559{n:04}" for n in itertools.count())


@pytest.fixture(scope="module")
async def carrier(tree, authority, tmp_path_factory):
    async with FarAsterisk(tree, tmp_path_factory.mktemp("carrier"), authority=authority) as far:
        yield far


async def refused(live, **call):
    """The headers and the error of a call that is not taken."""
    body = {"to": next(numbers), "from": OURS, **call}
    status, headers, answer = await live.ask("POST", "/v1/voice/calls", json=body)
    assert status == 429, answer
    return headers, answer["error"]


async def test_a_full_trunk_refuses_and_the_next_one_takes_the_call(live, carrier, trunks, stack):
    host = carrier.host
    small = await trunks.make(carrier.at(), max_channels=1, origination_uris=[host])
    other = await trunks.make(carrier.at())
    first = await live.call(next(numbers), trunk_id=small)
    await live.reaches(first["id"], "in_progress")

    _, error = await refused(live, trunk_id=small)
    assert error["code"] == "CONCURRENCY_LIMIT_EXCEEDED"
    second = await live.call(next(numbers), trunk_ids=[small, other])
    assert second["trunk_id"] == other
    await live.reaches(second["id"], "in_progress")

    caller, to = next(numbers), f"127.0.0.1:{stack.env['ORBIT_SIP_UDP']};transport=udp"
    carrier.network.ended.clear()
    await carrier.dials(OURS, to, caller)
    await until(lambda: ended(carrier))
    assert carrier.network.ended == [(34, 503)]
    [turned_away] = await until(lambda: live.get("/voice/calls", params={"from": caller}))
    assert (turned_away["status"], turned_away["hangup"]["reason"]) == ("failed", "max_channels")
    assert "channels of the trunk" in turned_away["hangup"]["message"]

    await live.hang_up(first["id"])
    await live.ends(first["id"])
    again = next(numbers)
    await carrier.dials(OURS, to, again)
    [taken] = await until(lambda: live.get("/voice/calls", params={"from": again}))
    await live.reaches(taken["id"], "in_progress")
    assert taken["trunk_id"] == small
    await refused(live, trunk_id=small)  # a call that came in counts as well
    await live.hang_up(taken["id"])
    await live.hang_up(second["id"])
    await carrier.network.quiet()


async def ended(carrier):
    return carrier.network.ended


async def test_new_calls_of_a_second(live, carrier, trunks):
    slow = await trunks.make(carrier.at(), calls_per_second=1)
    other = await trunks.make(carrier.at())
    one = await live.call("+15005550001", trunk_id=slow)
    headers, error = await refused(live, trunk_id=slow)
    assert error["code"] == "RATE_LIMIT_EXCEEDED"
    assert int(headers["Retry-After"]) == 1
    two = await live.call("+15005550001", trunk_ids=[slow, other])
    assert two["trunk_id"] == other
    for call in (one, two):
        assert (await live.ends(call["id"]))["status"] == "busy"

    async def again():
        status, _, answer = await live.ask(
            "POST", "/v1/voice/calls", json={"to": "+15005550001", "from": OURS, "trunk_id": slow}
        )
        return answer["data"] if status == 201 else None

    call = await until(again, seconds=3)
    assert (await live.ends(call["id"]))["trunk_id"] == slow
