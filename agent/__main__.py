"""The command line: `gamekeeper-agent pair · run · doctor · template check`."""

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from agent import __version__
from agent.config import AgentConfig, default_path
from agent.errors import ConfigError
from games.lines import one_line

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="The host agent of Gamekeeper: runs game servers on this machine for a bot that it dials out to.",
)
template_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Game templates of your own.")
app.add_typer(template_app, name="template")

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="The configuration file.", show_default=False, dir_okay=False)
]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"gamekeeper-agent {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say it and end.")
    ] = False,
) -> None:
    """What holds for every command."""


@app.command()
def pair(
    url: Annotated[str, typer.Argument(help="The bot's address, e.g. https://bot.example.org")],
    token: Annotated[str, typer.Argument(help="The one-time token of `/host add`; `-` reads it from the input.")],
    config: ConfigOption = None,
    root: Annotated[Path | None, typer.Option(help="Where servers may live; for a first configuration.")] = None,
    state_dir: Annotated[Path | None, typer.Option(help="Where the agent keeps its own; likewise.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Replace the identity that this host has.")] = False,
) -> None:
    """Introduce this machine to the bot, once."""
    from agent.pairing import PairingFailed, Request
    from agent.pairing import pair as pair_host

    path = (config or default_path()).absolute()
    token = sys.stdin.readline().strip() if token == "-" else token  # noqa: S105  a dash, not a secret
    try:
        identity, made = asyncio.run(pair_host(Request(url, token, path, root, state_dir, again)))
    except PairingFailed as error:
        _fail(str(error))
    print(f"Paired as host {identity.host_id}.")
    print(f"Servers may live in {', '.join(map(str, made.roots))}; change what is allowed in {path}.")
    print("Now start it: gamekeeper-agent run" + (f" --config {path}" if path != default_path() else ""))


@app.command()
def run(
    config: ConfigOption = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log every attempt.")] = False,
) -> None:
    """Be this host's agent until the process is told to end. The games run on without it."""
    from agent import app as agent

    _log(verbose)
    try:
        asyncio.run(agent.run(_load(config)))
    except ConfigError as error:
        _fail(str(error))


@app.command()
def doctor(config: ConfigOption = None) -> None:
    """Check everything that the agent needs. Exit code 1 when something is amiss."""
    from agent.doctor import examine

    findings = asyncio.run(examine((config or default_path()).absolute()))
    for finding in findings:
        print(finding)
    raise typer.Exit(1 if any(finding.bad for finding in findings) else 0)


@template_app.command("check")
def template_check(
    file: Annotated[Path, typer.Argument(help="A template, e.g. mygame.yaml", exists=True, dir_okay=False)],
) -> None:
    """Validate a template and replay its recorded conversations. Exit code 1 when something is wrong."""
    from games.golden.check import check_template

    problems = check_template(file)
    for problem in problems:
        print(f"problem  {problem}")
    if problems:
        raise typer.Exit(1)
    print(f"ok       {file}")


def _load(config: Path | None) -> AgentConfig:
    return AgentConfig.load((config or default_path()).absolute())


def _log(verbose: bool) -> None:
    """To standard error; the journal has its own clock."""
    time = "" if "JOURNAL_STREAM" in os.environ else "%(asctime)s "
    level = logging.DEBUG if verbose else logging.INFO
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(f"{time}%(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
    logging.getLogger("asyncio").setLevel(logging.WARNING)


class OneLine(logging.Formatter):
    """A record is one line, whatever a game or the bot said in it; only the trace of a bug has more."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Line breaks and terminal controls are written as `\\n`, `\\x1b` …"""
        text = super().formatMessage(record)
        return "".join(c if one_line(c) else c.encode("unicode_escape").decode() for c in text)


def _fail(text: str) -> NoReturn:
    print(text, file=sys.stderr)
    raise typer.Exit(1)


def main() -> None:
    """The entry point of the package."""
    app()


if __name__ == "__main__":
    main()
