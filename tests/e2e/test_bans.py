"""Bans from Discord to a host that speaks the protocol, and back."""

import re
from typing import Any

import pytest
from sqlalchemy import text

from agent import wire
from bot.demo import reading
from bot.demo.simcord_private.env import allow_command
from bot.services.heartbeats import Heartbeats
from tests.e2e.community import Community, Host, said, shown_to
from tests.e2e.servers import add_server, online, up


async def ban(community: Community, by: Any = None, **options: str) -> str:
    """`/ban add` and the press of its button; what the answer says."""
    actor = by or community.mod
    asked = await actor.slash(community.general, "ban add", **options)
    return said(await actor.click(shown_to(asked), label=verb(asked)))


def verb(asked: Any) -> str:
    return reading.buttons(shown_to(asked))[0]


async def sync(host: Host, outcome: Any = "applied", detail: str = "") -> list[dict[str, Any]]:
    """Takes the next BAN_SYNC and answers every item of it; the items."""
    (job,) = await host.claim()
    assert job["params"]["type"] == "BAN_SYNC", job
    await host.progress(job, wire.Step.STARTED)
    await receipts(host, job, outcome, detail)
    return job["params"]["items"]


async def receipts(host: Host, job: dict[str, Any], outcome: Any = "applied", detail: str = "") -> None:
    made = [
        wire.BanReceipt(entry_id=item["entryId"], revision=item["revision"], outcome=outcome, detail=detail)
        for item in job["params"]["items"]
    ]
    await host.result(job, result=wire.BanSyncResult(receipts=made).dump())


