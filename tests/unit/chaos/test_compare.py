"""The comparison behind `make chaos` finds what it is there to find."""

from dataclasses import replace

import pytest

from tests.chaos.compare import Books, compare
from tests.chaos.flow import Order
from tests.chaos.numbers import MANNERS, Plan
from tests.chaos.outcome import Death
from tests.chaos.receiver import Arrival
from tests.chaos.recovery import recovery
from tests.chaos.sip_book import Sighting, SipBook

NUMBER, CALLER = "+14151000001", "+14160100000"
HELD, HANGS_UP = MANNERS[0], MANNERS[2]
STATUSES = ("initiated", "ringing", "answered", "completed")


def record(number=NUMBER, **changes):
    inbound = number == CALLER
    hangup = {"by": "caller" if inbound else "callee", "cause": 16, "sip_code": None, "reason": "normal_clearing"}
    return {
        "id": f"call_{number}", "direction": "inbound" if inbound else "outbound", "to": number, "from": number,
        "status": "completed", "hangup": hangup, "record": True, "recording_url": "there", "answered_at": "then",
        "ringing_at": "then", "duration_seconds": 2, **changes,
    }  # fmt: skip


def told(rec, *types):
    """What a receiver takes of a call that ended 3 s after its start."""
    return tuple(
        Arrival(103.1, True, {"id": f"evt_{rec['id']}{n}", "type": f"call.{t}", "sequence": n, "data": rec})
        for n, t in enumerate(types or STATUSES, 1)
    )


@pytest.fixture
def good():
    """One call out, one call in, both as they should be."""
    out, into = record(), record(CALLER)
    order = Order(Plan(HANGS_UP, {"to": NUMBER}, None), 100.0, accepted=100.1, call_id=out["id"], settled=True)
    seen = Sighting("one", NUMBER, 5060, 100.2, answered=101.0, ended=103.0, end="hung_up")
    return Books(
        {NUMBER: order},
        frozenset({CALLER}),
        (seen, replace(seen, sip_id="two", number=CALLER)),
        (out, into),
        told(out) + told(into),
    )


def changed(books, **changes):
    """The books with the first call's record changed, and told as it is then."""
    rec = {**books.records[0], **changes}
    events = told(rec, *STATUSES[:-1], rec["status"]) if rec["status"] != "in_progress" else ()
    return replace(books, records=(rec, *books.records[1:]), arrivals=events + books.arrivals[4:])


def kinds(books):
    return sorted({line.split(":")[0] for line in compare(books).differences})


def hangup(by, reason, sip_code=None):
    return {"by": by, "cause": 0, "sip_code": sip_code, "reason": reason}


def test_books_that_agree(good):
    assert compare(good).differences == []
    assert recovery(good, 100.0, recordings=True) == (0.0, "nothing was late")


def test_no_record_of_what_sip_saw(good):
    assert kinds(replace(good, records=good.records[:1])) == ["lost"]
    assert kinds(replace(good, records=good.records[1:])) == ["lost"]


def test_a_call_that_never_ends(good):
    assert kinds(changed(good, status="in_progress", hangup=None)) == ["lost", "untold"]


def test_on_record_as_answered_and_never_dialled(good):
    assert kinds(replace(good, sightings=good.sightings[1:])) == ["lost"]


def test_not_dialled_and_on_record_as_such_is_no_difference_where_its_node_was_away(good):
    failed = {"status": "failed", "hangup": hangup("system", "asterisk_unavailable"), "answered_at": None}
    books = replace(changed(good, **failed, ringing_at=None), sightings=good.sightings[1:])
    found = compare(replace(books, away=True))
    assert (found.differences, len(found.not_dialled)) == ([], 1)
    assert kinds(books) == ["wrong"]


def test_two_invites_and_two_records(good):
    assert kinds(replace(good, sightings=(*good.sightings, replace(good.sightings[0], sip_id="three")))) == ["doubled"]
    second = record(id="call_2")
    assert kinds(replace(good, records=(*good.records, second), arrivals=good.arrivals + told(second))) == ["doubled"]


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "failed", "hangup": hangup("system", "node_lost")},
        {"hangup": hangup("api", "hangup_requested")},
        {"duration_seconds": 5},
    ],
)
def test_a_record_that_differs_from_what_sip_saw(good, changes):
    assert kinds(changed(good, **changes)) == ["wrong"]


