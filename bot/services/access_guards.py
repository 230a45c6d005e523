"""What holds for everybody who gives or takes rights, by whatever way in.

Nobody gives or takes what they lack in that place. Nobody touches a role, a binding or a person ranked above them. The
last administrator stays. The guild's owner and Discord Administrators are free of the three, because they can always
get back in; they are told when nobody else is left.

    guard = await Guard.begin(tx)      # first of all: others wait from here on
    guard.must_reach(role, place)
    await guard.must_hold(permissions, place)     # what is taken
    await guard.must_give(permissions, place)     # what is given, with `until` where it ends
    ...                                # the change
    left = await guard.finish()        # a sentence for an owner after whom nobody is left
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from bot import clock
from bot.domain.access import Grants, HeldRole, Step
from bot.domain.permissions import LOOKING
from bot.domain.words import joined, safe
from bot.errors import AppError, Conflict, Invalid, NotPermitted
from bot.services.access_places import EVERYWHERE, Place
from bot.services.servers import VIEW
from db.queries import access, access_show, access_write
from db.queries.access_roles import RoleCard
from db.uow import Tx

ADMINISTERS: Final = "users.permissions"
"""Who has it in the whole org through a role is an administrator."""
NOBODY_LEFT: Final = "Nobody but the owner and Discord's administrators can change rights now."
PERHAPS_NOBODY: Final = f"Unless others have the same Discord roles: {NOBODY_LEFT[0].lower()}{NOBODY_LEFT[1:]}"
_NO_RANK: Final = -1
_FOR_GOOD: Final = datetime.max.replace(tzinfo=UTC)


class Overreach(NotPermitted):
    """The permission is there, but own rights or rank do not reach as far as the change would."""

    def __init__(self, what: str, remedy: str) -> None:
        AppError.__init__(self, what, remedy)
        self.permission = ""


class Guard:
    """The guards of one unit of work, for its actor."""

    def __init__(self, tx: Tx, grants: Grants, *, administered: bool) -> None:
        self._tx = tx
        self._grants = grants
        self._administered = administered
        self._now = clock.now()
        self.free = grants.break_glass or tx.actor.type == "system"
        """May the actor do as they like?"""

    @classmethod
    async def begin(cls, tx: Tx) -> Guard:
        """Looks at what the actor may, under a lock: of two who change rights of an org one sees what the other did."""
        actor, now = tx.actor, clock.now()
        await access_write.lock(tx.session, actor.org)
        grants = await access.load(tx.session, actor.org, actor.user_id, actor.role_ids, now=now)
        administered = await access_write.administered(tx.session, actor.org, now)
        return cls(tx, replace(grants, break_glass=actor.break_glass), administered=administered)

    @property
    def rank(self) -> int:
        """The actor's in the whole org; `/access role` takes priorities below it."""
        return self._rank_in(self._grants, EVERYWHERE)

    async def must_hold(self, permissions: Iterable[str], place: Place = EVERYWHERE) -> None:
        """Nobody takes what they lack there.

        Raises:
            Overreach: with what they lack, and who has it.
        """
        lacking, where = await self._lacking(permissions, place, self._now)
        if lacking:
            able = await access.roles_with(self._tx.session, self._tx.actor.org, lacking[0])
            who = f"Roles with `{lacking[0]}`: {_listed(able)}." if able else ""
            raise Overreach(
                f"Nobody gives or takes what they lack: you have no {_named(lacking)} {where}.",
                f"{who} Ask somebody who has it, or the owner; nothing was changed.".strip(),
            )

    async def must_give(
        self, permissions: Collection[str], place: Place = EVERYWHERE, until: datetime | None = None
    ) -> None:
        """Nobody gives what they lack there, nor for longer than they have it themselves. `until` None: for good.

        Raises:
            Overreach: with what they lack, now or before the end.
        """
        await self.must_hold(permissions, place)
        lacking, where = await self._lacking(permissions, place, until or _FOR_GOOD)
        if lacking:
            raise Overreach(
                f"Nobody gives for longer than they have it: your {_named(lacking)} {where} ends before.",
                "Give it with an earlier `until`, or ask somebody who has it for good; nothing was changed.",
            )

    async def _lacking(self, permissions: Iterable[str], place: Place, at: datetime) -> tuple[list[str], str]:
        """What the actor lacks there then, and where."""
        if self.free:
            return [], ""
        missing = {permission: self._missing(permission, place, at) for permission in sorted(permissions)}
        ids = {server_id for servers in missing.values() for server_id in servers or ()}
        found = await access_show.servers(self._tx.session, self._tx.actor.org, ids) if ids else {}
        seen = self._grants.scope(VIEW, self._now)
        names = {one: name if seen.covers(one) else access_show.UNSEEN for one, name in found.items()}
        lacking = [name for name, servers in missing.items() if servers is None or servers & names.keys()]
        whole = any(missing[name] is None for name in lacking)
        return lacking, place.within if whole else f"on {_listed(dict.fromkeys(names.values()))}"

    def _missing(self, permission: str, place: Place, at: datetime) -> frozenset[UUID] | None:
        """Servers of the place on which the actor lacks it; None: they lack it in the place as such. Who has it on
        today's servers of a tag only by themselves does not have it on tomorrow's."""
        scope = self._grants.scope(permission, at)
        if place.tag is not None:
            tagged = [role for role in self._grants.roles if role.tag == place.tag]
            through = scope.everywhere or any(permission in role.permissions for role in tagged)
            return frozenset(one for one in place.servers if not scope.covers(one)) if through else None
        if not scope.covers(place.server_id):
            return None
        return frozenset() if place.server_id else scope.others

    def must_reach(self, role: RoleCard, place: Place = EVERYWHERE) -> None:
        """Nobody touches a role that ranks above them.

        Raises:
            Overreach: it does.
        """
        own = self._rank_in(self._grants, place)
        if not self.free and role.priority > own:
            raise Overreach(
                f"The role {safe(role.name)} ranks above you: {role.priority}; you have {_rank(own)} {place.words}.",
                "Ask somebody who ranks as high, or the owner; nothing was changed.",
            )

    def must_reach_person(self, name: str, grants: Grants, place: Place = EVERYWHERE) -> None:
        """Nobody touches a person who ranks above them, there or in the whole org.

        Raises:
            Overreach: they do.
        """
        if self.free:
            return
        if grants.break_glass:
            raise Overreach(
                f"{safe(name)} owns this Discord server or is its Administrator.",
                "Nothing here gives them rights or takes any; nothing was changed.",
            )
        own = self._rank_in(self._grants, place)
        theirs = max(self._rank_in(grants, place), self._rank_in(grants, EVERYWHERE))
        if place == EVERYWHERE:  # what counts everywhere counts where they rank highest
            placed = (
                role.priority for role in grants.server_roles if role.expires_at is None or role.expires_at > self._now
            )
            held = (_priority(role, self._tx.actor.guild_id) for role in grants.roles)
            theirs = max(theirs, *placed, *held)
        if theirs > own:
            raise Overreach(
                f"{safe(name)} ranks above you: {theirs}; you have {_rank(own)} {place.words}.",
                "Ask somebody who ranks as high, or the owner; nothing was changed.",
            )

    def _rank_in(self, grants: Grants, place: Place) -> int:
        return rank_in(grants, place, self._now, self._tx.actor.guild_id)

    async def finish(self, *, denied: Collection[int] | None = None, oneself: bool = False) -> str:
        """After the change: the last administrator stays. `denied`: Discord roles of somebody from whom
        `users.permissions` was taken in the whole org; who else has these roles only Discord knows. `oneself`: the
        actor is that person.

        Raises:
            Conflict: nobody would be left.
        """
        if not self._administered:
            return ""
        session, org = self._tx.session, self._tx.actor.org
        if not await access_write.administered(session, org, self._now):
            return self._nobody("This would leave nobody as administrator.", NOBODY_LEFT)
        if denied is None or await access_write.administered(session, org, self._now, without=denied):
            return ""
        if not oneself and self._administers():
            return ""
        what = "This could leave nobody as administrator: who else has the same Discord roles only Discord knows."
        return self._nobody(what, PERHAPS_NOBODY)

    def _nobody(self, what: str, told: str) -> str:
        if self.free:
            return told
        raise Conflict(what, f"Give another role or member `{ADMINISTERS}` first; nothing was changed.")

    def _administers(self) -> bool:
        """Is the actor an administrator, through a role?"""
        decision = self._grants.decide(ADMINISTERS, None, self._now)
        everyone = self._tx.actor.guild_id
        held = [role for role in self._grants.roles if role.on(None) and role.discord_role_id != everyone]
        return decision.step is Step.ROLE and any(ADMINISTERS in role.permissions for role in held)


