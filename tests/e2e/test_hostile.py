"""What no client of Discord sends: refused in a sentence, and the audit log has it all the same."""

from typing import Any

import pytest

from bot.gate.doors import routes
from tests.e2e.community import Community, Host, filled, said, shown_to
from tests.e2e.servers import add_server


async def newest(community: Community) -> Any:
    (row,) = await community.rows("select command, outcome, options from audit_logs order by id desc limit 1")
    return row


@pytest.mark.parametrize("text", ["EU\0 #1", "\ud800EU #1"])
async def test_characters_that_no_database_takes_hide_nothing_from_the_audit_log(
    community: Community, host: Host, text: str
) -> None:
    await add_server(community, host)
    shown = await community.owner.slash(community.general, "server show", server=text)
    assert "EU #1" in said(shown)
    row = await newest(community)
    assert (row.command, row.outcome, row.options) == ("server show", "success", {"server": "EU #1"})
    (choice,) = await community.owner.autocomplete(community.general, "server show", "server", text)
    assert choice["name"].startswith("EU #1")


async def test_characters_that_no_database_takes_in_a_form(community: Community, host: Host) -> None:
    form = await community.owner.slash(community.general, "fleet add", host=host.id, game="teeworlds", name="EU #1")
    added = await community.owner.submit_modal(form, filled(form, name="EU\0 #2"))
    assert "Setting up EU #2" in said(added)


@pytest.mark.parametrize("page", ["-1", str(2**31), "9" * 60])
async def test_pages_that_cannot_be(community: Community, monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    spec, handler = routes["host.page"]

    async def forged(call: Any, *_: str) -> Any:
        return await handler(call, page)

    card = await community.owner.slash(community.general, "setup start")
    monkeypatch.setitem(routes, "setup.show", (spec, forged))
    refused = await community.owner.click(shown_to(card), label="Refresh")
    assert "not one of ours" in said(refused)
