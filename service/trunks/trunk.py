"""A SIP trunk: a way out to telephones. `endpoint` is its name in pjsip.conf."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trunk:
    """`sandbox` marks the built-in carrier, the only one that a test key can reach."""

    id: str
    name: str
    endpoint: str
    created_at: int
    allow_sip_destinations: bool = False
    default: bool = False
    sandbox: bool = False
