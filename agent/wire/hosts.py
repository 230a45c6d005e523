"""Pairing, heartbeats, and the servers that a host shall have."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, StringConstraints

from agent.wire.base import AgentKey, Identifier, Kind, Slug, Status, Wire


class Variable(Wire):
    """A template's variable that a person may set. Secrets are never reported."""

    name: str
    type: Literal["port", "int", "string", "bool", "choice"]
    default: str | None = None
    label: str = ""
    choices: list[str] = []


class GameReport(Wire):
    """A game that this host can run: its own copy of the template counts."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{2,32}$")]
    name: str
    version: int
    sha256: str
    vars: list[Variable] = []
    capabilities: list[str] = []
    """Names of actions the game has: start, stop, console, players, kick, say, save, ban, unban, bans …"""
    identity_kinds: list[Kind] = []
    ban_by: list[Kind] = []


class HostMetrics(Wire):
    cpu_percent: float
    memory_mb: float
    memory_total_mb: float
    disk_mb: float
    """Used, on the file system of the servers' root."""
    disk_total_mb: float
    network_in_bytes: int
    """Since boot, as the kernel counts."""
    network_out_bytes: int
    load_1m: float = 0.0
    uptime_sec: int = 0


class PairRequest(Wire):
    token: str
    hostname: str
    agent_version: str
    games: list[GameReport]
    resources: dict[str, Any] = {}
    """What the machine is: cores, memoryMb, os, python."""


class PairAnswer(Wire):
    host_id: UUID
    agent_key: AgentKey


class OnlinePlayer(Wire):
    """Somebody on a server right now, as the game lists them. Untrusted: players choose their names."""

    identities: dict[Kind, Identifier]
    name: Annotated[str, StringConstraints(max_length=128)]
    slot: str | None = None
    since_sec: int | None = None


class Ports(Wire):
    name: str
    proto: Literal["udp", "tcp"]
    port: int


class Caution(Wire):
    """A time in the game at which a stop hurts more than at others."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    """As people are told: `blood moon`."""
    now: bool
    """False: it comes soon."""


class ServerReport(Wire):
    """One game server as the agent sees it."""

    id: UUID
    state: Status
    reachable: bool | None = None
    """Did the console answer? None: the game has none, or the server is not up."""
    latency_ms: float | None = None
    cpu_percent: float | None = None
    memory_mb: float | None = None
    version: str | None = None
    map: str | None = None
    ports: list[Ports] = []
    players: list[OnlinePlayer] | None = None
    """None: could not be asked. That is not the same as nobody."""
    max_players: int | None = None
    started_at: datetime | None = None
    crashes: int = 0
    """Unexpected ends since the last start that a person asked for."""
    note: str = ""
    """Why it is in this state, e.g. `exited with code 1 after 3 s; next start in 8 s`."""
    mods_revision: int = 0
    bans_revision: int = 0
    caution: Caution | None = None
    """None: nothing to mind, or not known."""


class Heartbeat(Wire):
    agent_version: str
    games: list[GameReport]
    metrics: HostMetrics
    servers: list[ServerReport]
    sent_at: AwareDatetime | None = None
    """The host's own clock, so that the bot can say that it is wrong. None: an older agent."""


class HeartbeatAnswer(Wire):
    now: datetime
    interval_sec: int
    servers_revision: int
    rotate_key: AgentKey | None = None
    """A new key to use from now on; the old one is valid until this one was used."""


class ServerSpec(Wire):
    """A server as people want it."""

    id: UUID
    slug: Slug
    game: str
    template_sha256: str | None = None
    vars: dict[str, str] = {}
    desired_state: Literal["unmanaged", "running", "stopped"]
    restart_policy: Literal["never", "on_crash", "always"]
    held: bool = False
    config_revision: int
    bans_revision: int = 0


class ServerList(Wire):
    revision: int
    servers: list[ServerSpec]
