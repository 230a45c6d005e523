"""Every card with ordinary and with hostile data, held against Discord's limits."""

import inspect
import pkgutil
from collections.abc import Callable, Iterable
from importlib import import_module

import discord
import pytest

import bot.ui
from bot.domain.jobs import JobType
from bot.domain.words import safe
from bot.services.confirmations import Done
from bot.services.servers import Page
from bot.ui import cards, confirm, hosts, jobs, mods, notices, players, servers
from bot.ui import help as pages
from tests.bot.ui import samples
from tests.bot.ui.access_samples import access_cards
from tests.bot.ui.alert_samples import alert_cards, incident_cards
from tests.bot.ui.audit_samples import audit_cards
from tests.bot.ui.backup_samples import backup_cards
from tests.bot.ui.ban_samples import ban_cards
from tests.bot.ui.batch_samples import batch_cards, batch_questions
from tests.bot.ui.check_samples import check_cards
from tests.bot.ui.fleet_samples import fleet_cards
from tests.bot.ui.limits import check_card, ids_of, parts_of, text_of
from tests.bot.ui.log_samples import log_cards
from tests.bot.ui.macro_samples import macro_cards
from tests.bot.ui.panel_samples import board_cards, channel_cards
from tests.bot.ui.power_samples import power_cards
from tests.bot.ui.privacy_samples import privacy_cards
from tests.bot.ui.rest_samples import maintenance_cards, rest_cards
from tests.bot.ui.schedule_samples import schedule_cards
from tests.bot.ui.seal_samples import seal_cards
from tests.bot.ui.setup_samples import config_cards, setup_cards

View = discord.ui.LayoutView


def yes(_permission: str) -> bool:
    return True


def plain_cards(name: str) -> Iterable[View]:
    yield cards.card(cards.Colour.GOOD, safe(name), mark=2**31 - 1)
    yield cards.failure(safe(name), safe(name), "1a2b")
    yield cards.failure(safe(name), "", "1a2b")
    yield cards.notice(safe(name), safe(name))
    yield confirm.done(Done(f"Announced on {safe(name)}", "\n".join([f"{safe(name)}: `J-340` · <#1>"] * 100)))
    yield cards.listing(safe(name), [safe(name)] * 10, empty="-", page=3, more=True, route="host.page")


def question_cards(name: str) -> Iterable[View]:
    asked = samples.question(safe(name), typed=name)
    yield cards.confirmation(asked.title, asked.effect, verb=asked.verb, token=asked.token)
    yield confirm.question(asked)
    yield confirm.question(samples.question(safe(name)))
    yield confirm.question(samples.choices(safe(name)))
    yield confirm.question(samples.choices(safe(name), first=True))


def help_cards(name: str) -> Iterable[View]:
    entries = [pages.Entry(f"group command{n}", "x" * 100, "") for n in range(25)]
    topics = [pages.Topic(f"topic{n}", entries) for n in range(40)]
    for chosen in ("", "topic3", name):
        yield pages.help_card(topics, chosen, lambda command: f"</{command}:{samples.SNOWFLAKE}>")
    yield pages.help_card([], name, str)


def host_cards(name: str) -> Iterable[View]:
    yield hosts.pairing_card(samples.pairing(name), "https://bot.example:8443")
    for status in ("online", "offline", "unknown"):
        yield hosts.host_card(samples.host(name, status=status))
        yield hosts.host_card(samples.bare_host(status=status))
    lines = [hosts.line(host) for host in [samples.host(name), samples.bare_host()] * 5]
    yield cards.listing("Hosts", lines, empty="-", page=1, more=True, route="host.page")


def job_cards(name: str) -> Iterable[View]:
    for status in ("held", "queued", "running", "success", "failed", "cancelled", "expired"):
        for kind in (*JobType, "SOMETHING_NEWER"):
            yield jobs.progress_card(samples.job(name, type=kind, status=status, host_online=False), mark=7)
            yield jobs.progress_card(samples.job(name, type=kind, status=status, cancel_requested_at=samples.NOW))
            yield jobs.progress_card(samples.bare_job(type=kind, status=status))
        lines = [jobs.line(samples.job(name, status=status))] * 10
        args = ("live", str(samples.number()))
        yield cards.listing("Jobs", lines, empty="-", page=9, more=True, route="job.page", args=args)


def mod_cards(name: str) -> Iterable[View]:
    yield mods.uploaded(samples.uploaded(name))
    yield mods.uploaded(samples.uploaded(name, again=True))
    statuses = ("pending", "running", "active", "superseded", "failed", "removed", "rolled_back")
    lines = [mods.line(samples.deployment(name, status=status)) for status in statuses] * 2
    yield cards.listing("Mods", lines[:10], empty="-", page=9, more=True, route="mod.history", args=(samples.number(),))
    found = [mods.there(mod) for mod in samples.mods_there(name)] * 2
    yield cards.listing("Mods", found, empty="-", page=9, more=True, route="mod.list", args=(samples.number(),))
    params = {"name": name, "version": name, "force": True}
    for state in ("installed", "rolled_back", "conflict", "refused"):
        result = samples.installed(name, state)
        for status, public in (("success", False), ("failed", False), ("failed", True)):
            job = samples.job(name, type="MOD_INSTALL", status=status, params=params, result=result)
            yield jobs.progress_card(job, mark=7, public=public)


