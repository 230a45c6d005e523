"""Jobs and runs: offered, begun, reported on, ended."""

from enum import StrEnum
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from agent.wire.base import TIMEOUT_MAX, Wire
from agent.wire.params import (
    Announce,
    ConsoleCommand,
    PlayerKick,
    ServerCreate,
    ServerKill,
    ServerRemove,
    ServerRestart,
    ServerStart,
    ServerStop,
)
from agent.wire.saves import SaveBackup
from agent.wire.wishes import BanSync, ModInstall


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
    APPLYING = "applying"
    DOWNLOADING = "downloading"
    UNPACKING = "unpacking"
    SWAPPING = "swapping"
    ROLLING_BACK = "rolling_back"
    PACKING = "packing"


JobParams = Annotated[
    ServerCreate
    | ServerRemove
    | ServerStart
    | ServerStop
    | ServerRestart
    | ServerKill
    | ConsoleCommand
    | Announce
    | PlayerKick
    | BanSync
    | ModInstall
    | SaveBackup,
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
    "BAN_SYNC": (Step.APPLYING, Step.VERIFYING),
    "MOD_INSTALL": (
        Step.DOWNLOADING,
        Step.UNPACKING,
        Step.SWAPPING,
        Step.STOPPING,
        Step.STARTING,
        Step.WAITING_READY,
        Step.VERIFYING,
    ),
    "SAVE_BACKUP": (Step.SAVING, Step.PACKING, Step.VERIFYING),
}


class ClaimRequest(Wire):
    slots: Annotated[int, Field(ge=1, le=50)]
    only_kills: bool = False
    """Everything else has to wait until a run ends: the host does as much at a time as it may."""


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


class CancelsRequest(Wire):
    """A long poll beside that for jobs, while something runs."""

    known: Annotated[list[UUID], Field(max_length=100)] = []
    """Runs of which the agent has heard already."""


class CancelsAnswer(Wire):
    runs: list[UUID]
    """Running, to be cancelled, and not among those known."""


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
