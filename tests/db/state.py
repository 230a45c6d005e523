"""All that an org has in the database, as one hash per table: what must not change when others act."""

from functools import cache
from uuid import UUID

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.models import Base

_HASH = "md5(coalesce(string_agg(t::text, chr(10) order by t::text), ''))"
_HOLDS = "bool_or(t::text ilike :like)"


async def state_of(engine: AsyncEngine, org_id: UUID) -> dict[str, str]:
    """Table -> hash of the org's rows in it."""
    async with engine.connect() as connection:
        found = await connection.execute(text(_statement(_HASH)), {"org": org_id})
        return {row.table: row.found for row in found}


async def tables_with(engine: AsyncEngine, org_id: UUID, word: str) -> set[str]:
    """The tables in which some row of the org holds a word, whatever its case."""
    async with engine.connect() as connection:
        found = await connection.execute(text(_statement(_HOLDS)), {"org": org_id, "like": f"%{word}%"})
        return {row.table for row in found if row.found}


@cache
def _statement(wanted: str) -> str:
    owned = {table.name: condition for table in Base.metadata.sorted_tables if (condition := _own(table))}
    return " union all ".join(
        f"select '{table}' as table, {wanted} as found from {table} t where {condition}"
        for table, condition in owned.items()
    )


def _own(table: Table) -> str:
    """Which rows are an org's; empty for what belongs to nobody, such as the games."""
    if table.name == "orgs":
        return "id = :org"
    if "org_id" in table.columns:
        return "org_id = :org"
    parents = [key for key in table.foreign_keys if "org_id" in key.column.table.columns]
    return " or ".join(
        f"{key.parent.name} in (select id from {key.column.table.name} where org_id = :org)" for key in parents
    )
