"""/schedule as its users meet it, with a host that speaks the protocol."""

import re
from typing import Any

import pytest
from simcord import InteractionResult
from sqlalchemy import text

from agent import wire
from bot.demo import reading
from tests.e2e.community import Community, Host, filled, said, shown_to
from tests.e2e.servers import add_server, up


async def add(community: Community, **options: Any) -> str:
    """Adds a schedule as the owner; what the answer to Save says."""
    asked = await community.owner.slash(community.general, "schedule add", **options)
    return said(await community.owner.click(shown_to(asked), label="Save"))


async def change(community: Community, statement: str, **values: Any) -> None:
    async with community.app.db.engine.begin() as connection:
        await connection.execute(text(statement), values)


async def comes(community: Community, late: int = 5) -> None:
    """Every schedule's time has come, so many seconds ago."""
    due = "update schedules set next_run_at = now() - make_interval(secs => :late) where enabled"
    await change(community, due, late=late)
    await community.tick("schedules.due")


async def listed(community: Community) -> str:
    return said(await community.owner.slash(community.general, "schedule list"))


async def do(community: Community, command: str, **options: Any) -> str:
    """A change of the schedule that is suggested first."""
    (first, *_) = await community.owner.autocomplete(community.general, f"schedule {command}", "schedule", "")
    options["schedule"] = first["value"]
    return said(await community.owner.slash(community.general, f"schedule {command}", **options))


async def test_a_schedule_from_the_command_to_its_result(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    options = {"action": "restart", "when": "every day at 4", "server": server}
    asked = await community.owner.slash(community.general, "schedule add", **options)
    assert "Save restart EU #1?" in said(asked) and "At 04:00 every day" in said(asked)
    assert said(asked).count("04:00 (<t:") == 5 and shown_to(asked).ephemeral
    assert "Nothing is done by itself yet" in await listed(community)
    assert "restart EU #1 is saved" in said(await community.owner.click(shown_to(asked), label="Save"))
    assert "never ran · by olga" in await listed(community)
    await community.tick("schedules.due")
    assert await host.claim(wait=0) == [], "it is not 4 o'clock"
    await comes(community)
    message = await community.message_with("Restart · EU #1")
    assert "by the schedule restart EU #1" in reading.text(message)
    assert "last under way `J-2`" in await listed(community)
    (job,) = await host.claim()
    assert job["params"] == {"type": "SERVER_RESTART"}
    await host.progress(job, wire.Step.STARTED)
    await host.result(job, duration_ms=1500)
    done = await community.message_with("It took 1.5 s.")
    assert done.id == message.id
    assert "last done `J-2`" in await listed(community)
    audited = await community.rows(
        "select action from audit_logs where action like 'schedule.%' and action <> 'schedule.list' order by id"
    )
    assert [row.action for row in audited] == ["schedule.add.ask", "schedule.add", "schedule.run"]


async def test_an_announcement_goes_to_the_game_as_typed_and_pings_nobody(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    words = "@everyone **vote** <@&1>!"
    options = {"action": "announce", "when": "hourly", "server": server, "text": words, "name": "vote @here"}
    asked = await community.owner.slash(community.general, "schedule add", **options)
    assert "@everyone" not in said(asked) and "@here" not in said(asked) and "<@&" not in said(asked)
    await community.owner.click(shown_to(asked), label="Save")
    await comes(community)
    (job,) = await host.claim()
    assert job["params"] == {"type": "ANNOUNCE", "text": words}
    message = await community.message_with("Announcement · EU #1")
    assert "@everyone" not in reading.text(message) and "@here" not in await listed(community)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"when": "0 0 31 2 *"}, "This never comes: no such month has a day 31."),
        ({"when": "every 2 minutes"}, "5 minutes is the least"),
        ({"zone": "Mars/Olympus"}, "Mars/Olympus is no time zone"),
        ({"tag": "eu"}, "this has both `server` and `tag`"),
        ({"server": "EU #9"}, "There is no such server here"),
        ({"server": "", "tag": "eu"}, "No server has the tag eu"),
        ({"server": ""}, "neither `server` nor `tag`"),
        ({"action": "console", "text": "say hi\nshutdown"}, "has a line break, which would be a second command"),
        ({"action": "announce"}, "The text is empty"),
        ({"action": "announce", "text": "x" * 6000}, "has 6000 characters; a console takes 512"),
    ],
)
async def test_what_cannot_be_saved(community: Community, host: Host, changed: dict[str, str], words: str) -> None:
    server = await add_server(community, host)
    options = {"action": "restart", "when": "every day at 4", "server": server, **changed}
    asked = await community.owner.slash(community.general, "schedule add", **options)
    assert words in said(asked)
    assert "Nothing is done by itself yet" in await listed(community)


