"""Three guilds at once, in which everything is called the same: what happens in one stays there."""

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

import pytest
import simcord
from sqlalchemy import text

from bot import clock
from bot.app import App
from bot.demo import reading
from bot.demo.simcord_private.env import faster_settle
from bot.services.outbox import Outbox
from bot.services.retention import ORG_KEPT, Retention
from tests.db.state import state_of
from tests.e2e import forging
from tests.e2e.community import said
from tests.e2e.conftest import kept_views
from tests.e2e.forging import Act
from tests.e2e.neighbours import Neighbour, settled

TIMES: Final = 2
AT_ONCE: Final = 12
COMMANDS: Final[Sequence[tuple[str, Mapping[str, str]]]] = (
    ("server list", {}),
    ("server show", {"server": "Arena same"}),
    ("server restart", {"server": "same-arena"}),
    ("console run", {"server": "Arena same", "command": "say {word}"}),
    ("announce", {"text": "{word}"}),
    ("host show", {"host": "box same"}),
    ("job list", {}),
    ("ban show", {"case": "501"}),
    ("incident show", {"incident": "501"}),
    ("schedule pause", {"schedule": "daily same"}),
    ("schedule resume", {"schedule": "daily same"}),
    ("notify test", {"name": "ops same"}),
    ("audit search", {}),
    ("mod list", {"server": "Arena same"}),
)
WORDS: Final = ("amber", "birch", "cedar")
"""What only one of the guilds says."""


@pytest.fixture
async def guilds(app: App) -> AsyncIterator[tuple[Neighbour, ...]]:
    faster_settle()
    env = simcord.Env(app.client, shard_count=1)
    await env.start()
    olga = env.create_user("olga")
    yield tuple([await settled(env, app, "Same", olga, word="same", number=501) for _ in WORDS])
    await env.shutdown()
    env.raise_errors()
    assert kept_views(app) == 0, "discord.py keeps a view in memory"


def _acts(guild: Neighbour, word: str) -> list[tuple[Neighbour, Act]]:
    filled = [(path, {name: value.format(word=word) for name, value in given.items()}) for path, given in COMMANDS]
    made: list[tuple[Neighbour, Act]] = []
    for path, given in filled * TIMES:
        options = [{"name": name, "type": 3, "value": value} for name, value in given.items()]
        made.append((guild, forging.command(guild.env, guild.owner, guild.channel, path, options, {})))
    return made


async def test_what_happens_in_one_guild_stays_there(guilds: tuple[Neighbour, ...]) -> None:
    env, app = guilds[0].env, guilds[0].app
    acts = [act for guild, word in zip(guilds, WORDS, strict=True) for act in _acts(guild, word)]
    random.Random(7).shuffle(acts)
    waves = [acts[begin : begin + AT_ONCE] for begin in range(0, len(acts), AT_ONCE)]
    results = [result for wave in waves for result in await forging.send_all(env, [act for _, act in wave])]
    for (guild, act), result in zip(acts, results, strict=True):
        shown = said(result)
        assert shown and "Something broke" not in shown, (act.data, shown)
        assert _foreign(guild, guilds, shown) == [], (act.data, shown)
        assert result.response is not None and result.response.channel_id == guild.channel.id
    for guild in guilds:
        rows = await guild.rows("select * from audit_logs where org_id = :org and interaction_id is not null")
        ours = [row for row in rows if row.command != "help"]
        assert len(ours) == len(COMMANDS) * TIMES
        assert {(row.discord_guild_id, row.channel_id) for row in ours} == {(guild.guild.id, guild.channel.id)}
    await _delivered(app)
    for guild in guilds:
        posted = "\n".join(reading.text(message) for message in guild.channel.history())
        assert _foreign(guild, guilds, posted) == []
        assert WORDS[guilds.index(guild)] in posted


def _foreign(guild: Neighbour, guilds: tuple[Neighbour, ...], shown: str) -> list[str]:
    """What a text says of the other guilds."""
    others = [(other, word) for other, word in zip(guilds, WORDS, strict=True) if other is not guild]
    known = [one for other, word in others for one in (word, str(other.channel.id), str(other.guild.id), *other.ids)]
    return [one for one in known if one in shown.replace("-", "")]


async def _delivered(app: App) -> None:
    """Says everything that is owed, without the pauses that Discord asks for."""
    outbox = Outbox(app.work_db)
    while rows := await outbox.claim(100):
        for row in rows:
            await outbox.settle(row, await app.messenger.deliver(row))


async def test_the_end_of_one_guild_is_not_felt_by_the_others(guilds: tuple[Neighbour, ...]) -> None:
    engine, gone = guilds[0].app.work_db.engine, guilds[1]
    before = [await state_of(engine, guild.org_id) for guild in guilds]
    async with engine.begin() as connection:
        left = {"org": gone.org_id, "at": clock.now() - ORG_KEPT - timedelta(days=1)}
        await connection.execute(text("update orgs set status = 'left', left_at = :at where id = :org"), left)
    await Retention(gone.app.work_db).left_orgs()
    after = [await state_of(engine, guild.org_id) for guild in guilds]
    assert [after[0], after[2]] == [before[0], before[2]]
    nothing = "d41d8cd98f00b204e9800998ecf8427e"
    assert {table for table, found in after[1].items() if found != nothing} <= {"audit_seals"}
