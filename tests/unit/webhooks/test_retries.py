"""When a delivery is tried again, and when it is given up."""

from service.settings import Settings
from service.webhooks.retries import Verdict, verdict

PAUSES = Settings().webhook_retry_seconds


def test_a_delivered_one_is_done():
    assert verdict(True, 1, 1000, PAUSES) == Verdict("delivered", 1000)
    assert verdict(True, 8, 1000, PAUSES) == Verdict("delivered", 1000)


def test_a_failed_one_waits_as_the_contract_says_then_is_dead():
    waits = []
    for attempts in range(1, 9):
        status, due = verdict(False, attempts, 0, PAUSES)
        waits.append(due / 1000 if status == "retrying" else status)
    assert waits == [5, 60, 300, 1800, 7200, 28800, 86400, "dead"]


def test_without_retries_the_first_failure_is_the_last():
    assert verdict(False, 1, 5, ()).status == "dead"
