"""Every Redis key of the service, on one page.

Keys that one script touches share a hash tag (Redis Cluster: one slot). A call and all that belongs to it, its indexes,
its outbox, its deliveries, live under the tag of its shard; there is one shard until a deployment needs more.
"""

SHARD = "{orbit:0}"

# ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def call(call_id: str) -> str:
    """Hash: `v` version, `doc` the call as JSON."""
    return f"{SHARD}:call:{call_id}"


def timeline(call_id: str) -> str:
    """List: the call's timeline, oldest first, JSON each."""
    return f"{SHARD}:call:{call_id}:timeline"


def calls_by(field: str, value: str = "") -> str:
    """Sorted set of call ids, all with score 0: the ids' own order is time's."""
    return f"{SHARD}:calls:{field}:{value}"


LIVE = f"{SHARD}:calls:live"  # set: ids of calls that have not ended
LIVE_APPS = f"{SHARD}:calls:live-apps"  # hash: Stasis application → how many of those calls it has


def live_on(node: str) -> str:
    """Set: ids of a node's calls that have not ended."""
    return f"{SHARD}:calls:live:{node}"


def live_by(trunk_id: str) -> str:
    """Set: ids of a trunk's calls that have not ended, of both directions."""
    return f"{SHARD}:calls:live-by:{trunk_id}"


RECORDINGS = f"{SHARD}:recordings"  # sorted set: call id → when to try to fetch its recording, ms

# ── processes, in the calls' slot: the script that writes a call asks whether its writer is still one of them ─────────

MEMBERS = f"{SHARD}:processes"  # hash: application of a process → its name; what is not in it is fenced
ALIVE = f"{SHARD}:processes:alive"  # sorted set: application → when its lease ends, ms of Redis' clock; 0: it has left
OWNERS = f"{SHARD}:processes:owners"  # hash: application, also of a process that is gone → who follows its calls
HOLDERS = f"{SHARD}:processes:nodes"  # hash: node → the process that compares with it

# ── trunks' far ends, in the calls' slot: what becomes of one is written with its event ───────────────────────────────

TRUNK_HEALTH = f"{SHARD}:trunks:health"  # hash: trunk id → its record as JSON

# ── outbox and webhooks ──────────────────────────────────────────────────────────────────────────────────────────────

OUTBOX = f"{SHARD}:outbox"  # stream: events that are not fanned out yet; fields id, type, resource, url, body
ENDPOINTS_DUE = f"{SHARD}:webhooks:due"  # sorted set: endpoint → when its first lane is due, ms


def lanes_due(endpoint: str) -> str:
    """Sorted set: resource id → when that lane (this endpoint, that resource) is due, or its lease ends, ms."""
    return f"{SHARD}:webhooks:due:{endpoint}"


def lane(endpoint: str, resource: str) -> str:
    """List: delivery ids to this endpoint about one resource, in order."""
    return f"{SHARD}:webhooks:lane:{endpoint}:{resource}"


def leased_by(process: str) -> str:
    """Set: ids of the deliveries whose lanes a process holds."""
    return f"{SHARD}:webhooks:leased:{process}"


def delivery(delivery_id: str) -> str:
    """Hash: one event on its way to one endpoint."""
    return f"{SHARD}:webhooks:delivery:{delivery_id}"


def deliveries(endpoint: str) -> str:
    """Sorted set, score 0: delivery ids of an endpoint, newest last."""
    return f"{SHARD}:webhooks:deliveries:{endpoint}"


# ── small collections: numbers, trunks, webhooks ─────────────────────────────────────────────────────────────────────


def documents(kind: str) -> str:
    """Hash: id → document as JSON."""
    return f"{{orbit:{kind}}}:documents"


def order(kind: str) -> str:
    """Sorted set, score 0: the ids of a collection."""
    return f"{{orbit:{kind}}}:order"


def unique(kind: str) -> str:
    """Hash: unique value (a number, a name) → id."""
    return f"{{orbit:{kind}}}:unique"


# ── keys, limits, answers ────────────────────────────────────────────────────────────────────────────────────────────

API_KEYS = "{orbit:keys}:documents"  # hash: SHA-256 of the key → its document
SECRETS = "{orbit:secrets}"  # hash: name → secret made once per install


def bucket(name: str) -> str:
    """Hash: one token bucket, `tokens` and `at` (ms)."""
    return f"{{orbit:bucket:{name}}}"


def new_calls_of(trunk_id: str) -> str:
    """List: when a trunk's newest outbound calls were made, newest first, ms of Redis' clock; one second's at most."""
    return f"{{orbit:new-calls:{trunk_id}}}"


def answer(key_id: str, digest: str) -> str:
    """Hash: the first answer to an idempotency key."""
    return f"{{orbit:answer:{key_id}:{digest}}}"


# ── what processes tell each other ───────────────────────────────────────────────────────────────────────────────────

CHANGED = "orbit:changed"  # channel: the kind of a collection in which something was written
