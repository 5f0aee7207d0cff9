"""Texts in pieces."""

from hypothesis import given
from hypothesis import strategies as st

from service.speech.sentences import HARD, LONGEST, pieces


def test_short_sentences_go_together():
    assert pieces("Hello. Press one. Press two.") == ("Hello. Press one. Press two.",)


def test_long_ones_are_apart():
    one, two = "a" * 150 + ".", "b" * 150 + "."
    assert pieces(f"{one} {two}") == (one, two)


def test_a_sentence_without_an_end_is_cut_where_it_pauses_or_between_words():
    clause = "word " * 30 + "end,"
    assert all(len(piece) <= LONGEST for piece in pieces(f"{clause} {clause} {clause}"))
    assert all(len(piece) <= HARD and piece == piece.strip() for piece in pieces("word " * 800))


@given(st.text(alphabet="ab ,.!?。", max_size=2000))
def test_nothing_is_lost(text):
    assert "".join("".join(pieces(text)).split()) == "".join(text.split())
