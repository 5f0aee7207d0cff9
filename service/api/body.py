"""Bodies and queries: bytes → JSON → a model, or every fault of it at once."""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from service.errors import Fault, InvalidJson, ValidationFailed

_OWN_CODE = re.compile(r"^[A-Z_]+$")
MAX_DEPTH = 32


def parse_json(raw: bytes) -> Any:
    """Strict JSON (RFC 8259, valid UTF-8, at most `MAX_DEPTH` deep). Raises `InvalidJson`."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InvalidJson(f"The body is not valid JSON: {error.msg} at character {error.pos}.") from None
    if _deeper_than(value, MAX_DEPTH):
        raise InvalidJson(f"The body is nested deeper than {MAX_DEPTH} levels.")
    return value


def _deeper_than(value: Any, depth: int) -> bool:
    if depth == 0:
        return True
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_deeper_than(child, depth - 1) for child in children)


Further = Callable[[dict[str, Any]], Awaitable[list[Fault]]]


async def check_body(
    model: type[BaseModel],
    value: Any,
    check_url: Callable[[str], Awaitable[str | None]],
    further: Further | None = None,
) -> tuple[BaseModel, list[str]]:
    """The model of a body and the names of fields that it does not know. Raises `ValidationFailed` with all faults.

    A model's `urls` names the fields that hold webhook URLs; what they may point to is asked of `check_url`. Its
    `secret` names those whose values no fault shows. `further` finds what no model can, in a body that may have other
    faults.
    """
    secret: Sequence[str] = getattr(model, "secret", ())
    if not isinstance(value, dict):
        raise ValidationFailed(Fault("", None if secret else value, "an object"))
    faults: list[Fault] = []
    checked: BaseModel | None = None
    try:
        checked = model.model_validate(value)
    except ValidationError as error:
        faults += faults_of(error, secret)
    for name in getattr(model, "urls", ()):
        url = value.get(name)
        if isinstance(url, str) and (reason := await check_url(url)):
            faults.append(Fault(name, url, reason, "INVALID_WEBHOOK_URL"))
    if further is not None:
        faults += await further(value)
    if faults or checked is None:
        raise ValidationFailed(*faults)
    return checked, [f"unknown field: {name[:100]}" for name in _unknown(checked, value)]


def _unknown(model: BaseModel, value: dict[str, Any], path: str = "") -> Iterator[str]:
    """The paths of fields that a model, or one within it, does not know."""
    known = {field.alias or name: getattr(model, name) for name, field in type(model).model_fields.items()}
    for name, given in value.items():
        held = known.get(name)
        if name not in known:
            yield path + name
        elif isinstance(held, BaseModel):
            yield from _unknown(held, given, f"{path}{name}.")
        elif isinstance(held, list):
            for place, (each, raw) in enumerate(zip(held, given, strict=False)):
                if isinstance(each, BaseModel):
                    yield from _unknown(each, raw, f"{path}{name}.{place}.")


def check_query(model: type[BaseModel], query: Mapping[str, str]) -> BaseModel:
    """The model of a query. A `+` that was not escaped in a telephone number came as a space; it is put back.

    Raises `ValidationFailed`.
    """
    values = {name: "+" + value[1:] if value[:1] == " " else value for name, value in query.items()}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ValidationFailed(*faults_of(error)) from None


def faults_of(error: ValidationError, secret: Sequence[str] = ()) -> list[Fault]:
    """Pydantic's errors in the contract's words. What came in `secret` fields is not told; where there are such, nor
    what stands before the @ of a URI."""
    faults = []
    for e in error.errors(include_url=False, include_context=False):
        path = ".".join(str(part) for part in e["loc"])
        if e["type"] == "missing":
            faults.append(Fault(path, None, "a value: the field is required", "MISSING_REQUIRED_FIELD"))
        else:
            code = e["type"] if _OWN_CODE.match(e["type"]) else "VALIDATION_ERROR"
            expected = e["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
            shown = e["input"] if not secret else None if e["loc"][0] in secret else _without_login(e["input"])
            faults.append(Fault(path, shown, expected, code))
    return faults


def _without_login(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_login(each) for each in value]
    return "…" + value[value.rindex("@") :] if isinstance(value, str) and "@" in value else value
