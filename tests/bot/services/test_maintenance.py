"""Maintenance windows: what they are of, who may, what is told when, also by two processes and after an absence."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from bot import clock
from bot.domain.actors import Actor
from bot.errors import AppError, Conflict, Invalid, NotFound, NotPermitted
from bot.services.holds import Holds
from bot.services.hosts import Hosts
from bot.services.maintenance import Maintenance
from bot.services.maintenance_due import MaintenanceDue
from bot.services.panels import Panels, PanelWatch, Where
from bot.services.servers import Servers
from bot.ui.hosts import host_card
from bot.ui.panels import board_card
from bot.ui.servers import control_card
from db.queries.rest import left_alone
from tests.bot.grants import deny
from tests.bot.people import MODERATORS, People, again
from tests.bot.services.schedules_world import Planned, bound
from tests.bot.ui.limits import text_of


class Yard:
    """A world at noon, and what is done to it."""

    def __init__(self, planned: Planned) -> None:
        self.planned, self.world, self.clock = planned, planned.world, planned.clock
        self.windows, self.due = Maintenance(self.world.db), MaintenanceDue(self.world.db)

    @property
    def owner(self) -> Actor:
        return again(self.planned.owner)

    async def resting(self) -> list[str]:
        """Why the servers are left alone."""
        servers = [row[0] for row in await self.world.rows("select id from server_instances order by name")]
        async with self.world.db.read() as session:
            found = await left_alone(session, self.planned.owner.org, servers, clock.now())
        return [found[server].reason for server in servers if server in found]

    async def said(self) -> list[str]:
        """What players were told."""
        rows = await self.world.rows("select payload ->> 'text' from jobs where type = 'ANNOUNCE' order by number")
        return [row[0] for row in rows]

    async def told(self) -> list[str]:
        rows = await self.world.rows("select event_type from notification_jobs order by id")
        return [row[0] for row in rows]

    async def sent(self) -> None:
        """The messages are in Discord, as the worker would leave them."""
        await self.world.rows("update notification_jobs set status = 'sent'")
        await self.world.rows("update bot_messages set message_id = 1")

    async def id(self, reason: str = "x") -> str:
        return str(await self.world.value("select id from maintenance_windows where reason = :reason", reason=reason))

    async def window(self, columns: str = "begun_at is not null, ended_at") -> Any:
        return (await self.world.rows(f"select {columns} from maintenance_windows"))[0]


@pytest.fixture
def yard(planned: Planned) -> Yard:
    return Yard(planned)


async def test_maintenance_from_plan_to_end(yard: Yard) -> None:
    await yard.world.rows("update orgs set timezone = 'Europe/Berlin'")
    done = await yard.windows.plan(yard.owner, "server:EU1", "14:00", "2h", "new  disk")
    assert done.title == "Maintenance of EU1 is planned"
    assert done.text.splitlines()[0].startswith("Sat 21 Nov 14:00 to 16:00 (Europe/Berlin), begins <t:")
    assert await yard.resting() == [] and await yard.due.tick() == {"warn": 0, "begin": 0, "end": 0}
    yard.clock.on(minutes=50)
    assert await yard.due.tick() == {"warn": 1, "begin": 0, "end": 0}
    assert await yard.due.tick() == {"warn": 0, "begin": 0, "end": 0}
    yard.clock.on(minutes=10)
    assert await yard.resting() == ["new disk"], "by the clock, before any tick"
    assert (await yard.due.tick())["begin"] == 1 and (await yard.due.tick())["begin"] == 0
    yard.clock.on(hours=2)
    assert await yard.resting() == []
    assert (await yard.due.tick())["end"] == 1 and (await yard.due.tick())["end"] == 0
    assert await yard.said() == [
        "Maintenance begins in 10 minutes and takes up to 2 hours.",
        "Maintenance begins now and takes up to 2 hours.",
        "Maintenance is over.",
    ]
    assert await yard.told() == ["maintenance.made", "maintenance.changed"], "one edit stands for all that was not sent"
    assert [action for action in await yard.world.audited() if action.startswith("maintenance.")] == [
        "maintenance.plan", "maintenance.announce", "maintenance.begin", "maintenance.end",
    ]  # fmt: skip


async def test_maintenance_at_once_and_ended_by_hand(yard: Yard) -> None:
    done = await yard.windows.start(yard.owner, "EU1", "1h", "x")
    assert done.title == "Maintenance of EU1 has begun" and "Players are told." in done.text
    assert await yard.resting() == ["x"] and (await yard.due.tick())["begin"] == 0
    yard.clock.on(minutes=20)
    assert (await yard.windows.end(yard.owner, await yard.id())).title == "Maintenance of EU1 is over"
    assert await yard.resting() == [] and await yard.said() == [
        "Maintenance begins now and takes up to 60 minutes.", "Maintenance is over.",
    ]  # fmt: skip
    with pytest.raises(Conflict, match="over already"):
        await yard.windows.end(yard.owner, await yard.id())
    assert (await yard.due.tick())["end"] == 0


async def test_what_is_planned_is_cancelled_and_players_hear_of_it_if_they_were_told(yard: Yard) -> None:
    await yard.windows.plan(yard.owner, "EU1", "in 5m", "1h", "x")
    assert (await yard.due.tick())["warn"] == 1
    assert (await yard.windows.end(yard.owner, await yard.id())).title == "Maintenance of EU1 is cancelled"
    assert (await yard.said())[-1] == "The maintenance that was announced does not take place."
    await yard.windows.plan(yard.owner, "EU1", "in 3h", "1h", "y")
    await yard.windows.end(yard.owner, await yard.id("y"))
    assert len(await yard.said()) == 2, "nobody had heard of the second one"
    yard.clock.on(hours=4)
    assert await yard.due.tick() == {"warn": 0, "begin": 0, "end": 0} and await yard.resting() == []


async def test_all_is_right_if_nobody_was_up_meanwhile(yard: Yard) -> None:
    await yard.windows.plan(yard.owner, "EU1", "in 1h", "1h", "x")
    await yard.sent()
    yard.clock.on(hours=5)
    assert await yard.resting() == []
    assert await yard.due.tick() == {"warn": 0, "begin": 0, "end": 1}
    begun, ended = await yard.window()
    assert not begun and ended == clock.now() - timedelta(hours=3), "when it was over, not when somebody looked"
    assert await yard.said() == [] and await yard.told() == ["maintenance.made", "maintenance.changed"]


async def test_a_beginning_that_is_late_tells_what_is_left(yard: Yard) -> None:
    await yard.windows.plan(yard.owner, "EU1", "in 1h", "4h", "x")
    yard.clock.on(hours=2)
    assert (await yard.due.tick())["begin"] == 1
    assert await yard.said() == ["Maintenance begins now and takes up to 3 hours."]


async def test_two_processes_tell_once(yard: Yard) -> None:
    await yard.windows.plan(yard.owner, "EU1", "in 1h", "1h", "x")
    yard.clock.on(hours=1)
    for step in ("begin", "end"):
        counts = await asyncio.gather(*(MaintenanceDue(yard.world.db).tick() for _ in range(3)))
        assert sum(count[step] for count in counts) == 1
        yard.clock.on(hours=1)
    assert len(await yard.said()) == 2


@pytest.mark.parametrize("_time", range(3))
async def test_the_end_button_against_the_end(yard: Yard, _time: int) -> None:
    await yard.windows.start(yard.owner, "EU1", "1h", "x")
    yard.clock.on(hours=1)
    pressed, ticked = await asyncio.gather(
        yard.windows.end(yard.owner, await yard.id()), yard.due.tick(), return_exceptions=True
    )
    assert isinstance(pressed, Conflict) and ticked == {"warn": 0, "begin": 0, "end": 1}
    assert (await yard.said()).count("Maintenance is over.") == 1


async def test_two_presses_end_it_once(yard: Yard) -> None:
    await yard.windows.start(yard.owner, "EU1", "1h", "x")
    window = await yard.id()
    answers = await asyncio.gather(*(yard.windows.end(yard.owner, window) for _ in range(2)), return_exceptions=True)
    assert len([answer for answer in answers if isinstance(answer, Conflict)]) == 1
    assert (await yard.said()).count("Maintenance is over.") == 1


async def test_two_windows_of_one_thing_at_once_leave_one(yard: Yard) -> None:
    answers = await asyncio.gather(
        *(yard.windows.start(yard.owner, "everything", "1h", f"{n}") for n in range(2)), return_exceptions=True
    )
    (refused,) = [answer for answer in answers if isinstance(answer, BaseException)]
    assert isinstance(refused, Conflict) and refused.what.startswith(
        "Everything has maintenance then: Sat 21 Nov 12:00"
    )


async def test_windows_of_one_thing_may_follow_each_other(yard: Yard) -> None:
    await yard.windows.plan(yard.owner, "EU1", "13:00", "1h", "x")
    await yard.windows.plan(yard.owner, "EU1", "14:00", "1h", "y")
    with pytest.raises(Conflict, match="13:00 to 14:00"):
        await yard.windows.start(yard.owner, "EU1", "2h", "z")
    await yard.windows.start(yard.owner, "everything", "2h", "other things do not matter")


@pytest.mark.parametrize(
    ("target", "name"),
    [("everything", "everything"), ("host:gs-1", "the host gs-1"), ("tag:eu", "the tag eu"), ("eu", "the tag eu")],
)
async def test_what_it_is_of(yard: Yard, target: str, name: str) -> None:
    await yard.planned.tagged("eu", yard.planned.server)
    done = await yard.windows.start(yard.owner, target, "1h", "x")
    assert done.title == f"Maintenance of {name} has begun" and "It covers 1 server:" in done.text
    assert await yard.resting() == ["x"]


@pytest.mark.parametrize(
    ("target", "duration", "error", "sentence"),
    [
        ("EU9", "1h", NotFound, "There is no server, host or tag called EU9 here."),
        ("host:EU1", "1h", NotFound, "There is no host called EU1 here."),
        ("tag:none", "1h", NotFound, "No server has the tag none."),
        ("tag:", "1h", NotFound, "No server has the tag ."),
        ("EU1", "0h", Invalid, "is no time at all"),
        ("EU1", "-1h", Invalid, "is no moment"),
        ("EU1", "8d", Invalid, "longer than 7 days"),
        ("EU1", "2020-01-01", Invalid, "is over"),
    ],
)
async def test_what_is_refused(yard: Yard, target: str, duration: str, error: type[AppError], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        await yard.windows.start(yard.owner, target, duration, "x")
    with pytest.raises(Invalid, match="is over"):
        await yard.windows.plan(yard.owner, "EU1", "2020-01-01", "1h", "x")
    assert await yard.world.rows("select * from maintenance_windows") == []


async def test_a_name_of_two_things_is_asked_for(yard: Yard) -> None:
    await yard.planned.tagged("eu1", yard.planned.server)
    with pytest.raises(Invalid, match="EU1 is the name of a server and a tag"):
        await yard.windows.start(yard.owner, "EU1", "1h", "x")


async def test_what_was_removed_needs_no_maintenance(yard: Yard) -> None:
    await yard.windows.plan(yard.owner, "EU1", "in 2h", "1h", "x")
    await yard.world.rows("update server_instances set deleted_at = now()")
    with pytest.raises(NotFound):
        await yard.windows.start(yard.owner, "EU1", "1h", "x")
    assert (await yard.due.tick())["end"] == 1
    (window,) = (await yard.windows.list(yard.owner)).rows
    assert window.gone and window.times.state(clock.now()) == "cancelled"


async def second(yard: Yard) -> UUID:
    server = await yard.world.server(yard.planned.host, "EU2")
    await yard.world.rows("update server_instances set desired_state = 'running'")
    return server


async def test_it_takes_the_permission_on_every_server_concerned(yard: Yard) -> None:
    other = await second(yard)
    await yard.planned.tagged("eu", yard.planned.server, other)
    await bound(yard.planned, "schedules.manage", "schedules.view", "servers.view", server=yard.planned.server)
    bob = await yard.planned.people.actor("bob", MODERATORS)
    for target in ("everything", "host:gs-1", "tag:eu", "EU2"):
        with pytest.raises(NotPermitted):
            await yard.windows.start(again(bob), target, "1h", "x")
    await yard.windows.start(again(bob), "EU1", "1h", "x")
    assert [one.value for one in await yard.windows.suggest_targets(again(bob), "")] == [
        f"server:{yard.planned.server}"
    ]
    await yard.windows.start(yard.owner, "tag:eu", "1h", "y")
    with pytest.raises(NotPermitted):
        await yard.windows.end(again(bob), await yard.id("y"))


async def test_who_does_not_see_a_server_reads_nothing_of_it(yard: Yard) -> None:
    other = await second(yard)
    await yard.planned.tagged("eu", yard.planned.server, other)
    await bound(yard.planned, "schedules.view", "servers.view")
    await deny(yard.world, await yard.planned.people.actor("bob", MODERATORS), "servers.view", other)
    bob = await People(yard.world.db).actor("bob", MODERATORS)
    for target in ("EU2", "tag:eu"):
        await yard.windows.start(yard.owner, target, "1h", "x")
    (window,) = (await yard.windows.list(again(bob))).rows
    assert window.tag == "eu" and list(window.servers) == [yard.planned.server]
    assert [one.tag for one in await yard.windows.suggest(again(bob), "")] == ["eu"]
    assert len((await yard.windows.list(yard.owner)).rows) == 2


async def test_what_is_suggested(yard: Yard) -> None:
    await yard.planned.tagged("eu", yard.planned.server)
    found = await yard.windows.suggest_targets(yard.owner, "")
    assert [(one.kind, one.name, one.servers) for one in found] == [
        ("everything", "everything", 1), ("host", "gs-1", 1), ("tag", "eu", 1), ("server", "EU1", 1),
    ]  # fmt: skip
    assert [one.kind for one in await yard.windows.suggest_targets(yard.owner, "tag:")] == ["tag"]
    assert [one.kind for one in await yard.windows.suggest_targets(yard.owner, "eu")] == ["tag", "server"]
    for one in found:
        await yard.windows.start(yard.owner, one.value, "1h", "x")
    assert len(await yard.windows.suggest(yard.owner, "")) == 4
    assert [one.kind for one in await yard.windows.suggest(yard.owner, "gs-")] == ["host"]


async def test_only_who_can_hear_is_told(yard: Yard) -> None:
    await yard.world.rows("update server_instances set status = 'stopped'")
    done = await yard.windows.start(yard.owner, "EU1", "1h", "x")
    assert "Players are told" not in done.text and await yard.said() == []


async def test_players_are_told_while_somebody_changes_a_server_and_wants_a_job(yard: Yard) -> None:
    """They hold the server's row and then take a number of a job, as /mod deploy does; the telling takes many."""
    await second(yard)
    await yard.world.rows("insert into org_counters (org_id, name, value) select id, 'job', 0 from orgs")
    async with yard.world.db.engine.connect() as connection:
        await connection.execute(text("begin"))
        await connection.execute(text("select 1 from server_instances where name = 'EU2' for update"))
        started = asyncio.create_task(yard.windows.start(yard.owner, "everything", "1h", "x"))
        waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        async with asyncio.timeout(5):
            while not await yard.world.value(waits):
                await asyncio.sleep(0.01)
        await connection.execute(text("update org_counters set value = value + 1 where name = 'job'"))
        await connection.execute(text("commit"))
    assert "It covers 2 servers" in (told := (await started).text) and "Players are told." in told


