"""What the end of a MOD_INSTALL says about the deployment that it was made for."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from agent import wire
from bot import clock
from db.queries import mods_deployments
from db.queries.jobs import LockedJob
from db.uow import Tx

_OPEN: Final = frozenset({"pending", "running"})
_LONGEST: Final = 1000


async def job_ended(tx: Tx, job: LockedJob, status: str, *, reason: str, result: Mapping[str, Any] | None) -> None:
    """Installed: active, and what was there before is superseded or rolled back. Anything else: failed, and what was
    there before stays. A result that comes late counts as long as no newer version of the mod got there."""
    if status == "queued":
        return
    found = await mods_deployments.lock(tx.session, job.id)
    if found is None or not (found.status in _OPEN or (found.status == "failed" and not found.overtaken)):
        return
    install = result_of(result)
    if status == "success" and install is not None and install.state == "installed":
        replaced = "rolled_back" if found.action == "rollback" else "superseded"
        await mods_deployments.replace(tx.session, found, replaced)
        await mods_deployments.end(tx.session, found.id, "active", None, clock.now())
        return
    await mods_deployments.end(tx.session, found.id, "failed", _why(status, reason, install), clock.now())


def result_of(result: Mapping[str, Any] | None) -> wire.ModInstallResult | None:
    """What the host reported; None: nothing, or nothing that this version can read."""
    if not result:
        return None
    try:
        return wire.ModInstallResult.model_validate(dict(result))
    except ValidationError:
        return None


def _why(status: str, reason: str, install: wire.ModInstallResult | None) -> str:
    words = (install.detail if install else "") or reason
    if install is None and status == "success":
        words = "the host did not say whether the game took it"
    return (words or status)[:_LONGEST]
