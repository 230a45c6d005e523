"""Cards of the audit log, for the tests of cards."""

from collections.abc import Iterable
from dataclasses import replace
from io import BufferedRandom, BytesIO
from typing import cast

import discord

from bot.services.attachments import Attachment
from bot.services.audit import AuditPage, DeniedPage
from bot.services.audit_export import Export
from bot.ui import audit
from db.queries.audit import Filter, Refused
from tests.bot.ui import samples


def audit_cards(name: str) -> Iterable[discord.ui.LayoutView]:
    full = samples.audit_page(name)
    yield audit.page_card(full)
    yield audit.page_card(replace(full, first=False))
    yield audit.page_card(AuditPage([], Filter(), None))
    for outcome in ("success", "denied", "failed"):
        yield audit.entry_card(samples.entry(name, outcome=outcome))
        yield audit.entry_card(samples.bare_entry(outcome=outcome))
        yield audit.live_card([samples.entry(name, outcome=outcome), samples.bare_entry(outcome=outcome)] * 5, 7)
    yield audit.entry_card(samples.entry(name, details={"output": samples.OUTPUT}))
    refusals = [samples.entry(name, outcome="denied", guild=name)] * 10
    yield audit.own_card(replace(full, rows=refusals))
    yield audit.own_card(AuditPage([], Filter(), None))
    yield audit.denied_card(DeniedPage(replace(full, rows=refusals), [Refused(name, 10_000)] * 5))
    yield audit.denied_card(DeniedPage(AuditPage([], Filter(), None), []))
    file = Attachment("audit-2026-11-21.csv.gz", cast("BufferedRandom", BytesIO()), 2**24)
    yield audit.export_card(Export(file, 1_234_567, samples.LONG_AGO, samples.NOW))
    yield audit.export_card(Export(file, 0, None, samples.NOW))
