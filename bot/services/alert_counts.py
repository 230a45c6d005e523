"""Counts the lines that log rules look for, in the transaction that stores the lines."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from bot import clock
from bot.domain.alert_conditions import LogKeyword, read
from bot.services import alert_endings
from bot.services.log_matching import TooSlow, matching
from db.queries import alert_counts, alert_rules
from db.queries.alert_counts import KeywordRule
from db.uow import Tx

log = logging.getLogger(__name__)

BUCKET: Final = 10
"""Seconds."""


async def count(tx: Tx, org_id: UUID, server_id: UUID, lines: Sequence[tuple[datetime, str]]) -> None:
    """Counts lines (time, message) for the rules of their server. Call it once for lines that are stored once."""
    if not lines:
        return
    rules = await alert_counts.rules(tx.session, org_id, server_id)
    if not rules:
        return
    counts, slow = await asyncio.to_thread(_counted, rules, lines)
    if counts:
        await alert_counts.add(tx.session, org_id, server_id, counts)
    if slow:
        await _stop(tx, slow)


def bucket(at: datetime) -> datetime:
    """The begin of the ten seconds that a time lies in."""
    return datetime.fromtimestamp(at.timestamp() // BUCKET * BUCKET, UTC)


def _counted(
    rules: Sequence[KeywordRule], lines: Sequence[tuple[datetime, str]]
) -> tuple[Counter[tuple[UUID, datetime]], list[KeywordRule]]:
    """The counts, and the rules that took too long."""
    counts: Counter[tuple[UUID, datetime]] = Counter()
    slow: list[KeywordRule] = []
    for rule in rules:
        try:
            condition = read("log_keyword", rule.condition)
            if isinstance(condition, LogKeyword):
                counts.update((rule.id, bucket(at)) for at in matching(condition, lines))
        except TooSlow:
            slow.append(rule)
        except ValueError as error:
            log.warning("rule %s counts nothing: %s", rule.id, error)  # the evaluation writes it on the rule
    return counts, slow


async def _stop(tx: Tx, slow: Sequence[KeywordRule]) -> None:
    """Other guilds' lines wait while one rule takes its time: it is off until somebody switches it on again."""
    for rule in slow:
        await alert_rules.stop(tx.session, tx.actor.org, rule.id, "it took too long and was switched off", clock.now())
        await alert_endings.rule_ends(tx, rule.id, "its rule took too long and was switched off")
    tx.audit("alert.stop", resource=("org", tx.actor.org), rules=[str(rule.id) for rule in slow], why="took too long")
