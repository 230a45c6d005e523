"""What a batch will do and has begun, in the lines that its author reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from bot.domain.actors import Actor
from bot.domain.batches import LeftOut
from bot.domain.words import count, joined, safe
from bot.services.mods_games import moddable
from bot.services.servers import left_out

if TYPE_CHECKING:
    from bot.services.batches_planning import Plan
    from db.queries.cards import ServerCard

_ROOM: Final = 700
"""Characters of names, of reasons, of the text: together with the rest they have to fit into one card."""


def question(plan: Plan) -> tuple[str, str]:
    """Title and verb, with the number of servers."""
    head = _deed(plan)
    many = count(len(plan.servers), "server")
    return f"{head} on {many} with the tag {safe(plan.wish.tag, 32)}?", f"{plan.action.name.capitalize()} on {many}"


def effects(actor: Actor, plan: Plan) -> list[str]:
    """What will happen, to whom, in which order, and where not."""
    names = [safe(server.name) for server in plan.servers]
    lines = [f"**On** {joined(names, _ROOM)}", _order(plan)]
    if plan.wish.text:
        lines.append(f"> {safe(plan.wish.text, 520)}")
    lines += [*_players(plan), *_away(plan.servers)]
    if plan.left:
        lines.append(f"**Left out:** {reasons(plan.left)}")
    return [*lines, *filter(None, [left_out(actor, plan.denied)])]


def reasons(left: Sequence[LeftOut]) -> str:
    """`EU3: held by ann for 2 hours: new map; EU4: it is stopped already`."""
    return joined([f"{safe(one.name)} ({safe(one.reason, 120)})" for one in left], _ROOM)


def started(
    actor: Actor, plan: Plan, number: int, jobs: int, busy: Sequence[LeftOut], channel: int | None
) -> tuple[str, str]:
    """Title and text of the answer to the button."""
    where = f"`W-{number}`" + (f" · <#{channel}>" if channel else " · `/batch show` says how it goes")
    lines = [where, f"Left out: {reasons(busy)}" if busy else "", left_out(actor, plan.denied)]
    return f"{_deed(plan)} on {count(jobs, 'server')}", "\n".join(filter(None, lines))


def _deed(plan: Plan) -> str:
    if plan.artifact:
        return f"Deploy {safe(plan.artifact.name)} {safe(plan.artifact.version)}"
    return plan.action.name.capitalize()


def _order(plan: Plan) -> str:
    if plan.at_once:
        return "All at once."
    if plan.parallel >= len(plan.servers):
        pace = "All at once" if len(plan.servers) > 1 else "At once"
    else:
        pace = "One after the other" if plan.parallel == 1 else f"{plan.parallel} at a time"
        pace += ", in this order: the next one begins when one has ended"
    fails = "When one fails, no further one begins." if plan.wish.stop_on_failure else "It goes on when one fails."
    return f"{pace}. {fails}"


def _players(plan: Plan) -> list[str]:
    """Who is disconnected by it."""
    if plan.action.name in ("start", "announce"):
        return []
    hit = [server for server in plan.servers if server.is_up]
    if plan.artifact:
        hit = [server for server in hit if moddable()[server.game].restarts]
    known = [server.players_online for server in hit if server.host_online and server.players_online is not None]
    restarts = ["Running servers restart to take it."] if plan.artifact and hit else []
    return [*restarts, _online(sum(known), len(hit) - len(known), len(hit))] if hit else restarts


def _online(players: int, unknown: int, servers: int) -> str:
    """How many players lose their game. `unknown`: servers of which nobody knows how many are on."""
    if unknown == servers:
        return "**How many are online there is not known** right now."
    besides = f" On {count(unknown, 'server')} it is not known." if unknown else ""
    if not players:
        return f"Nobody is online where that is known.{besides}" if unknown else "Nobody is online there."
    return f"**{count(players, 'player is', 'players are')} online there** and will be disconnected.{besides}"


def _away(servers: Sequence[ServerCard]) -> list[str]:
    away = [server for server in servers if not server.host_online]
    if not away:
        return []
    if len(away) == 1:
        return ["The host of 1 of them is offline: it comes last, waits 15 minutes, and counts as failed after that."]
    many = f"The hosts of {len(away)} of them are offline"
    return [f"{many}: they come last, wait 15 minutes each, and count as failed after that."]
