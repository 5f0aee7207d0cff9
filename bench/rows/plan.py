"""How the table is measured this time, and what one part of it tells the next."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(slots=True)
class Plan:
    """`home` gives a folder for a stack's state; `say` prints a line of progress; `half` is half of what we sustain,
    calls/s, once that is known."""

    folder: Path
    quick: bool
    say: Callable[[str], None]
    half: float = 50.0

    @property
    def rounds(self) -> int:
        return 2 if self.quick else 5

    def home(self, name: str) -> Path:
        return self.folder / name
