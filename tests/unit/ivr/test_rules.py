"""What fits together in a flow, and menus that never end."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.ivr.flow import Action
from service.ivr.rules import faults, leaves, trap
from tests.unit.ivr.menus import by_id, flow, option

HANG_UP = {"key": "0", "action": "hangup"}


def at_fault(*options, **fields):
    found = faults({"language": "en-US", "fallback_action": "hangup", "menu": {"options": list(options)}, **fields})
    assert all(fault.expected for fault in found)
    return [fault.field for fault in found]


def test_a_good_flow():
    options = [
        HANG_UP,
        {"key": "1", "action": "transfer_number", "target": "+14155552671", "phrases": ["sales"]},
        {"key": "2", "action": "say", "target": "Hello.", "phrases": ["hours", "opening hours"]},
        {"key": "*", "action": "repeat"},
        {"key": "#", "action": "ivr", "target": "ivr_1"},
        {"key": "3", "action": "transfer_sip", "target": "sip:a@example.com"},
    ]
    assert at_fault(*options) == []


@pytest.mark.parametrize(
    ("option", "field"),
    [
        ({"key": "0", "action": "say", "target": "x"}, "menu.options.1.key"),
        ({"key": "1", "action": "transfer_number"}, "menu.options.1.target"),
        ({"key": "1", "action": "say", "target": None}, "menu.options.1.target"),
        ({"key": "1", "action": "repeat", "target": "x"}, "menu.options.1.target"),
        ({"key": "1", "action": "hangup", "target": "x"}, "menu.options.1.target"),
        ({"key": "1", "action": "voicemail", "target": "vmail_1"}, "menu.options.1.action"),
        ({"key": "1", "action": "conference"}, "menu.options.1.action"),
        ({"key": "1", "action": "transfer_agent", "target": "agt_1"}, "menu.options.1.action"),
    ],
)
def test_a_fault_names_its_field(option, field):
    assert at_fault(HANG_UP, option) == [field]


def test_what_is_to_come_says_so():
    found = faults({"menu": {"options": [{"key": "1", "action": "voicemail", "target": "vmail_1"}]}})
    assert "voicemail: not available yet" in found[0].expected


def test_only_repeat_is_a_dead_end():
    assert at_fault({"key": "1", "action": "repeat"}, {"key": "2", "action": "repeat"}) == ["menu.options"]
    assert at_fault({"key": "1", "action": "say", "target": "x"}) == []


@pytest.mark.parametrize(
    ("action", "target", "fields"),
    [
        ("hangup", "x", ["fallback_target"]),
        ("voicemail", None, []),
        ("voicemail", "vmail_1", ["fallback_target"]),
        ("transfer_number", None, ["fallback_target"]),
        ("transfer_number", "+14155552671", []),
    ],
)
def test_the_fallback(action, target, fields):
    assert at_fault(HANG_UP, fallback_action=action, fallback_target=target) == fields


def test_what_no_row_can_hold():
    uri = f"sip:{'u' * 64}@{'h' * 60}.example"
    long = [{"key": key, "action": "transfer_sip", "target": uri} for key in "12345678"]
    assert at_fault(*long) == ["menu.options"]
    assert at_fault(*long[:4]) == []
    said = [{"key": key, "action": "say", "target": "x" * 1000} for key in "0123456789*#"]
    assert at_fault(*said) == []  # a prompt is named by its hash, however long


def test_a_phrase_of_two_keys():
    first = {"key": "1", "action": "hangup", "phrases": ["sales", "support"]}
    second = {"key": "2", "action": "hangup", "phrases": ["support"]}
    assert at_fault(first, second) == ["menu.options.0.phrases.1"]
    assert at_fault({"key": "1", "action": "hangup", "phrases": ["!!!"]}) == ["menu.options.0.phrases.0"]


@pytest.mark.parametrize(("each", "found"), [(15, []), (16, ["menu.options"])])
def test_a_menu_has_sixty_phrases_at_most(each, found):
    def phrases(key):
        return [f"department {chr(97 + n) * 8} {key}{key}{key}{key}" for n in range(each)]

    assert at_fault(*({"key": key, "action": "hangup", "phrases": phrases(key)} for key in "1234")) == found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
KINDS = st.sampled_from([*Action, "fly", None])
ODD_OPTION = JSON | st.fixed_dictionaries({}, optional={"key": JSON, "action": KINDS, "target": JSON, "phrases": JSON})


@given(st.dictionaries(st.sampled_from(["language", "fallback_action", "fallback_target"]), JSON), st.lists(ODD_OPTION))
def test_whatever_json_comes_it_is_looked_at(fields, options):
    faults({**fields, "menu": {"options": options}})


@given(JSON)
def test_whatever_menu_comes(menu):
    faults({"menu": menu})


def names(way):
    return [each.name for each in way]


def test_a_menu_that_leads_to_itself():
    assert names(trap(flow("a", ("1", "ivr", "ivr_a")), {})) == ["a", "a"]
    assert trap(flow("a", ("1", "ivr", "ivr_a"), ("2", "hangup")), {}) == []


def test_two_menus_that_lead_to_each_other():
    a, b = flow("a", ("1", "ivr", "ivr_b")), flow("b", ("1", "ivr", "ivr_a"), ("2", "say", "x"))
    assert names(trap(a, by_id(b))) == ["a", "b", "a"]
    assert trap(a, by_id(flow("b", ("1", "ivr", "ivr_a"), ("2", "hangup")))) == []


def test_a_way_out_behind_the_round():
    a, b = flow("a", ("1", "ivr", "ivr_b")), flow("b", ("1", "ivr", "ivr_a"), ("2", "ivr", "ivr_c"))
    out = flow("c", ("1", "transfer_number", "+14155552671"))
    assert trap(a, by_id(b, out)) == []


def test_a_menu_that_takes_away_the_way_out_of_others():
    a, b = flow("a", ("1", "ivr", "ivr_b")), flow("b", ("1", "ivr", "ivr_a"), ("2", "ivr", "ivr_c"))
    assert names(trap(flow("c", ("1", "say", "x")), by_id(a, b))) == ["a", "b", "a"]


def test_a_line_of_menus_is_no_round():
    line = [flow(str(n), ("1", "ivr", f"ivr_{n + 1}")) for n in range(300)]
    assert trap(line[0], by_id(*line[1:], flow("300", ("1", "say", "x")))) == []


OPTIONS = st.lists(st.sampled_from(["ivr_0", "ivr_1", "ivr_2", "ivr_3", "hangup"]), min_size=1, max_size=3)


@given(st.lists(OPTIONS, min_size=4, max_size=4))
def test_a_round_that_is_told_is_one_without_a_way_out(menus):
    made = [flow(str(n), *(option("1", *leading(to)) for to in row)) for n, row in enumerate(menus)]
    flows = by_id(*made)
    way = trap(made[0], flows)
    for here, there in itertools.pairwise(way):
        assert there.id in here.leads_to
        assert not leaves(here)
    near = [each for each in made if each.id in seen(made[0], flows) or "ivr_0" in seen(each, flows)]
    assert bool(way) == (stuck(made[0], flows) and any(stuck(each, flows) for each in near))


def leading(to):
    return ("hangup",) if to == "hangup" else ("ivr", to)


def seen(start, flows):
    found, ahead = set(), [start.id]
    while ahead:
        here = ahead.pop()
        if here not in found:
            found.add(here)
            ahead += flows[here].leads_to
    return found


def stuck(start, flows):
    """Menus here always lead on, so that without a way out there is a round."""
    return not any(leaves(flows[each]) for each in seen(start, flows))
