"""Trunks as the API shows them, in answers and in events alike."""

from typing import Any

from service.calls.times import rfc3339
from service.trunks.health import Health, status_of
from service.trunks.trunk import Trunk


def present_trunk(trunk: Trunk, health: Health) -> dict[str, Any]:
    """The resource. The password is no part of it."""
    return {
        "id": trunk.id,
        "name": trunk.name,
        "termination_uri": trunk.termination_uri or None,
        "origination_uris": list(trunk.origination_uris),
        "auth_username": trunk.auth_username,
        "codecs": list(trunk.codecs),
        "encryption": trunk.encryption,
        "tls_verify": trunk.tls_verify,
        "register": trunk.register,
        "country": trunk.country,
        "max_channels": trunk.max_channels,
        "calls_per_second": trunk.calls_per_second,
        "allow_sip_destinations": trunk.allow_sip_destinations,
        "default": trunk.default,
        "enabled": trunk.enabled,
        "status": status_of(trunk, health),
        "health": {
            "state": health.state,
            "rtt_ms": health.rtt_ms,
            "checked_at": rfc3339(health.checked_at),
            "registration": health.registration,
            "error": health.error,
        },
        "created_at": rfc3339(trunk.created_at),
        "updated_at": rfc3339(trunk.updated_at or trunk.created_at),
    }
