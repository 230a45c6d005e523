"""Jobs as people follow them: steps that are edited in place, how it ended, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import discord

from agent.wire import PHASES, Step
from bot.domain.jobs import JOBS, PARTS, JobType
from bot.domain.macros import filled
from bot.domain.words import safe
from bot.ui import job_output, mods
from bot.ui.cards import Button, Colour, card, everything, row
from bot.ui.texts import ago, at, block, job_number, span

if TYPE_CHECKING:
    from db.queries.cards import JobCard

_TITLES: Final = {
    "SERVER_CREATE": "Create",
    "SERVER_REMOVE": "Remove",
    "SERVER_START": "Start",
    "SERVER_STOP": "Stop",
    "SERVER_RESTART": "Restart",
    "SERVER_KILL": "Kill",
    "CONSOLE_COMMAND": "Console",
    "ANNOUNCE": "Announcement",
    "PLAYER_KICK": "Kick",
    "BAN_SYNC": "Bans",
    "MOD_INSTALL": "Deploy",
    "SAVE_BACKUP": "Backup",
}
_STEPS: Final = {
    Step.STARTED: "Taken by the host",
    Step.PREPARING: "Prepare",
    Step.WRITING: "Write files",
    Step.SAVING: "Save",
    Step.STOPPING: "Stop",
    Step.STARTING: "Start",
    Step.WAITING_READY: "Ready",
    Step.SENDING: "Send",
    Step.VERIFYING: "Verify",
    Step.REMOVING: "Remove",
    Step.APPLYING: "Apply",
    Step.DOWNLOADING: "Download",
    Step.UNPACKING: "Unpack",
    Step.SWAPPING: "Swap",
    Step.ROLLING_BACK: "Roll back",
    Step.PACKING: "Pack",
}
_STATES: Final = {
    "held": (Colour.IDLE, "waits for the job before it"),
    "queued": (Colour.BUSY, "waiting"),
    "running": (Colour.BUSY, "running"),
    "success": (Colour.GOOD, "done"),
    "failed": (Colour.BAD, "failed"),
    "cancelled": (Colour.IDLE, "cancelled"),
    "expired": (Colour.WARN, "expired"),
}
_RESTART: Final = frozenset({Step.STOPPING, Step.STARTING, Step.WAITING_READY})
"""Steps that a job leaves out whose result says that nothing was restarted."""
LIVE: Final = frozenset({"held", "queued", "running"})


def title(job: JobCard) -> str:
    """`Restart · EU #1`."""
    return " · ".join(filter(None, [_TITLES.get(job.type, job.type), safe(job.server_name or job.host_name or "")]))


def state_words(job: JobCard) -> str:
    """The state in words: `running`, `failed` …"""
    return "waits for its turn" if job.batch and job.status == "held" else _STATES[job.status][1]


def line(job: JobCard) -> str:
    """One row of a list."""
    return (
        f"`{job_number(job.number)}` **{title(job)}** · {state_words(job)} · {ago(job.finished_at or job.created_at)}"
        + (f" · `W-{job.batch}`" if job.batch else "")
    )


def progress_card(
    job: JobCard, mark: int | None = None, *, public: bool = False, may: Callable[[str], bool] = everything
) -> discord.ui.LayoutView:
    """The message of a job, from waiting to its end. In a public place what the game said, which may name addresses,
    is behind a button for staff. `may`: of the only reader, where there is one."""
    colour, words = _STATES[job.status][0], state_words(job)
    who = f" · by {safe(job.author)}" if job.author else ""
    who = f" · by the schedule {safe(job.schedule)}" if job.schedule else who
    who += f" · part of `W-{job.batch}`" if job.batch else ""
    who += f" · macro {safe(job.macro)}" if job.macro else ""
    head = f"### {title(job)}\n`{job_number(job.number)}` · **{words}**{who} · {ago(job.created_at)}"
    return card(
        colour,
        head,
        _subject(job),
        _steps(job),
        _outcome(job, public=public),
        *_buttons(job, may, public=public),
        mark=mark,
    )


def _subject(job: JobCard) -> str:
    """What is sent or who is concerned, where the title does not say it."""
    match job.type:
        case "CONSOLE_COMMAND":
            return block(filled(str(job.params.get("command", "")), job.params.get("values", {})), 520)
        case "ANNOUNCE":
            return f"> {safe(str(job.params.get('text', '')), 520)}"
        case "PLAYER_KICK":
            return f"**{safe(str(job.params.get('name', '')))}** · {safe(str(job.params.get('reason', '')), 200)}"
        case "MOD_INSTALL":
            return mods.subject(job.params)
        case _:
            return ""


def _steps(job: JobCard) -> str:
    if job.status in ("held", "queued", "expired", "cancelled") and not job.started_at:
        return ""
    result = job.result or {}
    phases = [step for step in PHASES.get(job.type, ()) if step not in _RESTART or result.get("restarted") is not False]
    back = "✓ Roll back" if result.get("state") == "rolled_back" else ""
    if job.status == "running" and job.phase == Step.ROLLING_BACK:
        back = "▸ **Roll back**"
    reached = phases.index(Step(job.phase)) if job.phase and Step(job.phase) in phases else -1
    marks = [_mark(job, step, place, len(phases) - 1 if back else reached, back) for place, step in enumerate(phases)]
    return "   ".join([*marks, back] if back else marks)


def _mark(job: JobCard, step: Step, place: int, reached: int, back: str) -> str:
    if job.status == "success" or place < reached:
        return f"✓ {_STEPS[step]}"
    if place > reached:
        return f"○ {_STEPS[step]}"
    return f"{'▸' if job.status == 'running' and not back else '✗'} **{_STEPS[step]}**"


def _outcome(job: JobCard, *, public: bool) -> str:
    took = f" It took {span(timedelta(milliseconds=job.duration_ms))}." if job.duration_ms is not None else ""
    if job.cancel_requested_at and job.status == "success":
        took += " It was too late to cancel it."
    output = job_output.said(job, public=public)
    match job.status:
        case "queued" | "held":
            return _waiting(job)
        case "running":
            cancelling = "Cancelling …" if job.cancel_requested_at else ""
            return "\n".join(filter(None, [cancelling, safe(job.message or "", 300)]))
        case "success":
            if job.type.startswith(("SERVER_", "SAVE_")):  # a sentence of the agent, not words of the game
                return f"{safe(job.output or '', 300) or 'Done.'}{took}"
            return "\n".join(filter(None, [f"Done.{took}", output]))
        case "expired":
            late = "did not begin it in time" if job.host_online else "did not come back in time"
            return f"**{safe(job.host_name)}** {late}, so this was not done." if job.host_name else "Not done."
        case _:
            return "\n".join(filter(None, [f"{safe(job.error or '', 400)}{took}", output]))


def _waiting(job: JobCard) -> str:
    if not job.host_online and job.host_name:
        since = f"offline since {ago(job.host_offline_since)}" if job.host_offline_since else "not connected yet"
        until = f" and expires {ago(job.expires_at)}" if job.expires_at else " until it is back"
        return f"**{safe(job.host_name)}** is {since}. This waits{until}."
    if job.behind:
        return f"`{job_number(job.behind)}` is under way on this server: this begins when it has ended."
    retry = f"Attempt {job.attempt + 1} of {job.max_attempts}. {safe(job.error or '', 300)}" if job.attempt else ""
    return retry or (f"Starts {ago(job.not_before)} ({at(job.not_before)})." if job.not_before > job.created_at else "")


def _buttons(job: JobCard, may: Callable[[str], bool], *, public: bool) -> list[discord.ui.Item[discord.ui.LayoutView]]:
    buttons: list[Button] = []
    known = job.type in JobType.__members__  # else it is of a later version: pressing says what is missing
    change = may("jobs.cancel") and (not known or may(JOBS[JobType(job.type)].permission))
    if change and job.status in LIVE and not job.cancel_requested_at:
        buttons.append(Button("Cancel", "job.cancel", (job.number,)))
    if change and job.status in ("failed", "expired", "cancelled") and job.type not in PARTS and not job.archived:
        buttons.append(Button("Retry", "job.retry", (job.number,)))
    if mods.kept_edits(job.result) and job.type == "MOD_INSTALL" and may("mods.deploy"):
        buttons.append(Button("Replace edited files", "mod.force", (job.number,)))
    if public and job_output.is_there(job):
        buttons.append(Button("Output", "job.open", (job.number,)))
    if not public and job_output.has_more(job) and may("files.download"):
        buttons.append(Button("Whole output", "job.output", (job.number,)))
    if job.server_id and job.status not in LIVE and may("servers.view"):
        buttons.append(Button("Server", "server.open", (job.server_id,)))
    return [row(*buttons)] if buttons else []


def short(job: JobCard) -> str:
    """For autocompletes: `J-340 · Restart · EU #1 · running`."""
    what = _TITLES.get(job.type, job.type)
    return " · ".join(filter(None, [job_number(job.number), what, job.server_name or "", state_words(job)]))[:100]
