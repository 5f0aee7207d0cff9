"""The table as people read it: on the terminal, and as a page of the documents."""

from collections.abc import Mapping, Sequence

from bench.figures import Row

VERDICTS = {True: "met", False: "missed", None: ""}
COLUMNS = ("figure", "target", "value", "", "measured")


def cells(row: Row) -> tuple[str, ...]:
    unit = f" {row.unit}" if row.unit else ""
    target = "" if row.target is None else f"{'≥' if row.least else '≤'} {row.target:g}{unit}"
    return row.figure, target, f"{_short(row.value)}{unit}", VERDICTS[row.met], row.detail


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(rows: Sequence[Row]) -> str:
    """Aligned columns."""
    lines = [COLUMNS, *map(cells, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    padded = (zip(line, widths, strict=True) for line in lines)
    return "\n".join("  ".join(cell.ljust(width) for cell, width in line).rstrip() for line in padded)


def page(rows: Sequence[Row], machine: Mapping[str, str], command: str, minutes: float, rounds: int) -> str:
    """`docs/benchmarks.md`."""
    how = dict.fromkeys(row.how for row in rows if row.how)
    return "\n".join([
        "# Benchmarks",
        "",
        f"Written by `{command}` in {minutes:.0f} minutes: one run, the arms one after the other in each round, "
        f"medians of {rounds} rounds. Asterisk, SIPp, Redis, the service (one process) and the load share it.",
        "",
        *_markdown(("machine", ""), machine.items()),
        "",
        *_markdown(COLUMNS, map(cells, rows)),
        "",
        "How each is measured:",
        "",
        *(f"- {', '.join(row.figure for row in rows if row.how == text)}: {text}." for text in how),
        "",
    ])  # fmt: skip


def _markdown(head: Sequence[str], lines: object) -> list[str]:
    def line(parts: Sequence[str]) -> str:
        return f"| {' | '.join(parts)} |"

    return [line(head), line(["---"] * len(head)), *map(line, lines)]  # type: ignore[call-overload]
