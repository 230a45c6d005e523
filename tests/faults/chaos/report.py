"""What a failure has to say: what is wrong, the history of each job that is named, and the strokes."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

from tests.faults.chaos.fates import Struck
from tests.faults.chaos.realm import Realm

_NAMED: Final = re.compile(r"\bJ-(\d+)\b")
_MOST: Final = 12
"""Jobs whose history is told."""
_HISTORY: Final = (
    """select number, type, status, payload, created_at, not_before, expires_at, finished_at, after_job_id
         from jobs where number = :number""",
    """select r.id, r.attempt, r.status, r.created_at, r.started_at, r.lease_expires_at, r.finished_at, r.error_message
         from job_runs r join jobs j on j.id = r.job_id where j.number = :number order by r.attempt""",
    """select created_at, actor_type, action, details from audit_logs
        where details->'number' = to_jsonb(cast(:number as int)) or details->'numbers' @> to_jsonb(cast(:number as int))
           or details->'followers' @> to_jsonb(cast(:number as int)) order by id""",
    """select n.id, n.op, n.event_type, n.status, n.created_at, n.sent_at, n.last_error from notification_jobs n
         join bot_messages m on m.id = n.bot_message_id join jobs j on m.subject_id = j.id::text
        where j.number = :number order by n.id""",
)


async def told(realm: Realm, struck: Struck, wrong: list[str]) -> list[str]:
    """The lines of it."""
    lines = [f"---- {len(wrong)} things are wrong", *wrong, "---- strokes", *struck.lines]
    numbers = dict.fromkeys(int(found[1]) for line in wrong for found in _NAMED.finditer(line))
    for number in list(numbers)[:_MOST]:
        lines.append(f"---- J-{number}")
        for statement in _HISTORY:
            lines += [json.dumps([str(value) for value in row]) for row in await realm.rows(statement, number=number)]
        lines += _of_agents(realm, number)
    return lines


def _of_agents(realm: Realm, number: int) -> Iterator[str]:
    for agent in realm.agents:
        yield from _naming(agent.log().splitlines(), f"J-{number} ")


def _naming(lines: Iterable[str], words: str) -> Iterator[str]:
    return (line for line in lines if words in line)
