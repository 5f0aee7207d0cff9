"""What is said of what was written."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.speech.errors import NothingToSay
from service.speech.normalise import normalise

SAID = {
    "en-US": {
        "Press 1.": "Press one.",
        "3:30 pm": "three thirty pee em.",
        "3.30pm": "three thirty pee em.",
        "15:30": "three thirty pee em.",
        "at 9:05": "at nine oh five.",
        "9:00": "nine o'clock.",
        "Mon-Fri 9am-5pm": "Monday to Friday nine ay em to five pee em.",
        "until 5 p.m. Then call": "until five pee em. Then call.",
        "1-800-555-0199": "one, eight zero zero, five five five, zero one nine nine.",
        "+12025551234": "plus one, two zero two, five five five, one two three four.",
        "(202) 555-0147": "two zero two, five five five, zero one four seven.",
        "dial 911": "dial nine one one.",
        "extension 2001": "extension two zero zero one.",
        "info@orbit.io": "info at orbit dot io.",
        "https://orbit.com/help": "orbit dot com slash help.",
        "www.orbit.com": "double u double u double u dot orbit dot com.",
        "Press * or #": "Press star or pound.",
        "*69": "star six nine.",
        "**bold** and _soft_": "bold and soft.",
        "$5.20": "five dollars and twenty cents.",
        "$1, €1, £1": "one dollar, one euro, one pound.",
        "$0.99": "ninety-nine cents.",
        "$1,234.50": "one thousand two hundred and thirty-four dollars and fifty cents.",
        "$5 million": "five million dollars.",
        "15%": "fifteen percent.",
        "in 1984 and 2026": "in nineteen eighty-four and twenty twenty-six.",
        "2026-12-24": "December twenty-fourth twenty twenty-six.",
        "12/24/2026": "December twenty-fourth twenty twenty-six.",
        "1,234.5 or 3.14": "one thousand two hundred and thirty-four point five or three point one four.",
        "007": "zero zero seven.",
        "the 22nd": "the twenty-second.",
        "24/7": "twenty-four seven.",
        "Sales: 1\nSupport: 2": "Sales: one. Support: two.",
        "a\tb\x00c\u202ed": "a b c d.",
        "AT&amp;T": "AT and T.",
        "<speak>Hi <break time='1s'/>you</speak>": "Hi you.",
        "<play file='/etc/passwd'/>no": "no.",
        "${SHELL(id)}": "SHELL, id.",
        "${EXTEN}": "EXTEN.",
        "a < b > c": "a b c.",
        "Hello 👋": "Hello.",
        "Really?! Yes...": "Really? Yes.",
    },
    "en-GB": {"#": "hash.", "24/12/2026": "twenty-fourth December twenty twenty-six."},
    "es-ES": {
        "de 9:00 a 17:30": "de nueve horas a diecisiete y treinta.",
        "900 123 456": "nueve cero cero, uno dos tres, cuatro cinco seis.",
        "5,20 €": "cinco euros con veinte céntimos.",
        "1.234,5": "mil doscientos treinta y cuatro coma cinco.",
        "15 %": "quince por ciento.",
        "pulse *": "pulse asterisco.",
        "¿Sí?": "Sí?",
        "a la 1:00": "a la una hora.",
    },
    "fr-FR": {
        "9h": "neuf heures.",
        "17h30": "dix-sept heures trente.",
        "01 23 45 67 89": "zéro un, deux trois, quatre cinq, six sept, huit neuf.",
        "5,20 €": "cinq euros vingt centimes.",
        "1 000 personnes": "mille personnes.",
        "tapez #": "tapez dièse.",
    },
    "it-IT": {
        "alle 17.30": "alle diciassette e trenta.",
        "5,20 €": "cinque euro e venti centesimi.",
        "06 1234 5678": "zero sei, uno due tre quattro, cinque sei sette otto.",
    },
    "de-DE": {
        "9-17 Uhr": "neun bis siebzehn Uhr.",
        "14.30 Uhr": "vierzehn Uhr dreißig.",
        "um 1 Uhr": "um ein Uhr.",
        "am 14. März": "am vierzehnten März.",
        "Raute #": "Raute Raute.",
        "5,20 €": "fünf Euro und zwanzig Cent.",
        "1.234": "eintausendzweihundertvierunddreißig.",
    },
    "pt-BR": {
        "das 9h às 17h30": "das nove horas às dezessete e trinta.",
        "R$ 5,20": "cinco reais e vinte centavos.",
        "2:15": "duas e quinze.",
        "£2": "duas libras.",
    },
    "hi-IN": {"1 दबाएं": "1 दबाएं."},
}


@pytest.mark.parametrize(
    ("language", "written", "said"), [(tag, text, said) for tag, rows in SAID.items() for text, said in rows.items()]
)
def test_what_is_said(language, written, said):
    assert normalise(written, language) == said


@pytest.mark.parametrize("text", ["", " \n\t", "...", "<break/>", "{}()", "\x00\x01", "👋", "—", "'-'"])
def test_nothing_to_say(text):
    with pytest.raises(NothingToSay):
        normalise(text, "en-US")


def test_no_word_is_endless():
    assert max(map(len, normalise("A" * 3000, "de-DE").split())) <= 101


@given(st.text(max_size=200), st.sampled_from([*SAID, "nl-NL", "xx"]))
def test_any_text_is_said_or_refused(text, language):
    try:
        said = normalise(text, language)
    except NothingToSay:
        return
    assert any(each.isalnum() for each in said)
    assert not set(said) & set('<>{}[]$`\\|&;"\x00\n') - {";"}


@given(st.text(alphabet="0123456789.,:/-+() $€%#*@aphmUr", max_size=80), st.sampled_from([*SAID]))
def test_figures_are_said_or_refused(text, language):
    try:
        said = normalise(text, language)
    except NothingToSay:
        return
    assert language == "hi-IN" or not any(each.isdecimal() for each in said)


@pytest.mark.parametrize(
    "piece", ["<a ", "1.", "1,", "a.", "a@", "9:", "1-", "$1", "*a", "_a", "((", "+1 ", "http://", "</"]
)
def test_a_long_text_of_any_kind_takes_no_time(piece):
    text = (piece * 4000)[:4000]
    begun = time.perf_counter()
    with suppress(NothingToSay):
        normalise(text, "en-US")
    assert time.perf_counter() - begun < 1
