"""What an operator sees of the webhooks, in Prometheus' words."""

from prometheus_client import Counter, Gauge, Histogram

ATTEMPTS = Counter("orbit_webhook_attempts", "Requests to webhooks, by outcome.", ["outcome"])
DEAD = Counter("orbit_webhook_deliveries_dead", "Deliveries given up, by why.", ["reason"])
FIRST_ATTEMPT = Histogram(
    "orbit_webhook_first_attempt_seconds",
    "From an event to the first request that tells of it.",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)
OUTBOX_DEPTH = Gauge(
    "orbit_outbox_depth", "Events that wait for their fan-out.", multiprocess_mode="livemostrecent"
)
