"""The playground by itself: the page's requests, its address, and a stand-in bot that works in the background."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest
import simcord

from bot import clock
from bot.demo import simcord_private as private
from bot.demo.playground import Playground, Stage, Suggestion, free_socket, stored_capability
from bot.demo.timekeeper import follow_wall_clock
from bot.errors import Unavailable
from tests.demo.stand_in import StandIn

SEE = discord.PermissionOverwrite(view_channel=True)
HIDE = discord.PermissionOverwrite(view_channel=False)


@dataclass
class Site:
    """A running playground and a browser's way of asking it."""

    playground: Playground
    address: str
    http: aiohttp.ClientSession

    @property
    def base(self) -> str:
        return self.address.partition("/#")[0]

    async def ask(self, method: str, path: str, context: str | None = None, **options: Any) -> Any:
        headers = {"X-Simcord-Capability": self.playground.capability}
        if context:
            headers["X-Simcord-Context"] = context
        async with self.http.request(method, self.base + path, headers=headers, **options) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def act(self, channel: str, page: dict[str, Any], **body: Any) -> Any:
        """One action of the page, as its script sends it."""
        now = await self.ask("GET", f"/c/{channel}/api/state", page["context"]["id"])
        sequence = page.get("sequence", 0) + 1
        page["sequence"] = sequence
        envelope = {
            "protocol_version": 3, "sequence": sequence, "request_id": str(sequence), "generation": 1,
            "bot_generation": now["botGeneration"], "published_revision": now["publishedRevision"],
        }  # fmt: skip
        return await self.ask("POST", f"/c/{channel}/api/action", page["context"]["id"], json=envelope | body)


@pytest.fixture
async def site(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    bot = StandIn()
    env = simcord.Env(bot, shard_count=1)
    private.to_now(env)
    private.name_bot(env, "Gamekeeper")
    monkeypatch.setattr(clock, "idle", private.idle_seam(env))
    await env.start()
    guild = env.create_guild("Riverside", owner=env.create_user("olga", global_name="Olga"))
    mods = guild.create_role("Moderator", permissions=discord.Permissions(moderate_members=True))
    mika = guild.add_member(env.create_user("mika", global_name="Mika"), roles=[mods])
    pia = guild.add_member(env.create_user("pia", global_name="Pia"))
    assert bot.user
    ops = guild.create_text_channel("ops", overwrites={guild.default_role: HIDE, mods: SEE, bot.user: SEE})
    general = guild.create_text_channel("general")
    bot.ops = ops.id
    viewers = {"Owner": private.owner_of(guild), "Moderator": mika, "Player": pia}
    tip = Suggestion(title="Status", command="/status", channel="general", viewer="Player")
    stage = Stage(guild=guild, channels=[general, ops], viewers=viewers, suggestions=[tip])
    async with contextlib.AsyncExitStack() as stack:
        worker = asyncio.create_task(bot.work(pause=0.05))
        stack.callback(worker.cancel)
        lock = asyncio.Lock()
        clockwork = asyncio.create_task(follow_wall_clock(env, lock))
        stack.callback(clockwork.cancel)
        playground = Playground(env, stage, lock, capability="secret")
        address = await playground.serve(stack, port=0)
        yield Site(playground, address, await stack.enter_async_context(aiohttp.ClientSession()))
    await env.shutdown()
    env.raise_errors()


async def eventually(read: Any, wanted: str) -> str:
    seen = ""
    for _ in range(200):
        seen = json.dumps(await read(), ensure_ascii=False)
        if wanted in seen:
            return seen
        await asyncio.sleep(0.02)
    raise AssertionError(f"{wanted!r} did not appear in {seen}")


async def test_the_frame_shows_each_viewer_the_channels_that_discord_would_show(site: Site) -> None:
    overview = await site.ask("GET", "/overview")
    assert overview["guild"] == "Riverside"
    seen = {one["label"]: [channel["name"] for channel in one["channels"]] for one in overview["viewers"]}
    assert seen == {"Owner": ["general", "ops"], "Moderator": ["general", "ops"], "Player": ["general"]}
    assert overview["suggestions"][0]["command"] == "/status"


@pytest.mark.parametrize(
    "path", ["/", "/page/frame.js", "/page/frame.css", "/page/embed.css", "/c/ops/", "/simcord/app.js"]
)
async def test_pages_are_served_and_forbid_foreign_content(site: Site, path: str) -> None:
    async with site.http.get(site.base + path) as response:
        assert response.status == 200
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]


