"""Kinds of values that bodies hold, each with its grammar."""

import re
from typing import Annotated, Any

import orjson
import phonenumbers
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from service.numbers.number import is_e164
from service.trunks.trunk import Codec
from service.trunks.uri import WIDEST, parse, parse_origin, parse_termination

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_USERNAME = re.compile(r"""[!#-;=?-\[\]-~]{1,128}""")
METADATA_BYTES = 16 * 1024


def _phone(text: str) -> str:
    if not is_e164(text):
        raise PydanticCustomError("INVALID_PHONE_NUMBER", "a telephone number in E.164, such as +14155552671")
    return text


def _destination(text: str) -> str:
    uri = parse(text)
    if uri and uri.user and uri.prefix is None:
        return uri.scheme + text[len(uri.scheme) :]
    if not is_e164(text):
        raise PydanticCustomError(
            "INVALID_PHONE_NUMBER", "a telephone number in E.164, such as +14155552671, or a SIP URI: sip:user@host"
        )
    return text


def _metadata(value: dict[str, Any]) -> dict[str, Any]:
    if len(orjson.dumps(value)) > METADATA_BYTES:
        raise PydanticCustomError("metadata_size", "an object of at most 16 KB as JSON")
    return value


def _text(value: str) -> str:
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise PydanticCustomError("control_characters", "text without control characters")
    return value


def _visible(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("blank", "text that can be seen")
    return value


def _termination(text: str) -> str:
    if parse_termination(text) is None:
        raise PydanticCustomError(
            "termination_uri", "a SIP URI without a user: sip:host[:port][;transport=udp|tcp|tls]"
        )
    return text


def _origin(text: str) -> str:
    if parse_origin(text) is None:
        widest = " or ".join(f"/{prefix} (IPv{version})" for version, prefix in WIDEST.items())
        raise PydanticCustomError(
            "origination_uri", f"a host or network: sip:host, sip:192.0.2.0/24, no wider than {widest}"
        )
    return text


def _username(text: str) -> str:
    if not _USERNAME.fullmatch(text):
        raise PydanticCustomError("auth_username", '1 to 128 ASCII letters, digits and signs, but no blanks " \\ < >')
    return text


def _password(text: str) -> str:
    if not 1 <= len(text) <= 128 or not text.isprintable():
        raise PydanticCustomError("auth_password", "1 to 128 characters, no control characters")
    return text


def _country(text: str) -> str:
    if text not in phonenumbers.SUPPORTED_REGIONS:
        raise PydanticCustomError("country", "two letters of ISO 3166 in capitals, such as US")
    return text


def _distinct(values: list[Any]) -> list[Any]:
    if len(set(values)) < len(values):
        raise PydanticCustomError("distinct", "each value once")
    return values


def _moment(value: Any) -> Any:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise PydanticCustomError("moment", "a time in RFC 3339, such as 2026-03-08T12:00:00Z")
    return value


def _yes_no(value: Any) -> Any:
    if value not in ("true", "false"):
        raise PydanticCustomError("yes_no", "true or false")
    return value == "true"


Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
YesNo = Annotated[bool, BeforeValidator(_yes_no)]  # in queries, where all is text
Phone = Annotated[str, AfterValidator(_phone)]
Destination = Annotated[str, AfterValidator(_destination)]
Metadata = Annotated[dict[str, Any], AfterValidator(_metadata)]
Text = Annotated[str, Field(max_length=255), AfterValidator(_text)]
Url = Annotated[str, Field(max_length=2048)]
Target = Annotated[Text, Field(min_length=1)]
Identifier = Annotated[str, Field(max_length=64)]
Name = Annotated[Text, Field(min_length=1), AfterValidator(_visible)]
TerminationUri = Annotated[str, AfterValidator(_termination)]
OriginationUris = Annotated[list[Annotated[str, AfterValidator(_origin)]], Field(max_length=64)]
Username = Annotated[str, AfterValidator(_username)]
Password = Annotated[
    str, AfterValidator(_password), WithJsonSchema({"type": "string", "format": "password", "writeOnly": True})
]
Codecs = Annotated[
    list[Annotated[Codec, Field(strict=False)]],
    Field(min_length=1, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_distinct),
]
Country = Annotated[str, AfterValidator(_country)]
TrunkIds = Annotated[
    list[Identifier],
    Field(min_length=1, max_length=10, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_distinct),
]
