"""An org with sealed audit rows, and somebody who writes past the triggers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot import clock
from bot.domain.seals_chain import Fault
from bot.services.audit_seals import Sealing
from bot.services.audit_verify import AuditVerify
from bot.services.audit_walk import Verified
from tests.bot.world import World

ROW = """insert into audit_logs (org_id, actor_type, action, outcome, resource_type, options, created_at)
          values (:org, 'user', :action, 'success', 'server', cast(:options as jsonb), :now) returning id"""


@dataclass
class Book:
    """The audit log of one org."""

    world: World

    def __post_init__(self) -> None:
        self.sealing = Sealing(self.world.db)
        self.verifying = AuditVerify(self.world.db)

    async def write(self, count: int = 1, action: str = "help", options: str = "{}") -> list[int]:
        """Rows of the org; their ids."""
        values = {"org": self.world.org_id, "action": action, "options": options}
        return [await self.world.value(ROW, **values, now=clock.now()) for _ in range(count)]

    async def seal(self, count: int = 3) -> list[int]:
        """A seal over as many new rows; their ids."""
        ids = await self.write(count)
        await self.sealing.tick()
        return ids

    async def seals(self) -> Sequence[Any]:
        """Number, ids and count of every seal."""
        return await self.world.rows(
            "select number, cast(ids as text), row_count from audit_seals where org_id = :org order by number",
            org=self.world.org_id,
        )

    async def ids(self, number: int) -> list[int]:
        """The rows of a seal that are there."""
        rows = await self.world.rows(
            """select a.id from audit_seals s join audit_logs a on s.ids @> a.id
                where s.org_id = :org and s.number = :number order by a.id""",
            org=self.world.org_id,
            number=number,
        )
        return [row[0] for row in rows]

    async def skip_ids(self, count: int) -> int:
        """Ids that no row gets; the first of them."""
        statement = "select min(nextval(pg_get_serial_sequence('audit_logs', 'id'))) from generate_series(1, :count)"
        return await self.world.value(statement, count=count)

    async def hash(self, number: int) -> str:
        return await self.world.value(
            "select encode(hash, 'hex') from audit_seals where org_id = :org and number = :number",
            org=self.world.org_id,
            number=number,
        )

    async def verify(self, posted: str = "") -> Verified:
        return await self.verifying.verify(self.world.admin(), posted)

    async def faults(self) -> list[tuple[Fault, tuple[int, int] | None, tuple[int, ...]]]:
        """What a check finds."""
        return [(found.fault, found.seals, found.ids) for found in (await self.verify()).findings]

    async def tamper(self, *statements: str, **values: Any) -> None:
        """What a superuser can do: with the triggers off."""
        async with self.world.db.engine.connect() as connection:
            await connection.exec_driver_sql("set session_replication_role = replica")
            try:
                for statement in statements:
                    await connection.exec_driver_sql(statement.format(org=f"'{self.world.org_id}'", **values))
            finally:
                await connection.exec_driver_sql("set session_replication_role = origin")
