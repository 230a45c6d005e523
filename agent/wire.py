"""The protocol between agent and bot: JSON in camelCase over HTTPS, `Authorization: Bearer <agent key>`.

The only module of the agent that the bot imports. Unknown fields are refused on both sides, no field may name a path, a
command line or a credential of the host (`AgentKey` and `PairRequest.token` authenticate the agent itself). Times are
seconds unless the name says otherwise.

| call | request | answer |
|---|---|---|
| POST /agent/v1/pair | PairRequest | PairAnswer |
| POST /agent/v1/heartbeat | Heartbeat | HeartbeatAnswer |
| GET /agent/v1/servers?revision=N | | ServerList |
| POST /agent/v1/jobs/claim?wait=25 | ClaimRequest | ClaimAnswer |
| POST /agent/v1/runs/{runId}/progress | Progress | ProgressAnswer |
| POST /agent/v1/runs/{runId}/result | Result | ResultAnswer |

Errors are `Problem` with a 4xx or 5xx status. 401: the key is wrong or revoked. 404: not this host's run or server.
409: the claim token is stale or the run is over. 422: malformed. 429 and 503 carry Retry-After.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

CONSOLE_LINE_MAX: Final = 512
"""Characters of one console command or announcement."""
OUTPUT_MAX: Final = 64 * 1024
"""Bytes of a result's output; the tail is kept."""
TIMEOUT_MAX: Final = 86400
"""Seconds that a run may take."""

Line = Annotated[str, StringConstraints(min_length=1, max_length=CONSOLE_LINE_MAX, pattern=r"^[^\r\n\x00]*$")]
"""One line of text. A line break would be a second console command."""
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\r\n\x00]*$")]
Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,31}$")]
"""A kind of player identity: steam, eos, ip, name, slot …"""
AgentKey = Annotated[str, StringConstraints(pattern=r"^[!-~]{8,256}$")]
"""What a host authenticates with: goes into a header, so it is one word of ASCII."""
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
"""A server's directory below the root that the agent's configuration allows."""
Status = Literal["unknown", "installing", "install_failed", "stopped", "starting", "running", "stopping", "crashed"]


class Wire(BaseModel):
    """Base of every message."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    def dump(self) -> dict[str, Any]:
        """As JSON values with the names of the protocol."""
        return self.model_dump(mode="json", by_alias=True)


class Problem(Wire):
    """An error, in the words that the person at the agent's log should read."""

    error: str
    remedy: str = ""


# ---------------------------------------------------------------------------------------------- pairing and heartbeat


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


class Heartbeat(Wire):
    agent_version: str
    games: list[GameReport]
    metrics: HostMetrics
    servers: list[ServerReport]


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


# ------------------------------------------------------------------------------------------------------ jobs and runs


class Step(StrEnum):
    """What a run is doing; the steps that a progress card shows, in the order of `PHASES`."""

    STARTED = "started"
    PREPARING = "preparing"
    WRITING = "writing"
    SAVING = "saving"
    STOPPING = "stopping"
    STARTING = "starting"
    WAITING_READY = "waiting_ready"
    SENDING = "sending"
    VERIFYING = "verifying"
    REMOVING = "removing"


class Params(Wire):
    """Base of what a job carries. No path, no command line, no credential."""


class ServerCreate(Params):
    type: Literal["SERVER_CREATE"] = "SERVER_CREATE"


class ServerRemove(Params):
    """Stop the game and forget it; its files stay, under a name that says so."""

    type: Literal["SERVER_REMOVE"] = "SERVER_REMOVE"


class ServerStart(Params):
    type: Literal["SERVER_START"] = "SERVER_START"


class ServerStop(Params):
    type: Literal["SERVER_STOP"] = "SERVER_STOP"


class ServerRestart(Params):
    type: Literal["SERVER_RESTART"] = "SERVER_RESTART"


class ServerKill(Params):
    type: Literal["SERVER_KILL"] = "SERVER_KILL"


class ConsoleCommand(Params):
    type: Literal["CONSOLE_COMMAND"] = "CONSOLE_COMMAND"
    command: Line


class Announce(Params):
    type: Literal["ANNOUNCE"] = "ANNOUNCE"
    text: Line


class PlayerKick(Params):
    type: Literal["PLAYER_KICK"] = "PLAYER_KICK"
    identities: dict[Kind, Identifier]
    """Who: the agent finds them in the game's own list by these, and only then uses their slot there."""
    name: Annotated[str, StringConstraints(max_length=128)]
    reason: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\r\n\x00]*$")]


JobParams = Annotated[
    ServerCreate
    | ServerRemove
    | ServerStart
    | ServerStop
    | ServerRestart
    | ServerKill
    | ConsoleCommand
    | Announce
    | PlayerKick,
    Field(discriminator="type"),
]

#: The phases a run of each type goes through, after `started`.
PHASES: Final[dict[str, tuple[Step, ...]]] = {
    "SERVER_CREATE": (Step.PREPARING, Step.WRITING),
    "SERVER_REMOVE": (Step.STOPPING, Step.REMOVING),
    "SERVER_START": (Step.STARTING, Step.WAITING_READY),
    "SERVER_STOP": (Step.SAVING, Step.STOPPING),
    "SERVER_RESTART": (Step.SAVING, Step.STOPPING, Step.STARTING, Step.WAITING_READY),
    "SERVER_KILL": (Step.STOPPING,),
    "CONSOLE_COMMAND": (Step.SENDING,),
    "ANNOUNCE": (Step.SENDING,),
    "PLAYER_KICK": (Step.SENDING, Step.VERIFYING),
}


class ClaimRequest(Wire):
    slots: Annotated[int, Field(ge=1, le=50)]


class ClaimedJob(Wire):
    """An offer. It becomes work when the agent's first progress report, `started`, is answered 200."""

    id: UUID
    run_id: UUID
    number: int
    timeout_sec: Annotated[int, Field(ge=1, le=TIMEOUT_MAX)]
    attempt: int
    claim_token: UUID
    lease_expires_at: AwareDatetime
    """By the bot's clock (`ClaimAnswer.now`); a run whose lease has passed is not started."""
    server_id: UUID | None
    params: JobParams


class ClaimAnswer(Wire):
    now: AwareDatetime
    jobs: list[ClaimedJob]


class Progress(Wire):
    """At each change of phase and every 20 s; renews the lease of 90 s."""

    claim_token: UUID
    phase: Step
    message: Annotated[str, StringConstraints(max_length=300)] = ""


class ProgressAnswer(Wire):
    cancel: bool = False


class Result(Wire):
    """How a run ended. Idempotent on (run, claim token); kept on the agent's disk until acknowledged."""

    claim_token: UUID
    outcome: Literal["success", "failed", "cancelled", "unknown"]
    output: str = ""
    """What the game said; at most `OUTPUT_MAX` bytes."""
    error: Annotated[str, StringConstraints(max_length=1000)] = ""
    """One sentence for the card when it did not succeed."""
    result: dict[str, Any] = {}
    duration_ms: int = 0


class ResultAnswer(Wire):
    accepted: bool
    """False: it came too late or was known already. Either way it need not be sent again."""