async def test_players_hear_of_the_end_when_no_other_window_goes_on(yard: Yard) -> None:
    await yard.windows.start(yard.owner, "everything", "2h", "x")
    await yard.windows.start(yard.owner, "EU1", "1h", "y")
    await yard.windows.end(yard.owner, await yard.id("y"))
    assert "Maintenance is over." not in await yard.said()
    yard.clock.on(hours=2)
    await yard.due.tick()
    assert (await yard.said())[-1] == "Maintenance is over."


async def test_another_org_ends_nothing(yard: Yard) -> None:
    await yard.windows.start(yard.owner, "EU1", "1h", "x")
    stranger = await yard.planned.people.actor("eve", guild_id=2002, guild_name="Next door", administrator=True)
    with pytest.raises(NotFound):
        await yard.windows.end(again(stranger), await yard.id())
    assert (await yard.windows.list(again(stranger))).rows == []


async def test_boards_and_cards_show_it_as_it_begins_and_ends(yard: Yard) -> None:
    """Without any tick of its own: they go by the clock."""
    db, org = yard.world.db, yard.planned.owner.org
    await yard.world.rows("update hosts set games = '[]'")
    await Panels(db).create(yard.owner, Where(5))
    await yard.sent()
    watch = PanelWatch(db)
    await watch.refresh()

    async def shown() -> tuple[int, str, str, str]:
        edits = (await watch.refresh())["edited"]
        board = text_of(board_card(await Panels(db).board(org, "all"), clock.now()))
        server = await Servers(db).show(again(yard.owner), "EU1")
        host = await Hosts(db, yard.world.keys).show(again(yard.owner), "gs-1")
        return edits, board, text_of(control_card(server, lambda _: True)), text_of(host_card(host))

    edits, *cards = await shown()
    assert edits == 0 and not any("aintenance" in card for card in cards)
    await yard.windows.plan(yard.owner, "host:gs-1", "in 1h", "1h", "new disk")
    edits, board, server, host = await shown()
    assert edits == 1 and "maintenance <t:" in board and "Next maintenance" in server and "aintenance" not in host
    yard.clock.on(hours=1)
    edits, board, server, host = await shown()
    assert edits == 1 and "in maintenance, over <t:" in board and "new disk" not in board
    assert "**Maintenance** until <t:" in server and "new disk" in server and "new disk" in host
    await Holds(db).hold(yard.owner, "EU1", "look at the map")
    edits, board, server, _ = await shown()
    assert edits == 1 and "held by Olga since <t:" in board and "look at the map" not in board
    assert "**Held** by Olga since <t:" in server and "look at the map" in server
    yard.clock.on(hours=1)
    await Holds(db).release(yard.owner, "EU1")
    edits, *cards = await shown()
    assert edits == 1 and not any("aintenance" in card or "held" in card for card in cards)