async def test_a_ban_reaches_its_server_and_the_card_says_so(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    await up(host, server, online("bob", "127.0.0.5"))
    asked = await community.mod.slash(community.ops, "ban add", player="bob", reason="griefing", duration="7d")
    for words in ("**bob**", "online on EU #1", "ip `127.0.0.5`", "no other case", "until <t:", "EU #1 (by ip)"):
        assert words in said(asked), (words, said(asked))
    assert verb(asked) == "Ban on 1 server"
    pressed = await community.mod.click(shown_to(asked), label="Ban on 1 server")
    assert "B-1: bob is banned" in said(pressed)
    card = await community.message_with("bob is banned")
    assert "waits for EU #1" in reading.text(card) and "127.0.0.5" not in reading.text(card)
    (item,) = await sync(host)
    assert (item["want"], item["identities"], item["reason"]) == (
        "banned",
        [{"kind": "ip", "value": "127.0.0.5"}],
        "B-1: griefing",
    )
    await community.message_with("applied on EU #1")
    assert "✓ **EU #1** · applied" in said(await community.mod.slash(community.general, "ban show", case="B-1"))
    assert len([text for text in community.texts(community.ops) if "is banned" in text]) == 1


async def number_of(community: Community, what: str) -> int:
    (row,) = await community.rows(f"select count(*) as n from {what}")
    return row.n


async def test_a_lift_while_the_ban_is_being_applied(community: Community, host: Host) -> None:
    await community.set_up()
    await add_server(community, host)
    await ban(community, player="192.0.2.7", reason="griefing")
    (job,) = await host.claim()
    await host.progress(job, wire.Step.STARTED)
    asked = await community.mod.slash(community.general, "ban lift", case="B-1", reason="a mistake")
    assert "no server was told" not in said(asked), "it may be applied by now"
    lifted = await community.mod.click(shown_to(asked), label="Lift B-1")
    assert "B-1 is lifted" in said(lifted) and "1 server will let them in again" in said(lifted)
    await receipts(host, job)
    (item,) = await sync(host)
    assert item["want"] == "unbanned"
    shown = said(await community.mod.slash(community.general, "ban show", case="1"))
    assert "✓ **EU #1** · taken back" in shown and "**lifted** by mia: a mistake" in shown
    over = await community.mod.slash(community.general, "ban lift", case="B-1", reason="again")
    assert "B-1 is over: it was lifted already" in said(over) and "Reference" in said(over)


async def test_a_ban_ends_by_itself_and_its_notice_says_so(community: Community, host: Host) -> None:
    await community.set_up()
    await add_server(community, host)
    await ban(community, player="192.0.2.7", reason="griefing", duration="1h")
    await sync(host)
    async with community.app.db.engine.begin() as connection:
        past = "update org_bans set banned_at = now() - interval '2 hours', expires_at = now() - interval '1 hour'"
        await connection.execute(text(past))
    await community.tick("bans.expire")
    (item,) = await sync(host)
    assert item["want"] == "unbanned"

    def notices() -> list[str]:
        shown = community.texts(community.general)
        return [one for one in shown if "`B-1` · ended" in one and "taken back on EU #1" in one]

    await community.eventually(notices)
    assert "ended by itself" in said(await community.mod.slash(community.general, "ban show", case="B-1"))
    assert "Nobody is banned" not in said(await community.mod.slash(community.general, "ban list"))
    assert "No ban is like that" in said(await community.mod.slash(community.general, "ban list", state="active"))


async def test_what_the_game_refuses_is_shown_in_its_words(community: Community, host: Host) -> None:
    await community.set_up()
    await add_server(community, host)
    await ban(community, player="192.0.2.7", reason="griefing")
    await sync(host, "refused", "ban error (@everyone is not an address)")
    shown = said(await community.mod.slash(community.general, "ban show", case="B-1"))
    assert "refused: “ban error (@\u200beveryone is not an address)”, tried again <t:" in shown
    await community.eventually(lambda: [one for one in community.texts(community.general) if "refused by EU #1" in one])
    assert not [one for one in community.texts(community.general) if "ban error" in one], "that is for staff"


async def test_a_forged_name_pings_nobody(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    name = "**@everyone** <@&1> `x`"
    await up(host, server, online(name, "192.0.2.7"))
    (choice,) = await community.mod.autocomplete(community.general, "ban add", "player", "@everyone")
    asked = await community.mod.slash(
        community.general, "ban add", player=choice["value"], reason="@here ``` **x**", note="@everyone knows"
    )
    pressed = await community.mod.click(shown_to(asked), label=verb(asked))
    (item,) = await sync(host)
    assert item["name"] == name and item["reason"] == "B-1: @here ``` **x**", (
        "quoting is the console driver's, per game"
    )
    await community.eventually(lambda: [one for one in community.texts(community.general) if "applied on" in one])
    shown = [said(asked), said(pressed), *community.texts(community.general)]
    shown += [said(await community.mod.slash(community.general, "ban show", case="B-1"))]
    shown += [said(await community.mod.slash(community.general, "ban list"))]
    for one in shown:
        prose = re.sub("```.*?```", "", one, flags=re.DOTALL)
        assert "@everyone" not in prose and "@here" not in prose and "<@&" not in prose, one
        assert one.count("```") % 2 == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"reason": "x" * 3_000_000}, "The reason has 3000000 characters; 200 are possible."),
        ({"reason": "one\nban 127.0.0.1"}, "The reason has a line break, which a game cannot show."),
        ({"duration": "soonish"}, "is not a duration"),
        ({"player": "nobody"}, "There is no such player here."),
        ({"server": "Mars"}, "There is no such server here."),
    ],
)
async def test_refusals_have_three_lines_and_leave_nothing(
    community: Community, host: Host, options: dict[str, str], words: str
) -> None:
    await add_server(community, host)
    given = {"player": "192.0.2.7", "reason": "griefing", **options}
    refused = said(await community.owner.slash(community.general, "ban add", **given))
    what, remedy, reference = refused.splitlines()
    assert words in what and remedy and reference.startswith("-# Reference"), refused
    assert await number_of(community, "pending_confirmations") == await number_of(community, "org_bans") == 0
    assert (await community.audit())[-1] == ("ban.add", "failed")
    (row,) = await community.rows("select max(length(options::text)) as n from audit_logs")
    assert row.n < 2_000


async def test_every_command_asks_for_its_permission(community: Community, host: Host) -> None:
    await community.set_up()
    await add_server(community, host)
    await ban(community, by=community.owner, player="192.0.2.7", reason="griefing")
    for command, options, permission in (
        ("ban add", {"player": "192.0.2.8", "reason": "x"}, "bans.create"),
        ("ban lift", {"case": "B-1", "reason": "x"}, "bans.revoke"),
        ("ban show", {"case": "B-1"}, "bans.view"),
        ("ban list", {}, "bans.view"),
        ("player link", {"player": "x", "member": community.player}, "players.kick"),
    ):
        allow_command(community.env, community.guild, command.split()[0], community.player)
        refused = await community.player.slash(community.general, command, **options)
        assert f"You need the permission `{permission}`" in said(refused), command
        assert (await community.audit())[-1] == (command.replace(" ", "."), "denied")
    assert await community.player.autocomplete(community.general, "ban lift", "case", "") == []


async def test_two_moderators_look_at_the_same_player(community: Community, host: Host) -> None:
    await community.set_up()
    await add_server(community, host)
    asked = [
        await actor.slash(community.general, "ban add", player="192.0.2.7", reason=f"says {actor.name}")
        for actor in (community.mod, community.owner)
    ]
    first = await community.owner.click(shown_to(asked[1]), label="Ban on 1 server")
    assert "B-1: A player who was never seen is banned" in said(first)
    second = await community.mod.click(shown_to(asked[0]), label="Ban on 1 server")
    assert "is banned already: B-1. Nothing was done" in said(second) and "`/ban show`" in said(second)
    assert await number_of(community, "org_bans") == await number_of(community, "ban_entries") == 1
    again = await community.owner.slash(community.general, "ban add", player="192.0.2.7", reason="both", duration="9d")
    assert "Change ban B-1?" in said(again) and verb(again) == "Change the ban on 1 server"


