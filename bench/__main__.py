"""`make bench`: measures the table, prints it, and writes docs/benchmarks.md.

    python -m bench [--only name,name] [--quick]
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import click

from bench import machine, report
from bench.figures import Row
from bench.rows import cost, ivr, memory, pages, restart, sustained, trunks, webhooks
from bench.rows.plan import Plan
from service.stack.settings import StackSettings
from service.stack.tree import Tree

PARTS = {
    "sustained": sustained.measure,
    "cost": cost.measure,
    "webhooks": webhooks.measure,
    "pages": pages.measure,
    "memory": memory.measure,
    "restart": restart.measure,
    "trunks": trunks.measure,
    "ivr": ivr.measure,
}
PAGE = Path("docs/benchmarks.md")


@click.command()
@click.option("--only", default=",".join(PARTS), help=f"parts of the table, of {', '.join(PARTS)}")
@click.option("--quick", is_flag=True, help="two short rounds; writes no document")
def main(only: str, quick: bool) -> None:
    names = only.split(",")
    if unknown := set(names) - set(PARTS):
        raise click.BadParameter(f"no such part: {', '.join(sorted(unknown))}")
    asyncio.run(bench([name for name in PARTS if name in names], quick))


async def bench(names: list[str], quick: bool) -> None:
    """Measures the parts of these names. The document is written where all were measured in full."""
    start = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - start:5.0f} s  {text}", file=sys.stderr, flush=True)

    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        plan = Plan(Path(folder), quick, say)
        for name in names:
            rows += await PARTS[name](plan)
    print(report.table(rows))
    if not quick and len(names) == len(PARTS):
        known = await machine.describe(Tree(StackSettings().tree))
        page = report.page(rows, known, "make bench", (time.monotonic() - start) / 60, plan.rounds)
        await asyncio.to_thread(PAGE.write_text, page)


if __name__ == "__main__":
    main()
