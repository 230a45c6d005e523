"""`/audit` as a moderator reads it: page by page, narrowed, and entry by entry."""

import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from bot.demo import reading
from bot.domain.actors import system
from bot.gate.doors import routes
from tests.e2e.community import Community, Host, said, shown_to
from tests.e2e.servers import add_server, online, up


def entries(text: str) -> list[int]:
    """The numbers of the entries that a page shows."""
    return [int(number) for number in re.findall(r"^`(\d+)` ", text, re.MULTILINE)]


async def look(community: Community, times: int) -> None:
    for _ in range(times):
        await community.owner.slash(community.general, "help")


async def test_older_pages_down_to_the_first_entry(community: Community) -> None:
    await community.set_up()
    await look(community, 22)
    page = await community.mod.slash(community.general, "audit search", action="help")
    assert shown_to(page).ephemeral
    seen = entries(said(page))
    assert len(seen) == 10
    await look(community, 3)
    for rows in (10, 2):
        page = await community.mod.click(shown_to(page), label="Older")
        assert len(entries(said(page))) == rows
        seen += entries(said(page))
    assert seen == sorted(set(seen), reverse=True), "newest first; what comes in meanwhile moves nothing"
    assert "Older" not in reading.buttons(shown_to(page))


async def test_older_works_after_a_restart_and_with_every_filter(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    for _ in range(12):
        asked = await community.mod.slash(community.general, "server restart", server=server)
        await community.mod.click(shown_to(asked), label="Never mind")
    filters = {"by": community.mod, "action": "server.", "target": server, "since": "24h", "result": "success"}
    page = await community.mod.slash(community.general, "audit search", **filters)
    assert len(entries(said(page))) == 10
    await community.env.restart_bot(community.app.remade_client())
    page = await community.mod.click(shown_to(page), label="Older")
    assert len(entries(said(page))) == 2 and said(page).count("server.restart.ask") == 2


@pytest.fixture
async def history(community: Community, host: Host) -> str:
    """A guild in which an owner, a moderator and a host have done things; the id of its server."""
    await community.set_up()
    server = await add_server(community, host)
    await community.mod.slash(community.general, "console run", server=server, command="status")
    await community.mod.slash(community.general, "console run", server=server, command=" ")
    await community.mod.slash(community.general, "server kill", server=server, reason="x")
    return server


async def test_narrowed_by_each_filter(community: Community, history: str) -> None:
    async def search(**wanted: object) -> str:
        return said(await community.mod.slash(community.general, "audit search", **wanted))

    everything = await search()
    assert "fleet.add" in everything and "console.run" in everything
    by = await search(by=community.mod)
    assert "mia" in by and "olga" not in by and "fleet.add" not in by
    action = await search(action="fleet.")
    assert "fleet.add" in action and "console.run" not in action
    target = await search(target=history)
    assert "EU #1" in target and "setup.bind" not in target
    assert "✗" in await search(result="failed") and "✓" not in await search(result="failed")
    denied = await search(result="denied")
    assert "server.kill" in denied and "⛔" in denied and "✗" not in denied
    assert len(entries(await search(since="1h"))) == 10
    assert "No entry is like that." in await search(action="host.remove")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"since": "yesterday"}, "`yesterday` is not a duration."),
        ({"target": "EU"}, "There is no EU here."),
        ({"action": "a:b"}, "An action has no `:`."),
    ],
)
async def test_what_cannot_be_searched(community: Community, wanted: dict[str, str], words: str) -> None:
    await community.set_up()
    refused = said(await community.mod.slash(community.general, "audit search", **wanted))
    what, remedy, reference = refused.splitlines()
    assert words in what and remedy and reference.startswith("-# Reference: `")


async def test_an_entry_says_all_that_was_kept(community: Community, history: str) -> None:
    (row,) = await community.rows(
        "select id, correlation_id from audit_logs where action = 'console.run' and outcome = 'success'"
    )
    shown = said(await community.mod.slash(community.general, "audit show", entry=str(row.id)))
    for words in (
        "mia",
        "`console.run` by `/console run`",
        "EU #1",
        "**Outcome** success",
        row.correlation_id,
        '"command": "status"',
    ):
        assert words in shown
    (row,) = await community.rows("select id from audit_logs where outcome = 'denied' order by id desc limit 1")
    shown = said(await community.mod.slash(community.general, "audit show", entry=str(row.id)))
    assert "**Outcome** denied: You need the permission" in shown


