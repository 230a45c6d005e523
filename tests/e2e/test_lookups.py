"""What people look up: how the servers are, who is online, what happened, what they may do."""

import re

import pytest
from sqlalchemy import text

from agent import wire
from bot.demo import reading
from bot.services.heartbeats import Heartbeats
from tests.e2e.community import Community, Host, said, shown_to
from tests.e2e.servers import add_server, online, up

ADDRESS = "203.0.113.7"


@pytest.fixture
async def server(community: Community, host: Host) -> str:
    """A server with two players, in a guild that is set up."""
    await community.set_up()
    server = await add_server(community, host)
    await up(host, server, online("eve", ADDRESS), online("bob", "203.0.113.8", "1"), map="ctf5", version="0.7.5")
    return server


async def test_everybody_sees_how_the_servers_are(community: Community, server: str) -> None:
    shown = await community.player.slash(community.general, "status")
    assert not shown_to(shown).ephemeral
    assert "🟢 **EU #1** · up · 2/8 · Teeworlds" in said(shown)
    one = await community.player.slash(community.general, "status", server=server)
    assert not shown_to(one).ephemeral
    for words in ("EU #1", "**up**", "**Players** 2/8", "**Map** ctf5", "0.7.5"):
        assert words in said(one)
    for secret in (server, "alpha", ADDRESS, "8303", "eve"):
        assert secret not in said(shown) + said(one), "nothing but what everybody may know"
    assert reading.buttons(shown_to(one)) == []


async def test_everybody_sees_who_is_online_and_nobody_their_ids(community: Community, server: str) -> None:
    shown = await community.player.slash(community.general, "players")
    assert not shown_to(shown).ephemeral
    assert "**bob** · EU #1" in said(shown) and "**eve** · EU #1" in said(shown)
    assert ADDRESS not in said(shown)
    assert reading.select_options(shown_to(shown)) == {}, "there is nothing to pick for a player"
    one = await community.player.slash(community.general, "players", server=server)
    assert "Online on EU #1" in said(one) and "**bob** · since" in said(one)


async def test_staff_pick_a_player_and_see_ids_alone(community: Community, server: str) -> None:
    shown = await community.mod.slash(community.general, "players")
    ((custom_id, values),) = reading.select_options(shown_to(shown)).items()
    assert len(values) == 2
    refused = await community.player.select(shown_to(shown), values[:1], custom_id=custom_id)
    assert "You need the permission `players.view`" in said(refused) and shown_to(refused).ephemeral
    assert "Online now" in reading.text(shown_to(shown)), "the public card stays as it is"
    profile = await community.mod.select(shown_to(shown), values[:1], custom_id=custom_id)
    assert shown_to(profile).ephemeral and "### bob" in said(profile) and "**name** `bob`" in said(profile)
    form = await community.mod.click(shown_to(profile), label="Kick")
    kicked = await community.mod.submit_modal(form, {"reason": "enough"})
    assert "Kicking bob from EU" in said(kicked)


async def test_thirty_players_are_three_pages(community: Community, host: Host, server: str) -> None:
    crowd = [online(f"nick{number:02}", f"203.0.113.{number}", str(number)) for number in range(30)]
    await up(host, server, *crowd)
    page = await community.mod.slash(community.general, "players", server="eu #1")
    seen: list[str] = []
    for wanted in (["Next"], ["Previous", "Next"], ["Previous"]):
        assert reading.buttons(shown_to(page)) == wanted
        seen += re.findall(r"\*\*(nick\d\d)\*\*", said(page))
        assert len(seen) % 10 == 0
        if "Next" in wanted:
            page = await community.player.click(shown_to(page), label="Next")
    assert seen == [f"nick{number:02}" for number in range(30)]


