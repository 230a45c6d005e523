"""Commands that people have put together."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.access import Scope
from db.queries.access import covered, scope_values
from db.rows import every, one

_CARDS = """
    select m.id, m.name, coalesce(m.description, '') as description, m.job_type, m.payload_template ->> 'text' as text,
           m.param_definitions as params, m.required_permission, m.server_instance_id as server_id,
           s.name as server_name, s.deleted_at is not null as server_gone,
           coalesce(u.display_name, u.username) as author
      from command_macros m
      left join server_instances s on s.id = m.server_instance_id
      left join users u on u.id = m.created_by_id
     where m.org_id = :org"""
_SEEN = f"(m.server_instance_id is null or {covered('m.server_instance_id')})"
_LIST = text(f"""/* macros.cards */ {_CARDS} and {_SEEN}
    and (cast(:words as text) is null or m.name ilike '%' || :words || '%' or m.description ilike '%' || :words || '%')
    order by m.name limit :limit offset :offset""")
_ONE = text(f"""/* macros.card */ {_CARDS}
    and (m.id = cast(:id as uuid) or m.name = cast(:name as text))""")
_ADD = text("""/* macros.add */
    insert into command_macros (org_id, server_instance_id, name, description, job_type, payload_template,
                                param_definitions, created_by_id, created_at, updated_at)
    values (:org, cast(:server as uuid), :name, cast(:description as text), :job_type, :payload, :params,
            cast(:author as uuid), :now, :now)
    returning id""").bindparams(bindparam("payload", type_=JSONB), bindparam("params", type_=JSONB))
_REMOVE = text("/* macros.remove */ delete from command_macros where org_id = :org and id = :id")
_LOCK = text("/* macros.lock */ select 1 from command_macros where org_id = :org and id = :id for update")
_HOLD = text("/* macros.hold */ select 1 from command_macros where org_id = :org and id = :id for key share")


@dataclass(frozen=True)
class MacroCard:
    """A macro with its server and its author; without a server it is for all that can do it."""

    id: UUID
    name: str
    description: str
    job_type: str
    text: str
    params: list[dict[str, Any]]
    required_permission: str
    server_id: UUID | None
    server_name: str | None
    server_gone: bool
    author: str | None


async def cards(
    session: AsyncSession, org_id: UUID, *, scope: Scope, words: str = "", limit: int = 11, offset: int = 0
) -> list[MacroCard]:
    """Macros for servers in a scope or for all, by name; ask for one more than you show."""
    like = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") or None
    values = {"org": org_id, "words": like, "limit": limit, "offset": offset, **scope_values(scope)}
    return every(MacroCard, await session.execute(_LIST, values))


async def card(
    session: AsyncSession, org_id: UUID, *, macro_id: UUID | None = None, name: str | None = None
) -> MacroCard | None:
    """One macro, by id or by name."""
    return one(MacroCard, await session.execute(_ONE, {"org": org_id, "id": macro_id, "name": name}))


async def add(session: AsyncSession, values: dict[str, Any]) -> UUID:
    """`values`: the names in `_ADD`."""
    return (await session.execute(_ADD, values)).scalar_one()


async def lock(session: AsyncSession, org_id: UUID, macro_id: UUID) -> bool:
    """Holds a macro's row; False where it was removed."""
    return await session.scalar(_LOCK, {"org": org_id, "id": macro_id}) is not None


async def hold(session: AsyncSession, org_id: UUID, macro_id: UUID) -> bool:
    """Keeps a macro from being removed until the end of the transaction; False where it was removed."""
    return await session.scalar(_HOLD, {"org": org_id, "id": macro_id}) is not None


async def remove(session: AsyncSession, org_id: UUID, macro_id: UUID) -> None:
    await session.execute(_REMOVE, {"org": org_id, "id": macro_id})
