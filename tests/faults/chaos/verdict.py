"""What must hold when all is over. Every sentence that is returned is a defect, or a wrong expectation."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from bot.domain.jobs import FINAL
from tests.faults.chaos.realm import Realm, Server

_JOBS: Final = """
    select j.id, j.number, j.type, j.status, j.server_instance_id as server, j.max_attempts,
           coalesce(j.payload->>'text', substr(j.payload->>'command', 4)) as word,
           j.finished_at is not null as finished,
           array(select r.status from job_runs r where r.job_id = j.id order by r.attempt) as runs,
           array(select r.attempt from job_runs r where r.job_id = j.id order by r.attempt) as attempts,
           array(select r.started_at is not null from job_runs r where r.job_id = j.id order by r.attempt) as started
      from jobs j order by j.number"""
_AUDITED: Final = "select actor_type, action, details from audit_logs where outcome = 'success'"
_ENDS: Final = ("job.finish", "job.lost", "job.expire")
_WORDS: Final = {"success": "done"}
_RUNS_OF: Final = {
    "success": {"success"},
    "failed": {"failed", "lost"},
    "cancelled": {"cancelled", None},
    "expired": {None, "failed", "lost"},
}
"""Status of a job -> what its newest run may be; None: it has none."""


@dataclass(frozen=True)
class Job:
    """A job as the database has it in the end."""

    id: UUID
    number: int
    type: str
    status: str
    server: UUID
    max_attempts: int
    word: str | None
    finished: bool
    runs: list[str]
    attempts: list[int]
    started: list[bool]

    def __str__(self) -> str:
        return f"J-{self.number} {self.type} ({self.status}, runs {self.runs}, word {self.word})"


def ledger(server: Server) -> list[str]:
    """What reached its game, oldest first."""
    return server.ledger.read_text().splitlines() if server.ledger.exists() else []


async def unended(realm: Realm) -> list[str]:
    """Jobs that have no end yet, and what is owed to Discord."""
    jobs = [Job(*row) for row in await realm.rows(_JOBS)]
    owed = await realm.rows(
        "select id, op, status, next_attempt_at, locked_until, last_error from notification_jobs"
        " where status in ('pending', 'processing') order by id"
    )
    return [*(f"{job} goes on" for job in jobs if job.status not in FINAL), *(f"owed: {row}" for row in owed)]


async def verdict(realm: Realm) -> list[str]:
    """All that is wrong."""
    jobs = [Job(*row) for row in await realm.rows(_JOBS)]
    ledgers = {server.id: ledger(server) for server in realm.servers}
    return [
        *_records(jobs),
        *_words(jobs, [line for lines in ledgers.values() for line in lines]),
        *_starts(jobs, ledgers),
        *_audit(jobs, await realm.rows(_AUDITED)),
        *_messages(realm, jobs, await realm.rows("select op, status, last_error from notification_jobs")),
    ]


def _records(jobs: Iterable[Job]) -> Iterator[str]:
    """Jobs and runs agree with each other and with the table of transitions."""
    for job in jobs:
        if job.status not in FINAL or not job.finished:
            yield f"{job} has no end"
        elif not _fits(job):
            yield f"{job} ended otherwise than its runs"
        if set(job.runs) & {"claimed", "running"}:
            yield f"{job} has a run that was left over"
        if len(job.runs) > job.max_attempts or job.runs.count("success") > 1:
            yield f"{job} was tried too often"
        if job.attempts != list(range(1, len(job.attempts) + 1)):
            yield f"{job} has attempts {job.attempts}"


def _fits(job: Job) -> bool:
    """As its newest run did; or an earlier one, given up before it, has said late that it was done all the same."""
    newest = job.runs[-1] if job.runs else None
    return newest in _RUNS_OF[job.status] or (newest == "lost" and job.status in job.runs)


def _words(jobs: Iterable[Job], lines: Iterable[str]) -> Iterator[str]:
    """A word reached its game once where its job succeeded, at most once where nobody knows, else never."""
    heard = Counter(line.split()[1] for line in lines if line.startswith(("do ", "say ")))
    for job in jobs:
        if job.word is None:
            continue
        times = heard.pop(job.word, 0)
        unsure = {"lost", "cancelled"} & set(job.runs)
        allowed = {1} if job.status == "success" else {0, 1} if unsure else {0}
        if times not in allowed:
            yield f"{job} reached its game {times} times"
    for word, times in heard.items():
        yield f"{word} reached a game {times} times, and no job has it"


def _starts(jobs: Iterable[Job], ledgers: dict[UUID, list[str]]) -> Iterator[str]:
    """A game was started as often as jobs say, and by each job whose end nobody knows at most once more."""
    known: dict[UUID, int] = defaultdict(int)
    unsure: dict[UUID, int] = defaultdict(int)
    for job in jobs:
        if job.type in ("SERVER_START", "SERVER_RESTART"):
            known[job.server] += job.status == "success"
            unsure[job.server] += job.status != "success" and any(job.started)
        elif job.type == "SERVER_STOP":
            unsure[job.server] += "lost" in job.runs
    for server, lines in ledgers.items():
        starts = lines.count("start")
        if not known[server] <= starts <= known[server] + unsure[server]:
            yield f"server {server} was started {starts} times; {known[server]} jobs did, {unsure[server]} may have"
        if "twice" in lines:
            yield f"server {server} had two games at once"


def _audit(jobs: Iterable[Job], rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    """One row says who asked, and at least one how it ended: a run that was given up may have a result later."""
    told: dict[int, Counter[str]] = defaultdict(Counter)
    for kind, action, details in rows:
        asked = kind == "user" and action != "job.cancel"
        for number in (details.get("number"), *details.get("numbers", ())):
            told[number]["asked" if asked else action] += 1
        for number in details.get("followers", ()):
            told[number]["passed on"] += 1
    for job in jobs:
        rows_of = told[job.number]
        if rows_of["asked"] != 1:
            yield f"{job} has {rows_of['asked']} rows that say who asked for it"
        if not any(rows_of[end] for end in _ENDS) and job.status != "cancelled":
            yield f"{job} has no row that says how it ended: {rows_of}"
        if job.status == "cancelled" and not rows_of["job.cancel"] + rows_of["passed on"]:
            yield f"{job} has no row that says who cancelled it: {rows_of}"
        if any(rows_of[end] > max(1, len(job.runs)) for end in _ENDS):
            yield f"{job} has too many rows about its end: {rows_of}"


def _messages(realm: Realm, jobs: Iterable[Job], rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    """Nothing is owed, and each job's one message shows its end."""
    for op, status, error in rows:
        if status not in ("sent", "skipped"):
            yield f"a {op} was left {status}: {error}"
    cards: dict[str, list[str]] = defaultdict(list)
    for channel in realm.discord.guild.channels:
        for message in realm.discord.messages(channel):
            if "`J-" in message.text:
                cards[message.text.partition("`J-")[2].partition("`")[0]].append(message.text)
    for job in jobs:
        shown = cards[str(job.number)]
        if len(shown) != 1 or f"· **{_WORDS.get(job.status, job.status)}**" not in shown[0]:
            yield f"{job} is shown by {len(shown)} messages: {shown}"
