"""Which addresses a webhook may reach. Blocks from the IANA special-purpose registries (RFC 6890)."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
_Networks = dict[IPv4Network | IPv6Network, str]


def _networks(table: dict[str, str]) -> _Networks:
    return {ip_network(block): reason for block, reason in table.items()}


NEVER = _networks(
    {
        "0.0.0.0/8": "unspecified",
        "169.254.0.0/16": "link-local",  # among them the metadata service of most clouds
        "100.100.100.200/32": "a metadata service",  # Alibaba Cloud
        "224.0.0.0/4": "multicast",
        "240.0.0.0/4": "reserved",  # among them broadcast
        "::/128": "unspecified",
        "fe80::/10": "link-local",
        "ff00::/8": "multicast",
        "fd00:ec2::254/128": "a metadata service",  # AWS
    }
)

PRIVATE = _networks(
    {
        "127.0.0.0/8": "loopback",
        "10.0.0.0/8": "private",
        "172.16.0.0/12": "private",
        "192.168.0.0/16": "private",
        "100.64.0.0/10": "private",  # shared by carriers (RFC 6598)
        "192.0.0.0/24": "private",
        "192.0.2.0/24": "private",  # documentation, as are the next ones (RFC 5737)
        "198.51.100.0/24": "private",
        "203.0.113.0/24": "private",
        "198.18.0.0/15": "private",  # benchmarks (RFC 2544)
        "::1/128": "loopback",
        "fc00::/7": "private",
        "fec0::/10": "private",  # site-local, deprecated (RFC 3879)
        "100::/64": "private",  # discard (RFC 6666)
        "2001:db8::/32": "private",  # documentation (RFC 3849)
        "64:ff9b:1::/48": "private",  # local NAT64 (RFC 8215)
    }
)

_GLOBAL = ip_network("2000::/3")
_V4_COMPATIBLE = ip_network("::/96")
_TRANSLATED = (ip_network("::ffff:0:0/96"), ip_network("64:ff9b::/96"), ip_network("::ffff:0:0:0/96"))
_ISATAP = (0x00005EFE, 0x02005EFE)  # RFC 5214


def refusal(text: str, allow_private: bool) -> str | None:
    """Why a numeric address may not be reached, or None where it may. A zone (`%eth0`) is left aside."""
    found = [_judge(each, allow_private) for each in _judged(ip_address(text.partition("%")[0]))]
    return next((reason for reason in found if reason), None)


def _judge(address: Address, allow_private: bool) -> str | None:
    table = NEVER if allow_private else NEVER | PRIVATE
    for block, reason in table.items():
        if address in block:
            return reason
    known = any(address in block for block in PRIVATE)
    if isinstance(address, IPv6Address) and address not in _GLOBAL and not known:
        return "reserved"
    return None


def _judged(address: Address) -> list[Address]:
    """The address and those that it carries packets to. One that is only a way to write an IPv4 address is that one."""
    if isinstance(address, IPv4Address):
        return [address]
    last = IPv4Address(int(address) & 0xFFFF_FFFF)
    if any(address in block for block in _TRANSLATED):
        return [last]
    inside: list[Address] = [address]
    if address.sixtofour:
        inside.append(address.sixtofour)
    if address.teredo:
        inside.extend(address.teredo)
    if int(address) >> 32 & 0xFFFF_FFFF in _ISATAP or (address in _V4_COMPATIBLE and int(address) > 0xFFFF):
        inside.append(last)
    return inside
