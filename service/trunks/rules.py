"""What must fit together in a trunk, beyond what each field is by itself."""

from collections.abc import Mapping
from typing import Any

from service.errors import Fault
from service.trunks.trunk import Encryption
from service.trunks.uri import escaped, parse_termination

LONGEST = 192  # characters of a username that registers, escaped: what a node keeps of it must fit into a line of AMI
_MISSING = "MISSING_REQUIRED_FIELD"


def faults(fields: Mapping[str, Any]) -> list[Fault]:
    """Every fault between the fields of a trunk, as JSON has them. What is no value of its kind is passed over: it is a
    fault of its own, and is told where fields are checked one by one."""
    return [*_transport(fields), *_login(fields)]


def _transport(fields: Mapping[str, Any]) -> list[Fault]:
    text, encryption = fields.get("termination_uri"), fields.get("encryption")
    uri = parse_termination(text) if isinstance(text, str) else None
    if uri is None:
        return []
    if encryption == Encryption.NONE and (uri.scheme == "sips" or uri.transport == "tls"):
        expected = "a sip: URI with ;transport=udp, ;transport=tcp or neither, as encryption is none"
    elif encryption in (Encryption.TLS, Encryption.TLS_SRTP) and uri.transport in ("udp", "tcp"):
        expected = f"a URI without ;transport={uri.transport}, as encryption is {encryption}"
    else:
        return []
    return [Fault("termination_uri", text, expected)]


def _login(fields: Mapping[str, Any]) -> list[Fault]:
    username, password = fields.get("auth_username"), fields.get("auth_password")
    found = []
    if username is None and (password is not None or fields.get("register") is True):
        why = "register needs it" if fields.get("register") is True else "there is an auth_password"
        found.append(Fault("auth_username", None, f"a value: {why}", _MISSING))
    if password is None and fields.get("register") is True:
        found.append(Fault("auth_password", None, "a value: register needs it", _MISSING))
    if isinstance(username, str) and fields.get("register") is True and len(escaped(username)) > LONGEST:
        expected = f"at most {LONGEST} characters as a URI has it, for register"
        found.append(Fault("auth_username", username, expected))
    return found
