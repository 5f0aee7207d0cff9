"""Counters of the use cases, in Prometheus' words."""

from prometheus_client import Counter, Histogram

EVENTS_IGNORED = Counter("orbit_events_ignored", "Events that changed nothing, by why.", ["reason"])
CALL_EVENTS = Counter("orbit_call_events", "Events of calls that were stored, by type.", ["type"])
WRITE_CONFLICTS = Counter("orbit_write_conflicts", "Writes that another process had overtaken.")
RECORDINGS = Counter("orbit_recordings", "Recordings, by what became of them.", ["outcome"])
FENCED = Counter("orbit_fenced", "Times that this process was taken over by another.")
TAKEN_OVER = Counter("orbit_taken_over", "Processes whose calls this one took over.")
RECONCILED = Counter("orbit_reconciled", "Facts that a comparison with a node brought, by kind.", ["kind"])
TRUNK_CHANGES = Counter("orbit_trunk_changes", "Trunks that became reachable or unreachable.", ["state"])
LISTENING_REFUSED = Counter("orbit_listening_refused", "Menus that heard keys alone, as too many callers spoke.")
UTTERANCES = Counter("orbit_utterances", "What callers said to menus, by what became of it.", ["result"])
UNDERSTOOD = Histogram(
    "orbit_understood_seconds",
    "From a caller's pause until it was understood what they had said.",
    buckets=(0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10),
)
