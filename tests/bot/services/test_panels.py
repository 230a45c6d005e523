"""Boards: how often they are edited, what makes them due, and what becomes of one that is removed early."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest

from agent import wire
from bot import clock
from bot.domain.actors import Actor
from bot.errors import Conflict, Invalid, NotFound, NotPermitted
from bot.services import outbox
from bot.services.leases import Leases
from bot.services.outbox import Outbox, Sent, Skipped
from bot.services.panels import PER_CHANNEL, SHOWN, Panels, PanelWatch, Where
from bot.ui.cards import Colour
from bot.ui.panels import board_card
from tests.bot.world import World


@pytest.fixture
def panels(world: World) -> Panels:
    return Panels(world.db)


def message_of(seconds_ago: float) -> int:
    """The id of a message that was posted so long ago."""
    posted = clock.now() - timedelta(seconds=seconds_ago)
    return (int(posted.timestamp() * 1000) - 1_420_070_400_000) << 22


async def posted(world: World, panels: Panels, channel: int, *, server: str = "", ago: float = 0.0) -> UUID:
    """A board whose message is in Discord."""
    made = await panels.create(world.admin(), Where(channel), server=server)
    flow = Outbox(world.db)
    for row in await flow.claim():
        await flow.settle(row, Sent(message_of(ago), b"first"))
    return made.id


async def pause(world: World, panel: UUID) -> float:
    """Seconds until the next edit."""
    then = await world.value("select next_edit_at from bot_messages where id = :id", id=panel)
    return round((then - clock.now()).total_seconds())


async def owed(world: World) -> int:
    return await world.value("select count(*) from notification_jobs where op = 'edit' and status = 'pending'")


async def test_boards_of_a_channel_share_what_it_allows(world: World, panels: Panels) -> None:
    host, _ = await world.pair()
    servers = [str(await world.server(host, f"EU{n}")) for n in range(3)]
    first = await posted(world, panels, 1)
    assert await pause(world, first) == 10
    second = await posted(world, panels, 1, server=servers[0])
    assert await pause(world, second) == 20
    other = await posted(world, panels, 2, ago=7200)
    assert await pause(world, other) == 30, "Discord allows fewer edits of an old message"
    await PanelWatch(world.db).refresh()
    await world.rows("update notification_jobs set next_attempt_at = now() - interval '1 minute'")
    flow = Outbox(world.db)
    for row in await flow.claim():
        await flow.settle(row, Skipped(b"first"))
    assert await pause(world, second) <= 2, "what was not sent uses nothing up"


async def test_a_look_finds_what_has_changed_since_the_last(world: World, panels: Panels) -> None:
    host, _ = await world.pair()
    server = await world.server(host)
    await world.beat(host, wire.ServerReport(id=server, state="running"))
    await posted(world, panels, 1)
    watch = PanelWatch(world.db)
    assert await watch.refresh() == {"edited": 1}, "nobody knows what it shows"
    assert await watch.refresh() == {"edited": 0}
    for statement in (
        "update hosts set last_heartbeat_at = last_heartbeat_at - interval '1 minute'",
        "update hosts set status = 'offline', offline_since = now()",
        "update server_instances set name = 'EU9'",
        "update server_instances set deleted_at = now()",
    ):
        await world.rows(statement)
        assert await watch.refresh() == {"edited": 1}, statement
        assert await watch.refresh() == {"edited": 0}
    assert await owed(world) == 1, "one edit serves for all of it"


async def test_who_leads_again_does_not_trust_its_memory(world: World, panels: Panels) -> None:
    """Another process has shown something else meanwhile, and now all is as it was before."""
    first, second = Leases(world.db, "first"), Leases(world.db, "second")
    watches = [PanelWatch(world.db.under(partial(who.under, "boards"))) for who in (first, second)]
    host, _ = await world.pair()
    server = await world.server(host)
    await world.beat(host, wire.ServerReport(id=server, state="running"))
    await posted(world, panels, 1)
    for name, watch, holder in zip(("EU1", "EU9", "EU1"), (*watches, watches[0]), (first, second, first), strict=True):
        await world.rows("update leases set expires_at = now() - interval '1 second'")
        assert await holder.take("boards")
        await world.rows("update server_instances set name = :name", name=name)
        assert await watch.refresh() == {"edited": 1}, name
        assert await watch.refresh() == {"edited": 0}


async def test_a_heartbeat_edits_the_boards_that_show_its_server(world: World, panels: Panels) -> None:
    host, _ = await world.pair()
    shown, hidden = await world.server(host, "EU1"), await world.server(host, "EU2")
    await posted(world, panels, 1, server=str(shown))
    await world.beat(host, wire.ServerReport(id=hidden, state="crashed"))
    assert await owed(world) == 0
    await world.beat(host, wire.ServerReport(id=shown, state="crashed"))
    assert await owed(world) == 1


async def test_a_removed_board_goes_before_it_was_ever_posted(world: World, panels: Panels) -> None:
    made = await panels.create(world.admin(), Where(1))
    await panels.remove(world.admin(), str(made.id))
    assert await world.rows("select * from bot_messages where kind = 'panel'") == []
    assert await world.rows("select * from notification_jobs where event_type = 'panel.created'") == []


async def test_one_that_is_being_removed_cannot_be_had_at_once(world: World, panels: Panels) -> None:
    made = await posted(world, panels, 1)
    await panels.remove(world.admin(), str(made))
    assert await panels.list(world.admin()) == []
    with pytest.raises(Conflict, match="just being removed"):
        await panels.create(world.admin(), Where(1))
    flow = Outbox(world.db)
    (row,) = await flow.claim()
    assert row.op == "delete"
    await flow.settle(row, outbox.Refused("Discord said 404", permanent=True, target="message"))
    assert (await panels.create(world.admin(), Where(1))).channel_id == 1


async def test_one_that_is_being_posted_cannot_be_removed_at_once(world: World, panels: Panels) -> None:
    """Its message would stay for ever, and nobody would keep it up to date."""
    made = await panels.create(world.admin(), Where(1))
    flow = Outbox(world.db)
    (row,) = await flow.claim()
    with pytest.raises(Conflict, match="just being posted"):
        await panels.remove(world.admin(), str(made.id))
    await flow.settle(row, Sent(message_of(0), b"first"))
    await panels.remove(world.admin(), str(made.id))
    assert [row.op for row in await flow.claim()] == ["delete"]


async def switched_off(world: World, panels: Panels) -> UUID:
    """A board that has its message still, in a channel that was closed to us."""
    made = await posted(world, panels, 1)
    await PanelWatch(world.db).refresh()
    await world.rows("update notification_jobs set next_attempt_at = now() - interval '1 minute'")
    flow = Outbox(world.db)
    for row in await flow.claim():
        await flow.settle(row, outbox.Refused("Discord said 403", permanent=True, target="channel"))
    (panel,) = await panels.list(world.admin())
    assert panel.disabled_reason == "Discord said 403"
    return made


async def test_permission_is_lost_and_given_back(world: World, panels: Panels) -> None:
    """The board that is there goes on; a second one beside it would leave the first as it was that day."""
    made = await switched_off(world, panels)
    assert (await panels.create(world.admin(), Where(1))).id == made
    (row,) = await Outbox(world.db).claim()
    assert (row.op, row.bot_message_id, row.rendered_hash) == ("edit", made, None)
    await Outbox(world.db).settle(row, outbox.Refused("404", permanent=True, target="message"))
    assert [row.op for row in await Outbox(world.db).claim()] == ["post"], "somebody had deleted it meanwhile"


async def test_one_that_was_switched_off_is_removed_with_its_message(world: World, panels: Panels) -> None:
    made = await switched_off(world, panels)
    await panels.remove(world.admin(), str(made))
    (row,) = await Outbox(world.db).claim()
    assert row.op == "delete"
    await Outbox(world.db).settle(row, outbox.Refused("Discord said 403", permanent=True, target="channel"))
    assert await world.rows("select id from bot_messages where kind = 'panel'") == []


async def test_who_may_not_and_what_does_not_fit(world: World, panels: Panels) -> None:
    host, _ = await world.pair()
    with pytest.raises(NotPermitted):
        await panels.create(world.member(), Where(1))
    with pytest.raises(Invalid, match="may not post"):
        await panels.create(world.admin(), Where(1, ("Send Messages",)))
    for n in range(PER_CHANNEL):
        await panels.create(world.admin(), Where(1), server=str(await world.server(host, f"EU{n}")))
    with pytest.raises(Conflict, match=f"{PER_CHANNEL} boards"):
        await panels.create(world.admin(), Where(1))


async def test_who_may_on_one_server_alone(world: World, panels: Panels) -> None:
    """They post that server's board and take it away; the others are not theirs."""
    host, _ = await world.pair()
    server, other = await world.server(host), await panels.create(world.admin(), Where(1))
    await world.rows(
        """insert into role_bindings (org_id, role_id, discord_role_id, server_instance_id)
           select rp.org_id, rp.id, 77, :server from roles rp where rp.org_id = :org and rp.name = 'admin'""",
        server=server,
        org=world.org_id,
    )

    def keeper() -> Actor:
        return replace(world.member(), role_ids=frozenset({77}))

    made = await panels.create(keeper(), Where(2), server=str(server))
    with pytest.raises(NotPermitted):
        await panels.remove(keeper(), str(other.id))
    await panels.remove(keeper(), str(made.id))
    assert [one.id for one in await panels.list(world.admin())] == [other.id]


