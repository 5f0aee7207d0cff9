"""A flow and its document."""

from dataclasses import asdict, replace

import orjson
import pytest

from service.ivr.flow import Action, Fallback, Option, Status, flow_of
from service.ivr.sayings import invalid, unavailable
from tests.unit.ivr.menus import flow

SALES = flow("sales", ("1", "say", "We are open."), ("2", "say", "We are open."), ("3", "ivr", "ivr_b"))


def test_a_flow_comes_back_from_its_document():
    full = replace(
        SALES,
        options=(Option("*", Action.TRANSFER_NUMBER, "+14155552671", ("sales", "buy")),),
        fallback_action=Fallback.HANGUP,
        status=Status.FAILED,
        prompts={"a": "b"},
        published=SALES.as_published(),
    )
    assert flow_of(orjson.loads(orjson.dumps(asdict(full)))).live == SALES
    again = flow_of(orjson.loads(orjson.dumps(asdict(full))))
    assert replace(again, published=None) == replace(full, published=None)


def test_a_document_of_another_version_is_read():
    assert flow_of({"id": "ivr_1", "name": "x", "created_at": 1, "colour": "red"}).options == ()


def test_each_text_is_spoken_once():
    assert SALES.texts == ("Menu sales.", invalid("en-US"), unavailable("en-US"), "We are open.")
    assert replace(SALES, greeting_audio="h").texts[0] == invalid("en-US")
    assert "Nope." in replace(SALES, invalid_prompt="Nope.").texts


def test_prompts_by_their_texts():
    made = replace(SALES, prompts={text: f"#{place}" for place, text in enumerate(SALES.texts)})
    assert (made.greeting_hash, made.invalid_hash, made.unavailable_hash) == ("#0", "#1", "#2")
    assert made.say_hash(made.options[0]) == "#3"
    assert made.hashes == ("#0", "#1", "#2", "#3")
    assert replace(made, greeting_audio="up").hashes[0] == "up"


def test_what_leads_on():
    assert SALES.leads_to == ("ivr_b",)
    assert not SALES.listens
    assert flow("x", ("1", "hangup", None, ["bye"])).listens


@pytest.mark.parametrize("language", ["en-US", "es-MX", "fr", "it-IT", "de", "pt-BR", "hi-IN", "ja-JP", "zh"])
def test_every_language_has_its_sentences(language):
    assert (invalid(language) == invalid("en")) == language.startswith("en")
    assert (unavailable(language) == unavailable("en")) == language.startswith("en")


def test_others_hear_english():
    assert invalid("sv-SE") == invalid("en-US")
