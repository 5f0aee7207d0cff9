"""Steps in menus, as the dialplan writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.asterisk.steps import NodeSteps, parse, step_of
from service.calls.steps import Step

ROW = "1795361262.500|1795361260.000|ivr_a|{}|{}|{}|{}|{}|caller_hung_up"
TIMES = (1795361260000, 1795361262500)


def row(typed="1", by="key", valid="1", action="hangup", target=""):
    return ROW.format(typed, by, valid, action, target)


def test_a_key_that_is_pressed():
    step = parse(row(action="transfer_number", target="+14155552671"))
    assert step == Step("ivr_a", *TIMES, "1", "key", True, "transfer_number", "+14155552671", "caller_hung_up")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("BUSY", "busy"),
        ("NOANSWER", "no_answer"),
        ("CHANUNAVAIL", "unreachable"),
        ("CONGESTION", "congestion"),
        ("timeout", "timeout"),
        ("#", "#"),
    ],
)
def test_what_a_party_did_or_what_became_of_a_transfer(said, shown):
    step = parse(row(said, by="", valid="", action="voicemail"))
    assert (step.input, step.by, step.valid) == (shown, "", False)


def test_what_is_said_is_not_told_by_the_name_of_its_file():
    assert parse(row(action="say", target="0a1b")).target == ""


def test_the_last_step_tells_how_it_ended():
    step = parse("1795361262.500||ivr_a|||||+14155552671|transferred")
    assert (step.last, step.outcome, step.since) == (True, "transferred", step.at)


HOSTILE = [
    "",
    "|" * 8,
    "1795361262.5|1795361260|ivr_a|1|key|1|hangup|",  # a field too few
    "1795361262.5|1795361260|ivr_a|1|key|1|hangup||a|b",  # too many
    "soon|1795361260|ivr_a|1|key|1|hangup||",
    "nan|1795361260|ivr_a|1|key|1|hangup||",
    "1e400|1795361260|ivr_a|1|key|1|hangup||",
    "-1|1795361260|ivr_a|1|key|1|hangup||",
    "1795361262.5|1795361260||1|key|1|hangup||",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_step(text):
    assert parse(text) is None


@given(st.lists(st.text(), max_size=10).map("|".join))
def test_no_row_breaks_it(text):
    step = parse(text)
    assert step is None or step.detail["ivr_id"]


def told(**said):
    return {"type": "ChannelUserevent", "eventname": "OrbitStep", "userevent": {"eventname": "OrbitStep", **said}}


def test_a_step_as_an_event():
    assert step_of(told(n="3", step=row())) == (3, parse(row()))
    assert step_of(told(n="3", step="junk")) is None
    assert step_of({**told(n="3", step=row()), "eventname": "OrbitListen"}) is None


class Ami:
    def __init__(self, *rows):
        self.rows, self.actions = rows, []

    async def action(self, name, **fields):
        self.actions.append((name, fields))
        return [{"Response": "Success"}, *({"Key": key, "Val": value} for key, value in self.rows)]


async def test_the_rows_of_a_node_are_walks_in_order():
    steps = [(f"/step/call_a.1/{n}", row(str(n % 10))) for n in (10, 9, 2, 1)]
    ami = Ami(*steps, ("/step/node1-7.3/1", row()), ("/step/x/1", "junk"), ("/step/x/one", row()), ("/step/1", row()))
    walks = {walk.channel_id: walk.steps for walk in await NodeSteps(ami).read()}
    assert [number for number, _ in walks["call_a.1"]] == [1, 2, 9, 10]
    assert walks["call_a.1"][1][1] == parse(row("2"))
    assert walks.keys() == {"call_a.1", "node1-7.3"}


async def test_a_node_without_steps():
    assert await NodeSteps(Ami()).read() == []


async def test_steps_that_are_stored_are_deleted_with_their_channel():
    ami = Ami()
    await NodeSteps(ami).forget("call_a.1")
    assert ami.actions == [("DBDelTree", {"Family": "step", "Key": "call_a.1"})]