async def test_who_may_not(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    refused = await community.mod.slash(
        community.general, "schedule add", action="restart", when="every day at 4", server=server
    )
    assert "You need the permission `schedules.manage`" in said(refused)
    assert "Nothing is done by itself yet" in said(await community.mod.slash(community.general, "schedule list"))


async def test_skip_pause_resume_remove(community: Community, host: Host) -> None:
    server = await add_server(community, host)
    await add(community, action="restart", when="every day at 4", server=server, name="nightly")
    assert "The next run is left out" in await do(community, "skip")
    assert "**skips 1 run**" in await listed(community)
    await comes(community)
    assert "last left out" in await listed(community) and "skips" not in await listed(community)
    assert "nightly is paused" in await do(community, "pause", until="2d")
    assert "**paused** until <t:" in await listed(community)
    assert "nightly runs again" in await do(community, "resume")
    assert "nightly is paused" in await do(community, "pause")
    assert "**paused**" in await listed(community)
    assert "is paused, so it does not run" in await do(community, "skip", count=3)
    assert "nightly runs again" in await do(community, "resume")
    asked = await community.owner.slash(community.general, "schedule remove", schedule="nightly")
    assert "Remove nightly?" in said(asked) and "At 04:00 every day (UTC)" in said(asked)
    assert "nightly is removed" in said(await community.owner.click(shown_to(asked), label="Remove the schedule"))
    assert "Nothing is done by itself yet" in await listed(community)
    gone = await community.owner.slash(community.general, "schedule skip", schedule="nightly")
    assert "There is no such schedule here" in said(gone)


async def test_a_problem_is_told_once_where_operations_are(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    await add(community, action="restart", when="every day at 4", server=server)
    await change(community, "update server_instances set status = 'stopped'")
    await comes(community)
    await community.message_with("EU #1: it is stopped, and a restart would start it")
    await comes(community)
    assert len([words for words in community.texts(community.ops) if "was left out" in words]) == 1
    assert "last left out: no server was up" in await listed(community)


async def test_why_a_run_was_left_out_is_shown_where_people_look_for_it(community: Community, host: Host) -> None:
    await community.set_up()
    server, general = await add_server(community, host), community.general
    await add(community, action="restart", when="every day at 4", server=server, name="nightly")
    await do(community, "skip")
    await comes(community)
    assert "last left out: somebody asked for that <t:" in await listed(community)
    await community.owner.slash(general, "server hold", server=server, reason="map")
    await comes(community)
    assert "last left out: it is held by olga for 0 seconds: map <t:" in await listed(community)
    await community.owner.slash(general, "server release", server=server)
    await change(community, "update server_instances set status = 'stopped'")
    await comes(community)
    assert "last left out: no server was up <t:" in await listed(community)
    shown = said(await community.owner.slash(general, "schedule show", schedule="nightly"))
    assert "Last run: left out: it is stopped, and a restart would start it <t:" in shown
    await up(host, server)
    await comes(community)
    assert "last under way `J-" in await listed(community)


async def test_a_removed_server_is_named_and_its_schedule_switched_off(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    await add(community, action="restart", when="every day at 4", server=server, name="nightly")
    asked = await community.owner.slash(community.general, "fleet remove", server=server)
    form = await community.owner.click(shown_to(asked), label="Remove EU #1")
    await community.owner.submit_modal(form, {"name": "EU #1"})
    assert "**disabled: its server was removed**" in await listed(community)
    assert "its server EU #1 was removed" in await do(community, "resume")
    await comes(community)
    message = await community.message_with("nightly is switched off")
    assert "Its server was removed." in reading.text(message)
    assert "**disabled: its server was removed**" in await listed(community)


async def test_a_missed_run_is_said_to_be_missed(community: Community, host: Host) -> None:
    server = await add_server(community, host)
    await add(community, action="restart", when="0 4 1 1 *", server=server)
    await comes(community, late=3600)
    assert "last missed: nothing could be done at that time" in await listed(community)


async def test_an_author_who_lost_the_permission_is_named_and_the_schedule_runs_on(
    community: Community, host: Host
) -> None:
    await community.set_up()
    server = await add_server(community, host)
    await change(
        community,
        """insert into role_permissions (role_id, permission_id)
           select r.id, p.id from roles r, permissions p where r.name = 'moderator' and p.name = 'schedules.manage'
           on conflict do nothing""",
    )
    community.app.services.identity.forget()
    options = {"action": "restart", "when": "every day at 4", "server": server}
    asked = await community.mod.slash(community.general, "schedule add", **options)
    await community.mod.click(shown_to(asked), label="Save")
    assert "by mia" in await listed(community) and "may no longer" not in await listed(community)
    await change(
        community,
        """delete from role_permissions
            where permission_id = (select id from permissions where name = 'servers.restart')
              and role_id = (select id from roles where name = 'moderator')""",
    )
    assert "by mia · its author may no longer do this; it runs on" in await listed(community)
    await comes(community)
    assert len(await host.claim()) == 1


async def test_a_servers_cards_name_its_next_restart(community: Community, host: Host) -> None:
    server = await add_server(community, host)
    await change(
        community,
        "insert into server_tags (org_id, server_instance_id, tag) select org_id, id, 'eu' from server_instances",
    )

    async def shown() -> str:
        return said(await community.player.slash(community.general, "status", server=server))

    assert "Next restart" not in await shown()
    await add(community, action="announce", when="hourly", server=server, text="Soon!")
    assert "Next restart" not in await shown()
    await add(community, action="restart", when="every day at 4", tag="eu", name="nightly")
    (row,) = await community.rows(
        "select extract(epoch from next_run_at)::bigint as next from schedules where name = 'nightly'"
    )
    assert f"**Next restart** <t:{row.next}:R>" in await shown()
    card = await community.owner.slash(community.general, "server show", server=server)
    assert f"**Next restart** <t:{row.next}:R>" in said(card)
    await community.owner.slash(community.general, "schedule skip", schedule="nightly")
    assert "Next restart" not in await shown(), "which one is next is not known before the skipped one is over"


def menu(shown: InteractionResult, route: str) -> str:
    """The custom_id of the menu on an answer that leads there."""
    found = re.search(rf"gk:{route}:[0-9a-f]+", str(shown_to(shown).components))
    assert found
    return found[0]


async def test_the_card_of_a_schedule_and_its_buttons(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    await add(community, action="restart", when="weekdays 6:30", server=server, name="nightly", warn="5")
    shown = await community.owner.slash(community.general, "schedule show", schedule="nightly")
    for words in ("nightly", "EU #1", "At 06:30 on Monday through Friday", "`30 6 * * 1-5`", "never ran", "By olga"):
        assert words in said(shown)
    assert (
        "1. **announce**: Restart in 5 minutes · 5 min before" in said(shown) and said(shown).count("06:30 (<t:") == 5
    )
    assert "**skips 1 run**" in said(await community.owner.click(shown_to(shown), label="Skip next"))
    assert "**paused**" in said(await community.owner.click(shown_to(shown), label="Pause"))
    assert "next <t:" in said(await community.owner.click(shown_to(shown), label="Resume"))
    asked = await community.owner.click(shown_to(shown), label="Run now")
    assert "Run nightly now?" in said(asked) and "2. restart · 5 min from now" in said(asked)
    assert "`J-2`, `J-3`" in said(await community.owner.click(shown_to(asked), label="Run it now"))
    (job,) = await host.claim()
    assert job["params"] == {"type": "ANNOUNCE", "text": "Restart in 5 minutes"}
    form = await community.owner.click(shown_to(shown), label="Edit")
    preview = await community.owner.submit_modal(form, {**filled(form), "when": "daily at 7", "warn": "15, 5"})
    assert "At 06:30 on Monday through Friday → **At 07:00 every day**" in said(preview)
    assert "nightly is changed" in said(await community.owner.click(shown_to(preview), label="Save"))
    asked = await community.owner.click(shown_to(shown), label="Remove")
    assert "nightly is removed" in said(await community.owner.click(shown_to(asked), label="Remove the schedule"))
    gone = await community.owner.click(shown_to(shown), label="Run now")
    assert "There is no such schedule here" in said(gone)


async def test_steps_on_the_preview(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    asked = await community.owner.slash(
        community.general, "schedule add", action="restart", when="daily at 4", server=server, name="nightly"
    )
    form = await community.owner.select(shown_to(asked), ["console"], custom_id=menu(asked, "schedule.step"))
    changed = await community.owner.submit_modal(form, {"place": "right before", "text": "save", "failure": "stop"})
    assert "1. **console**: save · at its time\n2. **restart** · at its time" in said(changed)
    wrong = await community.owner.select(shown_to(changed), ["announce"], custom_id=menu(changed, "schedule.step"))
    refused = await community.owner.submit_modal(wrong, {"place": "soonish", "text": "Hi", "failure": ""})
    assert "soonish is no time of a step" in said(refused)
    left = await community.owner.select(shown_to(changed), ["1"], custom_id=menu(changed, "schedule.unstep"))
    assert "Restarts; the game saves first where it can." in said(left)
    assert "nightly is saved" in said(await community.owner.click(shown_to(left), label="Save"))


async def test_whoever_may_not_change_it_gets_no_buttons(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    await add(community, action="restart", when="daily at 4", server=server, name="nightly")
    shown = await community.mod.slash(community.general, "schedule show", schedule="nightly")
    assert "At 04:00 every day" in said(shown) and "gk:schedule.run" not in str(shown_to(shown).components)
    for command in ("edit", "run"):
        refused = await community.mod.slash(community.general, f"schedule {command}", schedule="nightly")
        assert "You need the permission `schedules.manage`" in said(refused)


async def test_what_is_suggested(community: Community, host: Host) -> None:
    server = await add_server(community, host)
    await up(host, server)
    await change(
        community,
        "insert into server_tags (org_id, server_instance_id, tag) select org_id, id, 'eu' from server_instances",
    )
    options = {"action": "restart"}

    async def suggested(option: str, typed: str) -> list[Any]:
        return await community.owner.autocomplete(community.general, "schedule add", option, typed, **options)

    assert {"name": "mondays at 18 → At 18:00 on Monday", "value": "mondays at 18"} in await suggested(
        "when", "mondays at 18"
    )
    assert "is not understood" in (await suggested("when", "whenever"))[0]["name"]
    assert await suggested("tag", "e") == [{"name": "eu · 1", "value": "eu"}]
    assert (await suggested("zone", ""))[0]["value"] == "UTC"
    assert [one["value"] for one in await suggested("zone", "berlin")] == ["Europe/Berlin"]
    await add(community, action="restart", when="every day at 4", tag="eu", zone="Berlin")
    (shown,) = await community.owner.autocomplete(community.general, "schedule skip", "schedule", "eu")
    assert shown["name"] == "restart eu · restart · eu"
    assert "by the clock" not in await listed(community) and "Europe/Berlin" in await listed(community)
