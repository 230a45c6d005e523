"""The settings of an org: columns of its row."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.settings import SETTINGS, Value

_COLUMNS: Final = ", ".join(SETTINGS)  # names from our own list, never from what somebody typed

_ALL = text(f"/* config.all */ select {_COLUMNS} from orgs where id = :org")

_LOCKED = text(f"/* config.locked */ select {_COLUMNS} from orgs where id = :org for no key update")

_ZONE = text("/* config.zone */ select timezone from orgs where id = :org")

_SET: Final = {
    key: text(f"/* config.set */ update orgs set {key} = :value, updated_at = :now where id = :org") for key in SETTINGS
}


async def values(session: AsyncSession, org_id: UUID, *, lock: bool = False) -> dict[str, Value]:
    """Setting -> its value; `lock`: nobody else changes one before this transaction ends."""
    found = await session.execute(_LOCKED if lock else _ALL, {"org": org_id})
    return dict(found.mappings().one())


async def zone(session: AsyncSession, org_id: UUID) -> str:
    """The time zone of the community's clock, by its IANA name."""
    return (await session.execute(_ZONE, {"org": org_id})).scalar_one()


async def change(session: AsyncSession, org_id: UUID, key: str, value: Value, now: datetime) -> None:
    await session.execute(_SET[key], {"org": org_id, "value": value, "now": now})
