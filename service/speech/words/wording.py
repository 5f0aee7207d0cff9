"""The words that one language has for what is written in figures and signs."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Money:
    """A currency: its unit and its hundredth, one and several of them. `one` has its own number word before it."""

    one: str
    many: str
    cent: str
    cents: str


@dataclass(frozen=True, slots=True)
class Wording:
    """A template's `{h}` is the hour, `{m}` the minute, `{d}` the day, all in words."""

    numbers: str  # the language's name in num2words
    digits: tuple[str, ...]
    thousands: str  # the sign between thousands
    point: str  # how the sign before decimals is said
    signs: dict[str, str]  # those that a key or a sum has
    web: dict[str, str]  # those of an address
    percent: str
    to: str  # between the ends of a range
    around_the_clock: str  # 24/7
    sharp: str  # a full hour
    one_sharp: str
    hour_minute: str
    morning: str  # a.m.
    afternoon: str
    date: str
    months: tuple[str, ...]
    money: dict[str, Money]
    and_cents: str  # between units and hundredths
    cues: tuple[str, ...]  # words before a number that is told digit by digit
    hours: dict[int, str] = field(default_factory=dict)  # where they differ from numbers
    days: dict[int, str] = field(default_factory=dict)
    million: dict[str, str] = field(default_factory=dict)  # scales behind a sum of money, as they are said there
    short: dict[str, str] = field(default_factory=dict)  # what is written short
    clock_of_12: bool = False
    oh: str = ""  # before a single minute
    years_by_hundreds: bool = False
    month_first: bool = False
