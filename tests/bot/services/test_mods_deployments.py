"""Deployments: what is wanted on a server, who may want it, and what the end of its job makes of it."""

import asyncio
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from agent import wire
from bot.domain.jobs import JobType
from bot.errors import AppError, Conflict, Invalid, NotFound, NotPermitted, Unsupported
from bot.services.agents import HostIdentity
from bot.services.confirmations import Done
from bot.services.fleet import Fleet
from bot.services.mods_inventory import ModInventory
from bot.services.setup import Setup
from bot.ui import mods
from tests.bot.people import ADMINS, MODERATORS
from tests.bot.services.workshop import Workshop, mod
from tests.bot.world import World, progress, result

MAP = b"DATA" * 50


@pytest.fixture
async def shop(world: World, tmp_path: Path) -> Workshop:
    """With three versions of a map and one mod of 7 Days to Die."""
    shop = Workshop(world, tmp_path / "artifacts")
    for version in ("1.0", "1.1", "1.2"):
        await shop.upload(MAP + version.encode(), "dm9.map", version=version)
    await shop.upload(mod())
    return shop


@pytest.fixture
async def host(shop: Workshop) -> HostIdentity:
    return await shop.host()


@pytest.fixture
async def server(shop: Workshop, host: HostIdentity) -> UUID:
    return await shop.server(host)


async def test_the_newest_version_unless_another_is_named(shop: Workshop, host: HostIdentity, server: UUID) -> None:
    await shop.deploy(server, "dm9", "1.0")
    job = await shop.finish(host, verified=["loaded dm9"])
    assert isinstance(job.params, wire.ModInstall) and (job.params.name, job.params.version) == ("dm9", "1.0")
    assert await shop.deployments() == [("1.0", "install", "active")]
    await shop.deploy(server, "DM9")
    await shop.finish(host)
    assert await shop.deployments() == [("1.0", "install", "superseded"), ("1.2", "install", "active")]


async def test_back_to_the_version_before(shop: Workshop, host: HostIdentity, server: UUID) -> None:
    for version in ("1.0", "1.1", "1.2"):
        await shop.deploy(server, "dm9", version)
        await shop.finish(host)
    await shop.rollback(server, "dm9")
    await shop.finish(host)
    assert await shop.deployments() == [
        ("1.0", "install", "superseded"),
        ("1.1", "install", "superseded"),
        ("1.2", "install", "rolled_back"),
        ("1.1", "rollback", "active"),
    ]
    await shop.rollback(server, "dm9", "1.0")
    job = await shop.finish(host)
    assert isinstance(job.params, wire.ModInstall) and job.params.version == "1.0"
    with pytest.raises(NotFound, match="no such version") as refused:
        await shop.rollback(server, "dm9", "9.9")
    assert "Were there: 1.1, 1.2." in refused.value.remedy


async def test_nothing_to_go_back_to(shop: Workshop, host: HostIdentity, server: UUID) -> None:
    with pytest.raises(NotFound, match="no such version of dm9"):
        await shop.rollback(server, "dm9")
    await shop.deploy(server, "dm9")
    await shop.finish(host)
    with pytest.raises(NotFound):
        await shop.rollback(server, "dm9")


@pytest.mark.parametrize("state", ["rolled_back", "conflict", "refused"])
async def test_what_did_not_work_leaves_the_old_one_there(
    shop: Workshop, host: HostIdentity, server: UUID, state: str
) -> None:
    await shop.deploy(server, "dm9", "1.0")
    await shop.finish(host)
    await shop.deploy(server, "dm9", "1.1")
    await shop.finish(host, state, detail="the game says: not a valid datafile")
    assert await shop.deployments() == [("1.0", "install", "active"), ("1.1", "install", "failed")]
    errors = await shop.world.rows("select error from mod_deployments where status = 'failed'")
    assert errors == [("the game says: not a valid datafile",)]
    await shop.deploy(server, "dm9", "1.1")


async def test_edited_files_are_replaced_only_when_somebody_says_so(
    shop: Workshop, host: HostIdentity, server: UUID
) -> None:
    await shop.deploy(server, "dm9")
    job = await shop.finish(host, "conflict", detail="somebody edited it", conflicts=["dm9.map", "@everyone.map"])
    asked = await shop.mods.ask_force(await shop.owner(), job.number)
    assert any("dm9.map, @\u200beveryone.map" in line for line in asked.effect) and "replace edited" in asked.verb
    await shop.press(asked)
    again = await shop.finish(host)
    assert isinstance(again.params, wire.ModInstall) and again.params.force
    with pytest.raises(NotFound, match="kept no edited files"):
        await shop.mods.ask_force(await shop.owner(), again.number)


