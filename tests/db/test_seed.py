"""The seed puts in place what the code takes for granted, once."""

from uuid import uuid4

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.actors import system
from bot.domain.permissions import PERMISSIONS, PRESETS
from db.engine import Database
from db.models import GameType, Org, Permission, Role, RolePermission
from db.seed import instantiate_presets, seed

GAMES = {"7dtd": ("7 Days to Die", ["console", "players"]), "teeworlds": ("Teeworlds", ["console"])}


async def permissions_by_role(session: AsyncSession, org: Org) -> dict[str, set[str]]:
    rows = await session.execute(
        select(Role.name, Permission.name)
        .join(RolePermission, RolePermission.role_id == Role.id)
        .join(Permission, Permission.id == RolePermission.permission_id)
        .where(Role.org_id == org.id)
    )
    found: dict[str, set[str]] = {}
    for role, permission in rows:
        found.setdefault(role, set()).add(permission)
    return found


async def test_every_permission_is_there_once_with_its_parts(db: Database) -> None:
    async with db.uow(system("seed")) as tx:
        await seed(tx.session, GAMES)
        await seed(tx.session, GAMES)
    async with db.read() as session:
        rows = {row.name: row for row in await session.scalars(select(Permission))}
    assert set(rows) == set(PERMISSIONS)
    assert len(rows) == 65
    keys = rows["api.keys.view"]
    assert (keys.category, keys.resource, keys.action) == ("api", "api.keys", "view")


async def test_a_changed_description_and_game_are_brought_up_to_date(db: Database) -> None:
    async with db.uow(system("seed")) as tx:
        await tx.session.execute(update(Permission).values(description="old"))
        await seed(tx.session, {"teeworlds": ("Teeworlds 0.7", ["announce"])})
    async with db.read() as session:
        assert await session.scalar(select(func.count()).where(Permission.description == "old")) == 0
        game = (await session.scalars(select(GameType).where(GameType.slug == "teeworlds"))).one()
    assert (game.name, game.capabilities) == ("Teeworlds 0.7", ["announce"])


async def test_an_org_gets_the_presets_with_their_permissions(db: Database) -> None:
    async with db.uow(system("join")) as tx:
        org = Org(discord_guild_id=1, name="Guild")
        tx.session.add(org)
        await tx.session.flush()
        await instantiate_presets(tx.session, org.id)
        assert await permissions_by_role(tx.session, org) == {p.name: set(p.permissions) for p in PRESETS}


async def test_presets_that_an_org_has_edited_stay_as_they_are(db: Database) -> None:
    async with db.uow(system("join")) as tx:
        org = Org(id=uuid4(), discord_guild_id=1, name="Guild")
        tx.session.add(org)
        await tx.session.flush()
        tx.session.add(Role(org_id=org.id, name="viewer", priority=3))
        await tx.session.flush()
        await instantiate_presets(tx.session, org.id)
        await instantiate_presets(tx.session, org.id)
        found = await permissions_by_role(tx.session, org)
        assert set(found) == {preset.name for preset in PRESETS} - {"viewer"}
