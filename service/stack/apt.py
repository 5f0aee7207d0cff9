"""The host's own apt: which mirror it uses, with which settings, and how a package is installed."""

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

from service.stack.errors import StackError
from service.stack.process import output
from service.stack.progress import Progress

LIST = "mirror+file:"
SKIPPED = re.compile(r"Acquire::(IndexTargets|Changelogs|CompressionTypes|cdrom)\b")


async def mirror() -> str:
    """The URL of the host's Debian mirror: not the security archive, not a third party's."""
    targets = "apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"
    known = await output(*targets, "Origin: Debian", "Label: Debian")
    if not known:  # before the first `apt-get update` apt does not know whose archive is whose
        known = await output(*targets, "--no-release-info")
    for site in known.splitlines():
        if "-security" not in site and not site.startswith("cdrom:"):
            return _listed(Path(site.removeprefix(LIST))) if site.startswith(LIST) else site
    raise StackError("apt knows no Debian mirror; see /etc/apt/sources.list")


def _listed(path: Path) -> str:
    """The first mirror of a list in a file (apt-transport-mirror(1)), as Debian's cloud images have one."""
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            return line.split()[0]
    raise StackError(f"{path} names no mirror")


async def acquire_options() -> list[str]:
    """The host's `Acquire::` settings, as lines for another apt: proxies, certificates, the age of a frozen mirror."""
    dump = await output("apt-config", "dump", "--format", '%F "%v";%n', "Acquire")
    return [line for line in dump.splitlines() if '""' not in line and not SKIPPED.match(line)]


async def need(program: str, progress: Progress) -> None:
    """Makes sure that a program is there. Its package has its name. Root installs it; others are told how."""
    if shutil.which(program):
        return
    if os.geteuid() != 0:
        raise StackError(f"{program} is missing; run as root: apt-get update && apt-get install -y {program}")
    with progress.step(program, "installing it with apt-get"):
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        with suppress(StackError):  # a third party's broken source need not stop it
            await output("apt-get", "update", "-qq", env=quiet)
        await output("apt-get", "install", "-y", "-qq", "--no-install-recommends", program, env=quiet)