@pytest.mark.parametrize(
    ("outcome", "words"), [("failed", "the disk is full"), ("unknown", "unknown"), ("cancelled", "cancelled")]
)
async def test_other_ends(shop: Workshop, host: HostIdentity, server: UUID, outcome: str, words: str) -> None:
    await shop.deploy(server, "dm9")
    job = await shop.world.started(host)
    error = "the disk is full" if outcome == "failed" else ""
    await shop.world.queue.finish(host, job.run_id, result(job, outcome, error=error))
    ((status, said),) = await shop.world.rows("select status, error from mod_deployments")
    assert status == "failed" and words in said


async def test_a_success_without_a_word_of_the_game_is_none(shop: Workshop, host: HostIdentity, server: UUID) -> None:
    await shop.deploy(server, "dm9")
    job = await shop.world.started(host)
    await shop.world.queue.finish(host, job.run_id, result(job, "success", result={"state": "who knows"}))
    rows = await shop.world.rows("select status, error from mod_deployments")
    assert rows == [("failed", "the host did not say whether the game took it")]


async def test_one_that_is_cancelled_or_expires_before_it_began(
    shop: Workshop, host: HostIdentity, server: UUID
) -> None:
    await shop.deploy(server, "dm9", "1.0")
    await shop.world.jobs.cancel(shop.world.admin(), 1)
    await shop.deploy(server, "dm9", "1.1")
    await shop.world.rows("update jobs set expires_at = now() - interval '1 second' where status = 'queued'")
    await shop.world.sweep.expiry()
    rows = await shop.world.rows("select status, error from mod_deployments order by created_at")
    assert [row[0] for row in rows] == ["failed", "failed"]
    assert "cancelled by" in rows[0][1] and "was not begun" in rows[1][1]


async def test_a_lost_run_that_comes_back_with_a_success(shop: Workshop, host: HostIdentity, server: UUID) -> None:
    """What the game took is there, although it was given up: unless something newer got there meanwhile."""
    await shop.deploy(server, "dm9", "1.0")
    job = await shop.world.started(host)
    await shop.world.lapse(job.run_id)
    await shop.world.sweep.leases()
    assert await shop.deployments() == [("1.0", "install", "failed")]
    done = wire.ModInstallResult(state="installed").dump()
    await shop.world.queue.finish(host, job.run_id, result(job, result=done))
    assert await shop.deployments() == [("1.0", "install", "active")]

    await shop.deploy(server, "dm9", "1.1")
    late = await shop.world.started(host)
    await shop.world.lapse(late.run_id)
    await shop.world.sweep.leases()
    await shop.deploy(server, "dm9", "1.2")
    await shop.finish(host)
    await shop.world.queue.finish(host, late.run_id, result(late, result=done))
    assert (await shop.deployments())[1:] == [("1.1", "install", "failed"), ("1.2", "install", "active")]


@pytest.mark.parametrize(("newer", "then"), [("installed", "active"), ("conflict", "failed")])
async def test_a_lost_run_that_comes_back_while_a_newer_one_waits(
    shop: Workshop, host: HostIdentity, server: UUID, newer: str, then: str
) -> None:
    await shop.deploy(server, "dm9", "1.1")
    late = await shop.world.started(host)
    await shop.world.lapse(late.run_id)
    await shop.world.sweep.leases()
    await shop.deploy(server, "dm9", "1.2")
    done = wire.ModInstallResult(state="installed").dump()
    await shop.world.queue.finish(host, late.run_id, result(late, result=done))
    assert await shop.deployments() == [("1.1", "install", "active"), ("1.2", "install", "pending")]
    await shop.finish(host, newer)
    first = "superseded" if then == "active" else "active"
    assert await shop.deployments() == [("1.1", "install", first), ("1.2", "install", then)]


async def test_a_result_that_comes_twice(shop: Workshop, host: HostIdentity, server: UUID) -> None:
    await shop.deploy(server, "dm9")
    job = await shop.world.started(host)
    done = result(job, result=wire.ModInstallResult(state="installed").dump())
    answers = [await shop.world.queue.finish(host, job.run_id, done) for _ in range(2)]
    assert [answer.accepted for answer in answers] == [True, False]
    assert await shop.deployments() == [("1.2", "install", "active")]


