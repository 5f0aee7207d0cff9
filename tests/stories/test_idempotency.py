"""Idempotency keys: one act, one answer."""

import asyncio
import secrets


async def test_a_thousand_posts_with_one_key_make_one_invite(api, network):
    body = {"to": "+15005550002", "from": "+12025551234"}
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    answers = await asyncio.gather(
        *(api.ask("POST", "/v1/voice/calls", json=body, headers=headers) for _ in range(1000))
    )
    assert {status for status, _, _ in answers} == {201}
    assert len({answer["data"]["id"] for _, _, answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in h for _, h, _ in answers) == 1
    call_id = answers[0][2]["data"]["id"]
    await api.reaches(call_id, "ringing")
    assert network.arrived == ["+15005550002"]
    await api.hang_up(call_id)
    await api.ends(call_id)


async def test_the_first_answer_is_given_again_to_the_letter(api):
    body = {"to": "+15005550001", "from": "+12025551234"}
    headers = {"Idempotency-Key": "order-" + secrets.token_hex(8)}
    _, first_headers, first = await api.ask("POST", "/v1/voice/calls", json=body, headers=headers)
    await api.ends(first["data"]["id"])
    status, again_headers, again = await api.ask("POST", "/api/v1/voice/calls/", json=body, headers=headers)
    assert (status, again) == (201, first)
    assert again_headers["Idempotent-Replayed"] == "true"
    assert again_headers["X-Request-Id"] != first_headers["X-Request-Id"]


async def test_another_body_under_the_same_key_is_a_conflict(api):
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    body = {"to": "+15005550001", "from": "+12025551234"}
    assert (await api.ask("POST", "/v1/voice/calls", json=body, headers=headers))[0] == 201
    status, _, answer = await api.ask("POST", "/v1/voice/calls", json={**body, "timeout": 9}, headers=headers)
    assert (status, answer["error"]["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


async def test_a_refusal_is_kept_too(api):
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    body = {"to": "nobody", "from": "+12025551234"}
    for replayed in (None, "true"):
        status, answered, answer = await api.ask("POST", "/v1/voice/calls", json=body, headers=headers)
        assert (status, answer["error"]["code"]) == (422, "INVALID_PHONE_NUMBER")
        assert answered.get("Idempotent-Replayed") == replayed


async def test_a_key_has_a_length(api):
    body = {"to": "+15005550001", "from": "+12025551234"}
    status, _, answer = await api.ask("POST", "/v1/voice/calls", json=body, headers={"Idempotency-Key": "k" * 256})
    assert (status, answer["error"]["details"]["field"]) == (422, "Idempotency-Key")
