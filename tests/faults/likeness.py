"""What a database holds, without what differs between two histories that are the same: ids, moments, durations."""

import json
import re
from typing import Any, Final

from sqlalchemy import text

from db.engine import Database

_TABLES: Final = text("""
    select c.relname as name, array_agg(a.attname) filter (where k.typname in ('uuid', 'timestamptz')) as told_apart,
           array_agg(a.attname) filter (where a.attidentity <> '') as numbered
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
           join pg_type k on k.oid = a.atttypid
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
     group by c.relname order by c.relname""")
_LEFT_OUT: Final = {"audit_logs": {"interaction_id", "correlation_id", "duration_ms"}}
"""Another interaction is another one."""
_ID: Final = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.]*(?:\+[\d:]+|Z)?|<t:\d+")
_NUMBER: Final = re.compile(r"\b\d{10,}\b|\b[0-9a-f]{13,16}\b")

Likeness = dict[str, list[str]]


async def likeness(db: Database) -> Likeness:
    """The rows of every table that has some. Of an id or a moment only whether it is there."""
    async with db.read() as session:
        tables = (await session.execute(_TABLES)).all()
        selects = [f"select '{table.name}' as name, to_jsonb(t) as row from {table.name} t" for table in tables]
        rows = (await session.execute(text(" union all ".join(selects)))).all()
    columns = {table.name: (set[str](table.told_apart or ()), set[str](table.numbered or ())) for table in tables}
    found: Likeness = {}
    for row in rows:
        found.setdefault(row.name, []).append(_plain(row.name, _object(row.row), *columns[row.name]))
    return {name: sorted(lines) for name, lines in found.items()}


def difference(one: Likeness, other: Likeness) -> str:
    """What is in one of two and not in the other, for a failure that can be read."""
    lines: list[str] = []
    for name in sorted(one.keys() | other.keys()):
        mine, theirs = one.get(name, []), other.get(name, [])
        lines += [f"- {name} {line}" for line in mine if line not in theirs]
        lines += [f"+ {name} {line}" for line in theirs if line not in mine]
        if not lines and len(mine) != len(theirs):
            lines.append(f"{name}: {len(mine)} rows, {len(theirs)} rows")
    return "\n".join(lines)


def _object(row: Any) -> dict[str, Any]:
    return json.loads(row) if isinstance(row, str) else row


def _plain(table: str, row: dict[str, Any], told_apart: set[str], numbered: set[str]) -> str:
    kept = {name: value for name, value in row.items() if name not in numbered | _LEFT_OUT.get(table, set())}
    shown = {name: value is not None if name in told_apart else value for name, value in kept.items()}
    line = json.dumps(shown, sort_keys=True)
    for pattern, word in ((_ID, "id"), (_MOMENT, "moment"), (_NUMBER, "number")):
        line = pattern.sub(word, line)
    return line
