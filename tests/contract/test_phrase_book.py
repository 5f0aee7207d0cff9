"""What callers may say, of the version of a flow that they are in."""

from dataclasses import asdict, replace

import pytest

from service.control.listening import Phrases
from service.ivr.flow import Flow, Option, Status
from service.store.documents import Documents
from service.store.phrase_book import RedisPhraseBook

OPTIONS = (Option("1", "hangup", None, ("goodbye", "bye")), Option("2", "repeat"))
HEARD = Flow("ivr_a", "A", 1, greeting="Hello.", language="en-GB", options=OPTIONS, version=3)
PHRASES = {"1": ("goodbye", "bye"), "2": ()}


def stored(flow, **newer):
    """With `flow` as what is heard, and perhaps a newer version."""
    return asdict(replace(flow, status=Status.ACTIVE, published=flow.as_published(), **newer))


@pytest.fixture
async def flows(redis):
    return Documents(redis, "flows", "ivr")


async def test_the_version_that_is_heard(flows):
    await flows.create(stored(HEARD, version=4, options=()))
    assert await RedisPhraseBook(flows).phrases("ivr_a", "3") == Phrases("en-GB", PHRASES, "Hello.")


@pytest.mark.parametrize(
    ("flow_id", "version"), [("ivr_a", "2"), ("ivr_a", "4"), ("ivr_a", ""), ("ivr_a", "3 "), ("ivr_gone", "3")]
)
async def test_who_is_in_another_one_presses_keys(flows, flow_id, version):
    await flows.create(stored(HEARD, version=4))
    assert await RedisPhraseBook(flows).phrases(flow_id, version) is None


async def test_a_menu_without_phrases_or_without_a_version_that_is_heard(flows):
    await flows.create(stored(replace(HEARD, options=(Option("1", "hangup"),))))
    await flows.create({**asdict(HEARD), "id": "ivr_b"})
    book = RedisPhraseBook(flows)
    assert await book.phrases("ivr_a", "3") is None
    assert await book.phrases("ivr_b", "3") is None


async def test_of_a_greeting_of_ones_own_the_words_are_not_known(flows):
    await flows.create(stored(replace(HEARD, greeting_audio="0a1b")))
    assert await RedisPhraseBook(flows).phrases("ivr_a", "3") == Phrases("en-GB", PHRASES)
