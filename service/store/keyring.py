"""API keys, by their hash, and the secrets that an install makes once."""

import hashlib
import secrets
from typing import Any

import orjson

from service.store import keys
from service.store.connection import Client, guarded


def digest(api_key: str) -> str:
    """What is stored of a key. The keys have 160 bits of chance or more, so that a plain hash cannot be searched."""
    return hashlib.sha256(api_key.encode("utf-8", "surrogatepass")).hexdigest()


class Keyring:
    """Who may do what."""

    def __init__(self, redis: Client) -> None:
        self._redis = redis

    async def register(self, api_key: str, scopes: tuple[str, ...], sandbox: bool) -> dict[str, Any]:
        """Stores a key's hash with its scopes; the same key twice is one key."""
        name = digest(api_key)
        document = {"id": name[:16], "scopes": list(scopes), "sandbox": sandbox}
        with guarded():
            await self._redis.hset(keys.API_KEYS, name, orjson.dumps(document))
            await self._redis.publish(keys.CHANGED, "keys")
        return document

    async def secret(self, name: str, given: str = "") -> bytes:
        """The install's secret `name`: `given`, or one that is made at the first request and kept."""
        with guarded():
            if given:
                await self._redis.hset(keys.SECRETS, name, given)
            else:
                await self._redis.hsetnx(keys.SECRETS, name, f"whsec_{secrets.token_hex(32)}")
            kept = await self._redis.hget(keys.SECRETS, name)
        assert kept is not None
        return bytes(kept)
