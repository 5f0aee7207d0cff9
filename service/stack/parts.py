"""The parts of the stack: how each is started, and how it shows that it is ready."""

import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from service.stack import probes
from service.stack.asterisk import CONFIG, Asterisk
from service.stack.home import Home
from service.stack.nodes import numbered, numbers, of_node
from service.stack.nodes import part as part_of_node
from service.stack.settings import StackSettings
from service.stack.tree import Tree
from service.stack.variables import for_service

SERVE = (sys.executable, "-m", "service", "serve")
Ready = Callable[[], Awaitable[bool]]
PLAIN = ("PATH", "HOME", "TZ", "LANG", "TMPDIR")  # what Redis and Asterisk see of the launcher's environment

# Asterisk's many short-lived threads would spread its heap over dozens of arenas that never shrink (mallopt(3)).
HEAP = {"MALLOC_ARENA_MAX": "2"}


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the stack. `ready` is asked again and again until it says yes; `at` says where it can be found."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    log: Path
    at: str
    ready: Ready


def asterisks(
    settings: StackSettings, home: Home, tree: Tree, ports: Mapping[str, int], env: Mapping[str, str]
) -> tuple[Asterisk, ...]:
    """The nodes, and last the carrier: the same configuration with the carrier's own files over it."""

    def instance(name: str, sources: tuple[Path, ...], own: Mapping[str, str], *places: str) -> Asterisk:
        http, ami, rtp = (ports[place] for place in places)
        return Asterisk(name, home.asterisk(name), sources, own, tree, http, ami, rtp, settings.rtp_size)

    def node(number: int) -> Asterisk:
        places = (numbered(place, number) for place in ("http_port", "ami_port", "rtp_start"))
        return instance(part_of_node(number), (CONFIG,), of_node(env, number), *places)

    over = (CONFIG, CONFIG / "carrier")
    carrier = instance("carrier", over, env, "carrier_http_port", "carrier_ami_port", "carrier_rtp_start")
    return (*map(node, numbers(env)), carrier)


def parts(
    home: Home,
    tree: Tree,
    env: Mapping[str, str],
    shell: Mapping[str, str],
    asterisks: tuple[Asterisk, ...],
    serve: tuple[str, ...],
) -> dict[str, Part]:
    """The parts by name. `env` holds the stack's variables, `shell` the operator's environment."""
    plain = {"PATH": os.defpath} | {name: shell[name] for name in PLAIN if name in shell}
    rest = {name: value for name, value in shell.items() if not name.startswith("ORBIT_")}
    stay = ("-f", "-n")  # in the foreground, no colours

    def part(name: str, argv: tuple[str, ...], at: str, ready: Ready, own: Mapping[str, str] = plain) -> Part:
        return Part(name, argv, own, home.log / f"{name}.log", at, ready)

    def asterisk(one: Asterisk) -> Part:
        node = f"SIP {one.env['ORBIT_SIP_ADDR']}, ARI {one.env['ORBIT_ARI_URL']}"
        at = f"SIP {env['ORBIT_CARRIER_SIP_ADDR']}" if one.name == "carrier" else node
        return part(one.name, (*one.argv, *stay), at, partial(one.booted, env), plain | HEAP)

    rows = (
        part("redis", redis_argv(tree, home, env), env["ORBIT_REDIS_URL"], partial(probes.part, "redis", env)),
        *map(asterisk, asterisks),
        part("service", serve, env["ORBIT_URL"], partial(probes.part, "service", env), rest | for_service(env, shell)),
    )
    return {row.name: row for row in rows}


def redis_argv(tree: Tree, home: Home, env: Mapping[str, str]) -> tuple[str, ...]:
    """Redis on loopback, with every write in its append-only file and no snapshots."""
    at = urlsplit(env["ORBIT_REDIS_URL"])
    return (
        *tree.redis_server,
        *("--bind", str(at.hostname), "--port", str(at.port), "--dir", str(home.redis)),
        *("--appendonly", "yes", "--save", "", "--daemonize", "no"),
    )
