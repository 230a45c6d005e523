"""What a game's words about bans mean. Names and reasons are untrusted: only what comes before them is read."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from games.bans.rows import FOR_GOOD, BanList, BanRow, Known
from games.sections.actions import Action
from games.sections.bans import Bans
from games.sections.people import Identity


def ban_list(listing: Bans, identity: Identity, lines: Sequence[str], now: datetime) -> BanList:
    """The bans of an answer. `now`: when it was asked for."""
    rows: list[BanRow] = []
    found, strange, headers, counts = 0, False, 0, list[str]()
    for line in lines:
        if (groups := listing.each.groups(line)) is not None:
            found += 1
            rows.extend(_row(listing, identity, groups, now))
        elif listing.header is not None and listing.header.matches(line):
            headers += 1
        elif listing.count is not None and (total := listing.count.groups(line)) is not None:
            counts.append(total["n"])
        else:
            strange = strange or not any(p.matches(line) for p in listing.other)
    whole = counts == [str(found)] if listing.count is not None else not strange
    return BanList(tuple(rows), whole and (listing.header is None or headers == 1))


def _row(listing: Bans, identity: Identity, groups: Mapping[str, str], now: datetime) -> list[BanRow]:
    """Nothing for what is about nobody that we could name, or has no date that we can read."""
    if "range" in groups:
        return []
    end = _end(listing, groups, now)
    if end is None:
        return []
    return [BanRow(one, *end) for one in read(identity, groups)]


def _end(listing: Bans, groups: Mapping[str, str], now: datetime) -> tuple[datetime | None, datetime | None] | None:
    if "minutes" in groups:
        left = min(int(groups["minutes"]), FOR_GOOD // timedelta(minutes=1) + 1) * timedelta(minutes=1)
        return (None, None) if left > FOR_GOOD else (now + left - timedelta(minutes=1), now + left)
    if "until" not in groups:
        return None, None
    try:
        wall = datetime.strptime(groups["until"], listing.until_format)  # noqa: DTZ007  # the game writes no zone
    except ValueError:
        return None
    if wall - now.astimezone().replace(tzinfo=None) > FOR_GOOD:
        return None, None
    return wall.astimezone(), wall.astimezone()


def read(identity: Identity, groups: Mapping[str, str]) -> list[Known]:
    """Whom groups are about: `id` and `stored` in the game's form, or kinds of identity. One at most in fact."""
    found: list[Known] = []
    for kind in identity.ban_by:
        described = identity.kinds[kind]
        for group, written in groups.items():
            value = described.read(written) if group in {"id", "stored", kind} else None
            if value is not None:
                found.append((kind, value))
    return found


def stored(action: Action, identity: Identity, lines: Sequence[str]) -> list[Known]:
    """Under which identities the game says that it put a ban: not always the one that it was given."""
    if action.ok is None:
        return []
    return [one for line in lines if (groups := action.ok.groups(line)) is not None for one in read(identity, groups)]
