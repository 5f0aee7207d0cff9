"""The measure itself: numbers are the same in figures and in words, and a wrong word counts."""

import pytest

from tests.stories.sentences import SENTENCES
from tests.stories.wer import word_error_rate


@pytest.mark.parametrize(
    ("written", "heard", "language"),
    [
        ("Press 1.", "press one", "en-US"),
        ("from 9:00 am to 5:30 pm", "From 9 a.m. to 5 30 p.m.", "en-US"),
        ("at 3:30 pm.", "at 3.30 p.m.", "en-US"),
        ("Call 1-800-555-0199", "Call 1 800 555 0199.", "en-US"),
        ("$25.50, save 15%", "25 dollars and 50 cents save 15 percent", "en-US"),
        ("al 06 1234 5678", "al 0,6,1,2,3,4,5,6,7,8", "it-IT"),
        ("Où êtes-vous ?", "ou etes vous", "fr-FR"),
    ],
)
def test_the_same(written, heard, language):
    assert word_error_rate(written, heard, language) == 0


def test_what_differs():
    assert word_error_rate("press one for sales", "press two for sales") == 0.25
    assert word_error_rate("press one", "") == 1
    assert word_error_rate("one", "one and two more") == 3


def test_ten_sentences_each():
    assert {len(set(rows)) for rows in SENTENCES.values()} == {10}
