"""Whose URL and secret a delivery takes."""

from dataclasses import dataclass

import pytest

from service.control.ports import OutboxEntry
from service.errors import StoreUnavailable
from service.webhooks import roster as module
from service.webhooks.roster import Roster

EVENT = OutboxEntry("evt_1", "call.ringing", "call_1", "https://mine.example/cb", b"{}")


@dataclass
class Held:
    endpoint: str
    event: OutboxEntry = EVENT


class Stored:
    def __init__(self, *documents):
        self.documents, self.reads, self.away = list(documents), 0, False

    async def __call__(self):
        self.reads += 1
        if self.away:
            raise StoreUnavailable
        return self.documents


def document(url="https://one.example/", secret="whsec_1"):
    return {"id": "wh_1", "url": url, "events": ["*"], "secret": secret, "description": None}


async def test_the_own_url_of_a_resource_takes_the_accounts_secret():
    assert await Roster(Stored(), b"account").address(Held("url_1")) == ("https://mine.example/cb", b"account")


async def test_a_webhook_takes_its_url_and_secret_of_now(monkeypatch):
    stored = Stored(document())
    roster = Roster(stored, b"account")
    assert await roster.address(Held("wh_1")) == ("https://one.example/", b"whsec_1")
    stored.documents = [document("https://two.example/", "whsec_2")]
    monkeypatch.setattr(module, "KEPT_SECONDS", -1)
    assert await roster.address(Held("wh_1")) == ("https://two.example/", b"whsec_2")


async def test_many_deliveries_in_a_row_read_the_webhooks_once():
    stored = Stored(document())
    roster = Roster(stored, b"account")
    for _ in range(50):
        await roster.address(Held("wh_1"))
    assert stored.reads == 1


async def test_a_deleted_webhook_has_no_address_but_one_that_cannot_be_read_is_not_deleted():
    stored = Stored()
    roster = Roster(stored, b"account")
    assert await roster.address(Held("wh_1")) is None
    stored.away = True
    with pytest.raises(StoreUnavailable):
        await roster.address(Held("wh_1"))
