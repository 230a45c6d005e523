"""May the authors of schedules still do what these do? A schedule runs on when its author loses the permission; people
who look at it should know."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot import clock
from bot.domain.access import Grants
from bot.domain.actions import OF_JOB_TYPE
from bot.domain.actors import Actor
from bot.domain.jobs import JOBS
from db.engine import Database
from db.queries import access, schedules
from db.queries.schedules import ScheduleCard


@dataclass(frozen=True)
class Membership:
    """What somebody is in a guild now."""

    role_ids: frozenset[int]
    """Discord roles, @everyone (the guild's own id) included; none: they have left."""
    administrator: bool = False
    """Guild owner or Discord Administrator."""


Ask = Callable[[int, int], Awaitable[Membership | None]]
"""(guild, Discord user) -> what they are there; None: Discord does not say."""


class ScheduleAuthors:
    """Asks Discord what the authors are, and the database what that lets them do."""

    def __init__(self, db: Database, ask: Ask) -> None:
        self._db = db
        self._ask = ask

    async def unbacked(self, actor: Actor, schedules: Collection[ScheduleCard]) -> set[UUID]:
        """Those of the schedules whose author may not do any more what they do. Where Discord does not say what
        somebody is, nothing is claimed."""
        people = {one.author_id: one.author_discord_id for one in schedules if one.author_id and one.author_discord_id}
        asked = await asyncio.gather(*(self._author(actor, *person) for person in people.items()))
        authors = {user_id: author for user_id, author in zip(people, asked, strict=True) if author}
        # whoever was forgotten may do nothing any more
        found = {one.id for one in schedules if one.author_id and not one.author_discord_id}
        async with self._db.read() as session:
            for one in schedules:
                author = authors.get(one.author_id) if one.author_id else None
                if author and not await _may(session, author, one):
                    found.add(one.id)
        return found

    async def _author(self, actor: Actor, user_id: UUID, discord_id: int) -> Actor | None:
        if actor.guild_id is None or user_id == actor.user_id:
            found = Membership(actor.role_ids, actor.break_glass)
        else:
            found = await self._ask(actor.guild_id, discord_id)
        if found is None:
            return None
        return Actor(
            type="user",
            name=str(discord_id),
            org_id=actor.org,
            user_id=user_id if found.role_ids else None,  # whoever has left has no role of their own either
            role_ids=found.role_ids,
            grants=Grants(break_glass=found.administrator),
        )


async def _may(session: AsyncSession, author: Actor, schedule: ScheduleCard) -> bool:
    actions = [OF_JOB_TYPE.get(step["job_type"]) for step in schedule.steps]
    if author.break_glass or schedule.server_gone:
        return True
    servers = await schedules.server_ids(session, author.org, schedule)
    permissions = dict.fromkeys(JOBS[action.job_type].permission for action in actions if action)
    return all([await _may_on(session, author, permission, servers) for permission in permissions])


async def _may_on(session: AsyncSession, author: Actor, permission: str, servers: Collection[UUID]) -> bool:
    now = clock.now()
    grants = await access.load(
        session, author.org, author.user_id, author.role_ids, permission=permission, servers=servers, now=now
    )
    return all(map(grants.scope(permission, now).covers, servers))
