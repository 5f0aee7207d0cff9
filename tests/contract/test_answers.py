"""First answers, keys and limits, on the real Redis."""

import asyncio

from service.calls.ids import mint
from service.store.admission import Admission
from service.store.answers import Answers
from service.store.keyring import Keyring, digest


async def test_of_many_exactly_one_is_told_to_act(redis):
    answers = Answers(redis, 24)
    claims = await asyncio.gather(*(answers.begin("key", "order-1", "print", mint("call")) for _ in range(200)))
    assert sorted(c.state for c in claims) == ["mine"] + ["pending"] * 199


async def test_the_kept_answer_is_given_and_another_request_is_a_mismatch(redis):
    answers = Answers(redis, 24)
    await answers.begin("key", "order-1", "print", "seed")
    await answers.keep("key", "order-1", 201, b"{}")
    claim = await answers.begin("key", "order-1", "print", "other")
    assert (claim.state, claim.status, claim.body) == ("done", 201, b"{}")
    assert (await answers.begin("key", "order-1", "another", "other")).state == "mismatch"
    assert (await answers.begin("another key", "order-1", "another", "other")).state == "mine"


async def test_a_claim_given_back_keeps_its_seed(redis):
    answers = Answers(redis, 24)
    first = await answers.begin("key", "order-1", "print", "seed-1")
    await answers.release("key", "order-1")
    second = await answers.begin("key", "order-1", "print", "seed-2")
    assert (first.seed, second.seed, second.state) == ("seed-1", "seed-1", "mine")


async def test_an_answer_is_kept_for_its_hours(redis):
    answers = Answers(redis, 2)
    await answers.begin("key", "order-1", "print", "seed")
    [name] = [k async for k in redis.scan_iter("*answer*")]
    assert 7100 < await redis.ttl(name) <= 7200


async def test_a_bucket_gives_its_burst_and_then_waits(redis):
    admission = Admission(redis)
    left = [await admission.take("b", 0.001, 3) for _ in range(5)]
    assert [a.taken for a in left] == [True, True, True, False, False]
    assert [a.remaining for a in left] == [2, 1, 0, 0, 0]
    assert left[-1].wait_ms > 900_000
    [name] = [k async for k in redis.scan_iter("*bucket*")]
    assert await redis.pttl(name) > 0


async def test_a_key_is_known_by_its_hash_alone(redis):
    await Keyring(redis).register("dv_live_sk_secret", ("voice:read",), sandbox=False)
    found = await Admission(redis).key("dv_live_sk_secret")
    assert (found["scopes"], found["sandbox"]) == (["voice:read"], False)
    assert await Admission(redis).key("dv_live_sk_other") is None
    assert await Admission(redis).key("\udcff") is None
    everything = str([await redis.hgetall(k) async for k in redis.scan_iter("*")])
    assert "dv_live_sk_secret" not in everything
    assert digest("dv_live_sk_secret") in everything


async def test_a_secret_is_made_once(redis):
    keyring = Keyring(redis)
    made = await asyncio.gather(*(keyring.secret("install") for _ in range(10)))
    assert len(set(made)) == 1
    assert len(made[0]) > 40
    assert await keyring.secret("webhooks", "whsec_given") == b"whsec_given"
