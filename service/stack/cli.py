"""The commands of `python -m service stack`."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

from service.settings import BadSettings, Settings, read
from service.stack import launcher, logs, tree
from service.stack import status as parts_status
from service.stack.errors import StackError
from service.stack.home import Home, forget_sourced
from service.stack.progress import Progress
from service.stack.settings import StackSettings


@contextmanager
def _said() -> Iterator[None]:
    """A fault of the operator's becomes one line and exit status 1."""
    try:
        yield
    except StackError as error:
        raise click.ClickException(str(error)) from None
    except (BadSettings, OSError) as error:
        raise click.ClickException(str(error)) from None


@click.group()
def stack() -> None:
    """The embedded stack: Redis, Asterisk, the sandbox carrier and the service."""
    forget_sourced(os.environ)


@stack.command("tree")
@click.option("--baresip", is_flag=True, help="And baresip, which the tests call, in a tree beside it.")
def build_tree(baresip: bool) -> None:
    """Unpack Asterisk, Redis and SIPp where they are missing."""
    with _said():
        folder = read(StackSettings).tree
        asyncio.run(tree.ready(folder, Progress()))
        if baresip:
            asyncio.run(tree.baresip_ready(folder, Progress()))


@stack.command()
@click.option("--background", is_flag=True, hidden=True, help="Its output goes to a log: name no key.")
def run(background: bool) -> None:
    """Run everything in the foreground until Ctrl-C."""
    with _said():
        read(Settings)  # a fault of the service's own settings shows before anything is started
        asyncio.run(launcher.run(read(StackSettings), background=background))


@stack.command()
def up() -> None:
    """Run everything in the background; return when it is ready."""
    with _said():
        read(Settings)
        launcher.up(read(StackSettings))


@stack.command()
def down() -> None:
    """Stop what `up` or `run` started."""
    with _said():
        launcher.down(read(StackSettings))


@stack.command()
def status() -> None:
    """Show what runs. Exit status 0 only where everything is up."""
    with _said():
        rows = asyncio.run(parts_status.status(Home(read(StackSettings).home)))
    click.echo(parts_status.table(rows))
    sys.exit(0 if all(row.state == "up" for row in rows) else 1)


@stack.command()
def upgrade() -> None:
    """Replace the workers of the running service one by one; calls go on."""
    from service.stack import upgrade as workers

    with _said():
        asyncio.run(workers.upgrade(Home(read(StackSettings).home), click.echo))


@stack.command()
def reload() -> None:
    """Let Asterisk take up new certificates and an edited configuration; calls go on."""
    from service.stack import reload as running

    with _said():
        owner = Home(read(StackSettings).home).owner()
        if owner is None:
            raise StackError("no stack runs here; run `make up` first")
        running.adopt(owner, os.environ)
        asyncio.run(running.reload(read(StackSettings), os.environ, click.echo))


@stack.command("logs")
@click.option("-n", "--no-follow", is_flag=True, help="Show what is there and return.")
@click.option("--lines", default=20, show_default=True, help="How many lines of each log to begin with.")
def show_logs(no_follow: bool, lines: int) -> None:
    """Follow the logs of all parts."""
    with _said(), suppress(KeyboardInterrupt):
        logs.show(Home(read(StackSettings).home).log, lines, not no_follow, click.echo)


@stack.command()
def demo() -> None:
    """Place a call to the sandbox, show its timeline, and say where its recording is."""
    from service.stack import demo as call

    with _said():
        asyncio.run(call.demo(Home(read(StackSettings).home)))
