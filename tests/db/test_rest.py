"""Which servers are left alone, on PostgreSQL."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from bot import clock
from bot.domain.rest import Rest
from db.engine import Database
from db.models import Host, MaintenanceWindow, Org, Server, ServerHold, ServerTag, User
from db.queries.rest import left_alone
from tests.db import rows
from tests.db.test_models import write

HOUR = timedelta(hours=1)


class Fleet:
    """Two servers on a host each, the first one with a tag; and an org next door."""

    def __init__(self, db: Database) -> None:
        self.db, self.now = db, clock.now()
        self.org, self.other, game = rows.org(1), rows.org(2), rows.game()
        self.ann = User(id=uuid4(), discord_user_id=7, username="ann", display_name="Ann")
        self.boxes: list[Host] = [rows.host(self.org, "one"), rows.host(self.org, "two")]
        self.first, self.second = (rows.server(box, game, box.name) for box in self.boxes)
        self._rows = [self.org, self.other, self.ann, game, *self.boxes, self.first, self.second]

    async def found(self) -> "Fleet":
        await write(self.db, *self._rows)
        await write(self.db, ServerTag(org_id=self.org.id, server_instance_id=self.first.id, tag="eu"))
        return self

    async def hold(self, server: Server, until: datetime | None = None) -> None:
        hold = ServerHold(server_instance_id=server.id, org_id=self.org.id, reason="new map")
        hold.created_by_id, hold.created_at, hold.expires_at = self.ann.id, self.now - HOUR, until
        await write(self.db, hold)

    async def window(
        self,
        begin: timedelta = -HOUR,
        end: timedelta = HOUR,
        *,
        org: Org | None = None,
        host: Host | None = None,
        server: Server | None = None,
        tag: str | None = None,
        reason: str = "disk",
        ended: bool = False,
    ) -> None:
        window = MaintenanceWindow(org_id=(org or self.org).id, reason=reason, tag=tag, created_by_id=self.ann.id)
        window.host_id, window.server_instance_id = host and host.id, server and server.id
        window.starts_at, window.ends_at = self.now + begin, self.now + end
        window.ended_at = self.now if ended else None
        await write(self.db, window)

    async def alone(self, *servers: UUID, org: UUID | None = None) -> dict[UUID, Rest]:
        async with self.db.read() as session:
            wanted = servers or (self.first.id, self.second.id)
            return await left_alone(session, org or self.org.id, wanted, self.now)


@pytest.fixture
async def fleet(db: Database) -> Fleet:
    return await Fleet(db).found()


async def test_nothing_is_left_alone_without_a_reason(fleet: Fleet) -> None:
    assert await fleet.alone() == {}
    assert await fleet.alone(uuid4()) == {}


async def test_a_hold_counts_until_its_end(fleet: Fleet) -> None:
    await fleet.hold(fleet.first)
    await fleet.hold(fleet.second, fleet.now)
    assert await fleet.alone() == {fleet.first.id: Rest("hold", "new map", "Ann", fleet.now - HOUR, None)}


@pytest.mark.parametrize(("target", "covered"), [("server", 1), ("host", 1), ("tag", 1), ("all", 2)])
async def test_a_window_covers_its_target(fleet: Fleet, target: str, covered: int) -> None:
    match target:
        case "server":
            await fleet.window(server=fleet.first)
        case "host":
            await fleet.window(host=fleet.boxes[0])
        case "tag":
            await fleet.window(tag="eu")
        case _:
            await fleet.window()
    found = await fleet.alone()
    assert fleet.first.id in found and len(found) == covered
    assert found[fleet.first.id] == Rest("maintenance", "disk", "Ann", fleet.now - HOUR, fleet.now + HOUR)


async def test_windows_that_are_over_cancelled_or_to_come_cover_nothing(fleet: Fleet) -> None:
    await fleet.window(begin=-2 * HOUR, end=timedelta())
    await fleet.window(begin=timedelta(seconds=1))
    await fleet.window(ended=True)
    await fleet.window(tag="us")
    await fleet.window(org=fleet.other)
    assert await fleet.alone() == {}


async def test_the_last_of_several_windows_counts_and_a_hold_goes_first(fleet: Fleet) -> None:
    await fleet.window(end=HOUR, reason="short")
    await fleet.window(end=2 * HOUR, reason="long", host=fleet.boxes[0])
    await fleet.hold(fleet.second)
    found = await fleet.alone()
    assert found[fleet.first.id].reason == "long"
    assert found[fleet.second.id].kind == "hold"


async def test_another_org_sees_nothing_of_it(fleet: Fleet) -> None:
    await fleet.hold(fleet.first)
    assert await fleet.alone(org=fleet.other.id) == {}
