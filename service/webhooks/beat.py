"""A beat that several wait for, so that what they do next they do in the same moment, and Redis is asked once."""

import asyncio


class Beat:
    """Falls `seconds` after the first has begun to wait."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next: asyncio.Future[None] | None = None

    async def wait(self) -> None:
        if self._next is None:
            loop = asyncio.get_running_loop()
            self._next = loop.create_future()
            loop.call_later(self._seconds, self._fall)
        await asyncio.shield(self._next)

    def _fall(self) -> None:
        if self._next is not None and not self._next.done():
            self._next.set_result(None)
        self._next = None
