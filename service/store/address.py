"""Where Redis is: the URL that an operator writes, taken apart."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from redis.asyncio.connection import Connection, SSLConnection, parse_url

KINDS = {"": 6379, "cluster": 6379, "sentinel": 26379}  # what stands behind the + of the scheme → its usual port
_SENTINELS_OWN = "sentinel_"  # options that begin so are for the sentinels


@dataclass(frozen=True, slots=True)
class Address:
    """`kind` is one of `KINDS`; `options` go to every connection to Redis, `sentinel_options` to those to sentinels."""

    kind: str
    hosts: tuple[tuple[str, int], ...]
    tls: bool = False
    master: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    sentinel_options: dict[str, Any] = field(default_factory=dict)


def parse(url: str) -> Address:
    """redis://[user:password@]host:port/db, rediss:// (TLS),
    redis+sentinel://[user:password@]host:port,host:port/master/db?sentinel_password=…,
    redis+cluster://[user:password@]host:port,host:port; rediss+… for TLS. More options as redis-py has them.

    Raises `ValueError` with one sentence that names no password.
    """
    parts = urlsplit(url)
    base, _, kind = parts.scheme.partition("+")
    if base not in ("redis", "rediss") or kind not in KINDS or parts.scheme.endswith("+"):
        raise ValueError("the URL must begin with redis://, rediss://, redis+sentinel:// or redis+cluster://")
    hosts = _hosts(parts.netloc.rpartition("@")[2], KINDS[kind])
    if not kind and len(hosts) > 1:
        raise ValueError("several hosts need redis+sentinel:// or redis+cluster://")
    master, database = _path(parts, kind)
    own = {k: v for k, v in parse_qsl(parts.query) if k.startswith(_SENTINELS_OWN)}
    rest = [(k, v) for k, v in parse_qsl(parts.query) if not k.startswith(_SENTINELS_OWN)]
    user = parts.netloc.rpartition("@")[0]
    options: dict[str, Any] = dict(
        parse_url(f"{base}://{user}{'@' if user else ''}host/{database or '0'}?{urlencode(rest)}")
    )
    options.pop("host")
    tls = options.pop("connection_class", None) is SSLConnection
    _check(options, SSLConnection if tls else Connection)
    if kind == "cluster" and options.pop("db", 0):
        raise ValueError("a cluster has no databases: leave the number out")
    return Address(kind, hosts, tls, master, options, _sentinels(own, kind))


def _hosts(text: str, port: int) -> tuple[tuple[str, int], ...]:
    found = []
    for part in text.split(","):
        one = urlsplit(f"//{part}")
        try:
            number = port if one.port is None else one.port
        except ValueError:
            raise ValueError("a host is given as host:port; a / or @ in a password is written %2F or %40") from None
        if not one.hostname or not number:
            raise ValueError("a host is given as host:port")
        found.append((unquote(one.hostname), number))
    return tuple(found)


def _path(parts: SplitResult, kind: str) -> tuple[str, str]:
    """Master's name and database, each empty where it is not given."""
    names = [unquote(name) for name in parts.path.strip("/").split("/") if name]
    master = names.pop(0) if kind == "sentinel" and names else ""
    if kind == "sentinel" and not master:
        raise ValueError("redis+sentinel:// needs the master's name after the hosts: …/<master>/<db>")
    database = names.pop(0) if names else ""
    if names or not (database.isdecimal() or database == ""):
        raise ValueError(f"{'/'.join([database, *names])!r} is no number of a database")
    return master, database


def _sentinels(own: dict[str, str], kind: str) -> dict[str, Any]:
    options = {name.removeprefix(_SENTINELS_OWN): value for name, value in own.items()}
    if unknown := set(options) - ({"username", "password"} if kind == "sentinel" else set()):
        raise ValueError(f"unknown option {_SENTINELS_OWN}{min(unknown)}")
    return options


def _check(options: dict[str, Any], kind: type[Connection]) -> None:
    """Options that no connection knows are found now, not at the first command."""
    try:
        kind(**options)
    except TypeError as error:
        raise ValueError(f"unknown option {str(error).rpartition(' ')[2]}") from None
    except Exception as error:  # a certificate that is not there, TLS that is not built in
        raise ValueError(f"the options cannot be used: {error}") from None
