"""Three guilds of one bot, side by side: one acts, and nothing may become of what is the others'."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import simcord
from discord import app_commands
from simcord.results import InteractionResult, ResponseMessage

from bot.app import App
from bot.demo.simcord_private.env import faster_settle
from bot.ui import texts
from tests.db.state import state_of, tables_with
from tests.e2e.conftest import kept_views
from tests.e2e.neighbours import Neighbour, settled

Command = app_commands.Command[Any, ..., Any]


@dataclass
class Street:
    """Three guilds of one bot. The first one acts, the second one's things are asked for."""

    env: simcord.Env
    app: App
    us: Neighbour
    them: Neighbour
    others: Neighbour
    before: dict[str, str] = field(default_factory=dict[str, str])
    asleep: dict[str, str] = field(default_factory=dict[str, str])
    """The state of those whom nobody asks for anything."""
    newest: int = 0

    @property
    def commands(self) -> list[Command]:
        found = self.app.client.tree.walk_commands()
        return [one for one in found if not isinstance(one, app_commands.Group)]

    async def look(self) -> dict[str, str]:
        """The state of whose things are asked for."""
        return await state_of(self.app.db.engine, self.them.org_id)

    async def settle_down(self) -> None:
        self.before = await self.look()
        self.asleep = self.asleep or await state_of(self.app.db.engine, self.others.org_id)
        (row,) = await self.us.rows("select coalesce(max(id), 0) as id from audit_logs")
        self.newest = row.id

    async def card(self) -> ResponseMessage:
        """A message of the bot's, which is said to carry whatever is pressed."""
        card = (await self.us.owner.slash(self.us.channel, "server list")).response
        assert card is not None
        await self.settle_down()
        return card

    async def judged(
        self, result: InteractionResult, given: list[str], *, fails: bool = True, leaves: int = 1
    ) -> tuple[str, list[str]]:
        """The sentence of the refusal, and what is wrong with how something ended that was done just now."""
        found: list[str] = []
        after = await self.look()
        if changed := [table for table, state in after.items() if state != self.before[table]]:
            found.append(f"changed {', '.join(changed)}")
            self.before = after
        rows = await self.us.rows("select * from audit_logs where id > :newest order by id", newest=self.newest)
        self.newest = max([self.newest, *(row.id for row in rows)])
        if [row.org_id for row in rows] != [self.us.org_id] * leaves:
            found.append(f"left {len(rows)} audit rows: {[(row.action, row.outcome) for row in rows]}")
        said = await shown(result)
        if fails and any(row.outcome != "failed" for row in rows):
            found.append(f"ended with {[row.outcome for row in rows]}: {said[:300]}")
        if not result.acknowledged:
            found.append("was not answered")
        if any(row.error == texts.BUG for row in rows):
            found.append("met a bug")
        found += self.told(said + "".join(str(row.error) for row in rows), given)
        return next((row.error or "" for row in rows), ""), found

    async def kept(self) -> list[str]:
        """What our own rows hold of theirs, and what became of the others'. The audit log keeps what was typed."""
        found = await tables_with(self.app.db.engine, self.us.org_id, self.them.word) - {"audit_logs"}
        others = await state_of(self.app.db.engine, self.others.org_id)
        changed = [table for table, state in others.items() if state != self.asleep[table]]
        return [f"our {table} hold theirs" for table in found] + [f"the others' {table} changed" for table in changed]

    def told(self, shown: str, given: list[str]) -> list[str]:
        """What a text says of theirs, beside what was typed."""
        for one in sorted(given, key=len, reverse=True):
            shown = shown.replace(one, "")
        found = [who.word for who in (self.them, self.others) if who.word in shown.lower()]
        plain = shown.replace("-", "")
        found += [one for who in (self.them, self.others) for one in who.ids if one in plain]
        return [f"told {found}: {shown[:300]}"] if found else []


async def shown(result: InteractionResult) -> str:
    """All that an answer carries: texts, buttons, files, forms, suggestions."""
    messages = [one for one in [result.response, *result.followups] if one]
    carried = [[one.content, one.components] for one in messages]
    files = [(file.filename, await file.read()) for one in messages for file in one.attachments]
    held = [carried, result.modal, result.autocomplete_choices, [(name, text.decode()) for name, text in files]]
    return json.dumps(held, ensure_ascii=False, default=str)


@asynccontextmanager
async def living_on(app: App) -> AsyncIterator[Street]:
    """Nothing runs by itself here: what changes was changed by an interaction."""
    faster_settle()
    env = simcord.Env(app.client, shard_count=1)
    await env.start()
    olga = env.create_user("olga")
    us = await settled(env, app, "Us", olga, word="ours", number=501)
    them = await settled(env, app, "Them", olga, word="quokka", number=777)
    others = await settled(env, app, "Others", olga, word="magpie", number=501)
    made = Street(env, app, us, them, others)
    await made.settle_down()
    yield made
    await env.shutdown()
    # what a forged command raises in discord.py on its way to the gate
    refused = (app_commands.CommandSignatureMismatch, app_commands.TransformerError)
    assert [repr(error) for error in env.errors if not isinstance(error, refused)] == []
    assert kept_views(app) == 0, "discord.py keeps a view in memory"
