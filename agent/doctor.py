"""Looks whether everything that the agent needs is there, and says what to do where it is not."""

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final, Literal

from agent import wire
from agent.config import ANY, AgentConfig
from agent.errors import ConfigError
from agent.host import nearest
from agent.http import Http, LinkError
from agent.identity import Identity, IdentityFile, StateLock
from agent.servers import read_known
from games.catalog import SHIPPED, GameTemplate, TemplateError, load_template

LEAST_FREE_MB: Final = 1024
MOST_SKEW: Final = 60.0
"""Seconds. Times in Discord are the bot's; a host that is far off confuses whoever reads its logs."""


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    word: Literal["ok", "note", "problem"]
    what: str
    remedy: str = ""

    @property
    def bad(self) -> bool:
        """Does the agent not work because of it?"""
        return self.word == "problem"

    def __str__(self) -> str:
        return f"{self.word:<8} {self.what}" + (f"\n         -> {self.remedy}" if self.remedy else "")


async def examine(config_file: Path) -> list[Finding]:
    """Everything, in the order in which it should be put right."""
    try:
        config = AgentConfig.load(config_file)
    except ConfigError as error:
        return [Finding("problem", str(error), "Correct it, or run `gamekeeper-agent pair URL TOKEN`.")]
    catalog, findings = _templates(config)
    return [
        Finding("ok", f"configuration {config_file}"),
        *_directories(config),
        *findings,
        *_programs(config, catalog),
        *await _bot(config),
        _running(config),
    ]


def _directories(config: AgentConfig) -> Iterator[Finding]:
    for name, directory in [("state", config.state_dir), *(("servers", root) for root in config.roots)]:
        there = nearest(directory)
        if not os.access(there, os.W_OK | os.X_OK):
            yield Finding("problem", f"{name} in {directory}: {there} cannot be written", f"chown it to {_user()}.")
            continue
        free = shutil.disk_usage(there).free >> 20
        if free < LEAST_FREE_MB:
            yield Finding("problem", f"{name} in {directory}: only {free} MB are free", "Make room.")
        else:
            yield Finding("ok", f"{name} in {directory}, {free} MB free")
    for slug, directory in config.adopt.items():
        if not directory.is_dir():
            yield Finding("problem", f"adopted server {slug}: there is no {directory}", "Correct `adopt`.")


def _user() -> str:
    return f"user {os.geteuid()}"


def _templates(config: AgentConfig) -> tuple[dict[str, GameTemplate], list[Finding]]:
    catalog: dict[str, GameTemplate] = {}
    findings: list[Finding] = []
    for directory in (SHIPPED, *config.template_dirs):
        if not directory.is_dir():
            findings.append(Finding("problem", f"templates: there is no {directory}", "Correct `template_dirs`."))
        for path in sorted(directory.glob("*.yaml")):
            try:
                template = load_template(path)
            except TemplateError as error:
                remedy = "Correct it, or move it away: the agent does not start with it."
                findings.append(Finding("problem", f"template {error}", remedy))
            else:
                catalog[template.id] = template
    unknown = [game for game in config.templates if game != ANY and game not in catalog]
    if unknown:
        findings.append(Finding("problem", f"no template for {', '.join(unknown)}", "Correct `templates`."))
    allowed = {game: template for game, template in catalog.items() if config.allows(game)}
    findings.append(Finding("ok", f"games: {', '.join(sorted(allowed)) or 'none'}"))
    return allowed, findings


def _programs(config: AgentConfig, catalog: Mapping[str, GameTemplate]) -> Iterator[Finding]:
    servers = read_known(config.state_dir).servers
    for game, template in sorted(catalog.items()):
        program = template.process.argv[0]
        if program.startswith("/") and not os.access(program, os.X_OK):
            used = [spec.slug for spec in servers if spec.game == game]
            word = "problem" if used else "note"
            yield Finding(word, f"{template.name}: there is no {program}", "Install it to run this game here.")
    for spec in servers:
        template = catalog.get(spec.game)
        if template is None:
            yield Finding("problem", f"server {spec.slug}: {spec.game} may not run here", "Add it to `templates`.")
        elif template.process.argv[0].startswith("{dir}"):
            directory = _directory(config, spec)
            program = Path(template.process.argv[0].replace("{dir}", str(directory)))
            if not os.access(program, os.X_OK):
                yield Finding("problem", f"server {spec.slug}: there is no {program}", "Install the game there.")


def _directory(config: AgentConfig, spec: wire.ServerSpec) -> Path:
    places = [config.adopt[spec.slug]] if spec.slug in config.adopt else [root / spec.slug for root in config.roots]
    return next((place for place in places if place.is_dir()), places[0])


async def _bot(config: AgentConfig) -> list[Finding]:
    try:
        identity = IdentityFile(config.state_dir).load()
    except ConfigError as error:
        return [Finding("problem", str(error), "Ask for a token with `/host add` in Discord.")]
    return [finding for url in config.urls for finding in await _at(url, identity)]


async def _at(url: str, identity: Identity) -> list[Finding]:
    try:
        async with Http(url) as http:
            return await _ask(http, identity)
    except LinkError as error:
        return [Finding("problem", f"bot: {error}", "Is it running, and is `url` the address that it listens on?")]


async def _ask(http: Http, identity: Identity) -> list[Finding]:
    status = 0
    headers: Mapping[str, str] = {}
    for key in filter(None, (identity.key, identity.previous_key)):
        status, headers, _ = await http.exchange("GET", "servers", key=key, query={"revision": 0})
        if status != 401:
            break
    findings = [Finding("ok", f"bot answers at {http.url}")]
    if status == 200:
        findings.append(Finding("ok", f"key of host {identity.host_id} is accepted"))
    elif status == 401:
        remedy = "Pair this host again: `/host add` in Discord, then `gamekeeper-agent pair --again URL TOKEN`."
        findings.append(Finding("problem", "the bot refuses this host's key", remedy))
    else:
        remedy = "Check that `url` is the bot's own address and does not redirect."
        findings.append(Finding("problem", f"the bot answers HTTP {status}", remedy))
    return [*findings, *_clock(headers.get("Date"))]


def _clock(date: str | None) -> Iterator[Finding]:
    try:
        said = parsedate_to_datetime(date or "")
    except (ValueError, OverflowError):
        return  # a proxy's; the bot always says when it is
    skew = time.time() - (said if said.tzinfo else said.replace(tzinfo=UTC)).timestamp()
    if abs(skew) > MOST_SKEW:
        direction = "ahead of" if skew > 0 else "behind"
        yield Finding("problem", f"the clock is {abs(skew):.0f} s {direction} the bot's", "Let NTP set both clocks.")
    else:
        yield Finding("ok", f"clock agrees with the bot's within {abs(skew) + 1:.0f} s")


def _running(config: AgentConfig) -> Finding:
    try:
        with StateLock(config.state_dir):
            return Finding("note", "the agent is not running", "Start it with `gamekeeper-agent run`.")
    except ConfigError:
        return Finding("ok", "the agent is running")
