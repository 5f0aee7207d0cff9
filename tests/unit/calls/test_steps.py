"""A step in a menu, as the timeline and webhooks show it."""

import pytest

from service.calls.steps import Step


def test_a_key_and_how_long_it_took():
    step = Step("ivr_a", 1_000, 3_500, "1", "key", True, "transfer_number", "+14155552671", "caller_hung_up")
    assert not step.last
    assert step.detail == {
        "ivr_id": "ivr_a",
        "input": "1",
        "by": "key",
        "valid": True,
        "action": "transfer_number",
        "target": "+14155552671",
        "took_ms": 2_500,
    }


def test_silence_is_by_nobody_and_leads_to_no_target():
    detail = Step("ivr_a", 1_000, 11_000, "timeout", action="replay").detail
    assert (detail["by"], detail["valid"], detail["action"], detail["target"]) == (None, False, "replay", None)


def test_a_clock_that_was_set_back_takes_no_time_away():
    assert Step("ivr_a", 3_500, 1_000, "1").detail["took_ms"] == 0


@pytest.mark.parametrize("outcome", ["hangup", "caller_hung_up", "unavailable", "max_duration"])
def test_how_the_party_left_the_menus(outcome):
    step = Step("ivr_a", 1_000, 1_000, target="junk", outcome=outcome)
    assert step.last
    assert step.detail == {"ivr_id": "ivr_a", "outcome": outcome}


@pytest.mark.parametrize(("target", "shown"), [("+14155552671", "+14155552671"), ("", None)])
def test_who_was_put_through_was_put_through_somewhere(target, shown):
    detail = Step("ivr_a", 1_000, 1_000, target=target, outcome="transferred").detail
    assert detail == {"ivr_id": "ivr_a", "outcome": "transferred", "target": shown}
