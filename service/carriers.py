"""What is known of trunks' far ends, and what keeps nodes and trunks together. Part of `app.py`."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from service.asterisk.contacts import AsteriskContacts
from service.asterisk.far_end import FarEndProbe
from service.asterisk.names import Names
from service.asterisk.node import Node
from service.asterisk.origins import AddressBook
from service.asterisk.switch import AsteriskSwitch
from service.asterisk.trunks import AsteriskTrunks
from service.control.loops import LoopCheck
from service.control.membership import Membership
from service.control.trunk_check import TrunkCheck
from service.control.trunk_health import HealthBook
from service.control.trunk_sync import TrunkSync
from service.control.trunk_view import present_trunk
from service.control.trunk_watch import TrunkWatch
from service.settings import Settings
from service.store.books import RedisTrunks
from service.store.cache import Cache
from service.store.connection import Client
from service.store.documents import Documents
from service.store.trunk_health import RedisTrunkHealth


@dataclass(frozen=True, slots=True)
class Carriers:
    """What is known of trunks' far ends, and what keeps nodes and trunks together."""

    health: HealthBook
    sync: TrunkSync
    check: TrunkCheck
    loops: LoopCheck
    jobs: list[Callable[[], Coroutine[Any, Any, None]]]


def carriers_of(
    settings: Settings,
    redis: Client,
    cache: Cache,
    app: str,
    nodes: dict[str, Node],
    membership: Membership,
    switch: AsteriskSwitch,
) -> Carriers:
    """The sync reads trunks from the store each time, the watch from memory."""
    fresh, cached = (RedisTrunks(Documents(redis, "trunks", "trunk", cache=each)) for each in (None, cache))
    own = [host for host in (settings.external_address, *(node.sip_addr for node in settings.nodes)) if host]
    store = RedisTrunkHealth(redis, cache, app)
    contacts = AsteriskContacts({name: node.ami for name, node in nodes.items()})
    on_nodes = AsteriskTrunks({name: node.pushed for name, node in nodes.items()}, settings.trunk_keepalive_seconds)
    health = HealthBook(store, cached.by_id)
    sync = TrunkSync(fresh, on_nodes, AddressBook(), membership, switch)
    return Carriers(
        health=health,
        sync=sync,
        check=TrunkCheck(contacts, FarEndProbe(settings.tls_ca), health, membership),
        loops=LoopCheck(own, settings.trunk_allow_loopback, Names().of),
        jobs=[sync.run, health.run, TrunkWatch(contacts, store, cached.all, membership, present_trunk).run],
    )
