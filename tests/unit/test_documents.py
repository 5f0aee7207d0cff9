"""Tables in documents say what the code says."""

import re
from pathlib import Path

import pytest

from service import errors
from service.api.flow_schemas import CreateFlow
from service.api.number_schemas import CreateNumber
from service.api.schemas import CreateTrunk
from service.calls.causes import CAUSES
from service.calls.explanation import REASONS
from service.calls.status import Status
from service.ivr.flow import Action
from service.ivr.flow import Status as FlowStatus
from service.numbers.route import RouteType
from service.settings import Settings
from service.stack.settings import StackSettings
from service.trunks.health import Status as TrunkStatus

DOCS = Path(__file__).parents[2] / "docs"


def rows(page: str) -> list[list[str]]:
    lines = [line for line in (DOCS / page).read_text().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_trunks():
    shown = [cell for row in rows("trunks.md") for cell in row[:1]]
    fields = [name for cell in shown[: shown.index("`status`")] for name in cell.replace("`", "").split()]
    named = [name for name in fields if name in {f.alias or n for n, f in CreateTrunk.model_fields.items()}]
    assert named == [f.alias or name for name, f in CreateTrunk.model_fields.items()]
    assert {f"`{status}`" for status in TrunkStatus} == set(shown[shown.index("`status`") + 2 :][: len(TrunkStatus)])


def test_numbers():
    named = [name.strip("`") for row in rows("numbers.md") for name in row[0].split()]
    assert set(CreateNumber.model_fields) <= set(named)
    assert set(RouteType) <= set(named)


def test_flows():
    shown = [cell.strip("`") for row in rows("ivr.md") for cell in row[0].split("` `")]
    assert [name for name in shown if name in CreateFlow.model_fields] == list(CreateFlow.model_fields)
    assert set(Action) | set(FlowStatus) <= set(shown)


def plain(default) -> str:
    value = getattr(default, "get_secret_value", lambda: default)()
    return "" if value in (None, "") else str(list(value) if isinstance(value, tuple) else value)


def test_causes():
    shown = {r[0]: (r[1], r[2]) for r in rows("calls.md") if r[0].isdigit()}
    assert shown == {str(n): (f"`{c.reason}`", f"`{c.unanswered}`") for n, c in CAUSES.items()}


def test_reasons():
    shown = {r[0].strip("`") for r in rows("calls.md") if len(r) == 3} | {c.reason for c in CAUSES.values()}
    assert set(REASONS) <= shown


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
