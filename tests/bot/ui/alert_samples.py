"""Incidents and rules, ordinary and hostile, and every card that is built of them."""

from collections.abc import Iterable
from typing import Any

import discord

from bot.domain.alert_conditions import JobRunFailed, LogKeyword, stored
from bot.domain.alerts_past import Past
from bot.services.alerts import Kept
from bot.ui import alerts, cards, incidents, notices
from db.queries.alert_rules import RuleCard
from db.queries.incident_cards import IncidentCard, IncidentEvent
from tests.bot.ui.samples import LONG_AGO, NOW, SNOWFLAKE, number

KINDS = ("created", "trigger", "folded", "reopened", "status_change", "auto_resolved", "something_newer")
CONDITIONS: dict[str, dict[str, Any]] = {
    "host_offline": {"for_seconds": 120},
    "server_down": {"for_seconds": 10},
    "job_run_failed": stored(JobRunFailed(("SERVER_RESTART",), 3)),
    "log_keyword": {},
    "something_newer": {},
}


def incident(name: str, **changed: Any) -> IncidentCard:
    values: dict[str, Any] = {
        "id": number(),
        "org_id": number(2),
        "number": 12,
        "title": (name * 3)[:200],
        "severity": "high",
        "status": "open",
        "source": "alert",
        "created_at": LONG_AGO,
        "acknowledged_at": None,
        "resolved_at": None,
        "rule_name": name,
        "host_name": name,
        "server_name": name,
        "server_id": number(3),
        "server_gone": False,
        "assignee": name,
        "resolved_by": name,
        "firing": True,
        "timeline": [IncidentEvent(n, kind, name * 10, NOW, name) for n, kind in enumerate(KINDS)],
        "earlier": 400,
    }
    if changed.get("status") == "resolved":
        values["resolved_at"] = NOW
    return IncidentCard(**{**values, **changed})


def bare_incident(**changed: Any) -> IncidentCard:
    """One whose rule, host and people are gone."""
    empty = dict.fromkeys("rule_name host_name server_name server_id assignee resolved_by".split())
    return incident("x", **{**empty, "timeline": (), "earlier": 0, "firing": False, **changed})


def rule(name: str, kind: str = "log_keyword", **changed: Any) -> RuleCard:
    keyword = stored(LogKeyword((name * 2)[:200], regex=True))
    values: dict[str, Any] = {
        "id": number(),
        "org_id": number(2),
        "name": name[:64],
        "type": kind,
        "condition": keyword if kind == "log_keyword" else CONDITIONS[kind],
        "severity": "med",
        "enabled": True,
        "cooldown_seconds": 300,
        "last_error": None,
        "created_at": LONG_AGO,
        "untouched": False,
        "host_name": None,
        "server_name": name,
        "host_id": None,
        "server_id": number(3),
        "firing": 2,
    }
    return RuleCard(**{**values, **changed})


def incident_cards(name: str) -> Iterable[discord.ui.LayoutView]:
    for status in ("open", "investigating", "resolved"):
        for severity in ("low", "med", "high"):
            yield incidents.incident_card(incident(name, status=status, severity=severity), 7)
        yield incidents.incident_card(bare_incident(status=status))
        lines = [incidents.line(incident(name, status=status))] * 10
        yield cards.listing("Incidents", lines, empty="-", page=9, more=True, route="incident.page", args=(status,))


def alert_cards(name: str) -> Iterable[discord.ui.LayoutView]:
    channels = tuple(SNOWFLAKE - n for n in range(30))
    for kind in CONDITIONS:
        for past in (None, Past(None, "nothing was kept"), Past(3), Past(1, "of the newest 20000 lines")):
            yield alerts.kept_card(Kept(rule(name, kind), channels, past), "A new rule watches")
        yield alerts.kept_card(Kept(rule(name, kind, enabled=False, server_name=None), ()), "The rule is off")
        lines = [alerts.line(rule(name, kind)), alerts.line(rule(name, kind, last_error=name * 5))] * 5
        yield cards.listing("Alert rules", lines, empty="-", page=9, more=True, route="alert.page", args=("off",))
    yield alerts.test_card(name, "high", name, 7)
    said = notices.render("alert.test", {"rule": name, "severity": "high", "by": name}, 7)
    assert said is not None
    yield said


def forms(name: str) -> Iterable[discord.ui.Modal]:
    for kind in alerts.TYPES:
        args = (kind, "high", "regex", "", number().hex)
        yield alerts.form(kind, name, "alert.added", *args)
        yield alerts.form(kind, "", "alert.added", kind, "high", "text", "", "")