async def test_a_guild_has_only_so_many(world: World, panels: Panels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.services.panels.PER_ORG", 2)
    for channel in (1, 2):
        await panels.create(world.admin(), Where(channel))
    with pytest.raises(Conflict, match="2 boards already"):
        await panels.create(world.admin(), Where(3))


async def test_what_does_not_fit_is_counted(world: World, panels: Panels) -> None:
    """A crash among the servers without a line of their own must be seen."""
    host, _ = await world.pair()
    for number in range(60):
        await world.server(host, f"EU{number:02}", "crashed" if number == 50 else "running")
    await world.rows("update hosts set last_heartbeat_at = now()")
    board = await panels.board(world.org_id, "all")
    assert len(board.servers) == SHOWN and len(board.others) == 60 - SHOWN
    (shown,) = board_card(board, clock.now()).to_components()
    assert "And 40 more servers: 39 🟢 up · 1 🔴 crashed." in str(shown)
    assert f"'accent_color': {Colour.BAD.value}" in str(shown)


async def test_another_guild_sees_none_of_it(world: World, panels: Panels) -> None:
    host, _ = await world.pair()
    server, made = await world.server(host), await posted(world, panels, 1)
    other = await World(world.db, guild=2002).found()
    assert await panels.list(other.admin()) == []
    with pytest.raises(NotFound):
        await panels.remove(other.admin(), str(made))
    with pytest.raises(NotFound):
        await panels.create(other.admin(), Where(1), server=str(server))
    assert (await panels.board(other.org_id, "all")).servers == []
    assert (await panels.board(other.org_id, f"server:{server}")).servers == []
    assert len((await panels.board(world.org_id, f"server:{server}")).servers) == 1
    with pytest.raises(NotFound):
        await panels.remove(world.admin(), str(uuid4()))
