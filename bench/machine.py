"""The machine that the figures were measured on."""

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

from service.stack.process import output
from service.stack.tree import Tree


async def describe(tree: Tree) -> dict[str, str]:
    """What a reader needs to compare the figures with another machine's."""
    release = platform.freedesktop_os_release()
    asterisk = (await output(*tree.asterisk, "-V")).split()[-1]
    redis = re.search(r"v=([\d.]+)", await output(*tree.redis_server, "--version"))
    return {
        "CPU": f"{_field('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores",
        "Memory": f"{int(_field('/proc/meminfo', 'MemTotal').split()[0]) / 1024 / 1024:.0f} GB",
        "OS": f"{release['PRETTY_NAME']}, Linux {platform.release()}",
        "Python": platform.python_version(),
        "Asterisk": asterisk,
        "Redis": redis[1] if redis else "?",
        "Date": datetime.now(UTC).date().isoformat(),
    }


def _field(path: str, name: str) -> str:
    found = re.search(rf"^{name}\s*: *(.+)$", Path(path).read_text(), re.MULTILINE)
    return found[1] if found else "?"