async def test_an_entry_that_is_not_there(community: Community) -> None:
    await community.set_up()
    refused = said(await community.mod.slash(community.general, "audit show", entry="999999"))
    assert "There is no such entry here." in refused and "`/audit search`" in refused


async def test_a_player_reads_no_log(community: Community) -> None:
    assert "audit search" not in {str(command) for command in community.player.available_commands(community.general)}


async def test_suggestions_are_beginnings_of_actions(community: Community) -> None:
    await community.set_up()
    found = await community.mod.autocomplete(community.general, "audit search", "action", "server.")
    started = {"server.restart", "server.start", "server.stop", "server.kill"}
    assert {choice["value"] for choice in found} == started | {"server.plan", "server.reconcile"}


async def test_narrowed_to_hosts_players_and_members(community: Community, host: Host, history: str) -> None:
    await up(host, history, online("eve", "127.0.0.5"))
    (player,) = await community.mod.autocomplete(community.general, "audit search", "target", "eve")
    assert player["name"] == "eve · player"
    await community.mod.slash(
        community.general, "player link", player=player["value"].partition(":")[2], member=community.player
    )
    shown = said(await community.mod.slash(community.general, "audit search", target=player["value"]))
    assert len(entries(shown)) == 1 and "`player.link` · eve" in shown and "-# on a player" in shown
    (alpha,) = await community.mod.autocomplete(community.general, "audit search", "target", "alpha")
    shown = said(await community.mod.slash(community.general, "audit search", target=alpha["value"]))
    assert "host.pair" in shown and "fleet.add" not in shown
    by_name = said(await community.mod.slash(community.general, "audit search", target="ALPHA"))
    assert entries(by_name) == entries(shown)
    members = await community.mod.autocomplete(community.general, "audit search", "target", "mia")
    assert [one["name"] for one in members] == ["mia · user"]


async def test_the_result_is_chosen_on_the_list(community: Community, history: str) -> None:
    page = await community.mod.slash(community.general, "audit search", by=community.mod)
    denied = await community.mod.select(shown_to(page), ["denied"])
    assert "server.kill" in said(denied) and "console.run" not in said(denied)
    assert "by <@" in said(denied), "the other filters stay"
    again = await community.mod.select(shown_to(denied), ["any"])
    assert "console.run" in said(again)


async def test_an_entry_is_found_by_the_reference_of_an_answer(community: Community, history: str) -> None:
    refused = said(await community.mod.slash(community.general, "server kill", server=history, reason="x"))
    reference = refused.rsplit("`", 2)[1]
    shown = said(await community.mod.slash(community.general, "audit show", entry=f" `{reference}`"))
    assert "`server.kill` by `/server kill`" in shown and "**Outcome** denied" in shown
    newest = await community.mod.autocomplete(community.general, "audit show", "entry", "")
    assert " · ✓ audit.show · mia" in newest[0]["name"], newest[0]
    assert len(await community.mod.autocomplete(community.general, "audit show", "entry", newest[0]["value"])) == 1
    nonsense = said(await community.mod.slash(community.general, "audit show", entry="EU #1"))
    assert "That is no number of an entry" in nonsense


async def test_who_is_refused_again_and_again_is_pointed_out(community: Community) -> None:
    for _ in range(6):
        await community.mod.slash(community.general, "job list")
    assert "You need the permission `security.logs`" in said(
        await community.mod.slash(community.general, "audit denied")
    )
    shown = said(await community.owner.slash(community.general, "audit denied"))
    assert "**mia** was refused 7 times in an hour" in shown and len(entries(shown)) == 7
    assert "-# You need the permission jobs.view for this." in shown


async def test_refusals_page_by_page(community: Community) -> None:
    for _ in range(12):
        await community.mod.slash(community.general, "job list")
    page = await community.owner.slash(community.general, "audit denied")
    older = await community.owner.click(shown_to(page), label="Older")
    assert len(entries(said(older))) == 2 and "times in an hour" not in said(older)
    first = await community.owner.click(shown_to(older), label="Newest")
    assert entries(said(first)) == entries(said(page))


