"""The signature of a request: proof of who sent it, and when."""

import hashlib
import hmac


def sign(secret: bytes, body: bytes, at: int) -> str:
    """`t=<at>,v1=<hex>`: HMAC-SHA256 of `<at>.<body>` under the whole secret, `whsec_` included. `at` in seconds."""
    digest = hmac.digest(secret, b"%d." % at + body, hashlib.sha256)
    return f"t={at},v1={digest.hex()}"
