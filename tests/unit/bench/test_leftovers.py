import pytest

from bench.leftovers import name_of, patterns
from service.store import keys

CALL = "call_01JD0000000000000000000000"


@pytest.mark.parametrize(
    ("key", "name", "filling"),
    [
        (keys.call(CALL), "call", CALL),
        (keys.timeline(CALL), "timeline", CALL),
        (keys.calls_by("to", "+12025550001"), "calls_by", "to"),
        (keys.LIVE, "LIVE", ""),
        (keys.OUTBOX, "OUTBOX", ""),
        (keys.ENDPOINTS_DUE, "ENDPOINTS_DUE", ""),
        (keys.lanes_due("wh_1"), "lanes_due", "wh_1"),
        (keys.lane("wh_1", CALL), "lane", "wh_1"),
        (keys.delivery("dlv_1"), "delivery", "dlv_1"),
        (keys.bucket("calls:x"), "bucket", "calls:x"),
    ],
)
def test_every_key_has_its_name(key, name, filling):
    assert name_of(key, patterns()) == (name, filling)


def test_a_key_of_nobody():
    assert name_of("{orbit:0}:forgotten", patterns()) is None
