"""English, of America and of Britain."""

from dataclasses import replace

from service.speech.words.wording import Money, Wording

_DAYS = {
    "Mon": "Monday",
    "Tue": "Tuesday",
    "Tues": "Tuesday",
    "Wed": "Wednesday",
    "Thu": "Thursday",
    "Thurs": "Thursday",
    "Fri": "Friday",
    "Sat": "Saturday",
    "Sun": "Sunday",
}

AMERICAN = Wording(
    numbers="en",
    digits=("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    thousands=",",
    point="point",
    signs={"*": "star", "#": "pound", "&": "and", "+": "plus", "=": "equals", "@": "at", "°": "degrees"},
    web={
        ".": "dot",
        "/": "slash",
        "@": "at",
        "-": "dash",
        "_": "underscore",
        ":": "colon",
        "?": "question mark",
        "=": "equals",
        "&": "and",
        "#": "pound",
        "+": "plus",
        "%": "percent",
        "~": "tilde",
        "www": "double u double u double u",
    },
    percent="percent",
    to="to",
    around_the_clock="twenty-four seven",
    sharp="{h} o'clock",
    one_sharp="one o'clock",
    hour_minute="{h} {m}",
    morning="ay em",
    afternoon="pee em",
    date="{month} {d}",
    months=(
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
    money={
        "$": Money("one dollar", "dollars", "one cent", "cents"),
        "€": Money("one euro", "euros", "one cent", "cents"),
        "£": Money("one pound", "pounds", "one penny", "pence"),
        "R$": Money("one real", "reais", "one centavo", "centavos"),
    },
    and_cents=" and ",
    cues=("extension", "ext", "code", "pin", "dial", "call", "zip", "account", "order", "number"),
    million={"million": "million", "billion": "billion", "thousand": "thousand"},
    short={**_DAYS, "ext": "extension"},
    clock_of_12=True,
    oh="oh",
    years_by_hundreds=True,
    month_first=True,
)  # fmt: skip
BRITISH = replace(
    AMERICAN,
    signs={**AMERICAN.signs, "#": "hash"},
    web={**AMERICAN.web, "#": "hash"},
    date="{d} {month}",
    month_first=False,
)