def rank_in(grants: Grants, place: Place, now: datetime, everyone: int | None) -> int:
    """The highest priority of the roles that count for somebody there; -1 without any. What they hold through
    `everyone` lifts nobody above others, so it is the lowest rank whatever its priority."""
    if grants.break_glass:
        return grants.rank() or 0
    for role in grants.server_roles:
        if place.server_id == role.server_id and (role.expires_at is None or role.expires_at > now):
            return role.priority
    held = (
        _priority(role, everyone)
        for role in grants.roles
        if role.on(place.server_id) or (place.tag is not None and role.tag == place.tag)
    )
    return max(held, default=_NO_RANK)


def _priority(role: HeldRole, everyone: int | None) -> int:
    return 0 if role.discord_role_id == everyone else role.priority


def must_suit_everyone(permissions: Iterable[str]) -> None:
    """@everyone may look, and nothing else: whoever joins has what it has.

    Raises:
        Invalid: something among the permissions changes something.
    """
    changing = [f"`{permission}`" for permission in sorted(frozenset(permissions) - LOOKING)]
    if changing:
        raise Invalid(
            f"@everyone cannot have this role: whoever joins could then use {joined(changing, 80)}.",
            "Bind it to a Discord role that only staff has; @everyone takes roles that only look, such as player.",
        )


def _listed(names: Iterable[str]) -> str:
    return joined([safe(name) for name in names], 100)


def _named(permissions: Iterable[str]) -> str:
    return joined([f"`{permission}`" for permission in permissions], 80)


def _rank(priority: int) -> str:
    return "no role" if priority == _NO_RANK else str(priority)
