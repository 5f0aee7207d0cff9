"""A trunk's far end as nodes see it: two misses and it is lost, one answer and it is back."""

from dataclasses import replace

import pytest

from service.trunks.health import (
    AGAIN_MS,
    STALE_MS,
    Health,
    Record,
    Registration,
    Seen,
    State,
    Status,
    alike,
    announced,
    asked,
    credentials,
    health_of,
    in_doubt,
    is_down,
    is_down_from,
    looked,
    status_of,
    to_ask,
)
from service.trunks.trunk import Trunk

TRUNK = Trunk("trunk_01", "one", 1, termination_uri="sip:carrier.example:5060")
HERE, SILENT, UNASKED = Seen("a1", True, 12.5), Seen("a1", False), Seen("a1", None)


class Story:
    """Looks, one after the other; time passes between them only where it is said. Nodes are told to ask when it is
    time for it, while `asks`."""

    def __init__(self, *attended):
        self.record, self.now, self.attended, self.asks = Record(), 1_000_000, attended or ("n1",), True

    def look(self, seen, node="n1", later=0, enabled=True):
        self.now += later
        self.record = looked(self.record, node, seen, enabled, self.attended, self.now)
        told = announced(self.record)
        self.record = told or self.record
        if seen and self.asks and to_ask(self.record.sightings[node], seen):
            self.record = asked(self.record, node, self.now)
        return self.record.state, told is not None


def test_one_answer_is_enough():
    assert Story().look(HERE) == (State.REACHABLE, True)


def test_two_misses_in_a_row_and_it_is_down():
    story = Story()
    story.look(HERE)
    assert story.look(SILENT, later=15_000) == (State.REACHABLE, False)
    assert in_doubt(story.record.sightings["n1"])
    assert story.look(SILENT, later=AGAIN_MS) == (State.UNREACHABLE, True)
    assert not in_doubt(story.record.sightings["n1"])


