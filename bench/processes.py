"""Processes as the kernel sees them (proc(5)): who belongs together, CPU, memory."""

import os
from collections.abc import Iterable
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (stat := _stat(int(folder.name))):
            children.setdefault(int(stat[1]), []).append(int(folder.name))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of processes, in steps of 10 ms on common kernels."""
    stats = (_stat(pid) for pid in pids)
    return sum(int(stat[11]) + int(stat[12]) for stat in stats if stat) / TICKS


def memory_kb(pids: Iterable[int]) -> int:
    """Memory that is the processes' own: heap and stacks (Pss_Anon), without files that others map as well."""
    total = 0
    for pid in pids:
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        total += next(int(row.split()[1]) for row in rows if row.startswith("Pss_Anon:"))
    return total


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/<pid>/stat from the third, the state, on; None for one that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
