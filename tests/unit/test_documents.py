"""Tables in documents say what the code says."""

import re
from pathlib import Path

import pytest

from service import errors
from service.calls.causes import CAUSES
from service.calls.status import Status
from service.settings import Settings
from service.stack.settings import StackSettings

DOCS = Path(__file__).parents[2] / "docs"


def rows(page: str) -> list[list[str]]:
    lines = [line for line in (DOCS / page).read_text().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def plain(default) -> str:
    value = getattr(default, "get_secret_value", lambda: default)()
    return "" if value in (None, "") else str(list(value) if isinstance(value, tuple) else value)


def test_causes():
    shown = {r[0]: (r[1], r[2]) for r in rows("calls.md") if r[0].isdigit()}
    assert shown == {str(n): (f"`{c.reason}`", f"`{c.unanswered}`") for n, c in CAUSES.items()}


def test_statuses():
    shown = [r[0] for r in rows("calls.md") if len(r) == 2 and r[0].strip("`") in set(Status)]
    assert shown == [f"`{s}`" for s in Status]


@pytest.mark.parametrize(("kind", "heading"), [(Settings, "The service"), (StackSettings, "The embedded stack")])
def test_settings(kind, heading):
    """To write the table anew: `python tests/unit/test_documents.py`."""
    assert f"## {heading}\n\n{table(kind)}\n" in (DOCS / "settings.md").read_text()


def table(kind) -> str:
    lines = ["| setting | default | |", "|---|---|---|"]
    for name, field in kind.model_fields.items():
        default = plain(field.default)
        lines.append(f"| `ORBIT_{name.upper()}` | {f'`{default}`' if default else ''} | {field.description} |")
    return "\n".join(lines)


def test_error_codes():
    text = "\n".join(" ".join(r) for r in rows("api.md"))
    every = {e.code for e in vars(errors).values() if isinstance(e, type) and issubclass(e, errors.OrbitError)}
    assert every <= set(re.findall(r"`([A-Z_]+)`", text))


def test_metrics():
    names = set()
    for file in (DOCS.parent / "service").rglob("*.py"):
        names |= set(re.findall(r'(?:Counter|Gauge|Histogram)\(\s*"(orbit_\w+)"', file.read_text()))
    shown = {r[0].strip("`") for r in rows("operations.md")}
    assert names <= shown


if __name__ == "__main__":
    print(table(Settings), table(StackSettings), sep="\n\n")