async def test_nobody_gets_in_by_another_name_or_without_the_secret(site: Site) -> None:
    async with site.http.get(site.base + "/overview") as response:
        assert response.status == 401
    async with site.http.get(site.base + "/", headers={"Host": "evil.example"}) as response:
        assert response.status == 403
    async with site.http.post(site.base + "/c/ops/api/pages", json={}) as response:
        assert response.status == 401
    assert site.address.startswith("http://127.0.0.1:")


async def test_a_command_runs_and_the_workers_messages_arrive_without_an_action(site: Site) -> None:
    mika = site.playground.stage.viewers["Moderator"]
    page = await site.ask("POST", "/c/ops/api/pages", json={"viewer_id": str(mika.id)})
    catalog = await site.ask("GET", "/c/ops/api/commands", page["context"]["id"])
    entry = next(one for one in catalog["entries"] if one["invocation"] == "server restart")
    ran = await site.act("ops", page, kind="run_command", command_id=entry["commandId"], path=entry["path"],
                         schema_fingerprint=entry["schemaFingerprint"], options={"server": "EU #1"})  # fmt: skip
    assert ran["settlement"] == "settled", ran
    state = await site.ask("GET", "/c/ops/api/state", page["context"]["id"])
    message = state["timeline"][-1]
    button = f"message:{message}:component:4"
    clicked = await site.act("ops", page, kind="click", target_id=message, control_key=button)
    assert clicked["settlement"] == "settled", clicked
    await eventually(lambda: site.ask("GET", "/c/ops/api/state", page["context"]["id"]), "EU #1 restarted in 0.6 s")


async def test_a_player_is_not_offered_what_discord_hides(site: Site) -> None:
    pia = site.playground.stage.viewers["Player"]
    page = await site.ask("POST", "/c/general/api/pages", json={"viewer_id": str(pia.id)})
    catalog = await site.ask("GET", "/c/general/api/commands", page["context"]["id"])
    assert [one["invocation"] for one in catalog["entries"]] == ["status"]


async def test_a_browser_that_ends_the_session_ends_it_for_nobody(site: Site) -> None:
    page = await site.ask("POST", "/c/general/api/pages", json={})
    await site.act("general", page, kind="close")
    assert (await site.ask("POST", "/c/general/api/pages", json={}))["timeline"] == []


async def test_many_browsers_at_once(site: Site) -> None:
    pages = [await site.ask("POST", "/c/general/api/pages", json={}) for _ in range(40)]
    assert len({page["context"]["id"] for page in pages}) == 40


async def test_simulated_time_follows_the_wall_clock(site: Site) -> None:
    before = site.playground.env.now()
    await asyncio.sleep(1.3)
    assert 0.9 < (site.playground.env.now() - before).total_seconds() < 2.5


def test_a_taken_port_means_the_next_one() -> None:
    with free_socket(0) as taken:
        port = taken.getsockname()[1]
        with free_socket(port) as other:
            assert other.getsockname()[1] != port
            assert other.getsockname()[0] == "127.0.0.1"
            assert isinstance(other, socket.socket)


def test_the_address_survives_a_restart_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "data" / "capability"
    first = stored_capability(path)
    assert len(first) >= 32
    assert stored_capability(path) == first
    assert path.stat().st_mode & 0o077 == 0


def test_another_simcord_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simcord, "__version__", "9.9.9")
    with pytest.raises(Unavailable, match=r"needs simcord 3\.2\.1, but 9\.9\.9"):
        private.guard()
