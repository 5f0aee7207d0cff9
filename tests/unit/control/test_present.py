"""What a notice becomes: a row of the timeline, and a webhook."""

import orjson
import pytest

from service.calls.call import Call, Direction, Leg
from service.calls.transitions import Notice
from service.control.present import Presenter

PRESENTER = Presenter("http://host", b"secret", 24)
CALL = Call("call_1", Direction.INBOUND, "+12025551234", "+14155550100", Leg("n-1.1", "node1", "p1"), 1_000, sequence=3)


def announced(kind, **more):
    row, entry = PRESENTER.announce(Notice(kind, 2_000, CALL, False, {"input": "1"}, **more))
    return orjson.loads(row), orjson.loads(entry.body) if entry else None


@pytest.mark.parametrize("kind", ["ivr.input", "ivr.completed"])
def test_a_webhook_of_a_menu_has_its_detail_beside_the_call(kind):
    row, body = announced(kind)
    assert row["detail"] == body["detail"] == {"input": "1"}
    assert body["data"]["id"] == "call_1"


def test_a_webhook_of_the_call_itself_is_the_call():
    row, body = announced("call.completed")
    assert row["detail"] == {"input": "1"}
    assert "detail" not in body


def test_row_and_webhook_are_of_one_event():
    row, body = announced("ivr.input")
    assert [(row[name], body[name]) for name in ("id", "type", "sequence")] == [
        (row["id"], row["id"]), ("ivr.input", "ivr.input"), (3, 3)
    ]  # fmt: skip


def test_a_quiet_notice_is_told_on_the_timeline_alone():
    row, body = announced("call.rerouted", quiet=True)
    assert row["type"] == "call.rerouted"
    assert body is None
