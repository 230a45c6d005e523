"""The command line: run · demo · tour · migrate · seed · doctor."""

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Iterator
from typing import Annotated, Final

import typer
from pydantic import ValidationError

from bot import logs
from bot.config import Settings
from bot.errors import AppError, Invalid, Unavailable
from bot.roles import roles_of
from bot.startup import prepare, write_seed
from db.connect import Connector
from db.embedded import EmbeddedPostgres

_GARBAGE_AFTER: Final = 20_000
"""New objects that set off the garbage collector. The guilds that arrive at a start are hundreds of thousands of them,
and none is garbage: with Python's 700 it looks through them again and again."""

cli = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Gamekeeper: chat-ops for communities that run game servers."
)


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        wrong = error.errors()[0]
        name = "GAMEKEEPER_" + "_".join(str(part) for part in wrong["loc"]).upper()
        raise Invalid(f"{name} cannot be used: {wrong['msg']}.", "Correct the setting and start again.") from error


@contextlib.contextmanager
def _database(settings: Settings, *, borrow: bool = False) -> Iterator[tuple[str, EmbeddedPostgres | None]]:
    """The URL of the database: the configured one, else the embedded server, which ends with this process."""
    if settings.database_url:
        yield settings.database_url, None
    elif borrow:
        with EmbeddedPostgres.borrow(settings.data_dir / "postgres") as server:
            server.create_database()
            yield server.dsn(), server
    else:
        server = EmbeddedPostgres(settings.data_dir / "postgres")
        server.start()
        try:
            server.create_database()
            yield server.dsn(), server
        finally:
            server.stop()


@cli.command()
def run(
    migrate: Annotated[bool, typer.Option("--migrate", help="Migrate an external database before starting")] = False,
    roles: Annotated[
        str, typer.Option(help="What this process does, of bot, http and workers; others do the rest")
    ] = "bot,http,workers",
) -> None:
    """Run the bot: Discord, HTTP side and workers."""
    settings = _settings()
    logs.configure(settings.log_format)
    wanted = roles_of(roles)
    _check_roles(settings, wanted)
    gc.set_threshold(_GARBAGE_AFTER)
    with _database(settings) as (url, embedded):
        asyncio.run(_run(settings, url, embedded, wanted, migrate=migrate))


def _check_roles(settings: Settings, roles: frozenset[str]) -> None:
    if "bot" not in roles:
        return
    if "http" not in roles and not settings.public_url:
        remedy = "Set it to where agents reach the processes with the role http."
        raise Invalid("GAMEKEEPER_PUBLIC_URL is not set, and this process serves no agents itself.", remedy)
    if settings.discord_token is None:
        raise Invalid("GAMEKEEPER_DISCORD_TOKEN is not set.", "Set it, or try `gamekeeper demo`, which needs none.")


async def _run(
    settings: Settings, url: str, embedded: EmbeddedPostgres | None, roles: frozenset[str], *, migrate: bool
) -> None:
    from bot.app import build

    token = settings.discord_token
    await Connector(url, "start").come_up()
    await prepare(url, may_migrate=migrate or embedded is not None)
    app = await build(settings, url, roles)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    watching = asyncio.create_task(embedded.watch(), name="embedded PostgreSQL") if embedded else None
    try:
        await app.run(token.get_secret_value() if token else "", stop)
    finally:
        if watching:
            watching.cancel()
        await app.close()


@cli.command()
def migrate() -> None:
    """Bring the database to the version of this program."""
    settings = _settings()
    logs.configure(settings.log_format)
    with _database(settings, borrow=True) as (url, _):
        asyncio.run(prepare(url, may_migrate=True))
    typer.echo("The database is up to date.")


@cli.command()
def seed() -> None:
    """Write permissions and game types into the database; harmless when repeated."""
    settings = _settings()
    with _database(settings, borrow=True) as (url, _):
        asyncio.run(write_seed(url))
    typer.echo("Permissions and game types are in the database.")


@cli.command()
def doctor() -> None:
    """Say what would keep the bot from working, with the remedy."""
    from bot.doctor import examine

    settings = _settings()
    with _database(settings, borrow=True) as (url, _):
        findings = asyncio.run(examine(settings, url))
    for finding in findings:
        typer.echo(
            f"{'ok     ' if finding.ok else 'PROBLEM'} {finding.what}"
            + (f"\n        {finding.remedy}" if finding.remedy else "")
        )
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@cli.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the playground; the next free one is taken")] = 8370,
) -> None:
    """Open the playground: a simulated Discord in the browser, a real agent, real game servers. Needs no token."""
    from bot.demo.command import demo as show

    show(_settings(), port)


@cli.command()
def tour() -> None:
    """Tell the playground's story as a transcript; exit code 1 if a step fails."""
    from bot.demo.command import tour as tell

    raise typer.Exit(tell(_settings()))


def main() -> None:
    """Entry point: expected errors are a sentence and a remedy, never a stack trace."""
    try:
        cli()
    except AppError as error:
        sys.stderr.write(f"{error.what}\n{error.remedy}\n")
        raise SystemExit(2 if isinstance(error, Unavailable) else 1) from None


if __name__ == "__main__":
    main()
