"""Trunks of a story, made by the API as a user makes them."""

import itertools
from typing import Any, Self

from tests.stories.client import Api

TRUNKS = "/v1/voice/sip-trunks"
_names = (f"story {number}" for number in itertools.count())


class Trunks:
    """Makes trunks; they are gone in the end, whatever runs on them."""

    def __init__(self, live: Api) -> None:
        self._live = live
        self._made: list[str] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for trunk_id in self._made:
            await self._live.ask("DELETE", f"{TRUNKS}/{trunk_id}?force=true")

    async def make(self, at: str, **fields: Any) -> str:
        """A trunk to `at` (`host:port;transport=…`); returns its id. Not encrypted unless told."""
        body = {"name": next(_names), "termination_uri": f"sip:{at}", "encryption": "none", **fields}
        status, _, answer = await self._live.ask("POST", TRUNKS, json=body)
        assert status == 201, answer
        self._made.append(answer["data"]["id"])
        return str(answer["data"]["id"])

    async def change(self, trunk_id: str, **fields: Any) -> None:
        status, _, answer = await self._live.ask("PUT", f"{TRUNKS}/{trunk_id}", json=fields)
        assert status == 200, answer
