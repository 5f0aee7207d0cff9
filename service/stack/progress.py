"""Tells the person at the terminal what is being done and how long it took: one line for each step."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TextIO


@dataclass(slots=True)
class Step:
    """What to say at the end of a step."""

    result: str = ""


class Progress:
    """Writes to `stream`, as long as somebody reads it; None is silent."""

    def __init__(self, stream: TextIO | None = sys.stdout) -> None:
        self._stream = stream
        pretty = bool(stream) and (getattr(stream, "encoding", None) or "").lower().startswith("utf")
        self._done, self._failed = ("✓", "✗") if pretty else ("ok", "!!")

    def line(self, text: str = "") -> None:
        if self._stream:
            with suppress(OSError):
                print(text, file=self._stream, flush=True)

    @contextmanager
    def step(self, name: str, doing: str = "") -> Iterator[Step]:
        """One line when it is done, and one before where `doing` says that it will take a while."""
        step, begun = Step(), time.monotonic()
        if doing:
            self.line(f"  {name:<9} {doing} ...")
        try:
            yield step
        except BaseException:
            self.line(f"{self._failed:<2}{name:<9} {time.monotonic() - begun:6.1f} s")
            raise
        self.line(f"{self._done:<2}{name:<9} {time.monotonic() - begun:6.1f} s  {step.result}".rstrip())
