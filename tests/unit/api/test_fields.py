"""The grammar of what bodies hold."""

import pytest
from pydantic import ValidationError

from service.api.body import faults_of, parse_json
from service.api.schemas import CreateCall
from service.errors import InvalidJson

GOOD = {"to": "+14155552671", "from": "+12025551234"}
HOSTILE = [
    "", " ", "+", "+1", "4155552671", "+1415555267a", "+14155552671 ", "\n+14155552671", "+14155552671\n",
    "+1 4155552671", "+14155552671&PJSIP/x", "+14155552671,30", "+1415555|2671", "${SHELL(id)}", "+1415;2671",
    '+1"415"', "+1'415", "+0123456789", "+١٤١٥٥٥٥٢٦٧١", "+14155552671\x00", "+1415555267🚀", "+99999999999999999",
    "tel:+14155552671", "sip:", "sip:a", "sip:a@", "sip:@b", "sip:a b@c", "sip:a@b c", "sip:a@b;x=y",
    "sip:a@b?Subject=x", "sip:a@b\r\nVia: x", "sip:${EXTEN}@b", "sip:a@b&PJSIP/c", "sip:a@b,c", "sip:a@b:port",
    "sip:a@-b", "sip:" + "a" * 300 + "@b",
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_destination_is_refused(value):
    with pytest.raises(ValidationError) as caught:
        CreateCall.model_validate({**GOOD, "to": value})
    assert [(f.field, f.value, f.code) for f in faults_of(caught.value)] == [("to", value, "INVALID_PHONE_NUMBER")]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_caller_is_refused(value):
    with pytest.raises(ValidationError):
        CreateCall.model_validate({**GOOD, "from": value})


@pytest.mark.parametrize(
    "value",
    [
        "+14155552671",
        "+15005550001",
        "+4915112345678",
        "+442071838750",
        "sip:alice@example.com",
        "sip:+1202@10.0.0.1:5070;transport=tls",
        "sips:a.b-c_d@[::1]",
    ],
)
def test_a_good_destination(value):
    assert CreateCall.model_validate({**GOOD, "to": value}).to == value


def test_every_fault_is_told_at_once():
    body = {"to": 5, "record": "yes", "max_duration": 0, "timeout": 601, "metadata": [], "agent_id": 1}
    with pytest.raises(ValidationError) as caught:
        CreateCall.model_validate(body)
    faults = {f.field: f.code for f in faults_of(caught.value)}
    assert set(faults) == {"to", "from", "record", "max_duration", "timeout", "metadata", "agent_id"}
    assert faults["from"] == "MISSING_REQUIRED_FIELD"


def test_metadata_has_a_size():
    assert CreateCall.model_validate({**GOOD, "metadata": {"k": "x" * 16_000}})
    with pytest.raises(ValidationError):
        CreateCall.model_validate({**GOOD, "metadata": {"k": "x" * 16_384}})


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[1,]",
        b"NaN",
        b'{"a": Infinity}',
        b'"\\ud800"',
        b"\xff",
        b"[" * 40 + b"]" * 40,
        b"{" + b'"a":{' * 40 + b"}" * 41,
        b"[" * 100_000,
    ],
)
def test_what_is_no_json(raw):
    with pytest.raises(InvalidJson):
        parse_json(raw)
