"""Bans as staff see them: the preview, a case with its receipts and history, lists."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import discord
from discord import ui

from bot.domain import bans, zones
from bot.domain.words import count, joined, safe
from bot.ui.cards import Button, Colour, card, confirmation, fitting, row
from bot.ui.forms import Field, modal
from bot.ui.texts import ago, at, block, code

if TYPE_CHECKING:
    from bot.services.bans import CaseFile
    from bot.services.bans_adding import Preview
    from bot.services.bans_people import Somebody
    from bot.services.bans_words import Target
    from db.queries.bans import Case, Event, PastCase, Receipt

NOBODY: Final = "A player who was never seen"
_STATES: Final = {
    "active": (Colour.BAD, "active"),
    "expired": (Colour.IDLE, "over"),
    "revoked": (Colour.GOOD, "lifted"),
}


def ban_number(number: int) -> str:
    return f"B-{number}"


def named(name: str) -> str:
    return safe(name) if name else NOBODY


def how_long(until: datetime | None) -> str:
    """`for good`, or until when, in the reader's own zone."""
    return f"until {at(until)} ({ago(until)})" if until else "for good"


def short(case: Case) -> str:
    """For autocompletes: `B-12 · bob · active · cheating`."""
    words = [ban_number(case.number), case.name or NOBODY, _STATES[case.status][1], case.reason]
    return " · ".join(filter(None, words))[:100]


def line(case: Case) -> str:
    """One row of a list."""
    held = f" · on {case.applied} of {case.servers}" if case.status == "active" else ""
    when = how_long(case.expires_at) if case.status == "active" else f"{_STATES[case.status][1]} {ago(case.ended_at)}"
    return f"`{ban_number(case.number)}` **{named(case.name)}** · {when}{held} · {safe(case.reason, 80)}"


# -------------------------------------------------------------------------------------------------------------- preview


def preview_card(preview: Preview) -> discord.ui.LayoutView:
    """C1 of `/ban add`: who, for how long, where, and what the player will read."""
    lines = [
        f"**Who** {_who(preview.who)}",
        f"**Ids** {_ids([list(one) for one in sorted(preview.who.identities)])}",
        f"**Earlier** {_past(preview.past)}",
        f"**How long** {how_long(preview.until)}{_here(preview.until, preview.zone)}",
        *_existing(preview),
        *_sharing(preview),
        *_where(preview.targets),
    ]
    if preview.denied:
        lines.append(f"**Left out** {_names(preview.denied)}: you may not ban there.")
    if preview.note:
        lines.append(f"**Note for staff** {safe(preview.note, 300)}")
    question = preview.question
    shown = fitting(lines, 3000)
    effect = [shown, f"The player reads:\n{block(preview.kick_text, 220)}", "`/ban lift` undoes it."]
    return confirmation(question.title, effect, verb=question.verb, token=question.token)


def _who(who: Somebody) -> str:
    also = f" · also known as {_names(who.former_names)}" if who.former_names else ""
    seen = (
        f" · online on {_names(who.online_on)}"
        if who.online_on
        else f" · last seen {ago(who.last_seen_at)}"
        if who.last_seen_at
        else ""
    )
    return f"**{named(who.name)}**{also}{seen}"


def _ids(identities: list[list[str]]) -> str:
    return ", ".join(f"{safe(kind)} {code(value)}" for kind, value in identities[:10]) or "none"


def _past(past: tuple[PastCase, ...]) -> str:
    if not past:
        return "no other case."
    shown = [f"`{ban_number(case.number)}` {safe(case.reason, 40)} ({_STATES[case.status][1]})" for case in past[:3]]
    more = f" and {len(past) - 3} more" if len(past) > 3 else ""
    return f"{count(len(past), 'case')}: {', '.join(shown)}{more}"


def _here(until: datetime | None, zone: str) -> str:
    """The end as the org's clocks show it: what was typed was read in that zone."""
    if until is None:
        return ""
    try:
        here = until.astimezone(zones.zone(zone))
    except ValueError:
        return ""
    return f" · {here:%a %d %b %Y %H:%M} {zone}"


def _existing(preview: Preview) -> list[str]:
    case, change = preview.existing, preview.change
    if case is None or change is None:
        return []
    said = [f"**Banned already** `{ban_number(case.number)}` {how_long(case.expires_at)}: {safe(case.reason, 100)}"]
    made = [
        f"the reason becomes “{safe(change.reason, 100)}”" if change.reason != case.reason else "",
        f"it lasts {how_long(change.until)}" if change.until != case.expires_at else "it does not become shorter",
        f"{count(len(change.new_servers), 'server')} more" if change.new_servers else "",
        "later servers too" if change.everywhere and not case.everywhere else "",
        f"{count(len(change.new_identities), 'id')} more" if change.new_identities else "",
    ]
    return [*said, f"**This changes that case**: {', '.join(filter(None, made))}."]


def _where(targets: tuple[Target, ...]) -> list[str]:
    able = [target for target in targets if target.kinds]
    now = [f"{safe(one.place.name)} (by {', '.join(one.kinds)})" for one in able if one.place.up]
    waits = [f"{safe(one.place.name)} ({_why(one)})" for one in able if not one.place.up]
    cannot = [f"{safe(one.place.name)} ({_lack(one)})" for one in targets if not one.kinds]
    rows = (("Now on", now), ("Later on", waits), ("Not on", cannot))
    return [f"**{title}** {joined(names)}" for title, names in rows if names]


