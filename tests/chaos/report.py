"""The table, one line per fault as it goes, and what is behind a figure that is not zero."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from tests.chaos.row import Row

COLUMNS = (
    ("fault", 15),
    ("calls", 5),
    ("in flight", 9),
    ("lost", 4),
    ("doubled", 7),
    ("wrong", 5),
    ("no recording", 12),
    ("untold", 6),
    ("told twice", 10),
    ("again", 5),
    ("apology", 7),
    ("not dialled", 11),
    ("seconds", 7),
)
LEGEND = """
calls, in flight   that the row had, and that were on when the fault struck
lost               seen by SIP or accepted by the API, and not on record, never ended, or not dialled as recorded
doubled            dialled twice, or on record twice
wrong              the record differs from what SIP saw: status, who ended it, why, SIP code, length (1.5 s)
no recording       recorded, and the recording is not ready
untold, told twice terminal webhooks that are missing; that came with two different events, or out of order
again              the same event taken again, as at-least-once delivery allows
apology            callers whom nobody could take: they heard so, and are on record as failed, no_controller
not dialled        accepted, and on record as failed, because its node was out of reach; else that is wrong
seconds            from the fault's end (a kill's moment) to the last request, call or webhook that was late
"""


def head() -> str:
    return _line([name for name, _ in COLUMNS])


def line(row: Row) -> str:
    return _line([row.fault.name, *map(str, figures(row)), f"{row.seconds:.1f}"])


def figures(row: Row) -> list[int]:
    """The columns that can be added up."""
    found = row.findings
    kinds = (found.lost, found.doubled, found.wrong, found.recording, found.untold, found.told_twice)
    told = (found.again, found.apology, found.not_dialled)
    return [row.calls, row.in_flight, *map(len, (*kinds, *told))]


def sums(rows: Iterable[Row]) -> str:
    added = [sum(column) for column in zip(*map(figures, rows), strict=True)]
    return _line(["together", *map(str, added), ""])


def keep(row: Row, folder: Path) -> None:
    """Writes the books of a row, for whoever looks for the cause."""
    folder.mkdir(parents=True, exist_ok=True)
    books = asdict(row.books)
    books["callers"] = []
    books["differences"], books["recovery"] = row.failures, [row.seconds, row.last]
    (folder / f"{row.fault.name}.json").write_text(json.dumps(books, indent=1, default=str))


def _line(cells: list[str]) -> str:
    pairs = zip(cells, COLUMNS, strict=True)
    return "  ".join(c.ljust(width) if name == "fault" else c.rjust(width) for c, (name, width) in pairs)
