"""A number with what a request names."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from service.numbers.number import Number
from service.numbers.route import Route, RouteType

_SETTABLE = {field.name for field in fields(Number)} - {"id", "created_at"}
_TEXTS = {"friendly_name", "trunk_id", "webhook_url"}


def changed(number: Number, named: Mapping[str, Any]) -> Number:
    """The number with the fields that are named, as JSON has them; null clears. What is no value of its kind is passed
    over. Of `trunk_id` and `trunk_ids`, the one that is set takes the place of the other."""
    given = {name: _value(name, value) for name, value in named.items() if name in _SETTABLE}
    given = {name: value for name, value in given.items() if value is not _NO_VALUE}
    if given.get("trunk_id"):
        given.setdefault("trunk_ids", ())
    elif given.get("trunk_ids"):
        given.setdefault("trunk_id", None)
    return replace(number, **given)


_NO_VALUE = object()


def _value(name: str, value: Any) -> Any:
    if name == "trunk_ids":
        several = value if isinstance(value, list) else []
        return tuple(several) if value is None or _all_texts(several) else _NO_VALUE
    if name == "route":
        return _route(value)
    return value if isinstance(value, str) or (value is None and name in _TEXTS) else _NO_VALUE


def _route(value: Any) -> Any:
    if value is None:
        return None
    target = value.get("target") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not (target is None or isinstance(target, str)):
        return _NO_VALUE
    kind = value.get("type")
    if kind not in list(RouteType):
        return _NO_VALUE
    return Route(RouteType(kind), _lower_scheme(target) if kind == RouteType.SIP else target)


def _all_texts(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(each, str) for each in values)


def _lower_scheme(uri: str | None) -> str | None:
    """A scheme has no case (RFC 3261, 19.1.4); what is stored has the one that is compared."""
    scheme, colon, rest = (uri or "").partition(":")
    return f"{scheme.lower()}{colon}{rest}" if colon else uri
