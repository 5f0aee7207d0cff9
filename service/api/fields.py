"""Kinds of values that bodies hold, each with its grammar."""

import ipaddress
import re
from typing import Annotated, Any

import orjson
import phonenumbers
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9][A-Za-z0-9-]{0,62})*\.?|\[[0-9A-Fa-f:.]{2,45}\])"
_SIP_URI = re.compile(
    rf"(?P<scheme>[sS][iI][pP][sS]?):[A-Za-z0-9._+~*-]{{1,64}}@(?P<host>{_HOST})"
    r"(?::(?P<port>[0-9]{1,5}))?(?:;transport=(?P<transport>udp|tcp|tls))?"
)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
METADATA_BYTES = 16 * 1024


def is_e164(text: str) -> bool:
    """Whether `text` is a possible telephone number in E.164, written exactly so."""
    if not _E164.fullmatch(text):
        return False
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return False
    exact = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == text
    return exact and phonenumbers.is_possible_number(number)


def _phone(text: str) -> str:
    if not is_e164(text):
        raise PydanticCustomError("INVALID_PHONE_NUMBER", "a telephone number in E.164, such as +14155552671")
    return text


def _sip_uri(text: str) -> str | None:
    """A SIP URI by a grammar stricter than RFC 3261's: no separator of a dialplan or a header. None for the rest."""
    found = _SIP_URI.fullmatch(text) if len(text) <= 255 else None
    if found is None or not 1 <= int(found["port"] or 5060) <= 65535:
        return None
    scheme, host = found["scheme"].lower(), found["host"].strip("[]")
    if found["host"][0] == "[" or host.replace(".", "").isdigit():
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return None
    return None if scheme == "sips" and found["transport"] == "udp" else scheme + text[len(scheme) :]


def _destination(text: str) -> str:
    if uri := _sip_uri(text):
        return uri
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


def _moment(value: Any) -> Any:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise PydanticCustomError("moment", "a time in RFC 3339, such as 2026-03-08T12:00:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
Phone = Annotated[str, AfterValidator(_phone)]
Destination = Annotated[str, AfterValidator(_destination)]
Metadata = Annotated[dict[str, Any], AfterValidator(_metadata)]
Text = Annotated[str, Field(max_length=255), AfterValidator(_text)]
Url = Annotated[str, Field(max_length=2048)]
Identifier = Annotated[str, Field(max_length=64)]
