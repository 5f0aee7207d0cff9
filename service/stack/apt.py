"""The host's own apt: which mirror it uses, with which settings, and how a package is installed."""

import os
import re
import shutil

from service.stack.errors import StackError
from service.stack.process import output
from service.stack.progress import Progress

SKIPPED = re.compile(r"Acquire::(IndexTargets|Changelogs|CompressionTypes|cdrom)\b")


async def mirror() -> str:
    """The URL of the host's Debian mirror: not the security archive, not a third party's."""
    targets = "apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"
    debian = await output(*targets, "Origin: Debian", "Label: Debian")
    known = debian or await output(*targets)  # before the first `apt-get update` the origins are not known
    for site in known.splitlines():
        if "-security" not in site:
            return site
    raise StackError("apt knows no Debian mirror; see /etc/apt/sources.list")


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
        await output("apt-get", "update", "-qq", env=quiet)
        await output("apt-get", "install", "-y", "-qq", "--no-install-recommends", program, env=quiet)
