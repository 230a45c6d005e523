"""Which Discord roles are bound to which of ours: `/access bind`, `/access unbind`, and what the set-up wizard uses."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot import clock
from bot.domain import role_words
from bot.domain.actors import Actor, system
from bot.domain.words import joined, safe
from bot.errors import Conflict, NotFound
from bot.services.access_guards import Guard, must_suit_everyone
from bot.services.access_places import Place, must_be_used, place, require
from bot.services.confirmations import Done
from db.engine import Database
from db.queries import access_roles, access_show, access_write
from db.queries.access_roles import RoleCard
from db.uow import Tx


@dataclass(frozen=True)
class DiscordRole:
    """A role of the guild that was chosen in a command."""

    id: int
    name: str


async def role_of(session: AsyncSession, org_id: UUID, ref: str) -> RoleCard:
    """The role that somebody means: an id from autocomplete, or its name.

    Raises:
        NotFound: none of this org; an id of another org reads the same.
    """
    text, now = ref.strip(), clock.now()
    try:
        found = await access_roles.card(session, org_id, now, role_id=UUID(text))
    except ValueError:
        found = await access_roles.card(session, org_id, now, name=text)
    if found is None:
        known = await access_roles.cards(session, org_id, now, limit=10)
        raise NotFound(
            "There is no such role here.", f"Roles here: {joined([safe(role.name) for role in known], 300)}."
        )
    return found


async def rebind(tx: Tx, guard: Guard, discord_role: int, role: RoleCard | None, where: Place) -> RoleCard | None:
    """Binds a Discord role in a place, in place of what it is bound to there; None: to nothing. Gives back what it was
    bound to. The caller asks for `users.edit`, audits, notifies `gk_access`, and finishes the guard.

    Raises:
        Overreach, Invalid: one of the guards.
    """
    org = tx.actor.org
    bound = await access_write.bound(tx.session, org, discord_role, where.server_id, where.tag)
    before = await access_roles.card(tx.session, org, clock.now(), role_id=bound) if bound else None
    for touched in filter(None, (before, role)):
        guard.must_reach(touched, where)
        await guard.must_hold(touched.permissions, where)
    await guard.must_give(role.permissions if role else (), where)
    if role is None:
        await access_write.unbind(tx.session, org, discord_role, where.server_id, where.tag)
        return before
    if discord_role == tx.actor.guild_id:
        must_suit_everyone(role.permissions)
    values = {"org": org, "discord_role": discord_role, "role": role.id, "server": where.server_id, "tag": where.tag}
    await access_write.bind(tx.session, {**values, "by": tx.actor.user_id, "now": clock.now()})
    return before


class AccessBindings:
    """`/access bind` and `/access unbind`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def bind(self, actor: Actor, discord_role: DiscordRole, ref: str, server: str, tag: str) -> Done:
        """Members with the Discord role hold one of ours from now on, everywhere or in a place.

        Raises:
            NotFound, NotPermitted, Invalid, Conflict: nothing was changed.
        """
        async with self._db.uow(actor) as tx:
            guard = await Guard.begin(tx)
            where = await place(tx.session, actor, server, tag)
            await require(tx, "users.edit", where)
            must_be_used(where)
            role = await role_of(tx.session, actor.org, ref)
            before = await rebind(tx, guard, discord_role.id, role, where)
            if before and before.id == role.id:
                raise Conflict(
                    f"{safe(discord_role.name)} is bound to {safe(role.name)} {where.words} already.",
                    "`/access show` lists what is bound.",
                )
            left = await guard.finish()
            await _leave(tx, "access.bind", discord_role, where, before, role)
        was = f"Before: {safe(before.name)}." if before else "Before: nothing."
        title = f"Members with {safe(discord_role.name)} are {safe(role.name)} {where.words}"
        return Done(title, "\n".join(filter(None, (was, left))))

    async def unbind(self, actor: Actor, discord_role: DiscordRole, ref: str, server: str, tag: str) -> Done:
        """Takes back what was bound there. `ref` may be empty: a Discord role is bound to one of ours in a place.

        Raises:
            NotFound, NotPermitted, Conflict: nothing was changed.
        """
        async with self._db.uow(actor) as tx:
            guard = await Guard.begin(tx)
            where = await place(tx.session, actor, server, tag)
            await require(tx, "users.edit", where)
            wanted = await role_of(tx.session, actor.org, ref) if ref.strip() else None
            before = await rebind(tx, guard, discord_role.id, None, where)
            if before is None or (wanted and wanted.id != before.id):
                raise await _not_bound(tx, discord_role, wanted, where)
            left = await guard.finish()
            await _leave(tx, "access.unbind", discord_role, where, before, None)
        title = f"Members with {safe(discord_role.name)} are no longer {safe(before.name)} by that"
        return Done(title, "\n".join(filter(None, (f"It was bound {where.words}.", left))))

    async def gone(self, guild_id: int, discord_role: DiscordRole) -> None:
        """A Discord role was deleted: nobody can hold it again, so nothing stays bound to it, and it counts no more as
        an administrator."""
        async with self._db.uow(system("access.role_gone")) as tx:
            org_id, roles = await access_write.forget(tx.session, guild_id, discord_role.id)
            if org_id is None:
                return
            tx.actor = system("access.role_gone", org_id)
            await tx.notify("gk_access", str(org_id))
            tx.audit(
                "access.role_gone",
                resource=("org", org_id),
                discordRole={"id": str(discord_role.id), "name": discord_role.name},
                before=roles,
                after=None,
            )


async def _leave(
    tx: Tx, action: str, discord_role: DiscordRole, where: Place, before: RoleCard | None, after: RoleCard | None
) -> None:
    await tx.notify("gk_access", str(tx.actor.org))
    touched = after or before
    tx.audit(
        action,
        resource=("role", touched.id if touched else None),
        name=touched.name if touched else None,
        discordRole={"id": str(discord_role.id), "name": discord_role.name},
        where=where.kept,
        before=before.name if before else None,
        after=after.name if after else None,
    )


async def _not_bound(tx: Tx, discord_role: DiscordRole, wanted: RoleCard | None, where: Place) -> NotFound:
    sight = tx.actor.sight("users.edit")
    found = await access_show.bindings(tx.session, tx.actor.org, discord_role=discord_role.id, scope=sight)
    listed = [f"{safe(one.role)}{role_words.place(one.server_name, one.tag) or ' everywhere'}" for one in found]
    to = safe(wanted.name) if wanted else "any role"
    return NotFound(
        f"{safe(discord_role.name)} is not bound to {to} {where.within}.",
        f"It is {joined(listed, 300)}." if listed else "It is bound nowhere; `/access show` lists what is.",
    )
