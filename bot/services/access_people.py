"""Members as an option of a command describes them: no privileged intent is needed."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot import clock
from bot.domain.access import Grants
from bot.domain.actors import Actor, Caller
from db.queries import access, access_show, identity
from db.uow import Tx


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who was chosen in a command."""

    discord_id: int
    username: str
    display_name: str
    role_ids: frozenset[int] = frozenset()
    """Discord roles, @everyone (the guild's own id) included; none: they have left."""
    break_glass: bool = False
    """Guild owner or Discord Administrator."""


async def known(tx: Tx, person: Person) -> UUID:
    """Their id here; who has never used the bot gets one."""
    seen = Caller(user_id=person.discord_id, username=person.username, display_name=person.display_name)
    user_id = await identity.upsert_user(tx.session, seen, clock.now())
    await identity.upsert_member(tx.session, tx.actor.org, user_id, clock.now())
    return user_id


async def grants_of(session: AsyncSession, org_id: UUID, person: Person, now: datetime) -> Grants:
    """Everything that decides what they may do, as it is now."""
    user_id = await access_show.user(session, person.discord_id)
    found = await access.load(session, org_id, user_id, person.role_ids, now=now)
    return replace(found, break_glass=person.break_glass)


def is_self(actor: Actor, person: Person) -> bool:
    return actor.discord_id == person.discord_id
