"""`/audit` as a moderator reads it: page by page, narrowed, and entry by entry."""

import re

import pytest

from bot.demo import reading
from tests.e2e.community import Community, Host, said, shown_to
from tests.e2e.servers import add_server


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
        ({"target": "EU"}, "The target is not one of the suggestions."),
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
    shown = said(await community.mod.slash(community.general, "audit show", entry=row.id))
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
    shown = said(await community.mod.slash(community.general, "audit show", entry=row.id))
    assert "**Outcome** denied: You need the permission" in shown


async def test_an_entry_that_is_not_there(community: Community) -> None:
    await community.set_up()
    refused = said(await community.mod.slash(community.general, "audit show", entry=999_999))
    assert "There is no such entry here." in refused and "`/audit search`" in refused


async def test_a_player_reads_no_log(community: Community) -> None:
    assert "audit search" not in {str(command) for command in community.player.available_commands(community.general)}


async def test_suggestions_are_beginnings_of_actions(community: Community) -> None:
    await community.set_up()
    found = await community.mod.autocomplete(community.general, "audit search", "action", "server.")
    assert {choice["value"] for choice in found} == {"server.restart", "server.start", "server.stop", "server.kill"}
