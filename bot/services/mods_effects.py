"""What a deployment will do, in the lines that are read before it is confirmed."""

from dataclasses import dataclass

from bot.domain.sizes import size
from bot.domain.words import safe
from db.queries.cards import ServerCard
from db.queries.mods import Artifact
from db.queries.mods_deployments import Deployment

_SHOWN = 5


@dataclass(frozen=True)
class Plan:
    """A deployment that could be made now."""

    server: ServerCard
    artifact: Artifact
    active: Deployment | None
    """What is there now."""
    restarts: bool
    """The game takes mods in only when it starts."""
    action: str
    edited: tuple[str, ...] = ()
    """Files that somebody edited on the host and that are to be replaced."""


def effects(plan: Plan) -> list[str]:
    """What will happen, to whom, and how it is undone."""
    artifact, server = plan.artifact, plan.server
    files = "1 file" if artifact.files == 1 else f"{artifact.files:,} files"
    lines = [
        f"**{safe(artifact.name)} {safe(artifact.version)}** · {files} · {size(artifact.size_bytes)} packed",
        _there(plan),
    ]
    lines += _edited(plan.edited)
    lines.append(_restart(plan))
    if server.busy_with:
        lines.append(f"J-{server.busy_with} is under way there: this begins after it.")
    if not server.host_online:
        lines.append(f"Its host {safe(server.host_name)} is offline: this waits for it for 15 minutes, then expires.")
    lines.append("When the game does not take it, what is there now comes back by itself.")
    return lines


def _there(plan: Plan) -> str:
    active = plan.active
    if active is None:
        return "Not there yet."
    if active.artifact_id == plan.artifact.id:
        return "This version is there already: it is put there once more."
    return f"Replaces {safe(active.version)}. `/mod rollback` brings that back."


def _edited(files: tuple[str, ...]) -> list[str]:
    if not files:
        return []
    shown = ", ".join(safe(file) for file in files[:_SHOWN]) + (" …" if len(files) > _SHOWN else "")
    return [f"**Edited on the host and replaced all the same:** {shown}"]


def _restart(plan: Plan) -> str:
    server = plan.server
    if not server.is_up:
        return f"It is {server.status} now; the game takes it when it starts."
    if not plan.restarts:
        return "No restart: the running game takes it."
    online = server.players_online
    if not online:
        return "**The server restarts.** Nobody is online." if online == 0 else "**The server restarts.**"
    return (
        f"**The server restarts: {online} player{'s are' if online > 1 else ' is'} online and will be disconnected.**"
    )
