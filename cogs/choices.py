"""Autocompletes that several commands share. From our own index, never by asking an agent."""

from discord import app_commands

from bot.gate import Call, suggest
from bot.ui import audit, bans, jobs, mods, players, schedules, servers

Choices = list[app_commands.Choice[str]]
AUDIT_ACTIONS = (
    "ban.", "server.restart", "server.start", "server.stop", "server.kill", "server.plan", "server.reconcile",
    "console.run", "announce", "player.",
    "fleet.", "host.", "job.cancel", "job.retry", "job.finish", "mod.", "schedule.", "setup.", "config.", "org.",
    "alert.", "incident.", "maintenance.", "access.", "notify.", "panel.", "audit.", "user.", "batch.",
    "macro.", "backup.",
)  # fmt: skip

_WHENS = (
    ("now", "now"),
    ("when empty (max 2 h)", "when empty"),
    ("in 5 min with countdown", "in 5 minutes"),
    ("in 15 min with countdown", "in 15 minutes"),
    ("in 30 min with countdown", "in 30 minutes"),
    ("tomorrow at 4:00", "tomorrow 4:00"),
)


@suggest
async def server(call: Call, current: str) -> Choices:
    """Servers by name; the value is the id."""
    found = await call.services.servers.suggest(call.actor, current)
    return [app_commands.Choice(name=servers.short(card), value=str(card.id)) for card in found]


@suggest
async def when(call: Call, current: str) -> Choices:
    """What `when` understands; the typed text first."""
    words = current.strip().lower()
    shown = [(name, value) for name, value in _WHENS if words in name or words in value]
    typed = [(current[:100], current[:100])] if words and words not in dict(_WHENS).values() else []
    return [app_commands.Choice(name=name, value=value) for name, value in [*typed, *shown]]


@suggest
async def job(call: Call, current: str) -> Choices:
    """Jobs by number, newest first; the value is the number."""
    found = await call.services.jobs.suggest(call.actor, current)
    return [app_commands.Choice(name=jobs.short(card), value=str(card.number)) for card in found]


@suggest
async def live_job(call: Call, current: str) -> Choices:
    """Jobs that can still be cancelled."""
    found = await call.services.jobs.suggest(call.actor, current, status="live")
    return [app_commands.Choice(name=jobs.short(card), value=str(card.number)) for card in found]


@suggest
async def failed_job(call: Call, current: str) -> Choices:
    """Jobs that can be done again."""
    found = await call.services.jobs.suggest(call.actor, current, status="again")
    return [app_commands.Choice(name=jobs.short(card), value=str(card.number)) for card in found]


@suggest
async def schedule(call: Call, current: str) -> Choices:
    """Schedules by name; the value is the id."""
    found = await call.services.schedules.suggest(call.actor, current)
    return [app_commands.Choice(name=schedules.short(card), value=str(card.id)) for card in found]


@suggest
async def cron(call: Call, current: str) -> Choices:
    """What is understood of the typed text, and usual times that contain it."""
    return [app_commands.Choice(name=name, value=value) for name, value in schedules.times(current)]


@suggest
async def tag(call: Call, current: str) -> Choices:
    """Tags that servers have."""
    found = await call.services.schedules.tags(call.actor, current)
    return [app_commands.Choice(name=f"{tag} · {servers}", value=tag) for tag, servers in found]


@suggest
async def zone(call: Call, current: str) -> Choices:
    """Time zones, the org's own first."""
    return [
        app_commands.Choice(name=name, value=name) for name in await call.services.schedules.zones(call.actor, current)
    ]


@suggest
async def mod(call: Call, current: str) -> Choices:
    """Mods that can be deployed; the one that came last first."""
    found = await call.services.mods.suggest_mods(call.actor, current)
    return [app_commands.Choice(name=mods.short_name(one), value=one.name) for one in found]


@suggest
async def mod_version(call: Call, current: str) -> Choices:
    """Versions of the mod that was chosen, or of any; the newest first."""
    found = await call.services.mods.suggest_versions(call.actor, current, call.value("mod"))
    return [app_commands.Choice(name=mods.short(one), value=one.version) for one in found]


@suggest
async def mod_earlier(call: Call, current: str) -> Choices:
    """Versions that servers had before, of the mod that was chosen."""
    found = await call.services.mods.suggest_earlier(call.actor, current, call.value("mod"))
    return [app_commands.Choice(name=f"{version} · {name}"[:100], value=version) for name, version, _ in found]


@suggest
async def mod_game(call: Call, current: str) -> Choices:
    """Games whose mods can be uploaded."""
    found = await call.services.mods.games(call.actor, current)
    return [app_commands.Choice(name=game.name, value=game.game) for game in found]


@suggest
async def ban(call: Call, current: str) -> Choices:
    """Bans by number or name, newest first; the value is the number."""
    found = await call.services.bans.suggest(call.actor, current)
    return [app_commands.Choice(name=bans.short(case), value=str(case.number)) for case in found]


@suggest
async def active_ban(call: Call, current: str) -> Choices:
    """Bans that can be lifted."""
    found = await call.services.bans.suggest(call.actor, current, status="active")
    return [app_commands.Choice(name=bans.short(case), value=str(case.number)) for case in found]


@suggest
async def ban_duration(call: Call, current: str) -> Choices:
    """What the duration of a ban may be; the typed text first."""
    usual = ["1h", "1d", "7d", "2w", "30d", "until friday 18:00", "permanent"]
    texts = [current[:100], *usual] if current and current not in usual else usual
    return [app_commands.Choice(name=text, value=text) for text in texts]


@suggest
async def player(call: Call, current: str) -> Choices:
    """Players from sightings; who is online comes first."""
    found = await call.services.players.suggest(call.actor, current)
    return [app_commands.Choice(name=players.short(seen), value=str(seen.player_id)) for seen in found]


@suggest
async def host(call: Call, current: str) -> Choices:
    """Hosts by name."""
    found = await call.services.hosts.suggest(call.actor, current)
    return [app_commands.Choice(name=f"{card.name} · {card.status}"[:100], value=str(card.id)) for card in found]


@suggest
async def game(call: Call, current: str) -> Choices:
    """Games that some host of the org can run."""
    found = await call.services.fleet.games(call.actor, current)
    return [app_commands.Choice(name=name[:100], value=slug) for slug, name in found]


@suggest
async def audit_action(call: Call, current: str) -> Choices:
    """Beginnings of audit actions."""
    actions = [action for action in AUDIT_ACTIONS if current.lower() in action]
    return [app_commands.Choice(name=action, value=action) for action in actions]


@suggest
async def audit_target(call: Call, current: str) -> Choices:
    """What an entry can be about, by name."""
    found = await call.services.audit.suggest_targets(call.actor, current)
    shown = [(f"{one.name}{' (removed)' if one.gone else ''} · {one.kind}", f"{one.kind}:{one.id}") for one in found]
    return [app_commands.Choice(name=name[-100:], value=value) for name, value in shown]


@suggest
async def audit_entry(call: Call, current: str) -> Choices:
    """The newest entries, by number or action."""
    found = await call.services.audit.suggest(call.actor, current)
    return [app_commands.Choice(name=audit.short(entry), value=str(entry.id)) for entry in found]
