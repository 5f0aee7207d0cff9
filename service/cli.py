"""The command line: the service itself, its keys, and the embedded stack."""

import asyncio
import secrets
import sys

import click

from service import handover
from service.errors import OrbitError
from service.settings import BadSettings, Settings, read


class _Commands(click.Group):
    """With the embedded stack, which is loaded when it is asked for; an image may come without it."""

    def list_commands(self, context: click.Context) -> list[str]:
        return [*super().list_commands(context), *(["stack"] if self.get_command(context, "stack") else [])]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name != "stack":
            return super().get_command(context, name)
        try:
            from service.stack.cli import stack
        except ImportError:
            return None
        return stack


@click.group(cls=_Commands)
@click.version_option(package_name="orbit-voice")
def main() -> None:
    """Orbit Voice: a self-hosted Voice API."""


@main.command()
def serve() -> None:
    """Run the service in the foreground; everything it needs comes from ORBIT_… (docs/settings.md).

    It listens, and ORBIT_PROCESSES workers answer. SIGHUP replaces them one by one while requests go on. Where a
    listening socket is handed to it (LISTEN_FDS), it is such a worker itself.
    """
    try:
        settings = read(Settings)
    except BadSettings as error:
        raise click.ClickException(str(error)) from None
    if handover.inherited():
        import uvloop

        from service.serve import serve as work

        sys.exit(uvloop.run(work(settings)))
    from service.fleet.serve import serve as lead
    from service.store.address import parse

    try:
        parse(settings.redis_url)
        lead(settings)
    except ValueError as error:
        raise click.ClickException(f"ORBIT_REDIS_URL: {error}") from None
    except OSError as error:
        raise click.ClickException(str(error)) from None


@main.group()
def keys() -> None:
    """API keys."""


@keys.command("create")
@click.option("--test", is_flag=True, help="A test key: it reaches the sandbox carrier and nothing else.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(["voice:read", "voice:write", "admin"]),
    default=["voice:read", "voice:write"],
    show_default=True,
)
def create_key(test: bool, scopes: tuple[str, ...]) -> None:
    """Make a key and print it. It is shown this once; Redis keeps only its hash."""
    from service.store.connection import connect
    from service.store.keyring import Keyring

    api_key = f"dv_{'test' if test else 'live'}_sk_{secrets.token_hex(20)}"

    async def register() -> None:
        settings = read(Settings)
        redis = connect(settings.redis_url, settings.redis_timeout_ms)
        try:
            await Keyring(redis).register(api_key, scopes, test)
        finally:
            await redis.aclose()

    try:
        asyncio.run(register())
    except BadSettings as error:
        raise click.ClickException(str(error)) from None
    except (OrbitError, ValueError) as error:
        raise click.ClickException(f"{error} (ORBIT_REDIS_URL)") from None
    click.echo(api_key)
