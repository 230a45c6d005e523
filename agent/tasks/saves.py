"""SAVE_BACKUP."""

from agent import wire
from agent.runtime.server import GameServer, Report
from agent.tasks.ending import Ending


async def backup(server: GameServer, params: wire.SaveBackup, report: Report) -> Ending:
    """Pack what the game has saved."""
    result = await server.backup(params, report)
    files = "1 file" if result.files == 1 else f"{result.files:,} files"
    meanwhile = f", {result.changed:,} of which changed meanwhile" if result.changed else ""
    return Ending(
        "success", output=f"Packed {files}{meanwhile}, and read them back: {_size(result)}.", result=result.dump()
    )


def _size(result: wire.SaveBackupResult) -> str:
    return f"{result.size_bytes / 2**20:,.1f} MiB"