def notice_cards(name: str) -> Iterable[View]:
    payloads = {
        "host.paired": {"name": name, "hostname": name, "games": [name] * 50},
        "channel.disabled": {"channel": str(samples.SNOWFLAKE), "reason": name * 3, "purposes": ["ops", "audit"]},
        "setup.test": {"purpose": name},
    }
    for event, payload in payloads.items():
        view = notices.render(event, payload, 7)
        assert view is not None, event
        yield view


def player_cards(name: str) -> Iterable[View]:
    crowd = [samples.sighting(name, n) for n in range(300)]
    for staff in (True, False):
        page = Page(crowd[290:], 29, more=False)
        yield players.online_card(page, "", title="Online now", staff=staff)
        yield players.online_card(page, str(samples.number()), title=f"Online on {safe(name)}", staff=staff)
        yield players.online_card(Page([], 0, more=False), "", title="Online now", staff=staff)
        twice = [samples.sighting(name, n // 2) for n in range(10)]  # one player on two servers
        yield players.online_card(Page(twice, 0, more=True), "", title="Online now", staff=staff)
    for online in (True, False):
        yield players.profile_card(samples.sighting(name, online=online), may_kick=True)
    nothing = samples.sighting(name, server_id=None, server_name=None, online=False, since=None, identities={})
    yield players.profile_card(nothing, may_kick=True)


def server_cards(name: str) -> Iterable[View]:
    for status in ("unknown", "installing", "install_failed", "stopped", "starting", "running", "stopping", "crashed"):
        for host_status in ("online", "offline", "unknown"):
            shown = samples.server(name, status=status, host_status=host_status)
            yield servers.control_card(shown, yes)
            yield servers.status_card(shown)
    bare = samples.server(
        name, observed={}, tags=[], busy_with=None, players_online=None, status_changed_at=None, port=None
    )
    yield servers.control_card(bare, lambda _: False)
    yield servers.status_card(bare)
    found = [servers.line(samples.server(name))] * 10
    yield cards.listing("Servers", found, empty="-", page=1, more=True, route="server.list", args=("crashed", "x" * 32))
    lines = [servers.happening(samples.happening(name, source)) for source in ("job", "action", "event")] * 3
    title, args = f"History of {safe(name)}", (samples.number(),)
    yield cards.listing(title, lines, empty="-", page=99, more=True, route="server.history", args=args)


MAKERS: dict[str, Callable[[str], Iterable[View]]] = {
    maker.__name__: maker
    for maker in (
        access_cards,
        alert_cards,
        audit_cards,
        backup_cards,
        ban_cards,
        batch_cards,
        batch_questions,
        check_cards,
        plain_cards,
        question_cards,
        help_cards,
        host_cards,
        incident_cards,
        job_cards,
        log_cards,
        macro_cards,
        mod_cards,
        notice_cards,
        board_cards,
        channel_cards,
        player_cards,
        power_cards,
        privacy_cards,
        fleet_cards,
        rest_cards,
        maintenance_cards,
        schedule_cards,
        seal_cards,
        server_cards,
        config_cards,
        setup_cards,
    )
}


@pytest.mark.parametrize("name", samples.NAMES.values(), ids=samples.NAMES.keys())
@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS.keys())
def test_every_card_is_one_that_discord_takes(maker: Callable[[str], Iterable[View]], name: str) -> None:
    views = list(maker(name))
    assert views
    for view in views:
        check_card(view)


def test_no_card_is_left_out() -> None:
    """A new card has to be built here too."""
    source = "".join(inspect.getsource(maker) for maker in MAKERS.values())
    missing: list[str] = []
    for module in pkgutil.iter_modules(bot.ui.__path__, "bot.ui."):
        for name, function in inspect.getmembers(import_module(module.name), inspect.isfunction):
            if function.__module__ != module.name or name.startswith("_"):
                continue
            returned = inspect.signature(function).return_annotation
            if (
                str(returned).endswith(("LayoutView", "LayoutView | None", "LayoutView'>"))
                and f".{name}(" not in source
            ):
                missing.append(f"{module.name}.{name}")
    assert missing == []


def test_a_list_that_is_too_long_keeps_whole_lines() -> None:
    lines = [f"**{'x' * 500}** {n}" for n in range(10)]
    shown = text_of(cards.listing("Title", lines, empty="-"))
    kept = [line for line in shown.splitlines() if line.startswith("**")]
    assert kept and all(line in lines for line in kept) and shown.endswith("…")


def test_a_question_carries_the_verb_and_leads_back_to_itself() -> None:
    view = confirm.question(samples.question("EU #1"))
    labels = [part["label"] for part in parts_of(view) if part["type"] == 2]
    assert labels == ["Restart EU #1", "Never mind"]
    token = samples.number().hex
    assert ids_of(view) == [f"gk:confirm.press:{token}", f"gk:confirm.dismiss:{token}"]
    assert ids_of(confirm.question(samples.question("EU #1", typed="EU #1")))[0] == f"gk:confirm.type:{token}"


@pytest.mark.parametrize(
    ("status", "labels"),
    [
        ("queued", ["Cancel"]),
        ("running", ["Cancel"]),
        ("success", ["Server"]),
        ("failed", ["Retry", "Server"]),
        ("expired", ["Retry", "Server"]),
        ("cancelled", ["Retry", "Server"]),
    ],
)
def test_a_job_offers_what_can_be_done_about_it(status: str, labels: list[str]) -> None:
    view = jobs.progress_card(samples.job("EU #1", status=status))
    assert [part["label"] for part in parts_of(view) if part["type"] == 2] == labels


@pytest.mark.parametrize("allowed", [set[str](), {"servers.view"}, {"servers.view", "servers.restart", "servers.stop"}])
def test_a_control_card_shows_only_buttons_that_work(allowed: set[str]) -> None:
    view = servers.control_card(samples.server("EU #1"), allowed.__contains__)
    labels = {part["label"] for part in parts_of(view) if part["type"] == 2}
    wanted = {"servers.view": {"Refresh"}, "servers.restart": {"Restart"}, "servers.stop": {"Stop", "Cancel"}}
    assert labels == {label for permission in allowed for label in wanted[permission]}


def test_what_is_public_names_no_host_no_id_and_no_address() -> None:
    shown = text_of(servers.status_card(samples.server("EU #1", host_name="basement", observed={"note": "secret"})))
    assert "basement" not in shown and "secret" not in shown and "J-340" not in shown
    online = text_of(players.online_card(Page([samples.sighting("bob")], 0, more=False), "", title="t", staff=False))
    assert "7656" not in online and "bob" in online


def test_states_are_words_as_well_as_colours() -> None:
    assert "**up**" in text_of(servers.status_card(samples.server("EU #1")))
    assert "**host offline**" in text_of(servers.status_card(samples.server("EU #1", host_status="offline")))
    deaf = samples.server("EU #1", observed={"reachable": False})
    assert "its console does not answer" in text_of(servers.status_card(deaf))
    assert "**failed**" in text_of(jobs.progress_card(samples.job("EU #1", status="failed")))


def test_a_job_that_waits_for_another_names_it() -> None:
    view = jobs.progress_card(samples.job("EU #1", status="queued", behind=339))
    assert "`J-339` is under way on this server" in text_of(view) and "**waiting**" in text_of(view)


def test_a_deployment_that_kept_edited_files_offers_to_replace_them() -> None:
    result = samples.installed("Config/items.xml", "conflict")
    view = jobs.progress_card(samples.job("EU #1", type="MOD_INSTALL", status="failed", result=result), public=True)
    assert [part["label"] for part in parts_of(view) if part["type"] == 2] == [
        "Replace edited files",
        "Output",
        "Server",
    ]
    assert "Edited on the host, and kept:" in text_of(view) and "The game says" not in text_of(view)


def test_a_refusal_has_three_lines() -> None:
    what, remedy, reference = text_of(cards.failure("It failed.", "Do this.", "1a2b")).splitlines()
    assert (what, remedy, reference) == ("**It failed.**", "Do this.", "-# Reference: `1a2b`")


def test_what_was_done_is_plain_to_read() -> None:
    done = Done("Restart EU #1", "`J-340` · <#1>")
    assert text_of(confirm.done(done)) == "**Restart EU #1**\n`J-340` · <#1>"


def test_help_leaves_out_what_cannot_be_run() -> None:
    moderate, manage = 1 << 40, 1 << 5
    entries = [
        pages.Entry("server list", "All servers", "servers.view", moderate),
        pages.Entry("server kill", "Ends it", "servers.kill", moderate),
    ]
    topics = [
        pages.Topic("server", entries),
        pages.Topic("setup", [pages.Entry("setup start", "First steps", "settings.edit", manage)]),
        pages.Topic("help", [pages.Entry("help", "This", "")]),
    ]

    def names(held: set[str], bits: int) -> list[str]:
        found = pages.allowed(topics, held.__contains__, bits)
        return [entry.command for topic in found for entry in topic.entries]

    assert names(set(), 0) == ["help"]
    assert names({"servers.view"}, 0) == ["help"], "Discord's picker does not show it"
    assert names({"servers.view"}, moderate) == ["server list", "help"]
    assert names(set(), moderate | manage) == ["help"]
    assert names({"servers.view", "servers.kill", "settings.edit"}, moderate | manage) == [
        "server list",
        "server kill",
        "setup start",
        "help",
    ]
