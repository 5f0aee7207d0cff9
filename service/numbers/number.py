"""A telephone number of the account: what `from` may name, and where inbound calls come in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    """`number` is E.164 with `+`. `webhook_url` hears of the number's inbound calls."""

    id: str
    number: str
    created_at: int
    friendly_name: str | None = None
    trunk_id: str | None = None
    webhook_url: str | None = None


def as_e164(dialled: str) -> str:
    """A called number as carriers send it (`+1202…` or `1202…`) in the form that numbers are registered in."""
    return "+" + dialled.lstrip("+")
