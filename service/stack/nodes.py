"""The Asterisk nodes of one stack. The first has plain names; those of the others end in their number: the part
`asterisk2`, the variable `ORBIT_ARI_URL_2`, the port `http_port_2`."""

from collections.abc import Mapping
from itertools import count, takewhile

MOST = 8
# What each node has for itself of the stack's variables.
OWN = (
    "ORBIT_NODE", "ORBIT_SIP_UDP", "ORBIT_SIP_TLS", "ORBIT_SIP_TLS_UNVERIFIED", "ORBIT_SIP_ADDR",
    "ORBIT_ARI_URL", "ORBIT_AMI_ADDR",
)  # fmt: skip


def numbered(name: str, number: int) -> str:
    """The name of a variable or a port, for that node."""
    return name if number == 1 else f"{name}_{number}"


def part(number: int) -> str:
    return "asterisk" if number == 1 else f"asterisk{number}"


def number_of(part: str) -> int:
    return int(part.removeprefix("asterisk") or 1)


def numbers(env: Mapping[str, str]) -> list[int]:
    """The nodes that the environment of a stack names, from 1."""
    return list(takewhile(lambda number: numbered("ORBIT_ARI_URL", number) in env, count(1)))


def names(env: Mapping[str, str]) -> tuple[str, ...]:
    """The parts of that stack in the order of their start; they stop the other way round."""
    return ("redis", *map(part, numbers(env) or [1]), "carrier", "service")


def of_node(env: Mapping[str, str], number: int) -> dict[str, str]:
    """The stack's variables as that node sees them."""
    return {**env, **{name: env[numbered(name, number)] for name in OWN}}
