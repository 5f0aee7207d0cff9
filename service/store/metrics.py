"""Counters of the store, in Prometheus' words."""

from prometheus_client import Counter

WRITES_UNREPLICATED = Counter("orbit_writes_unreplicated", "Writes of calls that no replica confirmed in time.")