async def test_everybody_reads_what_they_did(community: Community) -> None:
    await community.player.slash(community.general, "status")
    await community.mod.slash(community.general, "help")
    here = said(await community.mod.slash(community.general, "audit mine"))
    assert "`help`" in here and "status" not in here
    alone = said(await community.player.user.slash("audit mine"))
    assert "`status` · Dust & Iron" in alone and "`help`" not in alone
    again = said(await community.player.user.slash("audit mine"))
    assert "`audit.mine`" in again, "what was done in a direct message, too"


async def test_alone_with_the_bot_there_is_no_log_to_read(community: Community) -> None:
    refused = said(await community.owner.user.slash("audit search"))
    assert "This works in a community only." in refused and "Reference: `" in refused


async def test_a_forged_page_is_refused_in_three_lines(community: Community, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, handler = routes["audit.page"]
    forgeries = [
        "0:server.:nonsense:0:s:5",
        "0:x:sAAAAAAAAAAAAAAAAAAAAAA:zzzzzzzzzz:s:5",
        "0:x::0:q:5",
        "-1:x::0:s:5",
        "0:x::0:s",
        "0:a\0b::0:s:5\0",
    ]

    async def forged(call: Any, *_: str) -> Any:
        return await handler(call, *forgeries.pop().split(":"))

    await look(community, 11)
    page = await community.owner.slash(community.general, "audit search")
    monkeypatch.setitem(routes, "audit.page", (spec, forged))
    while forgeries:
        what, remedy, reference = said(await community.owner.click(shown_to(page), label="Older")).splitlines()
        assert "not one of ours" in what and "again" in remedy and reference.startswith("-# Reference: `")


async def test_a_forged_pick_of_a_player_is_refused_in_three_lines(
    community: Community, host: Host, history: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, handler = routes["players.profile"]

    async def forged(call: Any) -> Any:
        return await handler(replace(call, values={"values": ["eve"]}))

    monkeypatch.setitem(routes, "players.profile", (spec, forged))
    await up(host, history, online("eve", "127.0.0.5"))
    shown = await community.mod.slash(community.general, "players")
    (player,) = await community.mod.autocomplete(community.general, "player kick", "player", "eve")
    refused = said(await community.mod.select(shown_to(shown), [player["value"]]))
    assert "This list is not one of ours." in refused and len(refused.splitlines()) == 3


@pytest.mark.parametrize("kind", ["csv", "json"])
async def test_the_log_as_a_file(community: Community, history: str, kind: str) -> None:
    shown = await community.owner.slash(community.general, "audit export", format=kind, since="1h")
    (file,) = shown_to(shown).attachments
    assert shown_to(shown).ephemeral and file.filename.endswith(f".{kind}")
    content = (await file.read()).decode()
    assert "console.run" in content and "fleet.add" in content
    (row,) = await community.rows("select details from audit_logs where action = 'audit.export'")
    assert f"**{row.details['rows']} entries**" in said(shown)


async def test_a_file_that_discord_does_not_take_is_refused(
    community: Community, history: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection: Any = vars(community.app.client)["_connection"]
    receive = connection.parsers["INTERACTION_CREATE"]

    def small(data: Any) -> None:
        receive({**data, "attachment_size_limit": 100})

    monkeypatch.setitem(connection.parsers, "INTERACTION_CREATE", small)
    refused = said(await community.owner.slash(community.general, "audit export", format="csv", since="1h"))
    assert "even compressed" in refused and "Choose a shorter time." in refused
    assert (await community.audit())[-1] == ("audit.export", "failed")


async def test_the_log_in_a_channel_as_it_comes(community: Community) -> None:
    await community.set_up()
    async with community.app.db.uow(system("test")) as tx:
        await tx.session.execute(text("update orgs set audit_live = true"))
        await tx.session.execute(
            text("""insert into notification_channels (org_id, name, purpose, type, discord_channel_id, min_severity)
                    select id, 'audit', 'audit', 'discord_channel', :channel, 'low' from orgs"""),
            {"channel": community.ops.id},
        )
    for _ in range(12):
        await community.mod.slash(community.general, "audit denied")

    async def all_there() -> bool:
        shown = [number for words in community.texts(community.ops) for number in entries(words)]
        (row,) = await community.rows(
            "select array_agg(id order by id) as ids from audit_logs where action = 'audit.denied'"
        )
        return sorted(shown) == row.ids

    await community.eventually(all_there)
    assert "⛔ **mia** `audit.denied` · **denied**" in "\n".join(community.texts(community.ops))
