"""Flows are made, changed and deleted; saving waits for no speech."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.calls.ids import mint
from service.errors import InUse, NotFound, ValidationFailed
from service.ivr.flow import Action
from service.numbers.number import Number
from service.numbers.route import Route, RouteType
from tests.unit.control.flows import GOOD, MENU, House, Never, leading_to


@pytest.fixture
def house():
    return House()


def fields(faults):
    return [fault.field for fault in faults]


async def test_a_new_flow_is_preparing_and_then_active(house):
    house.speaker.gate.clear()
    made = await house.flows.create(GOOD)
    assert (made["status"], made["version"], made["live_version"], made["options_count"]) == ("preparing", 1, None, 1)
    house.speaker.gate.set()
    active = await house.active(made["id"])
    assert (active["version"], active["live_version"], active["error"]) == (1, 1, None)
    assert active["voice"] == {"engine": "kokoro", "name": "af_heart", "language": "en-US"}


async def test_the_nodes_have_it_before_it_is_active(house):
    flow_id = await house.make()
    kind, told, document = house.told[-1]
    assert (kind, told, document["status"], document["published"]["version"]) == ("flow", flow_id, "preparing", 1)


async def test_what_was_made_of_a_seed_is_not_made_again(house):
    seed = mint("call")
    made = await house.flows.create(GOOD, seed)
    assert (await house.flows.create(GOOD, seed))["id"] == made["id"]
    assert (await house.flows.page(None, 10)).total == 1


async def test_defaults(house):
    made = await house.flows.create(GOOD)
    assert {name: made[name] for name in ("language", "timeout_seconds", "max_retries", "fallback_action")} == {
        "language": "en-US", "timeout_seconds": 10, "max_retries": 3, "fallback_action": "voicemail",
    }  # fmt: skip
    assert made["menu"]["options"] == [{**MENU["options"][0], "phrases": []}]


async def test_callers_have_the_version_before_while_one_is_preparing(house):
    flow_id = await house.make()
    house.speaker.gate.clear()
    changed = await house.flows.update(flow_id, {"greeting": "Hello."})
    assert (changed["status"], changed["version"], changed["live_version"]) == ("preparing", 2, 1)
    house.speaker.gate.set()
    assert (await house.active(flow_id))["live_version"] == 2


async def test_a_put_replaces_what_it_names_and_nothing_else(house):
    flow_id = await house.make(invalid_prompt="Nope.", timeout_seconds=5)
    changed = await house.flows.update(flow_id, {"invalid_prompt": None})
    assert (changed["invalid_prompt"], changed["timeout_seconds"]) == (None, 5)


async def test_a_put_that_changes_nothing_makes_no_version(house):
    flow_id = await house.make()
    assert (await house.flows.update(flow_id, {"name": "Main Menu"}))["version"] == 1


async def test_two_at_once_both_count(house):
    flow_id = await house.make()

    async def faster():
        await house.flows.update(flow_id, {"name": "Other"})

    house.documents.before_write = faster
    await house.flows.update(flow_id, {"timeout_seconds": 3})
    found = await house.active(flow_id)
    assert (found["name"], found["timeout_seconds"], found["version"]) == ("Other", 3, 3)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"greeting": "!!!"}, "greeting"),
        ({"menu": {"options": [{"key": "1", "action": "say", "target": "!!!"}]}}, "menu.options.0.target"),
        ({"language": "sv-SE"}, "language"),
        ({"greeting_url": "https://127.0.0.1/x.wav"}, "greeting_url"),
        ({"fallback_action": "transfer_number"}, "fallback_target"),
        ({"fallback_action": "transfer_number", "fallback_target": "12"}, "fallback_target"),
        ({"menu": {"options": [{"key": "1", "action": "transfer_number", "target": "911"}]}}, "menu.options.0.target"),
        ({"menu": {"options": [{"key": "1", "action": "transfer_sip", "target": "a@b"}]}}, "menu.options.0.target"),
        ({"menu": {"options": [{"key": "1", "action": "ivr", "target": "ivr_1"}]}}, "menu.options.0.target"),
    ],
)
async def test_a_fault_names_its_field(house, change, field):
    assert fields(await house.flows.faults({**GOOD, **change})) == [field]
    flow_id = await house.make()
    assert fields(await house.flows.faults(change, flow_id)) == [field]


async def test_every_fault_is_told_at_once(house):
    bad = {**GOOD, "language": "xx", "fallback_action": "hangup", "fallback_target": "y", "menu": {"options": [
        {"key": "1", "action": "ivr", "target": "ivr_1"}, {"key": "1", "action": "say"}]}}  # fmt: skip
    assert set(fields(await house.flows.faults(bad))) == {
        "language", "fallback_target", "menu.options.0.target", "menu.options.1.key", "menu.options.1.target",
    }  # fmt: skip


@pytest.mark.parametrize("menu", [None, 3, [], {}, {"options": 1}, {"options": [1, {"key": 2, "action": []}, {}]}])
async def test_whatever_is_no_menu_is_passed_over(house, menu):
    flow_id = await house.make()
    await house.flows.faults({"menu": menu}, flow_id)
    await house.flows.faults({"menu": menu, "language": 7, "greeting_url": []})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
OPTION = JSON | st.fixed_dictionaries(
    {"key": JSON | st.sampled_from(["1", "2"]), "action": JSON | st.sampled_from(list(Action))},
    optional={"target": JSON | st.sampled_from(["ivr_a", "+14155552671", "sip:a@b.example"]), "phrases": JSON},
)
MENUS = JSON | st.fixed_dictionaries({"options": JSON | st.lists(OPTION, max_size=15)})
FIELDS = ["name", "language", "greeting", "greeting_url", "fallback_action", "fallback_target", "phrases"]


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON), MENUS)
def test_whatever_json_comes_it_is_looked_at(named, menu):
    async def look():
        house = House()
        house.flows._orders.begin = lambda flow_id, version: None
        made = await house.flows.create(GOOD)
        await house.documents.create({**made, "id": "ivr_a", "created_at": 1, "options": []})
        await house.flows.faults({**named, "menu": menu})
        await house.flows.faults({**named, "menu": menu}, "ivr_a")

    asyncio.run(look())


async def test_a_body_of_very_many_options_takes_no_time(house):
    phrases = [f"phrase {n}" for n in range(5000)]
    options = [{"key": "1", "action": "ivr", "target": f"ivr_{n}", "phrases": phrases} for n in range(1000)]
    asked = []
    get = house.documents.get

    async def counted(flow_id):
        asked.append(flow_id)
        return await get(flow_id)

    house.documents.get = counted
    await house.flows.faults({**GOOD, "menu": {"options": options}})
    assert len(asked) <= 12


async def test_menus_that_lead_to_each_other_with_no_way_out(house):
    sales = await house.make(name="Sales")
    main = (await house.flows.create(leading_to(sales, name="Main")))["id"]
    round_about = {"menu": leading_to(main)["menu"]}
    (fault,) = await house.flows.faults(round_about, sales)
    assert fault.field == "menu.options"
    assert "Sales → Main → Sales" in fault.expected
    with pytest.raises(ValidationFailed):
        await house.flows.update(sales, round_about)
    itself = {"menu": leading_to(sales)["menu"]}
    assert "Sales → Sales" in (await house.flows.faults(itself, sales))[0].expected


async def test_a_flow_that_others_use_stays(house):
    flow_id = await house.make()
    house.routed[flow_id] = ["+12025550100"]
    other = await house.make(**leading_to(flow_id, name="Front"))
    with pytest.raises(InUse) as caught:
        await house.flows.delete(flow_id)
    assert "+12025550100" in str(caught.value)
    assert other in str(caught.value)
    house.routed.clear()
    await house.flows.update(other, {"menu": MENU})
    await house.active(other)
    await house.flows.delete(flow_id)
    assert house.told[-1] == ("flow", flow_id, None)
    with pytest.raises(NotFound):
        await house.flows.get(flow_id)


async def test_one_that_callers_still_reach_by_the_version_before_stays(house):
    flow_id = await house.make()
    front = await house.make(**leading_to(flow_id))
    house.speaker.gate.clear()
    await house.flows.update(front, {"menu": MENU, "greeting": "New."})
    with pytest.raises(InUse):
        await house.flows.delete(flow_id)
    house.speaker.gate.set()


async def test_a_number_that_comes_while_it_is_deleted_keeps_it(house):
    flow_id = await house.make()
    asked = []

    async def routed_to(kind, target):
        asked.append(target)
        return ["+12025550100"] if len(asked) == 2 else []

    house.flows._numbers.routed_to = routed_to
    with pytest.raises(InUse):
        await house.flows.delete(flow_id)
    assert (await house.flows.get(flow_id))["status"] == "active"
    assert house.told[-1][2] is not None


async def test_a_flow_that_comes_to_lead_to_one_that_goes_is_not_made(house):
    flow_id = await house.make()
    create = house.documents.create

    async def too_late(document):
        await house.documents.delete({"id": flow_id})
        await create(document)

    house.documents.create = too_late
    with pytest.raises(ValidationFailed) as caught:
        await house.flows.create(leading_to(flow_id))
    assert fields(caught.value.faults) == ["menu.options.0.target"]
    assert (await house.flows.page(None, 10)).total == 0


async def test_a_change_that_comes_to_lead_to_one_that_goes_is_undone(house):
    gone, flow_id = await house.make(), await house.make()

    async def too_late():
        await house.documents.delete({"id": gone})

    house.documents.before_write = too_late
    with pytest.raises(ValidationFailed):
        await house.flows.update(flow_id, {"menu": leading_to(gone)["menu"]})
    found = await house.flows.get(flow_id)
    assert (found["status"], found["version"], found["menu"]["options"][0]["action"]) == (
        "active", 1, "transfer_number",
    )  # fmt: skip


async def test_a_preparing_flow_that_is_put_back_is_made_all_the_same(house):
    gone, flow_id = await house.make(), await house.make()
    house.speaker.gate.clear()
    await house.flows.update(flow_id, {"greeting": "New."})

    async def too_late():
        await house.documents.delete({"id": gone})

    house.documents.before_write = too_late
    with pytest.raises(ValidationFailed):
        await house.flows.update(flow_id, {"menu": leading_to(gone)["menu"]})
    house.speaker.gate.set()
    found = await house.active(flow_id)
    assert (found["greeting"], found["menu"]["options"][0]["action"]) == ("New.", "transfer_number")
    assert found["live_version"] == found["version"]


async def test_a_preparing_flow_whose_deletion_is_refused_is_made_with_its_newest_change(house):
    flow_id = await house.make()
    house.speaker.gate.clear()
    asked = []

    async def routed_to(kind, target):
        asked.append(target)
        if len(asked) == 1:
            await house.flows.update(flow_id, {"greeting": "New."})
        return ["+12025550100"] if len(asked) == 2 else []

    house.flows._numbers.routed_to = routed_to
    with pytest.raises(InUse):
        await house.flows.delete(flow_id)
    house.speaker.gate.set()
    found = await house.active(flow_id)
    assert (found["greeting"], found["live_version"]) == ("New.", found["version"])


OURS, OTHER = "+14155552671", "+14155552672"


def own(number, kind, target):
    return Number(f"num_{number}", number, 0, route=Route(RouteType(kind), target))


async def test_a_transfer_to_a_number_of_ours_that_leads_back(house):
    flow_id = await house.make(menu={"options": [{"key": "1", "action": "hangup"}]})
    between = await house.make(fallback_action="transfer_number", fallback_target=OTHER)
    to_ours = {"menu": {"options": [{"key": "2", "action": "transfer_number", "target": OURS}]}}
    fallback = {"fallback_action": "transfer_number", "fallback_target": OURS}
    assert await house.flows.faults(to_ours | fallback, flow_id) == []
    book = house.numbers.numbers
    book[OURS], book[OTHER] = own(OURS, "ivr", between), own(OTHER, "ivr", flow_id)
    faults = await house.flows.faults(to_ours | fallback, flow_id)
    assert fields(faults) == ["menu.options.0.target", "fallback_target"]
    way = f"a number that does not lead back: {flow_id} → {OURS} → {between} → {OTHER} → {flow_id}"
    assert {fault.expected for fault in faults} == {way}
    with pytest.raises(ValidationFailed):
        await house.flows.update(flow_id, fallback)
    book[OTHER] = own(OTHER, "hold", None)
    assert await house.flows.faults(to_ours | fallback, flow_id) == []
    book[OURS] = own(OURS, "number", OTHER)
    book[OTHER] = own(OTHER, "number", OURS)
    assert await house.flows.faults(fallback, flow_id) == []  # round, and not by this flow


async def test_an_uploaded_greeting_and_back(house):
    flow_id = await house.make()
    changed = await house.flows.upload(flow_id, b"RIFF")
    assert (changed["status"], changed["greeting_audio"], changed["version"]) == ("preparing", "uploaded", 2)
    await house.active(flow_id)
    live = house.told[-1][2]["published"]
    assert live["greeting_audio"].startswith("a:")
    assert GOOD["greeting"] not in live["prompts"]
    assert (await house.flows.update(flow_id, {"name": "Other"}))["greeting_audio"] == "uploaded"
    assert (await house.flows.speak(flow_id))["greeting_audio"] is None
    await house.active(flow_id)
    assert GOOD["greeting"] in house.told[-1][2]["published"]["prompts"]


async def test_what_is_no_audio_changes_nothing(house):
    flow_id = await house.make()
    with pytest.raises(Never):
        await house.flows.upload(flow_id, b"noise")
    assert (await house.flows.get(flow_id))["version"] == 1
    with pytest.raises(NotFound):
        await house.flows.upload("ivr_1", b"RIFF")


async def test_a_walk_through_the_newest_versions(house):
    sales = await house.make(name="Sales")
    main = (await house.flows.create(leading_to(sales, name="Main")))["id"]
    flow, walk = await house.flows.simulate(main, "0,1")
    assert flow.id == main
    assert [step.name for step in walk.path] == ["Main", "Sales"]
    assert walk.end == "transferred to +14155552671"
    with pytest.raises(ValidationFailed):
        await house.flows.simulate(main, "88")
    with pytest.raises(NotFound):
        await house.flows.simulate("ivr_1", "1")
