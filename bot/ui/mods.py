"""How versions of mods, their deployments and what became of them are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

import discord

from bot.domain.sizes import size
from bot.domain.words import count, safe
from bot.ui import texts
from bot.ui.cards import Colour, card
from bot.ui.texts import ago, block, code, job_number

if TYPE_CHECKING:
    from bot.services.artifacts import Uploaded
    from db.queries.mods import ModName, Version
    from db.queries.mods_deployments import Deployment
    from db.queries.mods_inventory import ModThere

_STATES: Final = {
    "pending": "waiting",
    "running": "running",
    "active": "**active**",
    "superseded": "replaced",
    "failed": "failed",
    "removed": "removed",
    "rolled_back": "rolled back",
}
_FILES_SHOWN: Final = 10
_SAID_SHOWN: Final = 800


def uploaded(done: Uploaded) -> discord.ui.LayoutView:
    """The answer to `/mod upload`."""
    artifact = done.artifact
    what = f"{safe(artifact.name)} {safe(artifact.version)}"
    title = f"**{what} is there already**" if done.again else f"**{what} is ready**"
    facts = f"{safe(artifact.game_name)} · {count(artifact.files, 'file')} · {size(artifact.size_bytes)}"
    return card(
        Colour.IDLE if done.again else Colour.GOOD,
        f"{title}\n{facts}\nsha256 {code(artifact.sha256)}\n`/mod deploy` puts it on a server.",
    )


def line(deployment: Deployment) -> str:
    """One row of `/mod history`."""
    state = _STATES[deployment.status]
    if deployment.status == "pending" and deployment.job_status == "running":
        state = _STATES["running"]
    verb = "back to " if deployment.action == "rollback" else ""
    parts = [
        f"**{safe(deployment.mod)}** {verb}{safe(deployment.version, 40)}",
        state,
        f"by {safe(deployment.author, 40)}" if deployment.author else "",
        ago(deployment.finished_at or deployment.created_at),
        f"`{job_number(deployment.number)}`" if deployment.number else "",
    ]
    why = f"\n-# {safe(deployment.error, 120)}" if deployment.error else ""
    return " · ".join(filter(None, parts)) + why


def there(mod: ModThere) -> str:
    """One row of `/mod list`: what the host found, and how that differs from what was deployed."""
    found = safe(mod.found, 40) if mod.found else "no version"
    name = f"**{safe(mod.name)}**"
    if mod.state is None:
        return f"{name} {safe(mod.wanted or '', 40)} · deployed, but **not found on the host**"
    kind = " · quarantined" if mod.state == "quarantined" else ""
    if mod.wanted is None:
        return f"{name} {found}{kind} · not deployed from here"
    if mod.found and mod.found != mod.wanted:
        return f"{name} {found}{kind} · **{safe(mod.wanted, 40)} was deployed**"
    newer = f" · {safe(mod.newest, 40)} is there to be deployed" if mod.newest not in (None, mod.wanted) else ""
    return f"{name} {safe(mod.wanted, 40)}{kind} · as deployed{newer}"


def subject(params: Mapping[str, Any]) -> str:
    """Which version a job deploys."""
    forced = " · edited files are replaced" if params.get("force") else ""
    return f"**{safe(str(params.get('name', '')))}** {safe(str(params.get('version', '')), 40)}{forced}"


def outcome(result: Mapping[str, Any] | None, *, besides: str, public: bool) -> str:
    """What the game and its host said about a deployment, besides what is said already. In a public place the game's
    own lines are left out: they may name addresses."""
    if not result:
        return ""
    detail, verified, kept = str(result.get("detail", "")), _texts(result, "verified"), _texts(result, "conflicts")
    lines = [] if detail in besides else [safe(detail, 400)]
    if kept:
        lines.append("Edited on the host, and kept:")
        lines += [f"- {code(file)}" for file in kept[:_FILES_SHOWN]]
        lines += [f"- … and {len(kept) - _FILES_SHOWN} more"] if len(kept) > _FILES_SHOWN else []
    if verified and not public:
        lines += ["The game says:", block("\n".join(verified), _SAID_SHOWN)]
    return "\n".join(filter(None, lines))


def whole(result: Mapping[str, Any] | None) -> str:
    """All that is there to be read of a deployment, as plain text."""
    if not result:
        return ""
    kept = [f"- {file}" for file in _texts(result, "conflicts")]
    edited = ["Edited on the host, and kept:", *kept] if kept else []
    return "\n".join(filter(None, [str(result.get("detail", "")), *edited, *_texts(result, "verified")]))


def is_cut(result: Mapping[str, Any] | None) -> bool:
    """Whether a card leaves something of it out."""
    if not result:
        return False
    said = texts.is_cut("\n".join(_texts(result, "verified")), _SAID_SHOWN)
    return said or len(_texts(result, "conflicts")) > _FILES_SHOWN


def has_words(result: Mapping[str, Any] | None) -> bool:
    """Whether there are lines of the game, which a public place does not show."""
    return bool(result and _texts(result, "verified"))


def kept_edits(result: Mapping[str, Any] | None) -> bool:
    """Whether a deployment stopped at files that somebody had edited on the host."""
    return bool(result and result.get("state") == "conflict")


def _texts(result: Mapping[str, Any], name: str) -> list[str]:
    found = result.get(name)
    return [str(one) for one in cast("list[Any]", found)] if isinstance(found, list) else []


def short(version: Version) -> str:
    """For autocompletes: `1.2 · dm9`."""
    return f"{version.version} · {version.name}"[:100]


def short_name(mod: ModName) -> str:
    """For autocompletes: `dm9 · 1.2 · Teeworlds`."""
    return f"{mod.name} · {mod.newest} · {mod.game_name}"[:100]
