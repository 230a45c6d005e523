"""The gate, met from outside: acknowledged, permitted, audited, answered once; whatever is sent, however late."""

import copy
from typing import Any

import pytest

from bot.gate import Call, Reply, Show
from bot.gate.calls import Spec
from bot.gate.doors import routes
from bot.ui.cards import notice
from tests.e2e.community import Community, Host, said, shown_to
from tests.e2e.servers import add_server


async def last_row(community: Community) -> tuple[str, str, str | None]:
    (row,) = await community.rows("select command, outcome, error from audit_logs order by id desc limit 1")
    return row.command, row.outcome, row.error


async def test_a_look_up_is_answered_and_audited(community: Community) -> None:
    shown = await community.owner.slash(community.general, "server list")
    assert shown_to(shown).ephemeral and "`/fleet add` adds the first one" in said(shown)
    assert await last_row(community) == ("server list", "success", None)


async def test_a_refusal_names_the_roles_and_leaves_a_denied_row(community: Community) -> None:
    refused = await community.mod.slash(community.general, "job list")
    text = said(refused)
    assert "You need the permission `jobs.view`" in text and "viewer, moderator, operator, admin" in text
    command, outcome, _ = await last_row(community)
    assert (command, outcome) == ("job list", "denied")
    (row,) = await community.rows("select correlation_id from audit_logs order by id desc limit 1")
    assert f"Reference: `{row.correlation_id}`" in text


@pytest.mark.parametrize("who", ["owner", "mod"])
async def test_acknowledged_first_when_the_work_is_slow(community: Community, who: str) -> None:
    community.app.client.gate.deadline = 0
    shown = await getattr(community, who).slash(community.general, "job list")
    assert shown.acknowledged and shown_to(shown).ephemeral
    wanted = "No job is like that" if who == "owner" else "You need the permission"
    assert wanted in said(shown)


async def test_public_answers_are_public_and_their_refusals_are_not_left_thinking(community: Community) -> None:
    community.app.client.gate.deadline = 0
    shown = await community.player.slash(community.general, "status")
    assert not shown_to(shown).ephemeral and "Servers" in said(shown)
    refused = await community.player.slash(community.general, "status", server="no such server")
    assert "There is no such server here." in said(refused)


async def test_a_second_delivery_of_an_interaction_changes_nothing(
    community: Community, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await add_server(community, host)
    connection: Any = vars(community.app.client)["_connection"]
    receive = connection.parsers["INTERACTION_CREATE"]

    def twice(data: Any) -> None:
        receive(copy.deepcopy(data))
        receive(copy.deepcopy(data))

    monkeypatch.setitem(connection.parsers, "INTERACTION_CREATE", twice)
    shown = await community.owner.slash(community.general, "console run", server=server, command="status")
    assert "Sent to EU #1" in said(shown)
    (jobs,) = await community.rows("select count(*) as n from jobs where type = 'CONSOLE_COMMAND'")
    (rows,) = await community.rows("select count(*) as n from audit_logs where action = 'console.run'")
    assert (jobs.n, rows.n) == (1, 1)


async def test_components_live_through_a_restart_of_the_bot(community: Community, host: Host) -> None:
    server = await add_server(community, host)
    shown = await community.owner.slash(community.general, "server show", server=server)
    asked = await community.owner.slash(community.general, "server restart", server=server)
    await community.env.restart_bot(community.app.remade_client())
    refreshed = await community.owner.click(shown_to(shown), label="Refresh")
    assert "EU #1" in said(refreshed)
    pressed = await community.owner.click(shown_to(asked), label="Restart EU #1")
    assert "`J-" in said(pressed)


async def test_a_confirmation_counts_once_and_only_for_who_asked(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    asked = await community.mod.slash(community.general, "server stop", server=server)
    first = said(await community.mod.click(shown_to(asked), label="Stop EU #1"))
    (question,) = await community.rows("select id from pending_confirmations order by created_at desc limit 1")
    actor = await _actor(community, community.mod.id)
    again = await community.app.services.confirmations.press(actor, question.id)
    assert again.text in first
    (jobs,) = await community.rows("select count(*) as n from jobs where type = 'SERVER_STOP'")
    assert jobs.n == 1


async def _actor(community: Community, discord_id: int) -> Any:
    from bot.domain.actors import Caller

    caller = Caller(user_id=discord_id, username="mia", display_name="mia", guild_id=community.guild.id, guild_name="x")
    return await community.app.services.identity.actor(caller, None)


async def test_an_expired_confirmation_does_nothing(community: Community, host: Host) -> None:
    server = await add_server(community, host)
    asked = await community.owner.slash(community.general, "server restart", server=server)
    async with community.app.db.engine.begin() as connection:
        from sqlalchemy import text

        await connection.execute(text("update pending_confirmations set expires_at = now() - interval '1 second'"))
    late = await community.owner.click(shown_to(asked), label="Restart EU #1")
    assert "The two minutes for this are over" in said(late)
    (jobs,) = await community.rows("select count(*) as n from jobs where type = 'SERVER_RESTART'")
    assert jobs.n == 0 and (await last_row(community))[1] == "failed"


@pytest.mark.parametrize("args", ["nonsense", "", "a:b:c:d", "00000000000000000000000000000000"])
async def test_forged_custom_ids_get_a_clear_answer(community: Community, host: Host, args: str) -> None:
    server = await add_server(community, host)
    shown = await community.owner.slash(community.general, "server show", server=server)
    spec, handler = routes["confirm.press"]
    run = community.app.client.gate
    replies: list[Any] = []

    async def forged(call: Call, *_: str) -> Reply:
        replies.append(call)
        return await handler(call, *args.split(":"))

    routes["server.show"], kept = (Spec("", Show.PRIVATE), forged), routes["server.show"]
    try:
        refused = await community.owner.click(shown_to(shown), label="Refresh")
    finally:
        routes["server.show"] = kept
    assert spec.permission == "" and run is not None and replies
    text = said(refused)
    assert "not one of ours" in text or "nothing to confirm" in text
    assert (await last_row(community))[1] == "failed"


async def test_a_button_of_an_older_version_says_so(community: Community, host: Host) -> None:
    server = await add_server(community, host)
    shown = await community.owner.slash(community.general, "server show", server=server)
    kept = routes.pop("server.show")
    try:
        stale = await community.owner.click(shown_to(shown), label="Refresh")
    finally:
        routes["server.show"] = kept
    assert "older version" in said(stale)


async def test_a_bug_is_named_with_a_reference_and_leaves_its_row(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_args: Any, **_options: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(community.app.services.servers, "list", broken)
    shown = await community.owner.slash(community.general, "server list")
    assert "Something broke on our side" in said(shown)
    assert (await last_row(community))[:2] == ("server list", "failed")


async def test_an_answer_that_discord_refuses_is_said_to_be_done(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def too_long(*_args: Any, **_options: Any) -> Reply:
        return Reply(notice("x" * 5000))

    monkeypatch.setitem(routes, "setup.show", (Spec("settings.edit", Show.HERE), too_long))
    card = await community.owner.slash(community.general, "setup start")
    pressed = await community.owner.click(shown_to(card), label="Refresh")
    assert "could not be shown" in said(pressed)
