"""Counters of the nodes, in Prometheus' words."""

from prometheus_client import Counter, Gauge

EVENTS = Counter("orbit_ari_events", "Events that a node sent.", ["node", "type"])
SOCKET_ALIVE = Gauge(
    "orbit_node_alive", "Whether a node's event stream is proven alive.", ["node"], multiprocess_mode="livemin"
)
SOCKET_LOST = Counter("orbit_node_lost", "Event streams lost, by why.", ["node", "reason"])
REFUSED = Counter("orbit_ari_refused", "Commands that ARI refused, by status.", ["command", "status"])
