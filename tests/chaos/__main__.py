"""`python -m tests.chaos`: every fault in turn, on a stack of its own. Exit status 1 on any difference."""

import asyncio
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import click

from tests.chaos import report, row
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.numbers import plans
from tests.chaos.scene import Scene

LIMIT_SECONDS = 585  # the run ends by then, whatever happens


@click.command()
@click.option("--only", default="", help="Some faults, separated by commas.")
@click.option("--list", "show", is_flag=True, help="List the faults and end.")
@click.option("--nodes", default=2, show_default=True, help="Asterisk nodes.")
@click.option("--processes", default=2, show_default=True, help="Processes of the service.")
@click.option("--seed", default=1, show_default=True, help="Of the chance that plans the calls.")
def main(only: str, show: bool, nodes: int, processes: int, seed: int) -> None:
    """Loses one part after another under a steady flow of calls; compares what SIP saw, the API says, webhooks told."""
    if show:
        for fault in FAULTS:
            click.echo(f"{fault.name:<16} {fault.what}")
        return
    known = {fault.name: fault for fault in FAULTS}
    names = [name.strip() for name in only.split(",") if name.strip()] or list(known)
    if unknown := [name for name in names if name not in known]:
        raise click.BadParameter(f"no fault is called {', '.join(unknown)}", param_hint="--only")
    sys.exit(asyncio.run(_bounded([known[name] for name in names], nodes, processes, seed)))


async def _bounded(faults: list[Fault], nodes: int, processes: int, seed: int) -> int:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    folder = Path(tempfile.mkdtemp(prefix="orbit-chaos-"))
    began = time.monotonic()
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            failures = await _all(folder, faults, nodes, processes, seed)
    except TimeoutError:
        failures = [f"not done within {LIMIT_SECONDS} s"]
    except BaseException:
        click.echo(f"What there is, is in {folder}")
        raise
    click.echo(f"{time.monotonic() - began:.0f} s")
    if not failures:
        shutil.rmtree(folder)
        return 0
    click.echo("\n".join(["", *failures, "", f"The books and the logs are in {folder}"]))
    return 1


async def _all(folder: Path, faults: list[Fault], nodes: int, processes: int, seed: int) -> list[str]:
    """Runs the faults, prints the table, and returns everything that is not as it should be."""
    calls, rows = plans(seed), []
    async with Scene(folder, nodes, processes) as scene:
        click.echo(f"{nodes} nodes, {processes} processes\n\n{report.head()}")
        for fault in faults:
            if fault.recordings and not scene.disk.is_small:
                click.echo(f"{fault.name:<15}  skipped, needs root")
                continue
            rows.append(await row.run(scene, fault, calls))
            click.echo(report.line(rows[-1]))
            if rows[-1].failures:
                report.keep(rows[-1], folder / "books")
        click.echo(f"{report.sums(rows)}\n{report.LEGEND}" if rows else "")
        return [failure for each in rows for failure in await row.failures(scene, each)]


if __name__ == "__main__":
    main()
