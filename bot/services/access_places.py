"""Where a right counts: in the whole community, on one server, or on the servers with a tag."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.actors import Actor
from bot.domain.words import safe
from bot.errors import Invalid, NotFound
from bot.services.servers import resolve
from db.queries import access_show
from db.uow import Tx


@dataclass(frozen=True)
class Place:
    """Neither server nor tag: the whole community."""

    server_id: UUID | None = None
    server_name: str = ""
    tag: str | None = None
    servers: frozenset[UUID] = frozenset()
    """Those that have the tag now."""

    @property
    def words(self) -> str:
        if self.tag is not None:
            return f"on every server with the tag {safe(self.tag)}"
        return f"on {safe(self.server_name)}" if self.server_id else "everywhere"

    @property
    def kept(self) -> str:
        """For the audit log, where nothing is escaped."""
        if self.tag is not None:
            return f"on every server with the tag {self.tag}"
        return f"on {self.server_name}" if self.server_id else "everywhere"

    @property
    def within(self) -> str:
        """The same behind a no, where "everywhere" could be read as "not everywhere"."""
        return self.words if self.server_id or self.tag is not None else "in the whole community"


EVERYWHERE: Final = Place()


async def place(session: AsyncSession, actor: Actor, server: str = "", tag: str = "") -> Place:
    """What somebody means by the options `server` and `tag`.

    Raises:
        Invalid, NotFound: it is both, or none of this org.
    """
    if server.strip() and tag.strip():
        raise Invalid("This has both `server` and `tag`.", "Give one of them, or neither for everywhere.")
    if server.strip():
        found = await resolve(session, actor.org, server, actor.scope("servers.view"))
        return Place(found.id, found.name)
    if tag.strip():
        name = tag.strip().lower()
        return Place(tag=name, servers=frozenset(await access_show.tagged(session, actor.org, name)))
    return EVERYWHERE


async def require(tx: Tx, permission: str, where: Place) -> None:
    """The actor has the permission in all of the place.

    Raises:
        NotPermitted: they lack it somewhere there.
    """
    if where.tag is not None:
        await tx.require_on(permission, where.servers)
    else:
        await tx.require(permission, server_id=where.server_id)


def must_be_used(where: Place) -> None:
    """Refuses a tag that no server has: it would be a slip of the hand.

    Raises:
        NotFound: nothing has the tag.
    """
    if where.tag is not None and not where.servers:
        raise NotFound(f"No server has the tag {safe(where.tag)}.", "`/server show` shows the tags of a server.")