def test_a_look_before_the_second_answer_is_due_counts_nothing():
    story = Story()
    story.look(HERE)
    for _ in range(5):
        assert story.look(SILENT, later=AGAIN_MS // 10) == (State.REACHABLE, False)


def test_without_a_question_after_the_first_miss_there_is_no_second():
    story = Story()
    story.look(HERE)
    story.asks = False
    for _ in range(3):
        assert story.look(SILENT, later=15_000) == (State.REACHABLE, False)
    story.asks = True
    assert story.look(SILENT, later=15_000) == (State.REACHABLE, False)
    assert story.look(SILENT, later=AGAIN_MS - 1) == (State.REACHABLE, False)
    assert story.look(SILENT, later=1) == (State.UNREACHABLE, True)


@pytest.mark.parametrize("before", [(), (HERE,), (HERE, SILENT), (HERE, SILENT, SILENT)])
def test_a_node_that_has_asked_nobody_is_told_to_once_for_each_address(before):
    story = Story()
    for seen in before:
        story.look(seen, later=15_000)
    for address in ("a2", "a3"):
        unasked = Seen(address, None)
        story.look(unasked)
        sighting = story.record.sightings["n1"]
        assert sighting.asked_at == story.now
        assert not to_ask(sighting, unasked)


def test_a_node_that_alone_does_not_reach_it():
    story = Story("n1", "n2")
    for node in ("n1", "n2"):
        story.look(HERE, node)
    for _ in range(2):
        story.look(HERE, "n1", later=15_000)
        story.look(SILENT, "n2")
    assert is_down_from(story.record, "n2", story.now)
    assert not is_down_from(story.record, "n1", story.now)
    assert not is_down_from(story.record, "n3", story.now)
    assert not is_down_from(story.record, "n2", story.now + STALE_MS)
    for _ in range(2):
        story.look(SILENT, "n1", later=15_000)
    assert is_down(story.record, story.now)
    assert not is_down_from(story.record, "n2", story.now)


def test_an_answer_between_takes_the_miss_back():
    story = Story()
    story.look(HERE)
    story.look(SILENT, later=15_000)
    story.look(HERE, later=1_000)
    assert story.look(SILENT, later=15_000) == (State.REACHABLE, False)


def test_one_answer_brings_it_back():
    story = Story()
    for seen in (HERE, SILENT, SILENT):
        story.look(seen, later=15_000)
    assert story.look(HERE, later=1) == (State.REACHABLE, True)


def test_each_change_is_told_once_and_counted():
    story = Story()
    told = [story.look(seen, later=15_000)[1] for seen in (UNASKED, HERE, HERE, SILENT, SILENT, SILENT, HERE, HERE)]
    assert told == [False, True, False, False, True, False, True, False]
    assert story.record.sequence == 3


def test_one_of_which_nothing_is_known_is_not_down():
    story = Story()
    assert story.look(UNASKED) == (State.UNKNOWN, False)
    assert story.look(SILENT, later=1) == (State.UNKNOWN, False)
    assert not is_down(story.record, story.now)
    assert not is_down(Record(), 0)


def test_one_node_that_reaches_it_is_enough():
    story = Story("n1", "n2")
    story.look(HERE, "n2")
    for _ in range(3):
        assert story.look(SILENT, "n1", later=15_000)[0] is State.REACHABLE


def test_what_an_unattended_node_has_seen_does_not_count():
    story = Story("n1", "n2")
    story.look(HERE, "n2")
    story.look(SILENT, "n1")
    story.attended = ("n1",)
    assert story.look(SILENT, "n1", later=AGAIN_MS) == (State.UNREACHABLE, True)


def test_what_nobody_has_renewed_for_long_does_not_count():
    story = Story("n1", "n2")
    story.look(HERE, "n2")
    story.look(SILENT, "n1")
    assert story.look(SILENT, "n1", later=STALE_MS) == (State.UNREACHABLE, True)
    assert set(story.record.sightings) == {"n1"}
    assert is_down(story.record, story.now)
    assert not is_down(story.record, story.now + STALE_MS)


def test_a_node_that_does_not_know_it_yet_changes_nothing():
    story = Story("n1", "n2")
    for seen in (HERE, SILENT, SILENT):
        story.look(seen, "n1", later=15_000)
    assert story.look(UNASKED, "n2") == (State.UNREACHABLE, False)
    assert story.look(None, "n1") == (State.UNREACHABLE, False)


def test_another_address_starts_anew_and_tells_only_of_a_change():
    story = Story()
    for seen in (HERE, SILENT, SILENT):
        story.look(seen, later=15_000)
    assert story.look(Seen("a2", None)) == (State.UNKNOWN, False)
    assert story.look(Seen("a2", False), later=1) == (State.UNKNOWN, False)
    assert story.look(Seen("a2", False), later=AGAIN_MS) == (State.UNREACHABLE, False)
    assert story.look(Seen("a3", True)) == (State.REACHABLE, True)


def test_one_that_is_switched_off_has_no_state():
    story = Story()
    story.look(HERE)
    assert story.look(None, enabled=False) == (State.UNKNOWN, False)


def test_times_alone_are_no_news():
    story = Story()
    story.look(HERE)
    before = story.record
    story.look(replace(HERE, rtt_ms=13.0), later=15_000)
    assert alike(before, story.record)
    assert before != story.record
    story.look(SILENT, later=15_000)
    assert not alike(before, story.record)


def test_what_is_shown():
    story = Story()
    story.look(HERE)
    assert health_of(TRUNK, story.record) == Health(State.REACHABLE, 12.5, 1_000_000)
    for _ in range(2):
        story.look(SILENT, later=15_000)
    shown = health_of(TRUNK, story.record)
    assert shown == Health(State.UNREACHABLE, None, 1_030_000, error="The far end does not answer OPTIONS.")
    assert health_of(replace(TRUNK, enabled=False), story.record) == Health()
    assert health_of(TRUNK, Record()) == Health()


@pytest.mark.parametrize(
    ("registration", "answers", "shown"),
    [
        (Registration.REGISTERED, True, Registration.REGISTERED),
        (Registration.REJECTED, True, Registration.REJECTED),
        (Registration.REJECTED, False, Registration.UNREGISTERED),  # nobody is there to refuse
        (Registration.TRYING, True, Registration.TRYING),
        (None, True, Registration.TRYING),
    ],
)
def test_registration(registration, answers, shown):
    registers, story = replace(TRUNK, register=True), Story()
    for _ in range(2):
        story.look(Seen("a1", answers, registration=registration), later=15_000)
    assert health_of(registers, story.record).registration is shown
    assert health_of(TRUNK, story.record).registration is None


def test_the_registration_is_that_of_the_node_that_has_one():
    registers, story = replace(TRUNK, register=True), Story("n1", "n2")
    story.look(replace(HERE, registration=Registration.REGISTERED), "n1")
    story.look(HERE, "n2", later=1)
    assert health_of(registers, story.record).registration is Registration.REGISTERED


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": "two", "updated_at": 5}, Status.REJECTED),
        ({"auth_username": "orbit"}, Status.ACTIVE),
        ({"auth_password": "another"}, Status.ACTIVE),
        ({"termination_uri": "sip:other.example"}, Status.ACTIVE),
    ],
)
def test_a_refusal_of_calls_counts_while_the_credentials_are_those(change, status):
    record = Record(refused=credentials(TRUNK))
    assert status_of(TRUNK, health_of(TRUNK, record)) is Status.REJECTED
    changed = replace(TRUNK, **change)
    assert status_of(changed, health_of(changed, record)) is status


@pytest.mark.parametrize(
    ("health", "status"),
    [
        (Health(), Status.ACTIVE),
        (Health(State.REACHABLE), Status.ACTIVE),
        (Health(State.UNREACHABLE), Status.UNREACHABLE),
        (Health(State.UNREACHABLE, registration=Registration.UNREGISTERED), Status.UNREACHABLE),
        (Health(State.REACHABLE, registration=Registration.REJECTED), Status.REJECTED),
        (Health(State.REACHABLE, registration=Registration.TRYING), Status.ACTIVE),
        (Health(State.REACHABLE, refused=True), Status.REJECTED),
    ],
)
def test_status(health, status):
    assert status_of(TRUNK, health) is status
    assert status_of(replace(TRUNK, enabled=False), health) is Status.DISABLED
