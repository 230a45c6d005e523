"""The end of a run as its host reports it.

Console commands, announcements and kicks go to hundreds of servers at once and come back together. Their ends change
nothing but run and job, so those that arrive while others are being written share one transaction. The end of any other
run (a server changes with it, jobs wait for it, it came late or is tried again) has a transaction of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from agent import wire
from bot import clock
from bot.domain.actors import system
from bot.domain.job_states import correctable
from bot.domain.jobs import Verdict, after_run
from bot.domain.outcomes import desired_when_ended, status_when_ended
from bot.errors import Conflict, NotFound
from bot.services import batches_tending
from bot.services.agents import HostIdentity
from bot.services.jobs_effects import effects_of
from bot.services.jobs_ending import end
from db.engine import Database
from db.groups import GroupWriter
from db.queries import audit_write, job_ends, job_runs, jobs
from db.queries.audit_write import Row
from db.queries.job_ends import End, OpenRun
from db.queries.job_runs import LockedRun
from db.queries.jobs import LockedJob
from db.uow import Tx

_RUN_STATUS: Final = {"success": "success", "failed": "failed", "cancelled": "cancelled", "unknown": "lost"}
_LONGEST_MS: Final = 2**31 - 1


@dataclass(frozen=True)
class _Report:
    host: HostIdentity
    run_id: UUID
    result: wire.Result


class Finishing:
    """Writes ends of runs, the plain ones together. Run, job, event, message and audit row are one transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._plain = GroupWriter(self._write_plain)

    async def finish(self, host: HostIdentity, run_id: UUID, result: wire.Result) -> bool:
        """True: written now; False: the run was over.

        Raises:
            NotFound: not a run of this host.
            Conflict: the claim token is stale.
        """
        report = _Report(host, run_id, result)
        return await self._plain.add(report) or await self._write(report)

    # ---------------------------------------------------------------------------------------------------- together

    async def _write_plain(self, reports: Sequence[_Report]) -> list[bool]:
        """Of each report whether it is written; the others are neither refused nor accepted yet."""
        async with self._db.uow(system("job.finish")) as tx:
            found = await job_ends.open_runs(tx.session, [report.run_id for report in reports])
            ends: dict[UUID, End] = {}
            rows: dict[UUID, Row] = {}
            for report in reports:
                run = found.get(report.run_id)
                if run and run.run_id not in ends and (ended := _plain_end(report, run)):
                    ends[run.run_id], rows[run.run_id] = ended, _row(report, run, ended)
            written = await job_ends.write(tx.session, list(ends.values()), clock.now()) if ends else set[UUID]()
            if written:
                await audit_write.write_many(tx.session, [rows[run_id] for run_id in ends if run_id in written])
            await batches_tending.jobs_ended(
                tx, {run.batch_id: run.org_id for run in found.values() if run.run_id in written}
            )
        return [_taken(written, report.run_id) for report in reports]

    # ------------------------------------------------------------------------------------------------------- alone

    async def _write(self, report: _Report) -> bool:
        async with self._db.uow(report.host.actor) as tx:
            found = await job_runs.find(tx.session, report.host.id, report.run_id)
            job = await jobs.lock(tx.session, found[0]) if found else None  # always the job first, then its run
            run = await job_runs.lock(tx.session, report.run_id) if job else None
            if job is None or run is None:
                raise NotFound("This host has no such run.", "Forget it.")
            if run.claim_token != report.result.claim_token:
                raise Conflict("This claim is stale: the run was offered anew.", "Forget this result.")
            return await self._finish(tx, job, run, report.result)

    async def _finish(self, tx: Tx, job: LockedJob, run: LockedRun, result: wire.Result) -> bool:
        if run.status in ("success", "failed", "cancelled") or run.known:
            return False
        verdict = after_run(
            result.outcome,
            run.attempt,
            job.max_attempts,
            cancel_requested=job.cancel_requested_at is not None,
            first_wait=timedelta(seconds=job.backoff_sec),
        )
        late = run.status == "lost"
        noted = late and (not correctable(job.status) or await self._overtaken(tx, run, verdict))
        await job_runs.finish(
            tx.session,
            run.id,
            status="lost" if noted else _RUN_STATUS[result.outcome],
            duration_ms=_duration(result),
            error=result.error or verdict.reason or None,
            output=tail(result.output),
            result=result.result,
            now=clock.now(),
        )
        if noted:
            tx.audit("job.late", resource=("job", job.id), number=job.number, outcome=result.outcome)
            return False
        followers = await self._end(tx, job, run, verdict, late=late, result=result)
        details = _details(job, run.attempt, verdict.status, result)
        tx.audit("job.finish", resource=("job", job.id), **details, **({"followers": followers} if followers else {}))
        return True

    async def _overtaken(self, tx: Tx, run: LockedRun, verdict: Verdict) -> bool:
        """Whether a newer attempt is at work; one that is only offered is taken back where nobody wants it now."""
        if verdict.status != "queued":
            await job_runs.drop_newer_offer(tx.session, run)
        return await job_runs.overtaken(tx.session, run)

    async def _end(
        self, tx: Tx, job: LockedJob, run: LockedRun, verdict: Verdict, *, late: bool, result: wire.Result
    ) -> list[int]:
        if late and verdict.status == "queued":
            return []  # what was decided when the run was lost stands: a retry waits, or waited too long
        return await end(
            tx,
            job,
            verdict.status,
            reason=result.error or verdict.reason,
            run_id=run.id,
            not_before=None if verdict.retry_in is None else clock.now() + verdict.retry_in,
            result=result.result,
        )


