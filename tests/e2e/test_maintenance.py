"""Holds and maintenance as people meet them: what is suggested, shown, refused, and pressed."""

from typing import Any

from bot.demo import reading
from bot.ui.ids import custom_id
from tests.e2e.community import Community, Host, said, shown_to
from tests.e2e.forging import component, send
from tests.e2e.servers import add_server


async def names(community: Community, command: str, option: str, typed: str = "") -> list[str]:
    return [one["name"] for one in await community.owner.autocomplete(community.general, command, option, typed)]


async def three_lines(community: Community, command: str, **options: Any) -> list[str]:
    """A refusal: what failed, what to do, the reference."""
    lines = said(await community.owner.slash(community.general, command, **options)).splitlines()
    assert len(lines) == 3 and lines[2].startswith("-# Reference"), lines
    return lines


async def test_maintenance_from_the_suggestion_to_the_list(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    target = f"server:{server}"
    assert await names(community, "maintenance start", "target") == [
        "everything · 1 server", "host alpha · 1 server · online", "server EU #1 · running",
    ]  # fmt: skip
    assert (await names(community, "maintenance start", "duration", "3h"))[:2] == ["3h", "30m"]
    new = {"target": target, "reason": "new disk"}
    refused = await three_lines(community, "maintenance start", duration="9d", **new)
    assert refused[0] == "**9d is longer than 7 days, the longest that maintenance may take.**"
    refused = await three_lines(community, "maintenance plan", start="2020-01-01", duration="1h", **new)
    assert refused[0] == "**2020-01-01 is over.**"
    refused = await three_lines(community, "maintenance start", target="tag:none", duration="1h", reason="x")
    assert refused[0] == "**No server has the tag none.**"
    planned = said(
        await community.owner.slash(community.general, "maintenance plan", start="in 2h", duration="1h", **new)
    )
    assert "Maintenance of EU #1 is planned" in planned and "(UTC), begins <t:" in planned
    message = await community.message_with("Maintenance of EU #1 is planned")
    assert "**Next maintenance**" in said(await community.owner.slash(community.general, "server show", server=server))
    listed = said(await community.owner.slash(community.general, "maintenance list"))
    assert "**EU #1** is planned" in listed and "olga: new disk" in listed
    assert await names(community, "maintenance end", "window") == ["server EU #1 · planned · new disk"]
    refused = said(await community.player.click(message, label="Cancel"))
    assert "You need the permission `schedules.manage`" in refused
    assert "is cancelled" in said(await community.owner.click(message, label="Cancel"))
    over = await community.message_with("Maintenance of EU #1 does not take place")
    assert over.id == message.id and reading.buttons(over) == []
    ((window,),) = await community.rows("select id::text from maintenance_windows")
    refused = await three_lines(community, "maintenance end", window=window)
    assert refused[0] == "**This maintenance is over already.**"


async def test_a_hold_from_the_command_to_the_button_on_the_card(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    done = said(
        await community.mod.slash(community.general, "server hold", server=server, reason="new map", duration="2h")
    )
    assert "EU #1 is held" in done and "Others read it in <#" in done
    refused = await three_lines(community, "server hold", server=server, reason="mine")
    assert refused[0].startswith("**EU #1 is held by mia for")
    assert "🔒 held by mia since" in said(await community.owner.slash(community.general, "server list"))
    assert "held by mia" in said(await community.player.slash(community.general, "status", server=server))
    card = await community.owner.slash(community.general, "server show", server=server)
    assert "**Held** by mia since" in said(card)
    assert "It was held by mia" in said(await community.owner.click(shown_to(card), label="Release"))
    await community.message_with("**Released** by olga")
    refused = await three_lines(community, "server release", server=server)
    assert refused[0] == "**EU #1 is not held.**"


async def test_a_hold_is_released_on_the_message_of_an_older_version(community: Community, host: Host) -> None:
    """Its button names the server alone."""
    await community.set_up()
    server = await add_server(community, host)
    await community.mod.slash(community.general, "server hold", server=server, reason="new map")
    message = await community.message_with("EU #1 is held")
    older = component(community.owner, message, community.ops, custom_id("server.release", server))
    assert "It was held by mia" in said(await send(community.env, older))
    await community.message_with("**Released** by olga")
