"""The four parts of the stack: how each is started, and how it shows that it is ready."""

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
from service.stack.settings import StackSettings
from service.stack.tree import Tree
from service.stack.variables import for_service

NAMES = ("redis", "asterisk", "carrier", "service")  # in the order of their start; they stop the other way round
SERVE = (sys.executable, "-m", "service", "serve")
Ready = Callable[[], Awaitable[bool]]
PLAIN = ("PATH", "HOME", "TZ", "LANG", "TMPDIR")  # what Redis and Asterisk see of the launcher's environment


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the stack. `ready` is asked again and again until it says yes; `at` says where it can be found."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    log: Path
    at: str
    ready: Ready


def asterisks(settings: StackSettings, home: Home, tree: Tree, ports: Mapping[str, int]) -> tuple[Asterisk, Asterisk]:
    """The node, and the carrier: the same configuration with the carrier's own files over it."""

    def instance(name: str, folder: Path, sources: tuple[Path, ...], http: str, ami: str, rtp: str) -> Asterisk:
        return Asterisk(name, folder, sources, tree, ports[http], ports[ami], ports[rtp], settings.rtp_size)

    over = (CONFIG, CONFIG / "carrier")
    return (
        instance("asterisk", home.asterisk, (CONFIG,), "http_port", "ami_port", "rtp_start"),
        instance("carrier", home.carrier, over, "carrier_http_port", "carrier_ami_port", "carrier_rtp_start"),
    )


def parts(
    home: Home,
    tree: Tree,
    env: Mapping[str, str],
    shell: Mapping[str, str],
    both: tuple[Asterisk, Asterisk],
    serve: tuple[str, ...],
) -> dict[str, Part]:
    """The parts by name. `env` holds the stack's variables, `shell` the operator's environment."""
    plain = {"PATH": os.defpath} | {name: shell[name] for name in PLAIN if name in shell}
    rest = {name: value for name, value in shell.items() if not name.startswith("ORBIT_")}
    node, carrier = both
    stay = ("-f", "-n")  # in the foreground, no colours

    def part(name: str, argv: tuple[str, ...], at: str, ready: Ready, own: Mapping[str, str] = plain) -> Part:
        return Part(name, argv, own, home.log / f"{name}.log", at, ready)

    sip, carrier_sip = env["ORBIT_SIP_ADDR"], env["ORBIT_CARRIER_SIP_ADDR"]
    rows = (
        part("redis", redis_argv(tree, home, env), env["ORBIT_REDIS_URL"], partial(probes.part, "redis", env)),
        part("asterisk", (*node.argv, *stay), f"SIP {sip}, ARI {env['ORBIT_ARI_URL']}", partial(node.booted, env)),
        part("carrier", (*carrier.argv, *stay), f"SIP {carrier_sip}", partial(carrier.booted, env)),
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
