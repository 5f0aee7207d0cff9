"""Which key a caller means by what they said."""

import pytest

from service.ivr.phrases import choose, clash

MENU = {
    "1": ["sales", "buy something"],
    "2": ["support", "technical support", "help desk"],
    "3": ["billing"],
    "0": ["operator", "a human"],
}
PROMPT = "Welcome to Orbit. For sales, press one. For support, press two. For billing, press three."


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("Sales.", "1"),
        ("I would like sales please", "1"),
        ("SALES!", "1"),
        ("Um, can I talk to sales?", "1"),
        ("sails", "1"),  # as a recogniser may write it
        ("technical support", "2"),
        ("tech support", "2"),
        ("helpdesk", "2"),
        ("the help-desk, please", "2"),
        ("I want to buy something.", "1"),
        ("can I speak to a human", "0"),
        ("billings", "3"),
        ("one", "1"),
        ("2", "2"),
        ("Press two, please.", "2"),
        ("number three", "3"),
        ("too", "2"),
        ("To.", "2"),
        ("zero", "0"),
    ],
)
def test_a_phrase_alone_or_in_a_sentence_chooses_its_key(said, key):
    assert choose(said, MENU, "en-US") == key


@pytest.mark.parametrize(
    "said",
    [
        "",
        "   ...",
        "hello",
        "four",  # no such key
        "sales or support",
        "billing, no, operator",
        "not sales",
        "I don't want sales",
        "the mails",
        "to be or not to be",
        "one two three",
        "I told her that we went to the shop and then the sales lady came over and said something",
    ],
)
def test_in_doubt_it_is_none(said):
    assert choose(said, MENU, "en-US") is None


@pytest.mark.parametrize(
    ("readings", "key"),
    [
        (["the poet", "support"], "2"),
        (["support", "sales"], None),
        (["you", "two"], None),
        (["two", "you"], "2"),
        (["two", "sales"], None),
        (["so", "no"], None),
        (["not sales", "sales"], None),
        (["sales or support", "sales"], None),
    ],
)
def test_another_reading_may_hold_the_phrase(readings, key):
    first, *others = readings
    assert choose(first, MENU, "en-US", others=others) == key


def test_the_longer_phrase_wins():
    menu = {"1": ["sales"], "2": ["sales support"]}
    assert choose("sales support please", menu, "en-US") == "2"
    assert choose("sales please", menu, "en-US") == "1"


def test_an_exact_phrase_beats_a_similar_one():
    menu = {"1": ["sales"], "2": ["tales"]}
    assert choose("tales", menu, "en-US") == "2"


@pytest.mark.parametrize("heard", ["for sales press one", "welcome to orbit for sales", "for support press two"])
def test_the_prompt_out_of_a_loudspeaker_chooses_nothing(heard):
    assert choose(heard, MENU, "en-US", PROMPT) is None


@pytest.mark.parametrize("said", ["sales", "for sales", "I would like sales"])
def test_a_caller_may_use_words_of_the_prompt(said):
    assert choose(said, MENU, "en-US", PROMPT) == "1"


@pytest.mark.parametrize(
    ("language", "phrase", "said"),
    [
        ("es-ES", "facturación", "Quiero facturacion, por favor."),
        ("es-MX", "dos", "Pulse 2"),
        ("fr-FR", "résiliation", "La Resiliation s'il vous plaît"),
        ("fr-FR", "l'accueil", "L’accueil."),
        ("de-DE", "Rückfrage", "rückfrage bitte"),
        ("it-IT", "perché", "perche"),
        ("pt-BR", "reclamação", "uma reclamação, por favor"),
        ("hi-IN", "सहायता", "मुझे सहायता चाहिए"),
        ("ja-JP", "予約", "予約をお願いします"),
        ("zh-CN", "销售", "我要销售部"),
        ("ru-RU", "продажи", "отдел ПРОДАЖИ"),
    ],
)
def test_other_languages(language, phrase, said):
    assert choose(said, {"5": [phrase], "6": ["xyzzy"]}, language) == "5"


@pytest.mark.parametrize(
    ("language", "said"),
    [("de-DE", "zwei bitte"), ("es-ES", "dos"), ("fr-FR", "le deux"), ("it-IT", "tasto due"), ("pt-BR", "dois")],
)
def test_keys_have_names_in_other_languages(language, said):
    assert choose(said, {"2": ["xyzzy"], "3": ["plugh"]}, language) == "2"


def test_star_and_pound():
    menu = {"*": ["go back"], "#": ["repeat that"]}
    assert choose("star", menu, "en-US") == "*"
    assert choose("the pound key", menu, "en-US") == "#"


def test_numbers_inside_phrases_are_words_and_digits():
    assert choose("room 4 please", {"7": ["room four"]}, "en-US") == "7"


def test_phrases_that_clash_are_named():
    assert clash(MENU, "en-US") is None
    assert clash({"1": ["sales"], "2": ["Sales!"]}, "en-US") == ("1", "2", "sales")
    assert clash({"1": ["sales"], "2": ["two", "one"]}, "en-US") == ("2", "1", "one")
    assert clash({"1": ["?!"]}, "en-US") == ("1", "", "?!")
