"""A template with its values put in: what one server on this host needs. Holds secrets; never leaves the host."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from games.sections.actions import Action
from games.sections.backup import Backup
from games.sections.bans import Bans
from games.sections.caution import Caution
from games.sections.console import ConsoleSpec
from games.sections.log import Log
from games.sections.mods import ModDir, Mods
from games.sections.people import Identity, Players
from games.sections.process import ActionRung, Ready, SignalRung


@dataclass(frozen=True)
class ResolvedPort:
    """A port that the game listens on; `public` ones may be shown to people."""

    name: str
    proto: Literal["udp", "tcp"]
    port: int
    public: bool


@dataclass(frozen=True)
class ResolvedFile:
    """A configuration file and the settings to keep in it. Write it 0600: it may hold secrets."""

    path: Path
    format: Literal["xml-properties", "key-value"]
    settings: Mapping[str, str] = field(repr=False)
    keep: tuple[str, ...] = ()
    """Settings that an existing file decides: hand them to `config_files.write`."""


@dataclass(frozen=True)
class ResolvedConsole:
    """A console of this host: how it talks, where it is, and what to answer at its prompt."""

    spec: ConsoleSpec
    host: str
    port: int
    password: str = field(repr=False)


@dataclass(frozen=True)
class ResolvedModDir:
    """A directory of mods, below the server's own; it need not exist yet."""

    path: Path
    described: ModDir


@dataclass(frozen=True)
class ResolvedTemplate:
    """Everything about one server. `values` and `secrets` stay out of its repr and out of logs."""

    game: str
    directory: Path
    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    ready: Ready
    stop: tuple[ActionRung | SignalRung, ...]
    ports: tuple[ResolvedPort, ...]
    config_files: tuple[ResolvedFile, ...]
    console: ResolvedConsole | None
    identity: Identity
    players: Players | None
    actions: Mapping[str, Action]
    bans: Bans | None
    backup: Backup | None
    caution: Caution | None
    backup_paths: tuple[Path, ...]
    """Below the server's directory; they need not exist."""
    mods: Mods | None
    mod_dirs: tuple[ResolvedModDir, ...]
    """The first is where we put them."""
    log: Log
    log_glob: str | None
    """Absolute pattern of the log's files; None: what the process prints."""
    values: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    """Values to redact from whatever leaves the host."""

    def redact(self, text: str) -> str:
        """The text without this server's secrets, its console's address, and where on the host it lives."""
        console = () if self.console is None else (f"{self.console.host}:{self.console.port}",)
        for secret in (*self.secrets, *console):
            text = text.replace(secret, "•••")
        return text.replace(f"{self.directory}/", "")
