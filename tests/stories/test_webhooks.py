"""What a receiver hears of a call."""

import pytest

from tests.stories.client import until
from tests.stories.receiver import signed


@pytest.fixture
async def endpoint(api, receiver):
    """A subscribed webhook endpoint, gone afterwards."""
    status, _, body = await api.ask("POST", "/v1/webhooks", json={"url": receiver.url, "events": ["call.*"]})
    assert status == 201, body
    yield body["data"]
    await api.ask("DELETE", f"/v1/webhooks/{body['data']['id']}")


async def test_one_ordered_signed_sequence_per_call(api, stack, receiver):
    call = await api.call("+15005550006", record=True, webhook_url=receiver.url)
    heard = await receiver.hears(call["id"], "call.recording.ready")
    events = [r.event for r in heard]
    assert [e["type"].removeprefix("call.") for e in events] == [
        "initiated", "ringing", "answered", "completed", "recording.ready",
    ]  # fmt: skip
    assert [e["sequence"] for e in events] == [1, 2, 3, 4, 5]
    assert len({e["id"] for e in events}) == 5
    assert [e["data"]["status"] for e in events] == ["initiating", "ringing", "in_progress", "completed", "completed"]
    assert events[-1]["data"]["recording_url"]
    for received in heard:
        assert signed(received, stack.env["ORBIT_WEBHOOK_SECRET"])
        assert received.headers["User-Agent"] == "Devotel-Webhooks/1.0"
        assert received.headers["X-Devotel-Event-Id"] == received.event["id"]
        assert received.headers["X-Devotel-Event-Type"] == received.event["type"]
        assert received.headers["X-Devotel-Delivery-Id"]


async def test_order_holds_when_the_receiver_fails_twice(api, receiver):
    receiver.answers = [500, 500]
    call = await api.call("+15005550001", webhook_url=receiver.url)
    heard = await receiver.hears(call["id"], "call.busy")
    assert [(r.event["sequence"], r.answered) for r in heard] == [(1, 500), (1, 500), (1, 200), (2, 200), (3, 200)]
    assert len({r.headers["X-Devotel-Delivery-Id"] for r in heard[:3]}) == 1


async def test_a_subscribed_endpoint_and_the_calls_own_url_both_hear(api, receiver, endpoint):
    call = await api.call("+15005550003", webhook_url=receiver.url.replace("/hook", "/own"))

    async def all_came():
        return len(receiver.about(call["id"])) == 4

    await until(all_came)
    by_secret = [signed(r, endpoint["signing_secret"]) for r in receiver.about(call["id"])]
    assert sorted(by_secret) == [False, False, True, True]


async def test_a_dead_letter_is_replayed(api, receiver, endpoint):
    receiver.answers = [500] * 4
    call = await api.call("+15005550003")
    where = f"/webhooks/{endpoint['id']}/deliveries"

    async def dead():
        return [d for d in await api.get(where) if d["status"] == "dead"]

    [delivery] = await until(dead)
    assert (delivery["attempts"], delivery["response_status"]) == (4, 500)
    await receiver.hears(call["id"], "call.failed")
    status, _, body = await api.ask("POST", f"/v1{where}/{delivery['id']}/replay")
    assert status == 200, body

    async def again():
        return [d for d in await api.get(where) if d["id"] == delivery["id"] and d["status"] == "delivered"]

    await until(again)
    assert (await api.ask("POST", f"/v1{where}/{delivery['id']}/replay"))[0] == 409


async def test_a_test_event(api, receiver, endpoint):
    status, _, body = await api.ask("POST", f"/v1/webhooks/{endpoint['id']}/test")
    assert status == 200, body

    async def came():
        return [r for r in receiver.requests if r.event["type"] == "webhook.test"]

    [received] = await until(came)
    assert signed(received, endpoint["signing_secret"])


async def test_a_secret_is_shown_once_and_an_update_keeps_it(api, receiver, endpoint):
    assert endpoint["signing_secret"].startswith("whsec_")
    shown = await api.get(f"/webhooks/{endpoint['id']}")
    assert "signing_secret" not in shown
    status, _, body = await api.ask("PUT", f"/v1/webhooks/{endpoint['id']}", json={"events": ["call.failed"]})
    assert (status, body["data"]["events"], body["data"]["url"]) == (200, ["call.failed"], receiver.url)
    call = await api.call("+15005550003")
    heard = await receiver.hears(call["id"], "call.failed")
    assert [r.event["type"] for r in heard] == ["call.failed"]


@pytest.mark.parametrize(
    "url", ["ftp://x/", "http://", "javascript:alert(1)", "http://169.254.169.254/latest", "http://[fe80::1]/",
            "http://224.0.0.1/", "http://user:pw@example.com/", "http://2852039166/", "//example.com", "", "x" * 3000]
)  # fmt: skip
async def test_a_url_that_must_not_be_called(api, url):
    body = {"to": "+15005550001", "from": "+12025551234", "webhook_url": url}
    status, _, answer = await api.ask("POST", "/v1/voice/calls", json=body)
    assert status == 422
    assert "webhook_url" in [e["field"] for e in answer["error"]["errors"]]
    status, _, answer = await api.ask("POST", "/v1/webhooks", json={"url": url})
    assert status == 422
