"""The secrets of one install, made at the first start and kept in `secrets.env`, readable by the owner alone."""

import secrets
from pathlib import Path

from service.stack.home import read_variables, write_variables

# variable → prefix and bytes of randomness (each gives two hexadecimal digits)
MADE: dict[str, tuple[str, int]] = {
    "ORBIT_LIVE_KEY": ("dv_live_sk_", 20),
    "ORBIT_TEST_KEY": ("dv_test_sk_", 20),
    "ORBIT_WEBHOOK_SECRET": ("whsec_", 24),
    "ORBIT_ARI_PASSWORD": ("", 20),
    "ORBIT_AMI_PASSWORD": ("", 20),
}


def ensure(path: Path) -> dict[str, str]:
    """The secrets in `path`; those that are missing are made."""
    kept = read_variables(path)
    made = {name: f"{prefix}{secrets.token_hex(size)}" for name, (prefix, size) in MADE.items() if not kept.get(name)}
    if made:
        write_variables(path, kept | made)
    return kept | made
