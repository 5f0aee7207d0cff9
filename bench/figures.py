"""What is made of measurements: medians, percentiles, slopes, and a row of the table."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import linear_regression, median


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0…1) of all do not exceed. `values` must not be empty."""
    ordered = sorted(values)
    return ordered[max(0, -(-round(share * 1_000_000) * len(ordered) // 1_000_000) - 1)]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """How much y grows for each x, by least squares. 0 for fewer than two points."""
    return linear_regression(*zip(*points, strict=True)).slope if len(points) > 1 else 0.0


def middle(values: Sequence[float]) -> float:
    """The median of rounds; not a number where there is none."""
    return median(values) if values else float("nan")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `target` bounds `value` from above, with `least` from below; None where there is none.

    `detail` shows what the value was made of, `how` says in a line how it was measured.
    """

    figure: str
    value: float
    target: float | None
    unit: str = ""
    detail: str = ""
    how: str = ""
    least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is no target."""
        if self.target is None:
            return None
        return self.value >= self.target if self.least else self.value <= self.target