async def test_the_history_of_a_server(community: Community, host: Host, server: str) -> None:
    asked = await community.mod.slash(community.general, "server restart", server=server)
    await community.mod.click(shown_to(asked), label="Restart EU #1")
    (job,) = await host.claim()
    await host.progress(job, wire.Step.STARTED)
    await host.result(job)
    await up(host, server)
    shown = await community.player.slash(community.general, "status", server=server)
    assert shown.acknowledged
    shown = await community.mod.slash(community.general, "server history", server=server)
    assert shown_to(shown).ephemeral and "History of EU #1" in said(shown)
    assert f"`J-{job['number']}` restart · success · mia" in said(shown)
    assert "`J-1` create · success · olga" in said(shown)
    assert ".ask" not in said(shown), "what was asked is in the audit log; here is what was done"
    assert "eve joined" in said(shown) and "eve left" in said(shown)
    assert ADDRESS not in said(shown)


async def test_a_history_has_pages(community: Community, host: Host, server: str) -> None:
    for _ in range(4):
        await up(host, server)
        await up(host, server, online("eve", ADDRESS))
    page = await community.mod.slash(community.general, "server history", server="eu #1")
    first = said(page)
    assert reading.buttons(shown_to(page)) == ["Next"]
    page = await community.mod.click(shown_to(page), label="Next")
    assert said(page) != first and "Previous" in reading.buttons(shown_to(page))
    page = await community.mod.click(shown_to(page), label="Previous")
    assert said(page) == first


