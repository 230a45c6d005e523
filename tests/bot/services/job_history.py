"""Writes down every change of state of a job or a run, whoever makes it, and holds it against the table."""

from typing import Final

from bot.domain.job_states import JOB_STATES, RUN_STATES
from tests.bot.world import World

_NOTES: Final = (
    "create table state_history (id bigint generated always as identity, kind text, before text, after text)",
    """create function note_state() returns trigger language plpgsql as $$ begin
      insert into state_history (kind, before, after)
      values (tg_table_name, case when tg_op <> 'INSERT' then old.status end,
              case when tg_op <> 'DELETE' then new.status end);
      return null; end $$""",
    *(
        f"create trigger note after insert or delete or update on {table} for each row execute function note_state()"
        for table in ("jobs", "job_runs")
    ),
)

JOB_MOVES: Final = {(before, to) for (before, _), to in JOB_STATES.items()} | {(None, "held"), (None, "queued")}
RUN_MOVES: Final = {(before, to) for (before, _), to in RUN_STATES.items()} | {(None, "claimed")}


class History:
    """Over a world's database."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._seen = 0
        self.moves: set[tuple[str, str | None, str | None]] = set()
        """All that has happened."""

    @classmethod
    async def begun(cls, world: World) -> "History":
        for statement in _NOTES:
            await world.rows(statement)
        return cls(world)

    async def check(self) -> None:
        """What has happened since the last look has to be in the table."""
        rows = await self._world.rows(
            "select id, kind, before, after from state_history where id > :seen order by id", seen=self._seen
        )
        for number, kind, before, after in rows:
            self._seen = number
            if before != after:
                assert (before, after) in (JOB_MOVES if kind == "jobs" else RUN_MOVES), (kind, before, after)
                self.moves.add((kind, before, after))
