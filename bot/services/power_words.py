"""The question that a power action puts: its effect, and the other times that it offers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from bot import clock
from bot.domain import power as rules
from bot.domain import when
from bot.domain.durations import compact
from bot.domain.rest import Rest
from bot.domain.when import When
from bot.domain.words import safe
from bot.services.confirmations import Choice
from db.queries.cards import ServerCard
from db.queries.power import PlanRow

_SOON: Final = timedelta(minutes=15)


@dataclass(frozen=True)
class View:
    """What the question is about."""

    server: ServerCard
    action: str
    moment: When
    reason: str
    rest: Rest | None
    plan: PlanRow | None
    """What is planned besides."""
    offers: bool
    """Nobody said when, so other times are offered."""
    careful: bool
    """The community wants risky times avoided."""

    @property
    def players(self) -> int | None:
        return self.server.players_online if self.server.host_online else None


def effect(view: View) -> list[str]:
    """What will happen, and how it is undone."""
    return [line for line in (*_now(view), _risky(view), *_then(view), *_besides(view)) if line]


def choices(view: View) -> list[Choice]:
    """Other times than now, where somebody would be thrown out."""
    if not view.offers or not view.server.is_up or view.players == 0:
        return []
    now = clock.now()
    empty, soon = when.when_empty(now), when.in_time(now, _SOON)
    counted = " with countdown" if view.server.says else ""
    return [
        Choice("empty", f"When empty (max {compact(when.PATIENCE)})", {"when": stored(empty)}),
        Choice("soon", f"In {compact(_SOON)}{counted}", {"when": stored(soon)}),
    ]


def _now(view: View) -> list[str]:
    server = view.server
    if not server.is_up:
        return [f"It is {server.status} now."]
    if view.players is None:
        return ["**How many are online is not known** right now."]
    players = "1 player is" if view.players == 1 else f"{view.players or 'No'} players are"
    ends = " and will be disconnected." if view.players and view.moment.kind == "now" else "."
    return [f"**{players} online**{ends}"]


def risk(server: ServerCard) -> str:
    """The time in the game that people would not be thrown out of; empty where it is as good as any."""
    return server.caution[0] if server.caution and server.is_up and server.players_online != 0 else ""


def _risky(view: View) -> str:
    name, (_, now) = safe(risk(view.server), 40), view.server.caution or ("", False)
    if not name or view.action == "kill" or view.moment.kind == "empty":
        return ""
    proposed = " Better when nobody is on." if view.careful else ""
    return f"**{name[:1].upper()}{name[1:]} {'now' if now else 'soon'}** in the game.{proposed}"


def _then(view: View) -> list[str]:
    saves = "The game saves first where it can"
    match view.action:
        case "kill":
            lost = "**What the game has not saved is lost.** `/server start` starts it again."
            return [f"The process ends at once. {lost}"]
        case "stop":
            return [_time(view), f"{saves}. `/server start` starts it again."]
        case _:
            return [_time(view), f"{saves}, and comes back by itself."]


def _time(view: View) -> str:
    """When it happens, and what players hear of it."""
    at = view.moment.confirmed(clock.now())
    deaf = "" if view.server.says else f" {safe(view.server.game_name)} cannot tell its players."
    match view.moment.kind:
        case "now":
            return ""
        case "empty":
            return f"It waits until nobody is on, at most until <t:{at.timestamp():.0f}:f>.{deaf}"
        case "at":
            return f"<t:{at.timestamp():.0f}:f>. {deaf.strip() or _told(at)}"


def _told(at: datetime) -> str:
    minutes = rules.told_before("restart", at, rules.WARNINGS, clock.now())
    return f"Players are told at once, and {minutes} before." if minutes else "Players are told at once."


def _besides(view: View) -> list[str]:
    server, lines = view.server, list[str]()
    if not server.host_online and view.moment.kind == "empty":
        lines.append(f"Its host {safe(server.host_name)} is offline: nobody knows when it is empty.")
    elif not server.host_online:
        lines.append(f"Its host {safe(server.host_name)} is offline: this waits for it for 15 minutes, then expires.")
    if view.rest:
        lines.append(f"It is {safe(view.rest.words(clock.now()), 300)}.")
    if view.plan:
        lines.append(f"A {view.plan.action} is planned besides, and stays: `/server cancel` ends it.")
    if view.reason:
        lines.append(f"Reason: {safe(view.reason, 300)}")
    return lines


def stored(moment: When) -> dict[str, Any]:
    """A `when` as a question keeps it."""
    delay = None if moment.delay is None else moment.delay.total_seconds()
    return {"kind": moment.kind, "moment": moment.moment.isoformat(), "words": moment.words, "delay": delay}


def read(payload: dict[str, Any]) -> When:
    """The `when` of a question; one that an older version has put has only a delay."""
    if "when" not in payload:
        delay = timedelta(seconds=payload.get("delay", 0))
        return when.in_time(clock.now(), delay) if delay else When("now", clock.now(), "now")
    kept = payload["when"]
    delay = None if kept["delay"] is None else timedelta(seconds=kept["delay"])
    return When(kept["kind"], datetime.fromisoformat(kept["moment"]), kept["words"], delay)
