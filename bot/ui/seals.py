"""Seals of the audit log as people see them: the message that is posted, and what a check came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import discord

from bot.domain.seals_chain import Fault, Finding
from bot.domain.words import count
from bot.ui.cards import Colour, card
from bot.ui.texts import at

if TYPE_CHECKING:
    from bot.services.audit_walk import Verified

_SHOWN: Final = 12
"""Findings that are listed."""

_WORDS: Final = {
    Fault.SEALS_MISSING: "**{seals} {are} missing.** Somebody removed or renumbered {them}.",
    Fault.SEAL_CHANGED: "**{seals} itself was changed.**",
    Fault.ROW_CHANGED: "**{seals}: an entry was changed**, one of {ids}.",
    Fault.EITHER_CHANGED: "**{seals} or one of its entries was changed**: {ids}.",
    Fault.UNCONNECTED: "{seals} cannot be judged without the one before.",
    Fault.ROWS_MISSING: "**{seals}: {entries} {gone} missing**: {ids}. The others of this seal cannot be judged.",
    Fault.ROWS_ADDED: "**{entries} came in afterwards**: {ids}. No seal of that time names {those}.",
    Fault.ROWS_WAITING: "{entries} of more than 10 minutes ago {have} no seal yet: {ids}. The bot's log says why.",
    Fault.ACTOR_CHANGED: "**{entries} {have} been put down to somebody else**: {ids}. The Discord id there is sealed.",
    Fault.PURGED_EARLY: "**{seals} lost its entries before their time.** Retention did not do that.",
    Fault.POSTED_UNKNOWN: "**No seal has the hash that you gave.** If it was posted here, the log was rewritten since.",
}


def posted_card(payload: dict[str, Any], mark: int) -> discord.ui.LayoutView:
    """The message that keeps a seal outside the database. It is never edited."""
    first, last = int(payload["first"]), int(payload["last"])
    rows = f"{count(int(payload['rows']), 'audit entry', 'audit entries')}, up to `{int(payload['entry'])}`"
    hint = "-# `/audit verify` checks the audit log against it. Do not delete this message."
    return card(
        Colour.IDLE, f"**{_seals(first, last)}** · {rows}\n`{bytes.fromhex(payload['hash']).hex()}`\n{hint}", mark=mark
    )


def verified_card(found: Verified) -> discord.ui.LayoutView:
    """What `/audit verify` found."""
    if found.newest is None and not found.findings:
        return card(Colour.IDLE, "### Nothing is sealed yet", "The first seal comes within a minute.")
    lines = [_line(finding) for finding in found.findings[:_SHOWN]]
    if (more := len(found.findings) - _SHOWN) > 0:
        lines.append(f"… and {count(more, 'more finding')}.")
    colour, title = _verdict(found)
    return card(colour, f"### {title}", "\n".join(lines), "\n".join(_extent(found)), "\n".join(_newest(found)))


def _verdict(found: Verified) -> tuple[Colour, str]:
    if any(finding.fault is not Fault.ROWS_WAITING for finding in found.findings):
        return Colour.BAD, "The audit log is not what was sealed"
    if found.findings:
        return Colour.WARN, "What is sealed is unchanged, but sealing is behind"
    if not found.finished:
        return Colour.WARN, "Unchanged as far as it was checked"
    return Colour.GOOD, "The audit log is unchanged"


def _extent(found: Verified) -> list[str]:
    since = f", the oldest of {at(found.since)}" if found.since else ""
    entries = count(found.rows, "entry", "entries").replace(str(found.rows), f"{found.rows:,}")
    lines = [f"Checked: {entries} in {count(found.seals, 'seal')}{since}."]
    if found.purged:
        lines.append(f"Removed by retention: the entries of {count(found.purged, 'older seal')}.")
    if not found.finished and found.newest:
        lines.append(f"**The time was over at seal {found.newest.number} of {found.of}.** Later ones were not checked.")
    return lines


def _newest(found: Verified) -> list[str]:
    lines: list[str] = []
    if found.asked:
        lines.append(
            f"You asked for seal {found.asked.number} of {at(found.asked.sealed_at)}: `{found.asked.hash.hex()}`"
        )
    if found.newest and found.newest is not found.asked:
        lines.append(f"Seal {found.newest.number} of {at(found.newest.sealed_at)}: `{found.newest.hash.hex()}`")
    where = f"was posted in <#{found.channel}>" if found.channel else "you have kept elsewhere"
    lines.append(f"-# Compare a hash with the one that {where}: `/audit verify seal:` looks for it.")
    if not found.channel:
        lines.append("-# Without an audit channel seals are nowhere but in the database: `/notify add` sets one.")
    return lines


def _line(finding: Finding) -> str:
    one = finding.seals is None or finding.seals[0] == finding.seals[1]
    single = finding.count == 1
    ids = ", ".join(f"`{number}`" for number in finding.ids)
    return _WORDS[finding.fault].format(
        seals=_seals(*finding.seals) if finding.seals else "",
        are="is" if one else "are",
        them="it" if one else "them",
        entries=count(finding.count, "entry", "entries"),
        gone="is" if single else "are",
        have="has" if single else "have",
        those="it" if single else "them",
        ids=ids + (f" and {rest} more" if (rest := finding.count - len(finding.ids)) else ""),
    )


def _seals(first: int, last: int) -> str:
    return f"Seal {last}" if first == last else f"Seals {first} to {last}"
