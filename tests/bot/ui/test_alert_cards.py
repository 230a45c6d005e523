"""What incidents and rules say."""

import pytest

from bot.domain.alerts_past import Past
from bot.services.alerts import Kept
from bot.ui import alerts, incidents
from db.queries.incident_cards import IncidentEvent
from tests.bot.ui import alert_samples, samples
from tests.bot.ui.limits import check_form, ids_of, parts_of, text_of


@pytest.mark.parametrize("name", samples.NAMES.values(), ids=samples.NAMES.keys())
def test_every_form_is_one_that_discord_takes(name: str) -> None:
    for form in alert_samples.forms(name):
        check_form(form)


@pytest.mark.parametrize(
    ("status", "labels"),
    [
        ("open", ["Acknowledge", "Resolve", "Server"]),
        ("investigating", ["Resolve", "Server"]),
        ("resolved", ["Server"]),
    ],
)
def test_an_incident_offers_what_can_be_done_about_it(status: str, labels: list[str]) -> None:
    view = incidents.incident_card(alert_samples.incident("EU #1", status=status))
    assert [part["label"] for part in parts_of(view) if part["type"] == 2] == labels
    assert all(samples.number().hex in id_ for id_ in ids_of(view) if "incident" in id_)


def test_an_incident_says_in_words_what_its_colour_says() -> None:
    opened = text_of(incidents.incident_card(alert_samples.incident("EU #1")))
    assert "`I-12` · **open** · since" in opened and "severity **high**" in opened and "rule EU #1" in opened
    assert "-# 400 earlier lines" in opened
    looked = text_of(incidents.incident_card(alert_samples.incident("mia", status="investigating")))
    assert "**mia looks into it**" in looked
    over = text_of(incidents.incident_card(alert_samples.incident("mia", status="resolved")))
    assert "**resolved by mia** · after 3 d" in over and "It is still so" in over
    alone = text_of(incidents.incident_card(alert_samples.bare_incident(status="resolved")))
    assert "**resolved** · after 3 d" in alone and "still so" not in alone


def test_players_and_logs_ping_nobody() -> None:
    shown = text_of(incidents.incident_card(alert_samples.incident("@everyone <@1> **x**")))
    assert "@everyone" not in shown and "<@" not in shown and "**x**" not in shown


def test_a_rule_says_where_its_messages_go_and_what_would_have_been() -> None:
    kept = Kept(alert_samples.rule("boom"), (), Past(None, "no log lines of these days were kept"))
    shown = text_of(alerts.kept_card(kept, "A new rule watches"))
    assert "No channel takes its messages yet: what it finds is in `/incident list`." in shown
    assert "it would have fired: That cannot be told (no log lines of these days were kept)." in shown
    shown = text_of(alerts.kept_card(Kept(alert_samples.rule("boom"), (5, 6), Past(1)), "x"))
    assert "Its messages go to <#5>, <#6>." in shown and "would have fired: **1 time**." in shown


def test_a_rule_that_waits_for_a_channel_or_cannot_be_evaluated_says_so() -> None:
    assert "waits for an alerts channel" in alerts.line(alert_samples.rule("x", enabled=False, untouched=True))
    assert "cannot be evaluated" in alerts.line(alert_samples.rule("x", last_error="bad"))
    assert "fires for 2" in alerts.line(alert_samples.rule("x"))
    assert "cannot be read" in alerts.line(alert_samples.rule("x", condition={"keyword": ""}))


def test_a_timeline_that_is_too_long_shows_its_end() -> None:
    """A log can say anything at any length; how it ended has to be seen all the same."""
    long = [IncidentEvent(n, "trigger", "*" * 1_000, samples.NOW, None) for n in range(7)]
    last = IncidentEvent(8, "status_change", "resolved it: the disk", samples.NOW, "mia")
    shown = text_of(incidents.incident_card(alert_samples.incident("x", timeline=[*long, last], earlier=0)))
    assert "resolved it: the disk" in shown and "-# 3 earlier lines" in shown
