"""The bench's own helpers, each a process beside it that takes lines and answers lines, and ends with its input."""

import asyncio
import json
import sys
from dataclasses import asdict
from typing import Self

from bench.order import LINE_BYTES, Attempt, Order, Report


class Child:
    """`python -m <argv>`. What it says first, when it is ready, is in `greeting`."""

    def __init__(self, *argv: str) -> None:
        self._argv = argv
        self.greeting = ""

    async def __aenter__(self) -> Self:
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *self._argv, stdin=pipe, stdout=pipe, limit=LINE_BYTES
        )
        self.greeting = (await self._line()).decode().strip()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ask(self, line: str = "") -> bytes:
        """The answer to a line."""
        assert self._process.stdin
        self._process.stdin.write(line.encode() + b"\n")
        return await self._line()

    async def _line(self) -> bytes:
        assert self._process.stdout
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._argv[0]} ended with status {await self._process.wait()}")
        return line


class Generator(Child):
    """A load generator (`bench.order`)."""

    _first = 0

    async def run(self, rate: float, seconds: float, ends: str = "us") -> Report:
        """Carries out an order and returns when its last call is over."""
        order = Order(rate, seconds, self._first, ends)
        self._first += round(rate * seconds)
        answer = json.loads(await self.ask(json.dumps(asdict(order))))
        return Report([Attempt(*row) for row in answer["attempts"]], [(k, s) for k, s in answer["delays"]])


class FarEnd(Child):
    """`bench.far_end` on `port`, with its options."""

    def __init__(self, port: int, *options: str) -> None:
        super().__init__("bench.far_end", str(port), *options)

    async def noted(self) -> dict[str, float]:
        """Number → when its INVITE came, seconds since 1970; all since this was last asked."""
        noted: dict[str, float] = json.loads(await self.ask())
        return noted
