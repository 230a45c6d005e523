"""kill -9 around a ban: one case, one notice, one receipt, and a game that keeps the player out."""

from bot.services.bans_sweep import BanSweep
from db.engine import Database
from tests.faults.town import Town
from tests.wire.trouble import posts_to
from tests.wire.waiting import eventually

EVE = "76561198000000099"


async def press(town: Town) -> None:
    """Bans Eve, whom nobody has seen; the answer is not waited for."""
    asked = await (await town.command("ban add", player=f"steam:{EVE}", reason="griefing")).answer()
    await town.discord.press(town.owner, asked, "Ban on 1 server")


async def number(town: Town) -> int:
    """Of the job that carries the ban, once there is one."""

    async def found() -> int | None:
        rows = await town.rows("select number from jobs where type = 'BAN_SYNC'")
        return rows[0][0] if rows else None

    return await eventually(found)


async def entry_is(town: Town, status: str, seconds: float = 20.0) -> None:
    async def look() -> bool:
        return await town.rows("select sync_status from ban_entries") == [(status,)]

    await eventually(look, seconds, lambda: f"an entry that is {status}")


async def reconciled(town: Town) -> None:
    """What the bot does within half a minute, at once; and what waits for a second attempt waits no longer."""
    db = Database(town.database_url, role="tests")

    async def synced() -> bool:
        await town.rows("update ban_entries set next_attempt_at = now() where sync_status in ('pending', 'failed')")
        await town.rows(  # of a run that its agent took and had not written down yet only the lease tells
            """update job_runs set lease_expires_at = now()
                where status = 'running' and created_at < now() - interval '10 seconds'"""
        )
        await BanSweep(db).reconcile()
        return await town.rows("select 1 from ban_entries where sync_status <> 'synced'") == []

    try:
        await eventually(synced, 90.0, lambda: "a receipt")
    finally:
        await db.close()


async def whole(town: Town) -> None:
    """As if nothing had happened."""
    assert await town.rows("select number, status, reason from org_bans") == [(1, "active", "griefing")]
    assert await town.rows("select type from ban_events") == [("created",)]
    assert await town.rows("select sync_status, applied_state from ban_entries") == [("synced", "banned")]
    assert await town.rows("select count(*) from audit_logs where action = 'ban.add'") == [(1,)]

    async def quiet() -> bool:
        return not await town.rows("select 1 from notification_jobs where status in ('pending', 'processing')")

    await eventually(quiet, 25.0, lambda: "an empty outbox")
    (notice,) = [message for message in town.discord.messages(town.ops) if "is banned" in message.text]
    assert "applied on Navezgane" in notice.text
    assert not await town.rows("select 1 from jobs where status in ('held', 'queued', 'running')")
    refused = await town.game.control.join("Eve", steam=EVE)
    assert isinstance(refused, str) and "B-1: griefing" in refused
    told = [line for line in town.game.log().splitlines() if "ban add" in line]
    assert len(told) == 1 and EVE in told[0], told


async def test_the_bot_dies_after_the_commit(town: Town) -> None:
    """Neither the host nor the channel has heard of the ban."""
    town.host.freeze()
    post = town.discord.trouble.hold(posts_to(town.ops.id))
    await press(town)
    await post.until_arrived()
    await town.bot.kill()
    post.lose()
    await town.bot.start()
    town.host.thaw()
    await town.a_minute_passes()
    await entry_is(town, "synced", 40.0)
    await whole(town)


async def test_the_bot_dies_while_the_host_applies(town: Town) -> None:
    """The receipts wait on the host's disk."""
    await town.game.control.hang(1.0)
    await press(town)
    await town.run_is(await number(town), "running")
    await town.bot.kill()
    await town.host.until(lambda: bool(town.host.spooled(".result")))
    await town.bot.start()
    await town.a_minute_passes()
    await entry_is(town, "synced")
    await whole(town)


async def test_the_agent_dies_while_it_applies(town: Town) -> None:
    """Nobody can say whether the game has heard it, so it is looked for, and told where it has not."""
    await town.game.control.hang(1.0)
    await press(town)
    await town.run_is(await number(town), "running")
    await town.host.kill()
    await town.host.start()
    await reconciled(town)
    await whole(town)
