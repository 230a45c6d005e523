"""How the job of a plan ended, written down on the plan in the transaction of the end."""

from collections.abc import Mapping
from typing import Any, Final

from bot import clock
from bot.domain import power as rules
from bot.services import power_telling
from db.queries import cards, power
from db.queries.jobs import LockedJob
from db.queries.power import PlanRow
from db.uow import Tx

_ENDS: Final = {"success": "done", "failed": "done", "cancelled": "cancelled", "expired": "expired"}


async def job_ended(tx: Tx, job: LockedJob, status: str, *, reason: str, result: Mapping[str, Any] | None) -> None:
    """A stop or restart has ended, and with it the plan that it is of, if any."""
    plan = await power.of_job(tx.session, job.id) if status in _ENDS else None
    if plan is None:
        return
    if status == "cancelled" and job.status in ("held", "queued"):
        await _silence(tx, plan, job)
    else:
        await power_telling.show_job(tx, plan, job.id)
    await power_telling.close(tx, plan, _ENDS[status], "" if status == "success" else reason)


async def _silence(tx: Tx, plan: PlanRow, job: LockedJob) -> None:
    """Somebody has cancelled the job itself: its countdown must not go on without it."""
    announcements = await power.hold_chain(tx.session, job.id)
    await power.silence(tx.session, announcements, clock.now())
    server = await cards.server(tx.session, job.org_id, server_id=plan.server_id)
    await power_telling.tell(tx, server, rules.called_off(plan.action))
