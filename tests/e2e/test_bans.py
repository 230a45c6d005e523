"""Bans from Discord to a host that speaks the protocol, and back."""

from typing import Any

from agent import wire
from bot.demo import reading
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
