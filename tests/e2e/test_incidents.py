"""Incidents as people meet them: the card, its buttons, and its end by itself."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import discord
from sqlalchemy import text

from agent import wire
from bot.demo import reading
from bot.demo.simcord_private.env import owner_of
from bot.services.alert_evaluation import AlertEvaluation
from tests.e2e.community import Community, Host, filled, said, shown_to
from tests.e2e.servers import add_server, up


async def with_alerts(community: Community) -> None:
    """The ops channel takes alerts too."""
    await community.set_up()
    card = await community.owner.slash(community.general, "setup start")
    await community.owner.select(shown_to(card), [community.ops], custom_id="gk:setup.channel:alerts")


async def is_(host: Host, server: str, state: Any, **values: Any) -> None:
    """A heartbeat that says how a server is."""
    await host.beat(wire.ServerReport(id=UUID(server), state=state, **values))


async def card_with(community: Community, words: str) -> discord.Message:
    """The incident's message once it says these words; there must be one of them only."""
    message = await community.message_with(words)
    cards = [shown for shown in community.texts(community.ops) if "`I-" in shown]
    assert len(cards) == 1, cards
    return message


async def fine_for_a_while(community: Community) -> None:
    """The fifteen seconds in which it has to stay fine, and the looks before and after them."""
    await community.tick("alerts.evaluate")
    async with community.app.work_db.statement() as session:
        await session.execute(text("update alert_firings set clear_since = clear_since - interval '15 seconds'"))
    await community.tick("alerts.evaluate")


async def wanted(community: Community, host: Host) -> str:
    """A server that runs and is to run; its id."""
    server = await add_server(community, host)
    await is_(host, server, "stopped")
    await community.mod.slash(community.general, "server start", server=server)
    (job,) = await host.claim()
    await host.progress(job, wire.Step.STARTED)
    await host.result(job)
    await up(host, server)
    return server


async def test_a_killed_server_from_the_card_to_its_end(community: Community, host: Host) -> None:
    await with_alerts(community)
    server = await wanted(community, host)
    await is_(host, server, "crashed", note="ended by signal 9 after 3 min")
    await community.tick("alerts.evaluate")
    message = await card_with(community, "EU #1 is down")
    shown = reading.text(message)
    assert "`I-1` · **open**" in shown and "it crashed: ended by signal 9" in shown and "severity **high**" in shown
    for command in ("server show", "status"):
        assert "**Incident** I-1" in said(await community.mod.slash(community.general, command, server=server))
    await community.mod.click(message, label="Acknowledge")
    await card_with(community, "mia looks into it")
    await up(host, server)
    await fine_for_a_while(community)
    shown = reading.text(await card_with(community, "it is running and reachable"))
    assert "**resolved** · after" in shown
    assert ("incident.acknowledge", "success") in await community.audit()


async def crashed(community: Community, host: Host) -> tuple[str, discord.Message]:
    """A server that is down, and the card of its incident."""
    await with_alerts(community)
    server = await wanted(community, host)
    await is_(host, server, "crashed")
    await community.tick("alerts.evaluate")
    return server, await card_with(community, "EU #1 is down")


async def test_the_buttons_survive_a_restart_of_the_bot(community: Community, host: Host) -> None:
    _, message = await crashed(community, host)
    await community.env.restart_bot(community.app.remade_client())
    assert "You look into I-1" in said(await community.mod.click(message, label="Acknowledge"))
    over = await community.owner.click(await card_with(community, "mia looks into it"), label="Resolve")
    assert "**resolved by olga**" in said(over) and shown_to(over).ephemeral
    await card_with(community, "resolved by olga")
    assert (await community.audit())[-2:] == [("incident.acknowledge", "success"), ("incident.resolve", "success")]


async def incident_id(community: Community) -> str:
    (row,) = await community.rows("select id from incidents")
    return row.id.hex


async def test_who_may_not_press_is_told_who_may(community: Community, host: Host) -> None:
    _, message = await crashed(community, host)
    refused = await community.player.click(message, label="Resolve")
    assert "You need the permission `incidents.manage`" in said(refused)
    assert (await community.audit())[-1] == ("incident.resolve", "denied")
    assert "**open**" in reading.text(await card_with(community, "EU #1 is down"))


async def test_the_commands_for_incidents(community: Community, host: Host) -> None:
    mod, general = community.mod, community.general
    await with_alerts(community)
    assert "Nothing has been wrong yet." in said(await mod.slash(general, "incident list"))
    await crashed(community, host)
    assert "`I-1` **EU #1 is down** · high · open" in said(await mod.slash(general, "incident list", state="live"))
    assert "No incident is like that." in said(await mod.slash(general, "incident list", state="resolved"))
    (choice,) = await mod.autocomplete(general, "incident ack", "incident", "eu")
    assert choice == {"name": "I-1 · EU #1 is down · open", "value": "1"}
    assert "You look into I-1" in said(await mod.slash(general, "incident ack", incident="1"))
    assert "mia looks into I-1 already." in said(await community.owner.slash(general, "incident ack", incident="I-1"))
    done = await mod.slash(general, "incident resolve", incident="i-1", note="the disk\nwas **full** @everyone")
    assert "resolved it: the disk was \\*\\*full\\*\\* @\u200beveryone" in said(done)
    assert "It is still so; there is a new message only after it was fine." in said(done)
    late = await mod.slash(general, "incident resolve", incident="1", note="late")
    assert "I-1 was resolved already by mia." in said(late)
    assert "resolved already" in said(await mod.slash(general, "incident ack", incident="1"))
    assert "There is no such incident here." in said(await mod.slash(general, "incident show", incident="2"))
    shown = await mod.slash(general, "incident show", incident="1")
    assert "**resolved by mia**" in said(shown) and "mia" in said(shown)


