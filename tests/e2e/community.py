"""A guild on a simulated Discord with the whole bot behind it, for tests that act as its members."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import discord
import simcord
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.results import InteractionResult, ResponseMessage
from sqlalchemy import text

from agent import wire
from agent.host import Meter, game_report
from bot.app import App
from bot.demo import reading
from bot.workers.sweeps import ticks_of
from games.catalog import load_catalog


@dataclass
class Community:
    """A guild with an owner, a moderator and a player, and the bot in it."""

    env: simcord.Env
    app: App
    guild: GuildHandle
    general: ChannelHandle
    ops: ChannelHandle
    owner: MemberActor
    mod: MemberActor
    player: MemberActor
    moderators: Any

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        """What a statement finds in the database of this test."""
        async with self.app.db.read() as session:
            return list((await session.execute(text(statement), values)).all())

    async def audit(self) -> list[tuple[str, str]]:
        """(action, outcome) of every audit row of a person, oldest first."""
        found = await self.rows("select action, outcome from audit_logs where actor_type = 'user' order by id")
        return [(row.action, row.outcome) for row in found]

    async def tick(self, name: str) -> None:
        """Does now what the bot does by itself from time to time."""
        (tick,) = [tick for tick in ticks_of(self.app.work_db) if tick.name == name]
        await tick.work()

    async def set_up(self) -> None:
        """Channels and roles, through the wizard as the owner."""
        card = await self.owner.slash(self.general, "setup start")
        while "Who may do what" not in said(card):
            card = await self.owner.click(shown_to(card), label="Skip" if "The clock" in said(card) else "Back")
        menu = reading.role_menu(shown_to(card), "moderator")
        card = await self.owner.select(shown_to(card), [self.moderators], custom_id=menu)
        card = await self.owner.click(shown_to(card), label="Next")
        await self.owner.select(shown_to(card), [self.ops], custom_id="gk:setup.channel:ops")

    async def eventually(self, check: Callable[[], Any], seconds: float = 15.0) -> Any:
        """Waits, on the real clock, until something holds."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            try:
                found = check()
                if asyncio.iscoroutine(found):
                    found = await found
            except (LookupError, AssertionError):
                found = None
            if found:
                return found
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"did not happen within {seconds} s; messages: {self.texts(self.ops)}")
            await asyncio.sleep(0.03)

    def texts(self, channel: ChannelHandle) -> list[str]:
        """The texts of a channel's messages, oldest first."""
        return [reading.text(message) for message in channel.history()]

    async def message_with(self, words: str, seconds: float = 15.0) -> discord.Message:
        """The newest message in #ops that says these words."""

        def find() -> Any:
            return next((message for message in reversed(self.ops.history()) if words in reading.text(message)), None)

        return await self.eventually(find, seconds)


def shown_to(result: InteractionResult) -> ResponseMessage:
    """The message that answered an interaction."""
    assert result.response is not None, f"no answer: {result}"
    return result.response


def said(result: InteractionResult) -> str:
    """All that an interaction's answer says, follow-ups included."""
    return "\n".join(reading.text(message) for message in [result.response, *result.followups] if message)


def filled(form: Any, **changed: str) -> dict[str, str]:
    """The entries of a form as it was opened, with some typed over."""
    fields = [label["component"] for label in form.modal["components"]]
    return {field["custom_id"]: field.get("value") or "" for field in fields} | changed


class Host:
    """A host that speaks the protocol and does what a test tells it: for what goes on between bot and agent."""

    def __init__(self, community: Community, name: str) -> None:
        self.community = community
        self.name = name
        self.key = ""
        self.id = ""
        self.games = [game_report(template) for template in load_catalog().values()]

    async def call(self, method: str, path: str, message: wire.Wire | None = None) -> tuple[int, dict[str, Any]]:
        url = f"http://127.0.0.1:{self.community.app.port}/agent/v1/{path}"
        headers = {"Authorization": f"Bearer {self.key}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, url, json=message.dump() if message else None) as answer,
        ):
            return answer.status, await answer.json()

    async def pair(self) -> "Host":
        """Pairs with a token that the owner asks for in Discord."""
        shown = await self.community.owner.slash(self.community.general, "host add", name=self.name)
        token = said(shown).split("gamekeeper-agent pair ")[1].split()[1]
        request = wire.PairRequest(token=token, hostname=socket.gethostname(), agent_version="1", games=self.games)
        status, answer = await self.call("POST", "pair", request)
        assert status == 200, answer
        self.key, self.id = answer["agentKey"], answer["hostId"]
        await self.beat()
        return self

    async def beat(self, *servers: wire.ServerReport) -> dict[str, Any]:
        """One heartbeat."""
        beat = wire.Heartbeat(
            agent_version="1", games=self.games, metrics=Meter(Path("/")).metrics(), servers=list(servers)
        )
        status, answer = await self.call("POST", "heartbeat", beat)
        assert status == 200, answer
        return answer

    async def claim(self, wait: int = 5) -> list[dict[str, Any]]:
        status, answer = await self.call("POST", f"jobs/claim?wait={wait}", wire.ClaimRequest(slots=5))
        assert status == 200, answer
        return answer["jobs"]

    async def progress(self, job: dict[str, Any], phase: wire.Step, message: str = "") -> tuple[int, dict[str, Any]]:
        report = wire.Progress(claim_token=job["claimToken"], phase=phase, message=message)
        return await self.call("POST", f"runs/{job['runId']}/progress", report)

    async def result(self, job: dict[str, Any], outcome: Any = "success", **values: Any) -> tuple[int, dict[str, Any]]:
        result = wire.Result(claim_token=job["claimToken"], outcome=outcome, **values)
        return await self.call("POST", f"runs/{job['runId']}/result", result)
