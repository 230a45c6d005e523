"""Puts the rows in place that the code takes for granted. Doing it again changes nothing."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot import clock
from bot.domain.alert_conditions import DEFAULTS, stored
from bot.domain.permissions import PERMISSIONS, PRESETS
from db.queries import alert_rules
from db.queries import seed as statements
from db.queries.partitions import ensure_partitions

Games = Mapping[str, tuple[str, Sequence[str]]]
"""Slug of a game template -> its name and what it can do."""


async def seed(session: AsyncSession, games: Games) -> None:
    """Permissions, games, the partitions of the coming week, and alert rules for orgs older than those."""
    now = clock.now()
    await session.execute(
        statements.PERMISSIONS,
        {"names": list(PERMISSIONS), "descriptions": list(PERMISSIONS.values()), "now": now},
    )
    for slug, (name, capabilities) in games.items():
        await session.execute(
            statements.GAME, {"slug": slug, "name": name, "capabilities": list(capabilities), "now": now}
        )
    await ensure_partitions(session, now.date())
    await ensure_rules(session)


async def ensure_rules(session: AsyncSession, org_id: UUID | None = None) -> None:
    """Gives an org, or every org, its first alert rules where it has none. They wait for an alerts channel."""
    rules = [(name, kind, stored(condition)) for name, kind, condition in DEFAULTS]
    await alert_rules.defaults(session, org_id, rules, clock.now())


async def instantiate_presets(session: AsyncSession, org_id: UUID) -> None:
    """Gives an org the stored presets with their permissions; presets that it has already stay as it edited them."""
    granted = [(preset.name, permission) for preset in PRESETS for permission in sorted(preset.permissions)]
    await session.execute(
        statements.PRESETS,
        {
            "org": org_id,
            "names": [preset.name for preset in PRESETS],
            "descriptions": [preset.description for preset in PRESETS],
            "priorities": [preset.priority for preset in PRESETS],
            "roles": [role for role, _ in granted],
            "permissions": [permission for _, permission in granted],
            "now": clock.now(),
        },
    )