async def test_another_guild_sees_and_presses_nothing(community: Community, host: Host) -> None:
    _, _ = await crashed(community, host)
    guild = community.env.create_guild("Elsewhere", owner=community.env.create_user("zoe"))
    away = guild.create_text_channel("general")
    zoe = owner_of(guild)
    assert "Nothing has been wrong yet." in said(await zoe.slash(away, "incident list"))
    assert "There is no such incident here." in said(await zoe.slash(away, "incident show", incident="1"))
    assert await zoe.autocomplete(away, "incident ack", "incident", "") == []
    (mine,) = await community.rows("select id from alert_rules where name = 'Server down' and enabled")
    assert "There is no such rule here." in said(await zoe.slash(away, "alert toggle", rule=str(mine.id)))
    refused = await zoe.slash(away, "incident resolve", incident=await incident_id(community))
    assert "There is no such incident here." in said(refused)
    assert "**open**" in reading.text(await card_with(community, "EU #1 is down"))


async def test_a_rule_for_words_in_a_log_pings_nobody(community: Community, host: Host) -> None:
    """What the game said is not repeated, only what was looked for; that is escaped as well."""
    await with_alerts(community)
    server = await wanted(community, host)
    form = await community.owner.slash(community.general, "alert add", type="log_keyword", server=server)
    added = await community.owner.submit_modal(form, filled(form, keyword="<@&1> @everyone **joined**"))
    assert "A new rule watches" in said(added) and "@everyone" not in said(added)
    line = wire.LogRecord(ts=datetime.now(UTC), level="info", message="Player '<@&1> @everyone **joined**' joined")
    batch = wire.Records(server_id=UUID(server), stream="log", generation=1, seq=1, records=[line])
    status, answer = await host.call("POST", "records", batch)
    assert status == 200, answer
    await community.tick("alerts.evaluate")
    shown = await card_with(community, "in the log of EU #1")
    assert "@everyone" not in reading.text(shown) and "<@" not in reading.text(shown)
    assert not shown.mentions and not shown.role_mentions and not shown.mention_everyone


async def test_the_commands_for_rules(community: Community, host: Host) -> None:
    owner, general = community.owner, community.general
    await community.set_up()
    assert "waits for an alerts channel" in said(await owner.slash(general, "alert list"))
    refused = await owner.slash(general, "alert test", rule="Server down")
    assert "No channel takes this rule's messages" in said(refused)
    form = await owner.slash(general, "alert add", type="host_offline", host=host.id, severity="low")
    added = await owner.submit_modal(form, filled(form, **{"for": "90s"}))
    assert "alpha: no heartbeat for 1 min 30 s" in said(added) and "No channel takes its messages yet" in said(added)
    assert "would have fired: **0 times** (silences shorter than 120 s were not kept)." in said(added)
    form = await owner.slash(general, "alert add", type="host_offline", host=host.id)
    assert "There is a rule called Host offline: alpha already." in said(
        await owner.submit_modal(form, filled(form, **{"for": "90s"}))
    )
    form = await owner.slash(general, "alert add", type="host_offline", host=host.id)
    assert "is not a duration" in said(await owner.submit_modal(form, filled(form, **{"for": "soon"})))
    await with_alerts(community)
    (choice,) = await owner.autocomplete(general, "alert test", "rule", "down")
    assert "A test is on its way" in said(await owner.slash(general, "alert test", rule=choice["value"]))
    test = await community.message_with("Test of an alert")
    assert "Messages of the rule **Server down** (severity high) arrive here. Nothing is wrong." in reading.text(test)
    assert "The rule is off" in said(await owner.slash(general, "alert toggle", rule=choice["value"]))
    assert "**Server down**" in said(await owner.slash(general, "alert list", state="off"))
    denied = await community.mod.slash(general, "alert toggle", rule=choice["value"])
    assert "You need the permission `alerts.manage`" in said(denied)
    actions = [
        action for action, outcome in await community.audit() if action.startswith("alert.") and outcome == "success"
    ]
    assert actions == [
        "alert.list",
        "alert.add",
        "alert.add",
        "alert.add",
        "alert.add",
        "alert.test",
        "alert.toggle",
        "alert.list",
    ]


async def test_a_silent_host_is_one_card_and_ends_when_it_is_back(community: Community, host: Host) -> None:
    await with_alerts(community)
    server = await wanted(community, host)
    await add_server(community, host, "EU #2")
    evaluation = AlertEvaluation(community.app.work_db)  # its tick waits until the bot has been there for a while
    async with community.app.work_db.statement() as session:
        await session.execute(text("update hosts set last_heartbeat_at = now() - interval '125 seconds'"))
    await evaluation.silence()
    shown = reading.text(await card_with(community, "alpha is offline"))
    assert "no heartbeat for 2 min" in shown and "Host **alpha**" in shown
    await is_(host, server, "running", reachable=True)
    await evaluation.silence()
    await fine_for_a_while(community)
    await evaluation.silence()
    assert "**resolved** · after" in reading.text(await card_with(community, "heartbeats arrive again"))
