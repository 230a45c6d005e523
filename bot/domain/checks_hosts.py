"""Judges the machines where the games run: are their agents there, new enough, and on time?"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.domain.checks import Finding, Topic, broken, fine, note
from bot.domain.durations import rough
from bot.domain.words import count, joined, safe

SKEW_NOTED: Final = 10.0
SKEW_BROKEN: Final = 60.0
"""Seconds that a host's clock may be wrong. Its times stand in logs and on cards; a heartbeat may be slow by a few."""
FULL_FROM: Final = 0.9
"""Of a host's disk."""


@dataclass(frozen=True)
class HostFact:
    """A host and what its agent said last."""

    name: str
    status: str
    silent_since: datetime | None
    paired: bool
    """It has a key that lets it in."""
    agent_version: str | None
    skew_sec: float | None
    """Its clock less ours at its last heartbeat; None: its agent does not say what time it has."""
    disk_used: float | None
    """Part of its disk, 0 to 1."""
    servers: int
    waiting: int
    """Jobs that wait for it."""


def hosts(facts: Sequence[HostFact], version: str, now: datetime) -> Iterator[Finding]:
    """`version`: of the bot."""
    if not facts:
        yield note(Topic.HOSTS, "There is no host.", "`/host add` gives a command to run where your games run.")
        return
    seen = [(fact, list(_host(fact, version, now))) for fact in facts]
    for _, findings in seen:
        yield from findings
    if good := [safe(fact.name, 60) for fact, findings in seen if not findings]:
        yield fine(Topic.HOSTS, f"{joined(good, 200)} online, on time")
    if idle := [safe(fact.name, 60) for fact in facts if not fact.servers]:
        if len(idle) == len(facts):
            yield note(Topic.HOSTS, "There is no game server.", "`/fleet add` adds one.")
        else:
            yield fine(Topic.HOSTS, f"without servers: {joined(idle, 200)}")


def _host(fact: HostFact, version: str, now: datetime) -> Iterator[Finding]:
    name = f"**{safe(fact.name, 60)}**"
    if not fact.paired:
        yield note(
            Topic.HOSTS, f"{name} is shut out.", f"`/host add` with the name {safe(fact.name, 60)} pairs it again."
        )
        return
    if fact.status != "online":
        yield _silent(name, fact, now)
        return
    if is_older(fact.agent_version, version):
        yield note(
            Topic.HOSTS,
            f"{name} has agent {safe(fact.agent_version or '?', 30)}, the bot is {version}.",
            "Install that version there and start the agent again; games go on meanwhile.",
        )
    if fact.skew_sec is not None and abs(fact.skew_sec) >= SKEW_NOTED:
        judge = broken if abs(fact.skew_sec) >= SKEW_BROKEN else note
        way = "ahead" if fact.skew_sec > 0 else "behind"
        yield judge(
            Topic.HOSTS,
            f"The clock of {name} is {rough(timedelta(seconds=abs(fact.skew_sec)))} {way}.",
            "Switch time synchronisation on there, such as `timedatectl set-ntp true`.",
        )
    if fact.disk_used is not None and fact.disk_used >= FULL_FROM:
        yield note(Topic.HOSTS, f"The disk of {name} is {fact.disk_used:.0%} full.", "Make room there.")


def _silent(name: str, fact: HostFact, now: datetime) -> Finding:
    if fact.silent_since is None:
        return note(Topic.HOSTS, f"{name} has not connected yet.", "Start `gamekeeper-agent run` there.")
    waits = f"; {count(fact.waiting, 'job waits', 'jobs wait')} for it" if fact.waiting else ""
    return broken(
        Topic.HOSTS,
        f"{name} is silent for {rough(now - fact.silent_since)}{waits}.",
        "Run `gamekeeper-agent doctor` there; its log says why it cannot reach the bot.",
    )


def is_older(agent: str | None, bot: str) -> bool:
    """Does a host run an older release? What is no version says nothing."""
    theirs, ours = _parts(agent or ""), _parts(bot)
    return bool(theirs and ours) and theirs < ours


def _parts(version: str) -> tuple[int, ...]:
    match = re.match(r"\d+(?:\.\d+)+", version)
    return tuple(map(int, match[0].split("."))) if match else ()
