"""`gamekeeper doctor`: what would keep the bot from working, each with its remedy."""

import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.config import Settings
from bot.errors import AppError
from bot.roles import ROLES
from bot.services.replicas import missing_files, replicas
from bot.services.secrets import SecretKeys, check_fingerprint
from db import migrate
from db.engine import Database


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    ok: bool
    what: str
    remedy: str = ""


async def examine(settings: Settings, database_url: str) -> list[Finding]:
    """Looks at everything that can be looked at without connecting to Discord."""
    findings = [finding async for finding in _database(settings, database_url)]
    return [*findings, _token(settings), _address(settings), _port(settings)]


async def _database(settings: Settings, url: str) -> AsyncIterator[Finding]:
    try:
        behind = await migrate.is_behind(url)
    except (AppError, OSError) as error:
        yield Finding(False, f"database: {error}", "Check GAMEKEEPER_DATABASE_URL and that the server runs.")
        return
    yield Finding(not behind, "database: reachable" + (", schema too old" if behind else ", schema up to date"),
                  "Run `gamekeeper migrate`." if behind else "")  # fmt: skip
    if behind:
        return
    keys = settings.secret_keys.get_secret_value() if settings.secret_keys else ""
    db = Database(url, role="doctor", pool_size=1, max_overflow=0)
    try:
        yield await _files(db, settings)
        async for finding in _processes(db, settings):
            yield finding
        state = await check_fingerprint(db, SecretKeys.load(settings.data_dir, keys))
        yield Finding(
            state != "differs",
            "secret keys: " + ("another set than the database was made with" if state == "differs" else "match"),
            "Put the old secret.keys back; without them every host has to be paired again."
            if state == "differs"
            else "",
        )
    except AppError as error:
        yield Finding(False, f"secret keys: {error.what}", error.remedy)
    finally:
        await db.close()


async def _files(db: Database, settings: Settings) -> Finding:
    missing, looked_for = await missing_files(db, settings.artifacts)
    remedy = "Set GAMEKEEPER_ARTIFACT_DIR to the directory that all processes share, or bring the files back."
    words = f"{missing} of {looked_for} are not in {settings.artifacts}" if missing else f"in {settings.artifacts}"
    return Finding(not missing, f"uploaded mods: {words}", remedy if missing else "")


async def _processes(db: Database, settings: Settings) -> AsyncIterator[Finding]:
    """Those that run now, and what several of them need."""
    running = await replicas(db)
    for one in running:
        yield Finding(True, f"process {one.name}: {', '.join(one.roles)}")
    if lacking := [role for role in ROLES if running and not any(role in one.roles for one in running)]:
        remedy = f"Start one: gamekeeper run --roles {','.join(lacking)}"
        yield Finding(False, f"processes: none has the role {', '.join(lacking)}", remedy)
    if len(running) > 1 and not settings.public_url:
        remedy = "Set one GAMEKEEPER_PUBLIC_URL for all of them, unless hosts reach each by its own."
        yield Finding(True, "public address of each: its own", remedy)


def _token(settings: Settings) -> Finding:
    there = settings.discord_token is not None
    remedy = "" if there else "Set GAMEKEEPER_DISCORD_TOKEN; only a process without the role bot needs none."
    return Finding(there, "Discord token: " + ("set" if there else "missing"), remedy)


def _address(settings: Settings) -> Finding:
    url = urlsplit(settings.public_url or f"http://{settings.bind}")
    local = url.hostname in ("127.0.0.1", "::1", "localhost")
    fine = url.scheme == "https" or local
    words = "agents on this machine only" if local else settings.public_url
    return Finding(
        fine,
        f"public address: {words}",
        ""
        if fine
        else "Agents refuse http:// elsewhere: put a TLS proxy in front and set GAMEKEEPER_PUBLIC_URL to https://…",
    )


def _port(settings: Settings) -> Finding:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            remedy = "Fine if Gamekeeper runs already; else set GAMEKEEPER_BIND to another port."
            return Finding(False, f"port {settings.port}: {error.strerror}", remedy)
    return Finding(True, f"port {settings.port}: free")
