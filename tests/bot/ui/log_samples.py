"""Lines of games' logs and outputs of jobs, for the tests of cards."""

from collections.abc import Iterable
from dataclasses import replace

import discord

from bot.services.log_search import MOST, LogPage
from bot.ui import job_output, logs
from db.queries.logs import FoundLine
from tests.bot.ui import samples


def log_cards(name: str) -> Iterable[discord.ui.LayoutView]:
    levels = ("debug", "info", "warn", "error", "info")
    found = [FoundLine(2**40, samples.NOW, level, f"{name} {samples.OUTPUT}"[:16_384]) for level in levels] * 2
    page = LogPage(samples.server(name), (name * 30)[:MOST], samples.LONG_AGO, found, more=True)
    yield logs.page_card(page)
    yield logs.page_card(replace(page, more=False))
    yield logs.page_card(replace(page, rows=[], more=False))
    for kind in ("CONSOLE_COMMAND", "MOD_INSTALL"):
        job = samples.job(name, type=kind, status="failed", result=samples.installed(name, "rolled_back"))
        shown, file = job_output.file_card(job)
        file.close()
        yield shown
