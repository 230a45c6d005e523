"""Puts the rows in place that the code takes for granted. Doing it again changes nothing."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot import clock
from bot.domain.permissions import PERMISSIONS, PRESETS
from db.queries import seed as statements
from db.queries.partitions import ensure_partitions

Games = Mapping[str, tuple[str, Sequence[str]]]
"""Slug of a game template -> its name and what it can do."""


async def seed(session: AsyncSession, games: Games) -> None:
    """Permissions, games, and the partitions of the coming week. Nothing else: an org brings its own."""
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