def test_a_call_of_a_node_that_died_is_lost_with_it_and_no_other_is(good):
    alive = replace(good.sightings[0], heard=False)
    books = replace(good, sightings=(alive, good.sightings[1]), death=Death(5060, 102.0), callers=frozenset())
    books = replace(books, records=books.records[:1], arrivals=books.arrivals[:4])
    assert kinds(books) == ["wrong"]
    lost = changed(books, status="failed", hangup=hangup("system", "node_lost"))
    assert kinds(lost) == []
    assert kinds(replace(lost, death=Death(5062, 102.0))) == ["wrong"]


def test_the_apis_hang_up_needs_its_request(good):
    order = replace(good.orders[NUMBER], plan=Plan(HELD, {"to": NUMBER}, 1.0))
    seen = (replace(good.sightings[0], end="was_ended"), good.sightings[1])
    books = changed(replace(good, orders={NUMBER: order}, sightings=seen), hangup=hangup("api", "hangup_requested"))
    assert kinds(books) == ["wrong"]
    assert kinds(replace(books, orders={NUMBER: replace(order, asked_to_end=102.9)})) == []


def test_a_refused_request(good):
    order = replace(good.orders[NUMBER], refused="POST: 500 INTERNAL_ERROR")
    assert kinds(replace(good, orders={NUMBER: order})) == ["wrong"]


def test_a_recording_that_is_not_ready(good):
    assert kinds(changed(good, recording_url=None)) == ["recording"]


def test_webhooks(good):
    mine, others = good.arrivals[:4], good.arrivals[4:]
    twin = replace(mine[3], event={**mine[3].event, "id": "evt_other", "sequence": 5})

    def with_(*arrivals):
        return kinds(replace(good, arrivals=arrivals + others))

    assert with_(*mine[:3]) == ["untold"]
    assert with_(mine[0], *mine[2:]) == ["untold"]
    assert with_(*mine[:3], replace(mine[3], taken=False)) == ["untold"]
    assert with_(*mine, twin) == ["told_twice"]
    assert with_(mine[1], mine[0], *mine[2:]) == ["told_twice"]
    again = compare(replace(good, arrivals=(*good.arrivals, mine[3])))
    assert (again.differences, len(again.again)) == ([], 1)


def test_an_apology_is_counted(good):
    heard = replace(good.sightings[1], answered=None, end="refused", code=603)
    sorry = record(CALLER, status="failed", hangup=hangup("system", "no_controller"), answered_at=None)
    arrivals = good.arrivals[:4] + told(sorry, "initiated", "failed")
    books = replace(good, sightings=(good.sightings[0], heard), records=(good.records[0], sorry), arrivals=arrivals)
    assert (compare(books).differences, len(compare(books).apology)) == ([], 1)


def test_recovery_ends_with_the_last_thing_that_was_late(good):
    order = replace(good.orders[NUMBER], failures=[(101.5, "TimeoutError")])
    assert recovery(replace(good, orders={NUMBER: order}), 100.0, recordings=False)[0] == pytest.approx(1.5)
    late = tuple(replace(arrival, at=105.0) for arrival in good.arrivals)
    assert recovery(replace(good, arrivals=late), 100.0, recordings=False)[0] == pytest.approx(5.0)
    assert recovery(replace(good, arrivals=late), 106.0, recordings=False)[0] == 0


def test_sipps_log_is_read_as_it_grows(tmp_path):
    log, book = tmp_path / "callee.log", SipBook()
    book.follow(log)
    assert list(book.read()) == []
    at = "2026-11-22\t18:37:13.908520\t1795372633.5"
    log.write_text(f"{at} id +14151000001 5060 invited\n{at} id +14151000001 5060 answ")
    [seen] = book.read()
    assert (seen.number, seen.port, seen.invited, seen.answered) == ("+14151000001", 5060, 1795372633.5, None)
    log.write_text(log.read_text() + f"ered\n{at} id +14151000001 5060 refused 486\n")
    [seen] = book.read()
    assert (seen.answered, seen.end, seen.code) == (1795372633.5, "refused", 486)
