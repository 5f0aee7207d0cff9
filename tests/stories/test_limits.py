"""Limits, on a stack with small ones."""

import asyncio

import pytest

from tests.stories.client import Api

SMALL = {
    "ORBIT_RATE_PER_MINUTE": "60",
    "ORBIT_RATE_BURST": "30",
    "ORBIT_CALLS_PER_SECOND": "2",
    "ORBIT_MAX_LIVE_CALLS": "3",
}


@pytest.fixture(scope="module")
async def small(tmp_path_factory):
    from service.stack.stack import Stack

    async with (
        Stack.apart(tmp_path_factory.mktemp("small"), SMALL) as stack,
        Api(stack.env["ORBIT_URL"], stack.env["ORBIT_TEST_KEY"]) as client,
    ):
        yield client


async def test_limits_are_told_and_kept(small):
    body = {"to": "+15005550002", "from": "+12025551234"}
    answers = await asyncio.gather(*(small.ask("POST", "/v1/voice/calls", json=body) for _ in range(4)))
    assert sorted(status for status, _, _ in answers) == [201, 201, 429, 429]
    _, headers, refused = next(a for a in answers if a[0] == 429)
    assert refused["error"]["code"] == "RATE_LIMIT_EXCEEDED"
    assert int(headers["Retry-After"]) >= 1
    await asyncio.sleep(1.1)  # the bucket's own pace
    answers += await asyncio.gather(*(small.ask("POST", "/v1/voice/calls", json=body) for _ in range(2)))
    codes = [a[2]["error"]["code"] for a in answers[4:] if a[0] == 429]
    assert codes == ["CONCURRENCY_LIMIT_EXCEEDED"]
    await asyncio.gather(*(small.hang_up(a[2]["data"]["id"]) for a in answers if a[0] == 201))
    _, headers, _ = await small.ask("GET", "/v1/voice/calls")
    assert int(headers["X-RateLimit-Remaining"]) < 30
    assert headers["X-RateLimit-Limit"] == "60"
    answers = await asyncio.gather(*(small.ask("GET", "/v1/voice/calls") for _ in range(40)))
    statuses = [status for status, _, _ in answers]
    assert set(statuses) == {200, 429}
    assert all(h["X-RateLimit-Reset"] for _, h, _ in answers)
    assert (await small.ask("GET", "/healthz"))[0] == 200
