"""Settings: who may change which, what they may be, and what the log says of it."""

import pytest

from bot.domain.actors import Actor
from bot.domain.settings import SETTINGS
from bot.errors import Conflict, Invalid, NotFound, NotPermitted
from bot.services.config import Config
from bot.services.setup import Setup
from tests.bot.people import MODERATORS, People, again
from tests.bot.world import World


@pytest.fixture
def config(world: World) -> Config:
    return Config(world.db)


@pytest.fixture
async def owner(world: World) -> Actor:
    return await People(world.db).owner()


async def test_what_holds_before_anybody_changes_it(config: Config, owner: Actor) -> None:
    assert await config.show(owner) == {
        "timezone": "UTC",
        "log_retention_days": 7,
        "health_interval_sec": 15,
        "host_offline_after_sec": 120,
        "audit_retention_days": 365,
        "audit_live": False,
        "avoid_risky_restart": False,
    }


@pytest.mark.parametrize(
    ("key", "typed", "value"),
    [
        ("timezone", "berlin", "Europe/Berlin"),
        ("log_retention_days", "2w", 14),
        ("health_interval_sec", "30", 30),
        ("host_offline_after_sec", "5 min", 300),
        ("audit_retention_days", "90", 90),
        (" Audit_Live ", "On", True),
    ],
)
async def test_a_change_is_kept_with_what_was_before(
    world: World, config: Config, owner: Actor, key: str, typed: str, value: object
) -> None:
    key = key.strip().lower()
    before = (await config.show(owner))[key]
    change = await config.change(owner, key, typed)
    assert (change.before, change.after) == (before, value) and (await config.show(owner))[key] == value
    (row,) = await world.rows("select details, resource_type from audit_logs where action = 'config.set'")
    assert row == ({"setting": key, "before": before, "after": value}, "org")


async def test_the_same_again_changes_nothing(world: World, config: Config, owner: Actor) -> None:
    before = await world.value("select updated_at from orgs")
    change = await config.change(owner, "log_retention_days", "7 days")
    assert change.before == change.after == 7
    assert await world.value("select updated_at from orgs") == before


@pytest.mark.parametrize("key", ["setup_settled", "status", "id", "", "org_id = null", "x" * 200])
async def test_keys_that_there_are_not(config: Config, owner: Actor, key: str) -> None:
    with pytest.raises(NotFound, match="no setting") as refused:
        await config.change(owner, key, "1")
    assert all(known in refused.value.remedy for known in SETTINGS)


@pytest.mark.parametrize(
    ("key", "typed", "remedy"),
    [
        ("timezone", "Atlantis", "name of a time zone"),
        ("log_retention_days", "0", "1 to 365 days"),
        ("log_retention_days", "366", "1 to 365 days"),
        ("log_retention_days", "36h", "1 to 365 days"),
        ("log_retention_days", "soon", "1 to 365 days"),
        ("health_interval_sec", "7", "5, 10, 15, 30 or 60 seconds"),
        ("host_offline_after_sec", "9999999999", "15 to 3600 seconds"),
        ("audit_retention_days", "30", "90 to 3650 days"),
        ("audit_live", "maybe", "on or off"),
    ],
)
async def test_values_that_cannot_be(
    world: World, config: Config, owner: Actor, key: str, typed: str, remedy: str
) -> None:
    before = await config.show(owner)
    with pytest.raises(Invalid) as refused:
        await config.change(owner, key, typed)
    assert remedy in refused.value.remedy and await config.show(owner) == before


async def test_a_host_may_leave_a_report_out(config: Config, owner: Actor) -> None:
    await config.change(owner, "health_interval_sec", "60")
    with pytest.raises(Conflict, match="report every 60 seconds") as refused:
        await config.change(again(owner), "host_offline_after_sec", "60")
    assert "120 or more" in refused.value.remedy


async def test_security_settings_need_more(world: World, config: Config, owner: Actor) -> None:
    await Setup(world.db).bind(owner, "moderator", [MODERATORS])
    await world.rows(
        """insert into role_permissions (role_id, permission_id)
           select r.id, p.id from roles r, permissions p where r.name = 'moderator' and p.name = 'settings.edit'"""
    )
    mia = await People(world.db).actor("mia", MODERATORS)
    await config.change(mia, "log_retention_days", "30")
    for key, typed in (("audit_retention_days", "90"), ("audit_live", "on")):
        with pytest.raises(NotPermitted, match=r"security\.config"):
            await config.change(again(mia), key, typed)


async def test_who_may_look_may_not_change(world: World, config: Config, owner: Actor) -> None:
    await Setup(world.db).bind(owner, "viewer", [MODERATORS])
    mia = await People(world.db).actor("mia", MODERATORS)
    assert (await config.show(mia))["timezone"] == "UTC"
    with pytest.raises(NotPermitted, match=r"settings\.edit"):
        await config.change(mia, "timezone", "Berlin")
