"""Pairing: a one-time token becomes this host's id and key."""

import platform
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from agent import __version__, wire
from agent.config import AgentConfig
from agent.errors import ConfigError
from agent.files import make_private, write_private
from agent.host import game_reports, resources
from agent.http import Http, KeyRefused, LinkError, Misunderstood, Refused, Unavailable
from agent.identity import Identity, IdentityFile
from games.catalog import GameTemplate, TemplateError, load_catalog


class PairingFailed(Exception):
    """Three lines: what failed, why, and what to do."""

    def __init__(self, what: str, why: str, remedy: str) -> None:
        super().__init__(f"{what}\n{why}\n{remedy}")


@dataclass(frozen=True)
class Request:
    """What the person at the keyboard said."""

    url: str
    token: str
    config_file: Path
    root: Path | None = None
    state_dir: Path | None = None
    again: bool = False


async def pair(request: Request) -> tuple[Identity, AgentConfig]:
    """Pair this host. Whatever can be checked is checked before the token is spent. Raises `PairingFailed`."""
    path = request.config_file
    if path.exists():
        config = _config(request, path)
        return await _pair(request, config), config
    draft = path.with_name(path.name + ".new")
    try:
        _write_first(draft, first_config(request))
        config = _config(request, draft)
        identity = await _pair(request, config)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)  # a mistyped address must not stay
    return identity, config


async def _pair(request: Request, config: AgentConfig) -> Identity:
    identities = IdentityFile(config.state_dir)
    if identities.exists() and not request.again:
        raise PairingFailed(
            "This host is paired already.",
            f"Its identity is in {identities.path}.",
            "Start it with `gamekeeper-agent run`, or pair it anew with `--again`.",
        )
    _probe(identities.path.parent)
    answer = await _ask(config, request)
    identity = Identity(host_id=answer.host_id, key=answer.agent_key)
    try:
        identities.save(identity)
    except OSError as error:
        raise PairingFailed(
            "The bot accepted this host, but its key cannot be stored.",
            f"{identities.path}: {error.strerror}.",
            "Make room, then ask for a new token with `/host add` and pair again.",
        ) from None
    return identity


def first_config(request: Request) -> str:
    """The text of the configuration file that pairing writes where there is none."""
    text = AgentConfig.example(request.url.rstrip("/"))
    if request.root:
        text = _set(text, "roots", f"[{_quoted(request.root)}]")
    if request.state_dir:
        text = _set(text, "state_dir", _quoted(request.state_dir))
    return text


def _set(text: str, key: str, value: str) -> str:
    lines = [f"{key} = {value}" if line.startswith(f"# {key} =") else line for line in text.splitlines()]
    return "\n".join(lines) + "\n"


def _quoted(path: Path) -> str:
    text = str(path.absolute()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _config(request: Request, path: Path) -> AgentConfig:
    try:
        config = AgentConfig.load(path)
    except ConfigError as error:
        what = str(error).replace(str(path), str(request.config_file))
        raise PairingFailed("The configuration cannot be used.", what, "Correct it and try again.") from None
    if config.url != request.url.rstrip("/"):
        why = f"{path} says {config.url}, the command says {request.url}."
        raise PairingFailed("Two addresses of the bot.", why, "Change the file, or name another with `--config`.")
    if request.root and request.root.absolute() not in config.roots:
        why = f"{path} does not allow servers in {request.root}."
        raise PairingFailed("The configuration is there already.", why, "Add the directory to its `roots`.")
    return config


def _write_first(draft: Path, text: str) -> None:
    try:
        draft.parent.mkdir(parents=True, exist_ok=True)
        write_private(draft, text)
    except OSError as error:
        raise _no_place(error) from None


def _probe(state_dir: Path) -> None:
    try:
        make_private(state_dir)
        probe = state_dir / ".probe"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        raise _no_place(error) from None


def _no_place(error: OSError) -> PairingFailed:
    return PairingFailed(
        "This host has no place for what it must remember.",
        f"{error.filename}: {error.strerror}.",
        "Run this as the user who will run the agent, or choose places with `--config` and `--state-dir`.",
    )


async def _ask(config: AgentConfig, request: Request) -> wire.PairAnswer:
    body = wire.PairRequest(
        token=request.token,
        hostname=platform.node()[:253],
        agent_version=__version__,
        games=game_reports(config, _catalog(config)),
        resources=resources(),
    )
    try:
        async with Http(config.url) as http:
            return await http.call("POST", "pair", wire.PairAnswer, body)
    except LinkError as error:
        raise _failure(config.url, error) from None


def _catalog(config: AgentConfig) -> dict[str, GameTemplate]:
    try:
        return load_catalog(*config.template_dirs)
    except TemplateError as error:
        raise PairingFailed("A template cannot be used.", str(error), "Correct it, or take it away.") from None


def _failure(url: str, error: LinkError) -> PairingFailed:
    match error:
        case Refused() | KeyRefused():
            remedy = "Ask for a new token with `/host add` in Discord; one lasts 15 minutes and works once."
            return PairingFailed("The bot refused the token.", str(error), remedy)
        case Unavailable(status=None):
            remedy = f"Is the bot running, and is {urlsplit(url).netloc} the address that it listens on?"
            return PairingFailed("The bot did not answer.", str(error), remedy)
        case Misunderstood():
            remedy = "Check that the address is the bot's own, and that bot and agent have the same version."
            return PairingFailed("That does not look like the bot.", str(error), remedy)
        case _:
            return PairingFailed("The bot is busy.", str(error), "Try again in a minute.")