@pytest.fixture
def unpaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulated Discord has nothing against a burst."""
    monkeypatch.setattr("bot.workers.outbox.PER_CHANNEL", 100)


@pytest.mark.usefixtures("unpaced")
async def test_jobs_have_pages_and_states(community: Community, server: str) -> None:
    for _ in range(12):
        await community.mod.slash(community.general, "console run", server=server, command="status")
    page = await community.mod.slash(community.general, "job list", state="live", server="EU #1")
    assert said(page).count("**Console · EU #1** · waiting") == 10 and "`J-13`" in said(page)
    page = await community.mod.click(shown_to(page), label="Next")
    assert said(page).count("**Console") == 2 and "`J-1`" not in said(page)
    done = await community.mod.slash(community.general, "job list", state="success")
    assert "`J-1` **Create · EU #1** · done" in said(done) and "Console" not in said(done)
    assert "No job is like that." in said(await community.mod.slash(community.general, "job list", state="expired"))


@pytest.mark.usefixtures("unpaced")
async def test_the_jobs_of_a_server_with_an_odd_name_have_pages(community: Community, host: Host) -> None:
    await community.set_up()
    name = "Dust: Iron " + "x" * 89
    server = await add_server(community, host, name=name)
    for _ in range(11):
        await community.mod.slash(community.general, "console run", server=server, command="status")
    for command in ("job list", "server history"):
        page = await community.mod.slash(community.general, command, server=name)
        assert reading.buttons(shown_to(page)) == ["Next"], said(page)
        page = await community.mod.click(shown_to(page), label="Next")
        assert "Previous" in reading.buttons(shown_to(page))


async def test_a_job_is_shown_whole(community: Community, host: Host, server: str) -> None:
    await community.mod.slash(community.general, "console run", server=server, command="status")
    (job,) = await host.claim()
    await host.progress(job, wire.Step.SENDING)
    await host.result(job, output="id=0 ```name='eve'```", duration_ms=40)
    shown = said(await community.mod.slash(community.general, "job show", job=f"j-{job['number']}"))
    for words in ("Console · EU #1", "**done**", "by mia", "```\nstatus\n```", "name='eve'", "It took 0.0 s."):
        assert words in shown
    refused = said(await community.mod.slash(community.general, "job show", job="J-²"))
    assert "That is no job number." in refused


async def test_a_host_as_administrators_see_it(community: Community, host: Host, server: str) -> None:
    shown = await community.owner.slash(community.general, "host show", host=host.id)
    assert shown_to(shown).ephemeral
    for words in (
        "### alpha",
        "**online**",
        "**Agent** 1, last heard",
        "**Load** CPU",
        "Teeworlds",
        "**Servers** EU #1",
    ):
        assert words in said(shown)
    assert host.key not in said(shown) and host.key[:12] in said(shown), "the part of the key that may be seen"
    listed = await community.owner.slash(community.general, "host list")
    assert "🟢 **alpha** · online · 1 server" in said(listed)
    async with community.app.db.engine.begin() as connection:
        await connection.execute(text("update hosts set last_heartbeat_at = now() - interval '10 minutes'"))
    await Heartbeats(community.app.work_db).sweep()
    assert "offline since <t:" in said(await community.owner.slash(community.general, "host show", host="ALPHA"))
    assert "host offline" in said(await community.player.slash(community.general, "status"))


async def test_help_shows_what_one_may_do_as_commands_to_click(community: Community) -> None:
    await community.set_up()

    async def helped(member: object, **options: str) -> set[str]:
        shown = await getattr(community, str(member)).slash(community.general, "help", **options)
        assert shown_to(shown).ephemeral
        return set(re.findall(r"</([a-z -]+):\d+>", said(shown)))

    owner, mod, player = [await helped(name) for name in ("owner", "mod", "player")]
    own = {"my bans", "my export", "my forget", "my why"}
    assert player == {"help", "players", "status"} | own, "what Discord's picker does not show cannot be clicked"
    assert player < mod < owner
    assert {"server restart", "player kick", "console run", "audit search", "job cancel"} <= mod
    assert not {"server kill", "setup start", "host add", "fleet remove", "host revoke"} & mod
    assert {"server kill", "setup start", "host add", "fleet remove", "host revoke"} <= owner
    assert await helped("mod", topic="job") == {"job list", "job show", "job cancel", "job retry"}
    assert await helped("mod", topic="fleet") == mod, "a topic with nothing to run is no topic"


async def test_help_suggests_what_one_may_do(community: Community) -> None:
    await community.set_up()
    assert {choice["value"] for choice in await community.mod.autocomplete(community.general, "help", "topic", "")} >= {
        "job",
        "server",
    }
    assert await community.player.autocomplete(community.general, "help", "topic", "fleet") == []


async def test_a_name_that_is_somebodys_trick_stays_a_name(community: Community, host: Host, server: str) -> None:
    trick = "**@everyone** [x](https://evil.example)"
    await up(host, server, online(trick, ADDRESS))
    (choice,) = await community.mod.autocomplete(community.general, "player kick", "player", "everyone")
    await up(host, server)
    refused = said(await community.mod.slash(community.general, "player kick", player=choice["value"], reason="x"))
    assert "is not on any server now." in refused
    assert "@everyone" not in refused and "https://evil" not in refused and "](" not in refused.replace("\\]", "")


REFUSALS = [
    ("server show", {"server": "nowhere"}, "There is no such server here.", "Servers here: EU #1."),
    ("server cancel", {"server": "EU #1"}, "Nothing is waiting or under way on EU #1.", "`/job list`"),
    ("job show", {"job": "J-99"}, "There is no job J-99 here.", "`/job list`"),
    ("job show", {"job": "soon"}, "That is no job number.", "`/job list`"),
    ("player kick", {"player": "nobody", "reason": "x"}, "There is no such player here.", "suggestions"),
    ("server start", {"server": "EU #1"}, "EU #1 is running already.", "`/server restart`"),
    ("announce", {"text": "x" * 600}, "has 600 characters", "Shorten it"),
    ("server restart", {"server": "EU #1", "when": "soon"}, "soon is no moment.", "in 15 minutes"),
]


async def test_every_refusal_says_what_failed_what_to_do_and_its_reference(community: Community, server: str) -> None:
    for command, options, what, remedy in REFUSALS:
        refused = await community.mod.slash(community.general, command, **options)
        assert shown_to(refused).ephemeral
        first, second, third = said(refused).splitlines()
        assert first.startswith("**") and what in first
        assert remedy in second
        assert re.fullmatch(r"-# Reference: `[0-9a-f]+`", third)


async def test_nothing_says_thinking_for_ever(community: Community, server: str) -> None:
    community.app.client.gate.deadline = 0
    for command in ("status", "players", "server list", "job list", "help", "audit search", "server show"):
        options = {"server": server} if command == "server show" else {}
        shown = await community.mod.slash(community.general, command, **options)
        assert shown.acknowledged and said(shown)
    for command in ("status", "players", "job list", "server show", "server history"):
        refused = await community.mod.slash(community.general, command, server="nowhere")
        assert "There is no such server here." in said(refused)
