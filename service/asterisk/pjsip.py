"""A trunk as objects of PJSIP (Asterisk's `pjsip.conf` names them and their fields). Pure.

A push keeps what it does not name, so every object names all the fields that we ever use. The lists of an `aor` and an
`identify` are only ever added to: their ids hold a hash of what is in them, and a changed one is another object.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import orjson

from service.trunks.health import TIMEOUT_MS
from service.trunks.trunk import Codec, Encryption, Trunk
from service.trunks.uri import escaped, parse

KINDS = ("auth", "aor", "endpoint", "identify", "registration")
"""In the order in which they are made: a new aor walks all endpoints, so endpoints come later. Unmade in reverse."""

CODECS = {Codec.OPUS: "opus", Codec.G722: "g722", Codec.PCMU: "ulaw", Codec.PCMA: "alaw"}
MATCHES = 16  # addresses of one identify: a row of AstDB travels in one line of AMI, of at most 1,024 bytes


@dataclass(frozen=True, slots=True)
class PjsipObject:
    """One object. Two of the same kind and id differ in nothing but their fields."""

    kind: str
    id: str
    fields: dict[str, str]

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.id


@lru_cache(maxsize=8192)
def objects(trunk: Trunk, origins: tuple[str, ...], qualify: int, registers: bool) -> Sequence[PjsipObject]:
    """What a node holds of a trunk; nothing of one that is switched off, or built in.

    `origins` are the addresses that its calls come from, `qualify` the seconds between two OPTIONS, `registers` whether
    it is this node that registers.
    """
    if trunk.sandbox or not trunk.enabled:
        return ()
    aor = _named(trunk, "aor", {**_AOR, "contact": f"sip:{trunk.target}", "qualify_frequency": str(qualify)})
    made = [aor, _endpoint(trunk, aor.id)]
    if trunk.auth_username:
        made.append(login(trunk))
    ordered = sorted(set(origins))
    for start in range(0, len(ordered), MATCHES):
        fields = {"endpoint": trunk.id, "match": ",".join(ordered[start : start + MATCHES]), "srv_lookups": "no"}
        made.append(_named(trunk, "identify", fields))
    if trunk.register and registers:
        made.append(_registration(trunk))
    return made


def owner(object_id: str) -> str:
    """The trunk that an object belongs to."""
    return object_id.partition("-")[0]


def _named(trunk: Trunk, kind: str, fields: dict[str, str]) -> PjsipObject:
    digest = hashlib.sha256(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return PjsipObject(kind, f"{trunk.id}-{digest[:12]}", fields)


def _endpoint(trunk: Trunk, aor: str) -> PjsipObject:
    encrypted = trunk.encryption is not Encryption.NONE
    own = {
        "context": "orbit-inbound-tls" if encrypted else "orbit-inbound",
        "allow": ",".join(["!all", *(CODECS[codec] for codec in trunk.codecs)]),
        "aors": aor,
        "transport": _transport(trunk),
        "media_encryption": "sdes" if trunk.encryption is Encryption.TLS_SRTP else "no",
        "outbound_auth": trunk.id if trunk.auth_username else "",
        # Carriers that know their customer by a user name know them in their own domain.
        "from_domain": _host(trunk) if trunk.auth_username else "",
    }
    return PjsipObject("endpoint", trunk.id, {**_ENDPOINT, **own})


def login(trunk: Trunk) -> PjsipObject:
    """What answers the carrier's challenges."""
    fields = {"auth_type": "userpass", "username": trunk.auth_username or "", "password": trunk.auth_password or ""}
    return PjsipObject("auth", trunk.id, fields)


def _registration(trunk: Trunk) -> PjsipObject:
    user = escaped(trunk.auth_username or "")
    own = {
        "server_uri": f"sip:{trunk.target}",
        "client_uri": f"sip:{user}@{_host(trunk)}",
        "contact_user": user,
        "outbound_auth": trunk.id,
        "transport": _transport(trunk),
    }
    return PjsipObject("registration", trunk.id, {**_REGISTRATION, **own})


def _transport(trunk: Trunk) -> str:
    """The transport of pjsip.conf that dials the trunk; those of IPv6 are there where the operator binds one."""
    uri = parse(trunk.termination_uri)
    protocol = "tls" if trunk.encryption is not Encryption.NONE else (uri.transport if uri else "") or "udp"
    six = "6" if uri and uri.host.startswith("[") else ""
    return f"transport-{protocol}{six}" + ("-unverified" if protocol == "tls" and not trunk.tls_verify else "")


def _host(trunk: Trunk) -> str:
    uri = parse(trunk.termination_uri)
    return uri.host if uri else ""


def differences(
    wanted: Iterable[PjsipObject], there: dict[tuple[str, str], dict[str, str]]
) -> tuple[list[PjsipObject], list[tuple[str, str]]]:
    """What is to be put and what to be deleted, each in order, so that a node holds what is wanted and nothing else."""
    by_key = {each.key: each for each in wanted}
    put = [each for key, each in by_key.items() if there.get(key) != each.fields]
    gone = [key for key in there if key not in by_key]
    put.sort(key=lambda each: KINDS.index(each.kind))
    gone.sort(key=lambda key: KINDS.index(key[0]), reverse=True)
    return put, gone


_AOR = {"qualify_timeout": f"{TIMEOUT_MS / 1000}", "authenticate_qualify": "no"}

_ENDPOINT = {
    "identify_by": "ip",  # nobody becomes a trunk by a user name
    "media_encryption_optimistic": "no",
    "outgoing_call_offer_pref": "local",  # the trunk's codecs in the trunk's order, whatever ARI asked for
    "direct_media": "no",
    "rtp_symmetric": "yes",
    "force_rport": "yes",
    "rewrite_contact": "yes",
    "send_pai": "yes",
    "trust_id_inbound": "yes",
    "dtmf_mode": "auto",
    # A carrier cannot send our calls elsewhere.
    "allow_transfer": "no",
    "allow_subscribe": "no",
    # Media of a dead peer ends the call, also while nobody is connected to this node; seconds.
    "rtp_timeout": "120",
    "rtp_timeout_hold": "600",
}

_REGISTRATION = {
    "expiration": "600",
    "retry_interval": "30",
    # Refused is refused, but a carrier that mends the account must not wait for us; seconds.
    "forbidden_retry_interval": "120",
    "fatal_retry_interval": "120",
    "auth_rejection_permanent": "no",
    "max_retries": "1000000",
}
