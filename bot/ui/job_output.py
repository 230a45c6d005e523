"""What the game said during a job: the tail of it on the job's card, the whole as a file."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import discord

from agent.wire import OUTPUT_MAX
from bot.errors import NotFound
from bot.ui import mods
from bot.ui.cards import Colour, card
from bot.ui.texts import block, is_cut, job_number

if TYPE_CHECKING:
    from db.queries.cards import JobCard


def said(job: JobCard, *, public: bool) -> str:
    """The game's own words, as far as they fit on a card; in a public place none, they may name addresses."""
    if job.type == "MOD_INSTALL":
        return mods.outcome(job.result, besides=job.error or "", public=public)
    return block(job.output or "") if is_there(job) and not public else ""


def is_there(job: JobCard) -> bool:
    """Whether there are such words. What a host says about a server's process is a sentence of its own."""
    if job.type == "MOD_INSTALL":
        return mods.has_words(job.result)
    return bool(job.output and job.output.strip()) and not job.type.startswith("SERVER_")


def has_more(job: JobCard) -> bool:
    """Whether the card leaves something of it out."""
    if job.status not in ("success", "failed", "cancelled"):
        return False
    if job.type == "MOD_INSTALL":
        return mods.is_cut(job.result)
    return is_there(job) and is_cut(job.output or "")


def file_card(job: JobCard) -> tuple[discord.ui.LayoutView, discord.File]:
    """The whole output as a file, and the card that shows it.

    Raises:
        NotFound: the job has none.
    """
    text = mods.whole(job.result) if job.type == "MOD_INSTALL" else job.output or ""
    if not text.strip():
        raise NotFound(f"{job_number(job.number)} has no output.", "`/job show` says how it ended.")
    name = f"{job_number(job.number)}.txt"
    shown = card(
        Colour.IDLE,
        f"### Output of {job_number(job.number)}",
        discord.ui.File(f"attachment://{name}"),
        f"-# What the host kept of it: at most its last {OUTPUT_MAX >> 10} KiB.",
    )
    return shown, discord.File(BytesIO(text.encode(errors="replace")), name)
