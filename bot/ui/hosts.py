"""Hosts as people see them. Addresses are for administrators only, so these cards are never public."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import discord

from bot.domain.words import count, safe
from bot.ui.cards import Colour, card
from bot.ui.texts import ago, at, span

if TYPE_CHECKING:
    from bot.services.hosts import Pairing
    from db.queries.hosts import HostCard


def pairing_card(pairing: Pairing, url: str) -> discord.ui.LayoutView:
    """The one-time command; the token is shown this once."""
    return card(Colour.BUSY, *pairing_text(pairing, url))


def pairing_text(pairing: Pairing, url: str) -> tuple[str, ...]:
    """The texts of that card."""
    again = " again. Its old key ends with this" if pairing.again else ""
    return (
        f"### Pair {safe(pairing.host_name)}{again}",
        "Run this on the machine where the games run, as the user that shall run them:",
        f"```\ngamekeeper-agent pair {url} {pairing.token}\n```",
        "Then start it with `gamekeeper-agent run`. This message's token works once and "
        f"ends {ago(pairing.expires_at)}; the channel for operations hears when the host is connected.",
    )


def state(host: HostCard) -> tuple[str, Colour, str]:
    """Sign, colour and words of a host's state."""
    if host.key_prefix is None:
        return "⚫", Colour.IDLE, "shut out"
    if host.online:
        return "🟢", Colour.GOOD, "online"
    since = host.silent_since
    return "🟠", Colour.WARN, f"offline since {ago(since)}" if since else "not connected yet"


def line(host: HostCard) -> str:
    """One row of a list."""
    sign, _, words = state(host)
    waiting = count(host.waiting, "job") + " waiting" if host.waiting else ""
    return f"{sign} **{safe(host.name)}** · " + " · ".join(
        filter(None, [words, count(len(host.servers), "server"), waiting, _maintenance(host)])
    )


def _maintenance(host: HostCard) -> str:
    return f"🔧 in maintenance, over {ago(host.maintenance_until)}" if host.maintenance_until else ""


def _until(host: HostCard) -> str:
    until = host.maintenance_until
    return f"until {at(until)}, {ago(until)}: {safe(host.maintenance or '', 200)}" if until else ""


def host_card(host: HostCard) -> discord.ui.LayoutView:
    """Its agent, load, games and servers."""
    _, colour, words = state(host)
    facts = [
        ("Machine", " · ".join(filter(None, [safe(host.hostname or ""), host.ip_address or ""]))),
        ("Agent", f"{safe(host.agent_version or '?')}, last heard {ago(host.last_heartbeat_at)}"),
        ("Load", _load(host.last_metrics) if host.online else ""),
        ("Games", safe(", ".join(report["name"] for report in host.games), 300) or "none allowed yet"),
        ("Servers", safe(", ".join(host.servers), 500) or "none yet: `/fleet add`"),
        ("Waiting", count(host.waiting, "job") if host.waiting else ""),
        ("Maintenance", _until(host)),
        ("Key", _key(host)),
    ]
    text = "\n".join(f"**{name}** {value}" for name, value in facts if value)
    return card(colour, f"### {safe(host.name)}\n**{words}**", text)


def _load(metrics: dict[str, Any]) -> str:
    if "cpuPercent" not in metrics:
        return ""
    memory = f"{metrics['memoryMb'] / 1024:.1f} of {metrics['memoryTotalMb'] / 1024:.1f} GiB"
    disk = f"{metrics['diskMb'] / 1024:.0f} of {metrics['diskTotalMb'] / 1024:.0f} GiB"
    up = span(timedelta(seconds=metrics.get("uptimeSec", 0)))
    return f"CPU {metrics['cpuPercent']:.0f} % · memory {memory} · disk {disk} · up {up}"


def _key(host: HostCard) -> str:
    if host.key_prefix is None:
        return "revoked; `/host add` pairs it again"
    return f"`{host.key_prefix}…`, used {ago(host.key_used_at)}" + (", being rotated" if host.rotating else "")