async def test_a_removed_server_and_one_whose_host_is_away(community: Community, host: Host) -> None:
    await community.set_up()
    await add_server(community, host)
    other = await Host(community, "beta").pair()
    await add_server(community, other, "US #3")
    async with community.app.db.engine.begin() as connection:
        await connection.execute(
            text("update hosts set last_heartbeat_at = now() - interval '9 min' where name = 'beta'")
        )
    await Heartbeats(community.app.work_db).sweep()
    asked = await community.mod.slash(community.general, "ban add", player="192.0.2.7", reason="x")
    assert "**Later on** US #3 (its host is offline since <t:" in said(asked)
    done = await community.mod.click(shown_to(asked), label="Ban on 2 servers")
    assert "1 of 2 servers are being told now." in said(done) and "Told when they are back: US #3." in said(done)
    await sync(host)

    def notice() -> list[str]:
        return [
            one for one in community.texts(community.general) if "applied on EU #1 · waits for US #3 (its host" in one
        ]

    await community.eventually(notice)
    shown = said(await community.mod.slash(community.general, "ban show", case="B-1"))
    assert "▸ **US #3** · waiting for a host that is offline since <t:" in shown
    async with community.app.db.engine.begin() as connection:
        await connection.execute(text("update server_instances set deleted_at = now() where name = 'US #3'"))
    assert "US #3" not in said(await community.mod.slash(community.general, "ban show", case="B-1"))


async def test_a_banned_player_reads_their_own_ban(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    await up(host, server, online("bob", "192.0.2.7"))
    (choice,) = await community.mod.autocomplete(community.general, "ban add", "player", "bob")
    await ban(community, player=choice["value"], reason="griefing", duration="7d", note="secret")
    nothing = said(await community.player.slash(community.general, "my bans"))
    assert "No ban is known" in nothing
    linked = await community.mod.slash(
        community.general, "player link", player=choice["value"], member=community.player
    )
    assert f"bob is <@{community.player.id}>" in said(linked)
    here = said(await community.player.slash(community.general, "my bans"))
    alone = community.player.user
    there = said(await alone.slash("my bans"))
    for shown in (here, there):
        assert "`B-1` **bob** · until <t:" in shown and "> griefing" in shown and "on all servers" in shown
        assert "192.0.2.7" not in shown and "secret" not in shown
    assert "Dust & Iron" in there and "Dust & Iron" not in here
    assert "No ban is known" in said(await community.mod.slash(community.general, "my bans"))
    assert ("player.link", "success") in await community.audit()


async def test_jobs_of_bans_are_listed_and_not_done_again(community: Community, host: Host) -> None:
    await community.set_up()
    await add_server(community, host)
    await ban(community, player="192.0.2.7", reason="griefing")
    assert "Bans · EU #1" in said(await community.mod.slash(community.general, "job list"))
    assert not [one for one in community.texts(community.ops) if "Bans · EU #1" in one]
    (row,) = await community.rows("select number from jobs where type = 'BAN_SYNC'")
    await community.mod.slash(community.general, "job cancel", job=f"J-{row.number}")
    refused = said(await community.mod.slash(community.general, "job retry", job=f"J-{row.number}"))
    assert "Reference" in refused, refused


async def test_the_audit_log_names_the_case(community: Community, host: Host) -> None:
    await community.set_up()
    await add_server(community, host)
    await ban(community, player="192.0.2.7", reason="griefing")
    found = said(await community.owner.slash(community.general, "audit search", action="ban.add"))
    assert "B-1" in found and "mia" in found, found


async def test_the_buttons_of_a_notice_are_for_staff(community: Community, host: Host) -> None:
    await community.set_up()
    await add_server(community, host)
    await ban(community, player="192.0.2.7", reason="griefing")

    def shown() -> Any:
        return next((one for one in community.general.history() if "is banned" in reading.text(one)), None)

    notice = await community.eventually(shown)
    refused = await community.player.click(notice, label="Details")
    assert "You need the permission `bans.view`" in said(refused)
    details = await community.mod.click(notice, label="Details")
    assert "ip `192.0.2.7`" in said(details)
    form = await community.mod.click(shown_to(details), label="Lift")
    asked = await community.mod.submit_modal(form, {"reason": "a mistake"})
    assert "Lifted because: a mistake" in said(asked)
    assert "B-1 is lifted" in said(await community.mod.click(shown_to(asked), label="Lift B-1"))
