"""Ways of callers on paper."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import ValidationFailed
from service.ivr.flow import KEYS, Fallback
from service.ivr.simulate import LONGEST, inputs_of, walk
from tests.unit.ivr.menus import by_id, flow

SALES = flow("sales", ("1", "transfer_number", "+14155552671"), ("*", "ivr", "ivr_main"))
MAIN = flow(
    "main",
    ("1", "ivr", "ivr_sales", ["sales", "buy something"]),
    ("2", "say", "We are open."),
    ("3", "repeat"),
    ("4", "ivr", "ivr_gone"),
    ("0", "hangup"),
    max_retries=1,
    timeout_seconds=5,
)
ALL = by_id(MAIN, SALES)


def way(keys, flow=MAIN):
    return walk(flow, inputs_of(keys), ALL)


def test_nobody_presses_anything():
    found = way("")
    assert (found.outcome, found.end) == ("waiting", "waits for a key")
    assert [step.said for step in found.path] == [("Menu main.",)]


def test_the_way_to_a_telephone():
    found = way("2,timeout,1,1,5")
    assert [(step.name, step.input, step.action) for step in found.path] == [
        ("main", "2", "say"), ("main", "timeout", None), ("main", "1", "ivr"), ("sales", "1", "transfer_number"),
    ]  # fmt: skip
    assert found.path[1].said == ("We are open.", "Menu main.")
    assert (found.outcome, found.end) == ("transferred", "transferred to +14155552671")
    assert found.unused == ("5",)


def test_what_is_said_after_a_wrong_key():
    found = way("9")
    assert found.path[0].action is None
    assert found.path[1].said == ("Sorry, that is not a valid option.", "Menu main.")


def test_retries_are_used_up_and_repeat_uses_none():
    found = way("3,2,3,timeout,3,9")
    assert (found.outcome, found.path[-1].said) == ("unavailable", (MAIN.unavailable,))
    assert found.end == "fallback: says that nobody is available, hang-up"


@pytest.mark.parametrize(
    ("action", "target", "end"),
    [(Fallback.HANGUP, None, "fallback: hang-up"), (Fallback.TRANSFER_NUMBER, "+1", "fallback: transferred to +1")],
)
def test_fallbacks(action, target, end):
    menu = flow("x", ("1", "hangup"), max_retries=0, fallback_action=action, fallback_target=target)
    assert walk(menu, ["timeout"], {}).end == end


def test_each_menu_counts_its_own_retries():
    assert way("timeout,1,timeout,timeout,timeout").outcome == "waiting"
    assert way("timeout,1,*,timeout").outcome == "waiting"


def test_a_menu_that_is_gone():
    assert way("4").end == "the flow ivr_gone is not there: hang-up"


def test_what_is_said_aloud():
    found = way("I want to buy something please")
    assert (found.path[0].input, found.path[0].key) == ("I want to buy something please", "1")
    assert found.path[1].name == "sales"


def test_audio_is_told_of():
    assert way("", flow("a", greeting_audio="h")).path[0].said == ("(uploaded audio)",)
    audio = flow("a", greeting_url="https://a.example/x.wav")
    assert way("", audio).path[0].said == ("(audio of https://a.example/x.wav)",)


@pytest.mark.parametrize("keys", ["12", "1,,2", "A", "1,hello world", ",", "1,", "１", ",".join("3" * (LONGEST + 1))])
def test_what_no_caller_can_do(keys):
    with pytest.raises(ValidationFailed) as caught:
        way(keys)
    assert caught.value.faults[0].field == "keys"


TARGETS = st.sampled_from([("ivr", f"ivr_{n}") for n in range(5)] + [("repeat",), ("say", "x"), ("hangup",)])
MENUS = st.lists(st.dictionaries(st.sampled_from(KEYS), TARGETS, max_size=4), min_size=4, max_size=4)


@given(MENUS, st.lists(st.sampled_from([*KEYS, "timeout"]), max_size=LONGEST), st.integers(0, 10))
def test_no_flow_makes_it_walk_for_ever(menus, inputs, retries):
    made = [
        flow(str(n), *((key, *does) for key, does in menu.items()), max_retries=retries) for n, menu in enumerate(menus)
    ]
    found = walk(made[0], inputs, by_id(*made))
    assert len(found.path) + len(found.unused) <= len(inputs) + 2
    assert [step.input for step in found.path if step.input] + list(found.unused) == inputs
    assert found.outcome in ("waiting", "hangup", "unavailable")