async def test_one_at_a_time_for_each_mod(shop: Workshop, host: HostIdentity, server: UUID) -> None:
    """However many are confirmed at the same moment."""
    questions = [await shop.mods.ask_deploy(await shop.owner(), str(server), "dm9", "1.0") for _ in range(5)]
    ended = await asyncio.gather(*(shop.press(question) for question in questions), return_exceptions=True)
    assert sum(isinstance(one, Done) for one in ended) == 1
    refused = [one for one in ended if isinstance(one, AppError)]
    assert {type(one) for one in refused} == {Conflict} and "(J-1)" in refused[0].what
    with pytest.raises(Conflict, match=r"dm9 1\.0 is on its way to EU1 already"):
        await shop.deploy(server, "dm9", "1.1")
    await shop.finish(host)
    await shop.deploy(server, "dm9", "1.1")
    assert await shop.world.value("select count(*) from jobs where type = 'MOD_INSTALL'") == 2


async def test_a_server_that_is_restarting_gets_it_afterwards(shop: Workshop, host: HostIdentity, server: UUID) -> None:
    await shop.world.enqueue(host, server, JobType.SERVER_RESTART)
    restart = await shop.world.started(host)
    asked = await shop.mods.ask_deploy(await shop.owner(), str(server), "dm9", "")
    assert "J-1 is under way there: this begins after it." in asked.effect
    assert "It waits for J-1" in (await shop.press(asked)).text
    assert await shop.world.claim(host) == []
    await shop.world.queue.finish(host, restart.run_id, result(restart))
    assert isinstance((await shop.world.started(host)).params, wire.ModInstall)


async def test_what_cannot_be_deployed(shop: Workshop, host: HostIdentity, server: UUID) -> None:
    owner = await shop.owner()
    with pytest.raises(NotFound, match="no mod nonesuch here") as refused:
        await shop.mods.ask_deploy(owner, str(server), "nonesuch", "")
    assert "Mods here: Demo, dm9" in refused.value.remedy
    with pytest.raises(NotFound, match=r"no version 9\.9 of dm9") as refused:
        await shop.mods.ask_deploy(owner, str(server), "dm9", "9.9")
    assert "The newest is 1.2" in refused.value.remedy
    with pytest.raises(Invalid, match="a mod of 7 Days to Die; EU1 runs Teeworlds"):
        await shop.mods.ask_deploy(owner, str(server), "Demo", "")
    with pytest.raises(NotFound, match="no such server"):
        await shop.mods.ask_deploy(owner, "nowhere", "dm9", "")
    await shop.world.rows("update hosts set games = jsonb_set(games, '{0,capabilities}', '[\"start\"]')")
    await shop.world.rows("update hosts set games = jsonb_set(games, '{1,capabilities}', '[\"start\"]')")
    with pytest.raises(Unsupported, match="does not support `mods`"):
        await shop.mods.ask_deploy(owner, str(server), "dm9", "")
    assert await shop.deployments() == []


async def test_a_server_that_is_removed_before_the_button_is_pressed(
    shop: Workshop, host: HostIdentity, server: UUID
) -> None:
    asked = await shop.mods.ask_deploy(await shop.owner(), str(server), "dm9", "")
    async with shop.world.db.uow(shop.world.admin()) as tx:
        await Fleet(shop.world.db).removed(tx, {"server": str(server)})
    with pytest.raises(NotFound):
        await shop.press(asked)
    assert await shop.deployments() == []


async def test_who_may_deploy(shop: Workshop, host: HostIdentity, server: UUID) -> None:
    await Setup(shop.world.db).bind(await shop.owner(), "moderator", [MODERATORS])
    await Setup(shop.world.db).bind(await shop.owner(), "operator", [ADMINS])
    with pytest.raises(NotPermitted, match=r"mods\.deploy"):
        await shop.mods.ask_deploy(await shop.people.actor("mia", MODERATORS), str(server), "dm9", "")
    operator = await shop.people.actor("otto", ADMINS)
    asked = await shop.mods.ask_deploy(operator, str(server), "dm9", "")
    demoted = replace(await shop.people.actor("otto", MODERATORS))
    with pytest.raises(NotPermitted):
        await shop.confirmations.press(demoted, asked.token)
    assert await shop.deployments() == []