def _plain_end(report: _Report, run: OpenRun) -> End | None:
    """How a run ends that concerns only itself; None: not this host's, a stale claim, or not only itself."""
    result = report.result
    if (run.host_id, run.claim_token) != (report.host.id, result.claim_token):
        return None
    verdict = after_run(result.outcome, run.attempt, run.max_attempts, cancel_requested=run.cancel_requested)
    server_changes = status_when_ended(run.type, verdict.status) or desired_when_ended(run.type, verdict.status)
    # those of a batch end together, too: it goes on once for all of them
    if verdict.status == "queued" or server_changes or effects_of(run.type, run.schedule_id, None):
        return None
    reason = result.error or verdict.reason
    return End(
        run_id=run.run_id,
        job_id=run.job_id,
        org_id=run.org_id,
        host_id=run.host_id,
        run_status=_RUN_STATUS[result.outcome],
        status=verdict.status,
        duration_ms=_duration(result),
        error=reason or None,
        output=tail(result.output),
        result=result.result,
        reason=reason,
        told={"number": run.number, "type": run.type, "reason": reason, "serverId": str(run.server_id or "")},
    )


def _row(report: _Report, run: OpenRun, ended: End) -> Row:
    details = _details(run, run.attempt, ended.status, report.result)
    return audit_write.row_of(report.host.actor, "job.finish", "success", resource=("job", run.job_id), details=details)


def _details(job: LockedJob | OpenRun, attempt: int, status: str, result: wire.Result) -> dict[str, Any]:
    return {
        "number": job.number,
        "type": job.type,
        "outcome": result.outcome,
        "status": status,
        "attempt": attempt,
        "serverId": str(job.server_id) if job.server_id else None,
        **({"error": result.error} if result.error else {}),
    }


def _duration(result: wire.Result) -> int:
    return min(max(result.duration_ms, 0), _LONGEST_MS)


def _taken(written: set[UUID], run_id: UUID) -> bool:
    """A result that came twice in one group is written for one of the two; the other finds the run over."""
    if run_id not in written:
        return False
    written.remove(run_id)
    return True


def tail(output: str) -> str:
    """The end of what the game said, at most `wire.OUTPUT_MAX` bytes."""
    encoded = output.encode()
    return output if len(encoded) <= wire.OUTPUT_MAX else encoded[-wire.OUTPUT_MAX :].decode(errors="ignore")
