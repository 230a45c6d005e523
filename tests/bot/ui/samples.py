"""What cards are built of: ordinary rows, and rows in which every name and text is somebody's trick."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from bot.services.artifacts import Uploaded
from bot.services.audit import AuditPage
from bot.services.confirmations import Choice, Question
from bot.services.fleet import Draft, Variable
from bot.services.hosts import Pairing
from db.queries.audit import AuditEntry, Filter
from db.queries.cards import JobCard, ServerCard
from db.queries.history import Happening
from db.queries.hosts import HostCard
from db.queries.mods import Artifact
from db.queries.mods_deployments import Deployment
from db.queries.mods_inventory import ModThere
from db.queries.sightings import Sighting

NOW = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=3)
SNOWFLAKE = 2**63 - 1
OUTPUT = "".join(f"line {n} ``` @everyone \u202e\x1b[31m\n" for n in range(2000))[: 64 * 1024]

NAMES = {
    "ordinary": "EU #1",
    "one letter": "x",
    "markdown": ("**_`~|[]\\" * 12)[:100],
    "mentions": ("@everyone @here <@1> <@&2> <#3> </ban:4> " * 3)[:100],
    "at signs": "@" * 100,
    "link": "[free](https://evil.example) https://evil.example discord.gg/x",
    "title": "# Title\n> quote\n-# small\n1. list",
    "right to left": ("\u202e\u2067" + "אבג مرحبا " * 10)[:100],
    "invisible": "\u200b\u2060\u00ad\U000e0041x",
    "emoji": "\U0001f9d1\u200d\U0001f680" * 33,
    "colons": ":" * 100,
    "backticks": "```" * 33,
}


def number(n: int = 1) -> UUID:
    return UUID(int=2**127 + n)


def job(name: str, **changed: Any) -> JobCard:
    values: dict[str, Any] = {
        "id": number(),
        "org_id": number(2),
        "number": 340,
        "type": "SERVER_RESTART",
        "status": "running",
        "params": {"command": name * 6, "text": name * 6, "name": name, "reason": name * 2},
        "server_id": number(3),
        "server_name": name,
        "host_name": name,
        "host_online": True,
        "host_offline_since": LONG_AGO,
        "author": name,
        "created_at": NOW,
        "not_before": NOW,
        "expires_at": NOW + timedelta(minutes=15),
        "cancel_requested_at": None,
        "finished_at": None,
        "attempt": 1,
        "max_attempts": 3,
        "run_status": "running",
        "phase": "stopping",
        "message": name * 10,
        "started_at": NOW,
        "duration_ms": 61_500,
        "error": name * 10,
        "output": OUTPUT,
        "schedule": name[:64],
        "macro": "x" * 32,
        "batch": 3,
    }
    return JobCard(**{**values, **changed})


def bare_job(**changed: Any) -> JobCard:
    """A job of which nothing is known but that it is there."""
    empty = dict.fromkeys(
        "server_id server_name host_name host_offline_since author expires_at run_status phase message started_at "
        "duration_ms error output schedule".split()
    )
    return job("x", **{**empty, "params": {}, "attempt": 0, "host_online": False, **changed})


def server(name: str, **changed: Any) -> ServerCard:
    values: dict[str, Any] = {
        "id": number(3),
        "org_id": number(2),
        "name": name,
        "slug": "eu-1",
        "game": "teeworlds",
        "game_name": name,
        "status": "running",
        "desired_state": "running",
        "restart_policy": "on-failure",
        "status_changed_at": LONG_AGO,
        "observed": {
            "version": name,
            "map": name,
            "note": name * 5,
            "maxPlayers": 64,
            "startedAt": "2026-11-21T04:00:00Z",
            "reachable": True,
            "caution": {"name": name[:40], "now": True},
        },
        "port": 8303,
        "players_online": 41,
        "last_seen_at": NOW,
        "vars": {},
        "host_id": number(4),
        "host_name": name,
        "host_status": "online",
        "host_offline_since": None,
        "capabilities": ["start", "stop"],
        "tags": [f"tag-{n:02}-{'x' * 25}" for n in range(25)],
        "busy_with": 340,
        "next_restart": NOW,
        "plan": {"action": "restart", "dueAt": "2026-11-21T04:00:00+00:00"},
        "incident": 12,
    }
    return ServerCard(**{**values, **changed})


def host(name: str, **changed: Any) -> HostCard:
    values: dict[str, Any] = {
        "id": number(4),
        "name": name,
        "hostname": name,
        "status": "online",
        "last_heartbeat_at": NOW,
        "offline_since": None,
        "agent_version": name,
        "games": [{"id": f"game{n}", "name": name} for n in range(30)],
        "resources": {},
        "last_metrics": {
            "cpuPercent": 12.5,
            "memoryMb": 1,
            "memoryTotalMb": 2,
            "diskMb": 1,
            "diskTotalMb": 2,
            "uptimeSec": 9_000_000,
        },
        "ip_address": "192.0.2.1/32",
        "created_at": LONG_AGO,
        "rotating": True,
        "key_prefix": "gka_12345678",
        "key_used_at": NOW,
        "servers": [name] * 100,
        "waiting": 3,
    }
    return HostCard(**{**values, **changed})


def bare_host(**changed: Any) -> HostCard:
    """A host that never connected."""
    empty = dict.fromkeys("hostname last_heartbeat_at agent_version ip_address key_prefix key_used_at".split())
    return host("x", **{**empty, "games": [], "servers": [], "last_metrics": {}, "status": "unknown", **changed})


def sighting(name: str, n: int = 1, **changed: Any) -> Sighting:
    values: dict[str, Any] = {
        "player_id": number(n),
        "name": name,
        "server_id": number(3),
        "server_name": name,
        "online": True,
        "since": NOW,
        "last_seen_at": NOW,
        "identities": {"steam": "76561198000000001", "name": name, "eos": "0" * 128},
    }
    return Sighting(**{**values, **changed})


def entry(name: str, **changed: Any) -> AuditEntry:
    values: dict[str, Any] = {
        "id": SNOWFLAKE,
        "at": NOW,
        "action": "fleet.remove.ask",
        "outcome": "success",
        "actor_type": "user",
        "actor": name,
        "actor_discord_id": SNOWFLAKE,
        "resource_type": "server",
        "resource_id": name,
        "resource_name": name,
        "command": "fleet remove",
        "options": {"server": name, "reason": name * 5},
        "details": {"number": 340, "reason": name * 5, "by": name},
        "error": name * 5,
        "correlation_id": f"{SNOWFLAKE:x}",
        "channel_id": SNOWFLAKE,
        "duration_ms": 12,
    }
    return AuditEntry(**{**values, **changed})


def bare_entry(**changed: Any) -> AuditEntry:
    """An entry of the bot itself, with nothing that may be missing."""
    empty = dict.fromkeys(
        "actor actor_discord_id resource_id resource_name command error correlation_id channel_id duration_ms".split()
    )
    return entry("x", **{**empty, "actor_type": "system", "options": {}, "details": {}, **changed})


def audit_page(name: str) -> AuditPage:
    """The first page of a search that uses every filter."""
    wanted = Filter(SNOWFLAKE, "x" * 24, ("server", str(number())), NOW, "success")
    return AuditPage([entry(name)] * 10, wanted, SNOWFLAKE)


def happening(name: str, source: str = "job") -> Happening:
    return Happening(NOW, source, "SERVER_RESTART" if source == "job" else name, "success", name, 340, {})


def question(name: str, typed: str = "") -> Question:
    return Question(number(), f"Restart {name} now?", (name, name), f"Restart {name}", typed)


def choices(name: str, *, first: bool = False) -> Question:
    """A question that offers other times."""
    asked = question(name)
    others = tuple(Choice(f"choice{n}", name, {}) for n in range(3))
    return Question(asked.token, asked.title, asked.effect, asked.verb, choices=others, choices_first=first)


def draft(name: str) -> Draft:
    variables = (
        Variable("port", "port", "8303", name),
        Variable("x" * 120, "string", "", name, ()),
        Variable("mode", "choice", "a", name, tuple(name for _ in range(20))),
        Variable("motd", "string", name * 5, "Message"),
    )
    return Draft(name, "teeworlds", variables, {"port": "8303", "mode": "a", "motd": name * 5})


def uploaded(name: str, *, again: bool = False) -> Uploaded:
    artifact = Artifact(number(), name, name, "teeworlds", name, 2**28, "f" * 64, 10_000, NOW)
    return Uploaded(artifact, again)


def deployment(name: str, **changed: Any) -> Deployment:
    values: dict[str, Any] = {
        "id": number(),
        "mod": name,
        "version": name,
        "action": "rollback",
        "status": "failed",
        "error": name * 10,
        "restart_required": True,
        "created_at": LONG_AGO,
        "finished_at": NOW,
        "artifact_id": number(2),
        "number": 340,
        "job_status": "failed",
        "author": name,
    }
    return Deployment(**{**values, **changed})


def mods_there(name: str) -> list[ModThere]:
    """Every way in which what a server has can differ from what was deployed."""
    return [
        ModThere(name, None, None, "quarantined", None),
        ModThere(name, name, None, "active", None),
        ModThere(name, None, name, None, name),
        ModThere(name, name, f"{name}!", "active", name),
        ModThere(name, name, name, "active", f"{name}!"),
    ]


def installed(name: str, state: str) -> dict[str, Any]:
    """What a host reports of a deployment, as long as the protocol allows."""
    return {
        "state": state,
        "detail": (name * 10)[:1000],
        "verified": [(name * 5)[:500]] * 20,
        "conflicts": [(name * 3)[:300]] * 50,
        "restarted": True,
    }


def pairing(name: str) -> Pairing:
    return Pairing("gkp_" + "x" * 40, name, NOW, again=True)
