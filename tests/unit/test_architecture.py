"""The arrows of the house, read from the imports. Rooms are folders of `service/`."""

import ast
from pathlib import Path

import pytest

SERVICE = Path(__file__).parents[2] / "service"
CORE = {"calls"}
FEATURES = {"ivr", "numbers", "trunks"}
ADAPTERS = {"asterisk", "speech", "store", "storage", "webhooks"}
ANYBODY = CORE | {"settings", "errors"}
MAY = {
    "calls": CORE,
    **{feature: ANYBODY | {feature} for feature in FEATURES},
    "control": ANYBODY | FEATURES | {"control"},
    **{adapter: ANYBODY | FEATURES | {"control", adapter} for adapter in ADAPTERS},
    "api": ANYBODY | FEATURES | {"control", "api"},
    "stack": {"stack", "settings", "fleet"},  # of the fleet, how a child ends with its parent
    "fleet": {"fleet", "handover", "log", "settings"},
    "handover": set(),
    "settings": set(),
    "errors": set(),
    "log": set(),
    "app": None,  # wires all; only what runs it imports it
    "carriers": None,  # a part of `app`
    "menus": None,  # likewise
    "serve": {"settings", "log", "handover", "api", "app"},
    "cli": {"settings", "errors", "serve", "fleet", "handover", "stack", "store"},
    "__main__": {"cli"},
    "__init__": set(),
}
PURE = CORE | FEATURES
TABLES = {"phonenumbers", "rapidfuzz"}  # numbering plans and likeness, without I/O: for features


def room_of(file: Path) -> str:
    parts = file.relative_to(SERVICE).parts
    return parts[0].removesuffix(".py")


def imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            found |= {
                f"{node.module}.{alias.name}" if node.module == "service" else node.module for alias in node.names
            }
    return found


FILES = sorted(SERVICE.rglob("*.py"))


def test_every_room_has_its_rule():
    assert {room_of(f) for f in FILES} <= set(MAY)


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(SERVICE)))
def test_a_file_imports_only_what_its_room_may(file):
    allowed = MAY[room_of(file)]
    if allowed is None:
        return
    rooms = {name.split(".")[1] for name in imports(file) if name.startswith("service.")}
    assert rooms - allowed - {"__version__"} == set()


@pytest.mark.parametrize("file", [f for f in FILES if room_of(f) in PURE], ids=lambda f: str(f.relative_to(SERVICE)))
def test_the_core_and_the_features_use_the_standard_library_alone_and_tables(file):
    import sys

    outside = {n.split(".")[0] for n in imports(file)} - {"service"} - set(sys.stdlib_module_names)
    assert outside <= (TABLES if room_of(file) in FEATURES else set())
    assert not {"asyncio", "socket", "subprocess", "os", "pathlib"} & imports(file)


@pytest.mark.parametrize("word", ["PJSIP", "AstDB", "aioari", "panoramisk"])
def test_only_the_asterisk_room_says(word):
    rooms = {room_of(f) for f in FILES if word in f.read_text()}
    assert rooms <= {"asterisk", "stack"}, rooms


def test_aiohttp_serves_in_the_api_only():
    rooms = {
        room_of(f)
        for f in FILES
        if any(n.startswith("aiohttp.web") for n in imports(f)) or "from aiohttp import web" in f.read_text()
    }
    assert rooms <= {"api", "app", "asterisk", "serve", "webhooks"}
