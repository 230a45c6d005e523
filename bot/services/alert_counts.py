"""Counts the lines that log rules look for, in the transaction that stores the lines."""

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from bot.domain.alert_conditions import LogKeyword, read
from bot.services.log_matching import Matcher, matcher
from db.queries import alert_counts
from db.queries.alert_counts import KeywordRule
from db.uow import Tx

log = logging.getLogger(__name__)

BUCKET: Final = 10
"""Seconds."""


async def count(tx: Tx, org_id: UUID, server_id: UUID, lines: Sequence[tuple[datetime, str]]) -> None:
    """Counts lines (time, message) for the rules of their server. Call it once for lines that are stored once."""
    if not lines:
        return
    counts: Counter[tuple[UUID, datetime]] = Counter()
    for rule in await alert_counts.rules(tx.session, org_id, server_id):
        if matches := _matcher(rule):
            counts.update((rule.id, bucket(at)) for at, message in lines if matches(message))
    if counts:
        await alert_counts.add(tx.session, org_id, server_id, counts)


def bucket(at: datetime) -> datetime:
    """The begin of the ten seconds that a time lies in."""
    return datetime.fromtimestamp(at.timestamp() // BUCKET * BUCKET, UTC)


def _matcher(rule: KeywordRule) -> Matcher | None:
    try:
        condition = read("log_keyword", rule.condition)
        return matcher(condition) if isinstance(condition, LogKeyword) else None
    except ValueError as error:
        log.warning("rule %s counts nothing: %s", rule.id, error)  # the evaluation writes it on the rule
        return None