def _sharing(preview: Preview) -> list[str]:
    """Whom else a ban by the address keeps out."""
    found = preview.sharing
    if found is None:
        return []
    said: list[str] = []
    if found.cases:
        held = joined([f"`{ban_number(one.number)}` {named(one.name)}" for one in found.cases], 300)
        said.append(f"it is banned in {held}, too")
    if found.players:
        other = "other " if preview.who.name else ""
        were = "was" if len(found.players) == 1 else "were"
        seen = joined([safe(name) for name in found.players], 300)
        said.append(f"{count(len(found.players), f'{other}player')} {were} seen from it: {seen}")
    hit = [safe(one.place.name) for one in preview.targets if "ip" in one.kinds]
    effect = f" Nobody comes in from it on {joined(hit, 200)}." if hit else ""
    return [f"**Same address** {'; '.join(said)}.{effect}"]


def _why(target: Target) -> str:
    if not target.place.host_online:
        return f"its host is offline since {ago(target.place.host_offline_since)}"
    return f"it is {target.place.status}"


def _lack(target: Target) -> str:
    if "ban" not in target.place.capabilities or not target.place.ban_by:
        return f"{safe(target.place.game_name, 40)} cannot ban"
    return f"it bans by {', '.join(target.place.ban_by)}, which is not known"


def _names(names: tuple[str, ...]) -> str:
    return joined([safe(name) for name in names], 300)


# ----------------------------------------------------------------------------------------------------------------- case


def case_card(file: CaseFile) -> discord.ui.LayoutView:
    """`/ban show`: for staff only, with ids, the words of games, and the history."""
    case = file.case
    colour, words = _STATES[case.status]
    head = f"### {ban_number(case.number)} · {named(case.name)}\n**{words}** · {safe(case.reason, 200)}"
    when = f"{how_long(case.expires_at)} · by {safe(case.author or 'somebody')} {ago(case.banned_at)}"
    if case.status == "revoked":
        who, why = safe(case.lifted_by or "somebody"), safe(case.revoke_reason or "", 200)
        when += f"\nLifted {ago(case.ended_at)} by {who}: {why}"
    if case.status == "expired":
        when += f"\nOver since {ago(case.ended_at)}"
    lift = Button("Lift", "ban.lift", (case.number,), discord.ButtonStyle.danger)
    scope = "all servers, later ones too" if case.everywhere else count(case.servers, "server")
    return card(
        colour,
        head,
        f"{when}\nFor {scope} · {_ids(case.identities)}",
        fitting([receipt_line(one) for one in file.receipts], 1500) or "No server has it.",
        fitting([_happened(one) for one in file.history], 1200),
        *([row(lift)] if file.may_lift and case.status == "active" else []),
        "-# Only you see this.",
    )


def lift_form(number: int) -> ui.Modal:
    """Asks why a ban is lifted."""
    reason = Field("reason", "Reason", "Shown in its history", bans.REASON_MAX)
    return modal(f"Lift {ban_number(number)}", "ban.lifting", (number,), reason)


def receipt_line(one: Receipt) -> str:
    """How one server stands to a case, in words."""
    mark = _MARKS[bans.shown(one.desired_state, one.sync_status, one.applied_state)]
    return f"{mark} **{safe(one.server_name)}** · {_stands(one)}"


_MARKS: Final = {"applied": "✓", "waiting": "▸", "refused": "✗", "unsupported": "○"}


def _stands(one: Receipt) -> str:
    again = "" if one.sync_status == "synced" else ", being applied anew"
    match bans.shown(one.desired_state, one.sync_status, one.applied_state):
        case "applied":
            done = "applied" if one.desired_state == "banned" else "taken back"
            return f"{done} {ago(one.synced_at)}{again}"
        case "unsupported":
            return f"unsupported: {safe(one.error or f'{one.game_name} cannot hold it', 200)}"
        case "refused":
            return f"refused: “{safe(one.error or '', 200)}”, tried again {ago(one.next_attempt_at)}"
        case "waiting":
            return _waits(one)


def _waits(one: Receipt) -> str:
    if not one.host_online:
        return f"waiting for a host that is offline since {ago(one.host_offline_since)}"
    if one.server_status != "running":
        return f"waiting: server is {one.server_status}"
    if one.sync_status == "syncing":
        return "waiting: its host is at it"
    return f"waiting: {safe(one.error, 200)}, tried again {ago(one.next_attempt_at)}" if one.error else "waiting"


_HAPPENED: Final = {
    "created": "banned",
    "edited": "changed",
    "lifted": "lifted",
    "expired": "ended by itself",
    "evaded": "came in all the same",
    "note": "note",
}


def _happened(event: Event) -> str:
    who = f" by {safe(event.who)}" if event.who else ""
    details = event.details
    words = [
        f"on {safe(details['server'])}" if "server" in details else "",
        safe(str(details.get("text") or details.get("reason") or ""), 200),
        f"before: {safe(str(details['was'].get('reason', '')), 100)}" if "was" in details else "",
    ]
    said = " · ".join(filter(None, words))
    return f"-# {ago(event.at)} **{_HAPPENED.get(event.type, event.type)}**{who}{f': {said}' if said else ''}"
