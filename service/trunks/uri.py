"""SIP URIs, by a grammar stricter than RFC 3261's: no separator of a dialplan, a header or a list can be in one."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote

LENGTH = 255
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9][A-Za-z0-9-]{0,62})*\.?|\[[0-9A-Fa-f:.]{2,45}\])"
_URI = re.compile(
    rf"(?P<scheme>[sS][iI][pP][sS]?):(?:(?P<user>[A-Za-z0-9._+~*-]{{1,64}})@)?(?P<host>{_HOST})"
    r"(?::(?P<port>[0-9]{1,5}))?(?:/(?P<prefix>[0-9]{1,3}))?(?:;transport=(?P<transport>(?i:udp|tcp|tls)))?"
)
_SCHEME = re.compile(r"sips?:", re.IGNORECASE)
WIDEST = {4: 8, 6: 16}  # shortest prefix of a network that calls may come from
_MAPPED = ipaddress.ip_network("::ffff:0:0/96")  # IPv4 written as IPv6: such a network would get round the limit


@dataclass(frozen=True, slots=True)
class SipUri:
    """`host` as in the URI, an IPv6 address in brackets; `prefix` where it is a network (`sip:192.0.2.0/24`)."""

    scheme: str
    user: str
    host: str
    port: int | None
    transport: str
    prefix: int | None

    @property
    def address(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        """The address that the host is; None for a name."""
        try:
            return ipaddress.ip_address(self.host.strip("[]"))
        except ValueError:
            return None


def parse(text: str) -> SipUri | None:
    """The URI, or None where it is none of this grammar."""
    found = _URI.fullmatch(text) if len(text) <= LENGTH else None
    if found is None or not 1 <= int(found["port"] or 5060) <= 65535:
        return None
    scheme, port, prefix = found["scheme"].lower(), found["port"], found["prefix"]
    uri = SipUri(
        scheme,
        found["user"] or "",
        found["host"],
        int(port) if port else None,
        (found["transport"] or "").lower(),
        int(prefix) if prefix else None,
    )
    numeric = uri.host[0] == "[" or uri.host.replace(".", "").isdigit()
    if (numeric or prefix) and uri.address is None:
        return None
    if uri.prefix is not None and uri.address is not None and uri.prefix > uri.address.max_prefixlen:
        return None
    return None if scheme == "sips" and uri.transport == "udp" else uri


def escaped(user: str) -> str:
    """A user name as it stands in a URI (RFC 3261, 25.1)."""
    return quote(user, safe="-_.!~*'()&=+$,")


def parse_termination(text: str) -> SipUri | None:
    """Where calls go: one host, by `sip:host[:port][;transport=…]`. None for the rest."""
    uri = parse(text)
    return uri if uri and not uri.user and uri.prefix is None else None


def parse_origin(text: str) -> SipUri | None:
    """Where calls come from: a host or a network, also bare (`192.0.2.0/24`). None for the rest, and for what is wider
    than `WIDEST`."""
    uri = parse(text if _SCHEME.match(text) else f"sip:{_bracketed(text)}")
    if uri is None or uri.user or (uri.prefix is not None and uri.port is not None):
        return None
    address = uri.address
    if address is None:
        return uri
    prefix = address.max_prefixlen if uri.prefix is None else uri.prefix
    network = ipaddress.ip_network(f"{address}/{prefix}", strict=False)
    if network.is_multicast or network.is_unspecified or prefix < WIDEST[network.version]:
        return None
    return None if isinstance(network, ipaddress.IPv6Network) and network.overlaps(_MAPPED) else uri


def _bracketed(text: str) -> str:
    """A bare IPv6 address or network as a URI has it."""
    address, slash, prefix = text.partition("/")
    return f"[{address}]{slash}{prefix}" if address.count(":") > 1 and "[" not in address else text
