"""Rows of the ledger, as the dialplan writes them."""

import pytest

from service.asterisk.ledger import parse

CHANNEL = "call_01M81YBMCAWKT4V8384Y7VRJ2S.1"
HERE = ("node1", "orbit-p1")


def test_a_busy_call():
    row = parse(
        CHANNEL, "17|486||1795361261.554|||||".removesuffix("|") + "+12025551234", "node1", "orbit-p1"
    )
    assert (row.cause, row.sip_code, row.answered_at, row.ended_at, row.end) == (17, 486, None, 1795361261554, "")
    assert row.offer is None


def test_a_call_that_reached_its_limit():
    row = parse(CHANNEL, "16|200|1795361267.432|1795361270.433|max_duration|||+12025551234", *HERE)
    assert (row.sip_code, row.answered_at, row.end) == (200, 1795361267432, "max_duration")


def test_a_call_that_reached_us_while_nobody_listened():
    row = parse(
        "node1-1.2", "41|||1795361360.643|no_controller|1795361357.656|+12025551234|+14155550100", "node1", "orbit-p1"
    )
    assert (row.offer.called, row.offer.caller, row.offer.at) == ("+12025551234", "+14155550100", 1795361357656)


def test_a_row_tells_by_which_endpoint_a_call_came_and_whether_the_far_end_rang():
    row = parse("n.1", "16|0|1.0|2.0||1.0|+12025551234|+14155550100|PJSIP/trunk_01J-a-0000001f|Up", *HERE)
    assert (row.offer.endpoint, row.rang, row.sip_code) == ("trunk_01J-a", False, 0)
    assert parse(CHANNEL, "34|503||2.0|||||PJSIP/x-00000001|Ringing", *HERE).rang


@pytest.mark.parametrize(
    ("later", "steps"),
    [("", 0), ("|PJSIP/x-1|Up", 0), ("|PJSIP/x-1|Up|", 0), ("|PJSIP/x-1|Up|3", 3), ("|PJSIP/x-1|Up|3|more", 3)],
)
def test_a_row_tells_how_many_steps_were_taken_in_menus_those_of_older_versions_none(later, steps):
    assert parse(CHANNEL, f"16|200|1.0|2.0|menu_hangup|||+12025551234{later}", *HERE).steps == steps


@pytest.mark.parametrize(
    "text",
    [
        "17|486|inf|1795366000.0||||+1",
        "17|486|nan|inf||||+1",
        "17|486||-1||||+1",
        "17|486||1e400||||+1",
        "17|486||99999999999999999999||||+1",
        "17|Busy|1795360000.0|1795366000.0|max_duration|||",
        "16|||1.0||1.0|+12025551234|a|b",
        "16|||1.0|max_duration||||PJSIP/x-1|Up|many",
    ],
)
def test_a_row_that_a_far_end_would_like_to_write_breaks_nothing(text):
    row = parse(CHANNEL, text, *HERE)
    assert row is None or (row.answered_at is None and row.end == "")


@pytest.mark.parametrize("text", ["", "|||||||", "x|||1.0||||", "16||||||", "16|||soon||||", "16"])
def test_what_is_no_row(text):
    assert parse(CHANNEL, text, *HERE) is None
