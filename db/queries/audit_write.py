"""Writing audit rows: one with its effect, or those of many look-ups at once."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from bot import clock
from bot.domain.actors import Actor
from bot.domain.redaction import kept

Resource = tuple[str, str | UUID | None]
Row = Mapping[str, Any]
Outcome = Literal["success", "denied", "failed"]

_COLUMNS: Final = {
    "org_id": "uuid",
    "discord_guild_id": "bigint",
    "actor_id": "uuid",
    "actor_type": "text",
    "actor_discord_id": "bigint",
    "action": "text",
    "outcome": "text",
    "resource_type": "text",
    "resource_id": "text",
    "command": "text",
    "options": "jsonb",
    "details": "jsonb",
    "error": "text",
    "correlation_id": "text",
    "interaction_id": "bigint",
    "channel_id": "bigint",
    "duration_ms": "int",
    "created_at": "timestamptz",
}
_NAMES: Final = ", ".join(_COLUMNS)

# Where an org watches its log, each row owes its audit channel a message: by the statement that writes the row, so there is
# never the one without the other. What the outbox itself writes down is not shown: it could be about this very message.
_TOLD: Final = """
    told as (
      insert into notification_jobs (org_id, target_kind, discord_channel_id, op, event_type, payload_json, dedupe_key,
                                     next_attempt_at, created_at)
      select w.org_id, 'channel', c.discord_channel_id, 'post', 'audit.entry',
             jsonb_build_object('ids', jsonb_build_array(w.id)), 'audit.entry:' || w.id, w.created_at, w.created_at
        from written w join orgs o on o.id = w.org_id and o.audit_live
        cross join lateral (
          select n.discord_channel_id from notification_channels n
           where n.org_id = w.org_id and n.purpose = 'audit' and n.type = 'discord_channel' and n.enabled
           order by n.created_at, n.id limit 1) c
       where w.action <> 'channel.disable' order by w.id)"""

_ONE = text(f"""/* audit.write */
    with written as (
      insert into audit_logs ({_NAMES}) values ({", ".join(f":{name}" for name in _COLUMNS)})
      returning id, org_id, action, created_at),{_TOLD}
    select id from written""").bindparams(bindparam("options", type_=JSONB), bindparam("details", type_=JSONB))

# The row of an interaction that has one already is left out.
_MANY = text(f"""/* audit.write_many */
    with written as (
      insert into audit_logs ({_NAMES})
      select {_NAMES} from jsonb_to_recordset(:rows) as r({", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())})
      on conflict (interaction_id) where interaction_id is not null do nothing
      returning id, org_id, action, created_at, interaction_id),{_TOLD}
    select interaction_id from written""").bindparams(bindparam("rows", type_=JSONB))


def row_of(
    actor: Actor,
    action: str,
    outcome: Outcome,
    *,
    resource: Resource,
    details: dict[str, Any],
    error: str | None = None,
) -> Row:
    """A row by column; who and through which interaction comes from the actor."""
    invocation = actor.invocation
    noted = details if actor.type == "user" else {**details, "by": actor.name}
    return {
        "org_id": actor.org_id,
        "discord_guild_id": actor.guild_id,
        "actor_id": actor.user_id,
        "actor_type": actor.type,
        "actor_discord_id": actor.discord_id,
        "action": action,
        "outcome": outcome,
        "resource_type": resource[0],
        "resource_id": None if resource[1] is None else str(resource[1]),
        "command": invocation.command if invocation else None,
        "options": invocation.options if invocation else {},
        "details": kept(noted),
        "error": kept(error),
        "correlation_id": invocation.reference if invocation else None,
        "interaction_id": invocation.id if invocation else None,
        "channel_id": actor.channel_id,
        "duration_ms": int((time.monotonic() - invocation.started) * 1000)
        if invocation and invocation.started
        else None,
        "created_at": clock.now(),
    }


async def write(session: AsyncSession, row: Row) -> None:
    """Raises IntegrityError where the interaction has a row already."""
    await session.execute(_ONE, row)


async def write_many(session: AsyncSession, rows: Sequence[Row]) -> list[bool]:
    """Writes rows, each of another interaction; False for those that had one already."""
    plain = [{name: _json(value) for name, value in row.items()} for row in rows]
    written = list(await session.scalars(_MANY, {"rows": plain}))
    return [_taken(written, row["interaction_id"]) for row in rows]


def _json(value: Any) -> Any:
    return str(value) if isinstance(value, UUID | datetime) else value


def _taken(written: list[int | None], interaction_id: int | None) -> bool:
    """Each written row is one interaction's: of two deliveries in one group, one comes away empty-handed."""
    if interaction_id not in written:
        return False
    written.remove(interaction_id)
    return True
