"""A SIP trunk: a way out to telephones and in from them, over a carrier that the user brings."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from service.trunks.uri import SipUri, parse

SANDBOX = "sandbox"  # the endpoint of the built-in carrier in asterisk-config/pjsip.conf


class Encryption(StrEnum):
    """What a trunk demands of both directions."""

    TLS_SRTP = "tls_srtp"  # TLS signalling and SRTP (SDES, RFC 4568), or no call
    TLS = "tls"  # TLS signalling, plain RTP
    NONE = "none"  # UDP or TCP, plain RTP


class Codec(StrEnum):
    """What a trunk may offer, by the API's names."""

    OPUS = "OPUS"
    G722 = "G722"
    PCMU = "PCMU"
    PCMA = "PCMA"


@dataclass(frozen=True, slots=True)
class Trunk:
    """A trunk as it is stored. Times in ms since 1970; `max_channels` and `calls_per_second`: None is no limit.

    `country` (ISO 3166, two letters) is whose national forms the carrier sends called numbers in. `sandbox` marks the
    built-in carrier, the only trunk that a test key can reach; nothing of it is pushed to nodes.
    """

    id: str
    name: str
    created_at: int
    updated_at: int = 0
    termination_uri: str = ""
    origination_uris: tuple[str, ...] = ()
    auth_username: str | None = None
    auth_password: str | None = field(default=None, repr=False)
    codecs: tuple[Codec, ...] = (Codec.PCMU, Codec.PCMA, Codec.OPUS)
    encryption: Encryption = Encryption.TLS_SRTP
    tls_verify: bool = True
    register: bool = False
    country: str | None = None
    max_channels: int | None = None
    calls_per_second: int | None = None
    allow_sip_destinations: bool = False
    default: bool = False
    enabled: bool = True
    sandbox: bool = False

    @property
    def endpoint(self) -> str:
        """Its name among Asterisk's endpoints."""
        return SANDBOX if self.sandbox else self.id

    @property
    def target(self) -> str:
        """Where calls go, what follows `@` in a SIP URI: `host[:port][;transport=…]`. Empty for the sandbox."""
        uri = parse(self.termination_uri)
        return self._target_of(uri) if uri else ""

    def _target_of(self, uri: SipUri) -> str:
        transport = "tls" if self.encryption is not Encryption.NONE else uri.transport
        port = f":{uri.port}" if uri.port else ""  # without one, SRV records are asked (RFC 3263)
        return f"{uri.host}{port}" + (f";transport={transport}" if transport else "")


def trunk_of(document: dict[str, Any]) -> Trunk:
    """The trunk of a stored document; unknown fields are passed over."""
    known = {name: value for name, value in document.items() if name in Trunk.__dataclass_fields__}
    return Trunk(**{name: _MADE[name](value) if name in _MADE else value for name, value in known.items()})


_MADE: dict[str, Callable[[Any], Any]] = {
    "origination_uris": tuple,
    "codecs": lambda names: tuple(map(Codec, names)),
    "encryption": Encryption,
}
