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
| POST /agent/v1/jobs/cancels?wait=25 | CancelsRequest | CancelsAnswer |
| POST /agent/v1/runs/{runId}/progress | Progress | ProgressAnswer |
| POST /agent/v1/runs/{runId}/result | Result | ResultAnswer |
| POST /agent/v1/records | Records | RecordsAnswer, or 409 with RecordsExpected |
| GET /agent/v1/artifacts/{artifactId} | | the file, for a run that this host holds |
| PUT /agent/v1/servers/{serverId}/mods | ModList | |

Errors are `Problem` with a 4xx or 5xx status. 401: the key is wrong or revoked. 404: not this host's run or server.
409: the claim token is stale or the run is over. 422: malformed. 429 and 503 carry Retry-After.
"""

from agent.wire.base import (
    ARTIFACT_MAX,
    BAN_ITEMS_MAX,
    CONSOLE_LINE_MAX,
    MESSAGE_BYTES,
    OUTPUT_MAX,
    RECORDS_BYTES,
    RECORDS_MAX,
    TIMEOUT_MAX,
    AgentKey,
    Digest,
    Identifier,
    Kind,
    Line,
    Problem,
    Reason,
    Slug,
    Status,
    Wire,
)
from agent.wire.hosts import (
    Caution,
    GameReport,
    Heartbeat,
    HeartbeatAnswer,
    HostMetrics,
    OnlinePlayer,
    PairAnswer,
    PairRequest,
    Ports,
    ServerList,
    ServerReport,
    ServerSpec,
    Variable,
)
from agent.wire.jobs import (
    PHASES,
    CancelsAnswer,
    CancelsRequest,
    ClaimAnswer,
    ClaimedJob,
    ClaimRequest,
    JobParams,
    Progress,
    ProgressAnswer,
    Result,
    ResultAnswer,
    Step,
)
from agent.wire.mods import ModFound, ModList
from agent.wire.params import (
    Announce,
    ConsoleCommand,
    Params,
    PlayerKick,
    ServerCreate,
    ServerKill,
    ServerRemove,
    ServerRestart,
    ServerStart,
    ServerStop,
)
from agent.wire.records import LogRecord, Records, RecordsAnswer, RecordsExpected
from agent.wire.saves import DROPS_MAX, SaveBackup, SaveBackupResult
from agent.wire.wishes import BanItem, BanReceipt, BanSync, BanSyncResult, Identity, ModInstall, ModInstallResult

__all__ = [
    "ARTIFACT_MAX",
    "BAN_ITEMS_MAX",
    "CONSOLE_LINE_MAX",
    "DROPS_MAX",
    "MESSAGE_BYTES",
    "OUTPUT_MAX",
    "PHASES",
    "RECORDS_BYTES",
    "RECORDS_MAX",
    "TIMEOUT_MAX",
    "AgentKey",
    "Announce",
    "BanItem",
    "BanReceipt",
    "BanSync",
    "BanSyncResult",
    "CancelsAnswer",
    "CancelsRequest",
    "Caution",
    "ClaimAnswer",
    "ClaimRequest",
    "ClaimedJob",
    "ConsoleCommand",
    "Digest",
    "GameReport",
    "Heartbeat",
    "HeartbeatAnswer",
    "HostMetrics",
    "Identifier",
    "Identity",
    "JobParams",
    "Kind",
    "Line",
    "LogRecord",
    "ModFound",
    "ModInstall",
    "ModInstallResult",
    "ModList",
    "OnlinePlayer",
    "PairAnswer",
    "PairRequest",
    "Params",
    "PlayerKick",
    "Ports",
    "Problem",
    "Progress",
    "ProgressAnswer",
    "Reason",
    "Records",
    "RecordsAnswer",
    "RecordsExpected",
    "Result",
    "ResultAnswer",
    "SaveBackup",
    "SaveBackupResult",
    "ServerCreate",
    "ServerKill",
    "ServerList",
    "ServerRemove",
    "ServerReport",
    "ServerRestart",
    "ServerSpec",
    "ServerStart",
    "ServerStop",
    "Slug",
    "Status",
    "Step",
    "Variable",
    "Wire",
]
