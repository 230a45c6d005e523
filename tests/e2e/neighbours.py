"""Guilds side by side, each with one of everything, so that one can try to reach what is the other's."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, TypeVar
from uuid import UUID

import simcord
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle, RoleHandle
from sqlalchemy import Text, select, text

from bot.app import App
from bot.demo.simcord_private.env import owner_of
from bot.domain.actors import system
from bot.domain.schedules_steps import Step
from bot.services.schedules_wishes import Wish
from db.models import (
    AppState,
    ArchivedJob,
    AuditLog,
    Base,
    BotMessage,
    CommandMacro,
    CronRun,
    GameType,
    Host,
    Lease,
    ModArtifact,
    ModDeployment,
    Org,
    OrgCounter,
    PendingConfirmation,
    Permission,
    Server,
    User,
)
from tests.db import rows

M = TypeVar("M", bound=Base)

GAME: Final = "7dtd"
"""The game that can do most of what commands ask for."""
FREE: Final = frozenset(
    "author description error error_message file_name folder host_name hostname last_error location message mod_name "
    "name output player_name progress_message reason slug tag title username version website".split()
)
"""Columns of texts that people or games write, and that answers show."""
LIVELY: Final[Mapping[type[Base], Mapping[str, Any]]] = {
    BotMessage: {"kind": "panel", "subject_id": "all", "message_id": 1},
    Host: {"status": "online"},
    ModArtifact: {"status": "ready", "file_ref": "ab/cd", "sha256": b"s" * 32, "size_bytes": 10},
    ModDeployment: {"status": "superseded"},
    Server: {"status": "running"},
}
"""What a row needs so that commands get as far as to what they are about."""
_OTHERS: Final = (AppState, CronRun, GameType, Lease, Org, OrgCounter, Permission, User)
"""Nobody's, or there already, or begun when the first number is given out."""


@dataclass
class Neighbour:
    """A guild with its owner, whom no permission stops, and its rows."""

    env: simcord.Env
    app: App
    guild: GuildHandle
    channel: ChannelHandle
    owner: MemberActor
    role: RoleHandle
    org_id: UUID
    word: str
    """It stands in every text of this guild's rows."""
    number: int
    """The number of its job, its ban and its incident; too high for one that is given out."""
    things: dict[type[Base], Base] = field(default_factory=dict[type[Base], Base])
    unsaved: list[UUID] = field(default_factory=list[UUID])
    """Tokens of questions whether to save a schedule, which can be changed before that."""

    def one(self, model: type[M]) -> M:
        found = self.things[model]
        assert isinstance(found, model)
        return found

    @property
    def ids(self) -> set[str]:
        """The ids of its rows, as a custom_id or an answer would carry them."""
        own = [thing for thing in self.things.values() if not isinstance(thing, _OTHERS)]
        found = {getattr(thing, "id", None) for thing in own}
        return {value.hex for value in [*found, *self.unsaved] if isinstance(value, UUID)}

    async def rows(self, statement: str, **values: Any) -> Sequence[Any]:
        async with self.app.db.read() as session:
            return (await session.execute(text(statement), {"org": self.org_id, **values})).all()


async def settled(env: simcord.Env, app: App, name: str, owner: Any, *, word: str, number: int) -> Neighbour:
    """A guild that the bot has joined, with one row of every table. `owner` may have several guilds."""
    guild = env.create_guild(name, owner=owner)
    channel = guild.create_text_channel("general")
    member = owner_of(guild)
    await member.slash(channel, "help")  # makes the org and its owner known
    async with app.db.read() as session:
        org_id = (await session.scalars(select(Org.id).where(Org.discord_guild_id == guild.id))).one()
    made = Neighbour(env, app, guild, channel, member, guild.create_role("Keepers"), org_id, word, number)
    await _fill(made)
    return made


async def _fill(made: Neighbour) -> None:
    db = made.app.db
    async with db.read() as session:
        owner = (await session.scalars(select(User.id).where(User.discord_user_id == made.owner.id))).one()
        game = (await session.scalars(select(GameType.id).where(GameType.slug == GAME))).one()
        permission = (await session.scalars(select(Permission.id).where(Permission.name == "servers.view"))).one()
    objects = rows.one_of_each()
    made.things = {type(one): one for one in objects}
    there = {User: owner, GameType: game, Permission: permission, Org: made.org_id}
    same = {one.id: there[type(one)] for one in objects if isinstance(one, User | GameType | Permission | Org)}
    for one in objects:
        for name, value in _changed(one, made).items():
            setattr(one, name, value)
        for column in one.__mapper__.columns:
            value = getattr(one, column.key)
            if isinstance(value, UUID):
                setattr(one, column.key, same.get(value, value))
    mine = [one for one in objects if not isinstance(one, _OTHERS)]
    async with db.uow(system("test")) as tx:
        for one in mine:
            made.things[type(one)] = await tx.session.merge(one)  # some are there already, such as the membership
            await tx.session.flush()
        for _ in range(2):
            question = _unsaved(made, owner)
            tx.session.add(question)
            await tx.session.flush()
            made.unsaved.append(question.id)


def _unsaved(made: Neighbour, owner: UUID) -> PendingConfirmation:
    steps = [Step("announce", made.word), Step("restart")]
    wish = Wish("restart", "0 4 * * *", server=str(made.one(Server).id), name=f"nightly {made.word}", zone="UTC")
    payload = {"wish": asdict(wish.doing(steps)), "before": None}
    return PendingConfirmation(
        org_id=made.org_id, user_id=owner, action="schedule.add", payload=payload, expires_at=rows.SOON
    )


def _changed(one: Base, made: Neighbour) -> dict[str, Any]:
    """What makes a row this guild's: its texts, its number, its channel."""
    found: dict[str, Any] = {"name": f"{one.name}-{made.word}"} if isinstance(one, CommandMacro) else {}
    for column in one.__mapper__.columns:
        value = getattr(one, column.key)
        if column.key in found:
            continue
        if column.key in FREE and isinstance(column.type, Text) and isinstance(value, str):
            found[column.key] = _marked(column.key, value, made.word)
        elif column.key.endswith("hash") and isinstance(value, bytes):
            found[column.key] = value + str(made.guild.id).encode()
        elif column.key == "number":
            found[column.key] = made.number + 1000 * isinstance(one, ArchivedJob)
        elif column.key == "value" and getattr(one, "kind", "") == "steam":
            found[column.key] = f"76561198000000{made.number:03}"
        elif column.key in ("channel_id", "discord_channel_id") and isinstance(value, int):
            found[column.key] = made.channel.id
    if isinstance(one, AuditLog):
        found |= {
            "options": {"text": made.word},
            "details": {"text": made.word},
            "correlation_id": f"{made.number:012x}",
        }
    if isinstance(one, PendingConfirmation):
        payload = {"server": str(made.one(Server).id), "action": "kill", "delay": 0, "reason": made.word}
        found |= {"payload": payload}
    if isinstance(one, ModArtifact):
        found |= {"game_type_id": made.one(GameType).id}
    return found | dict(LIVELY.get(type(one), {}))


def _marked(column: str, value: str, word: str) -> str:
    return f"{word}-{value.lower()}" if column in ("slug", "tag", "version") else f"{value} {word}"