async def test_another_guild_sees_none_of_it(shop: Workshop, host: HostIdentity, server: UUID) -> None:
    await shop.deploy(server, "dm9")
    job = await shop.finish(host, "conflict", conflicts=["dm9.map"])
    stranger = await shop.people.actor("eve", administrator=True, guild_id=2002, guild_name="Other")
    again = shop.people.actor
    for ask in (
        shop.mods.ask_deploy(stranger, str(server), "dm9", ""),
        shop.mods.ask_rollback(await again("eve", administrator=True, guild_id=2002), str(server), "dm9", ""),
        shop.mods.ask_force(await again("eve", administrator=True, guild_id=2002), job.number),
        shop.mods.history(stranger, str(server)),
    ):
        with pytest.raises(NotFound):
            await ask
    assert await shop.mods.suggest_mods(stranger, "") == await shop.mods.suggest_versions(stranger, "") == []
    assert await shop.mods.suggest_earlier(stranger, "") == []


async def test_the_history_of_a_server(shop: Workshop, host: HostIdentity, server: UUID) -> None:
    for version in ("1.0", "1.1", "1.2") * 4:
        await shop.deploy(server, "dm9", version)
        await shop.finish(host)
    card, first = await shop.mods.history(await shop.owner(), "EU1")
    assert card.id == server and len(first.rows) == 10 and first.more
    assert [row.version for row in first.rows[:3]] == ["1.2", "1.1", "1.0"]
    _, second = await shop.mods.history(await shop.owner(), "EU1", 1)
    assert len(second.rows) == 2 and not second.more
    earlier = await shop.mods.suggest_earlier(await shop.owner(), "dm")
    assert [version for _, version, _ in earlier] == ["1.1", "1.0", "1.2"], "the one that was there last comes first"


async def test_what_a_server_has_beside_what_was_deployed(shop: Workshop, host: HostIdentity, server: UUID) -> None:
    await shop.deploy(server, "dm9", "1.0")
    job = await shop.finish(host)
    assert isinstance(job.params, wire.ModInstall)
    own = wire.ModFound(folder="dm9.map", state="active", name="dm9", version="1.0", sha256=job.params.sha256)
    strange = wire.ModFound(folder="old.map", state="quarantined")

    async def shown(*found: wire.ModFound) -> list[str]:
        await ModInventory(shop.world.db).put(host, server, wire.ModList(revision=1, mods=list(found)))
        _, page = await shop.mods.inventory(await shop.owner(), str(server))
        return [mods.there(mod) for mod in page.rows]

    assert await shown(own, strange) == [
        "**dm9** 1.0 · as deployed · 1.2 is there to be deployed",
        "**old.map** no version · quarantined · not deployed from here",
    ]
    assert await shown() == ["**dm9** 1.0 · deployed, but **not found on the host**"]
    edited = own.model_copy(update={"version": "0.9", "sha256": None})
    assert await shown(edited) == ["**dm9** 0.9 · **1.0 was deployed**"]
    stranger = await shop.people.actor("eve", administrator=True, guild_id=2002, guild_name="Other")
    with pytest.raises(NotFound):
        await shop.mods.inventory(stranger, str(server))


async def test_a_guild_that_is_purged_takes_all_of_it_along(shop: Workshop, host: HostIdentity, server: UUID) -> None:
    for version in ("1.0", "1.1"):
        await shop.deploy(server, "dm9", version)
        await shop.finish(host)
    await shop.rollback(server, "dm9")
    await shop.finish(host)
    await shop.world.rows("delete from orgs where id = :org", org=shop.world.org_id)
    assert await shop.world.rows("select 1 from mod_artifacts union all select 1 from mod_deployments") == []


async def test_progress_is_for_everybody_to_see(shop: Workshop, host: HostIdentity, server: UUID) -> None:
    await shop.deploy(server, "dm9")
    job = await shop.world.started(host)
    await shop.world.queue.progress(host, job.run_id, progress(job, wire.Step.UNPACKING))
    assert await shop.world.value("select progress_phase from job_runs") == "unpacking"
    with pytest.raises(Conflict, match="there is nothing to retry"):
        await shop.world.jobs.retry(shop.world.admin(), job.number)
    await shop.world.queue.finish(host, job.run_id, result(job, "failed", error="no"))
    with pytest.raises(Conflict, match="cannot be done again by itself"):
        await shop.world.jobs.retry(shop.world.admin(), job.number)
