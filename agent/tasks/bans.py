"""BAN_SYNC."""

from collections import Counter

from agent import wire
from agent.runtime.server import GameServer, Report
from agent.tasks.ending import Ending


async def sync(server: GameServer, params: wire.BanSync, report: Report, seconds: float) -> Ending:
    """Bring the game's own list of bans to what is wanted. The receipts say what became of each."""
    receipts = await server.sync_bans(params.items, report, seconds)
    counted = Counter(one.outcome for one in receipts)
    output = ", ".join(f"{number} {outcome}" for outcome, number in counted.items())
    return Ending("success", output=output, result=wire.BanSyncResult(receipts=receipts).dump())
