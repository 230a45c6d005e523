"""What our own asking leaves in a game's log: the same lines every few seconds, and players' addresses in them."""

import re

from games.patterns import Pattern
from games.resolved import ResolvedTemplate
from games.sections.people import Listing


class Traces:
    """Knows the lines of a log that say no more than that we asked: fences, lists, and the echoes of both.

    Rows of a list are known whoever asked for it. Somebody else's own command stays in the log, without its answer.
    """

    def __init__(self, resolved: ResolvedTemplate) -> None:
        self._spec = resolved.console.spec if resolved.console is not None else None
        listings = [one for one in (resolved.players, resolved.bans) if one is not None]
        self._commands = {one.send for one in listings}
        self._rows = [pattern for one in listings for pattern in _patterns(one)]
        before, _, after = self._spec.end.fence.send.partition("{nonce}") if self._spec is not None else ("", "", "")
        self._fence = re.compile(f"{re.escape(before)}[0-9a-f]{{16}}{re.escape(after)}")

    def has(self, line: str) -> bool:
        """Is this line of the log one of ours? A line that only begins like one is not."""
        if self._spec is None:
            return False
        fence = self._spec.end.fence.expect.groups(line)
        if fence is not None and self._fence.fullmatch(fence["fence"]):
            return True
        echo = self._spec.echo.groups(line) if self._spec.echo is not None else None
        if echo is not None:
            return echo["command"] in self._commands or bool(self._fence.fullmatch(echo["command"]))
        return any(pattern.matches(line) for pattern in self._rows)


def _patterns(listing: Listing) -> list[Pattern]:
    return [pattern for pattern in (listing.each, listing.count, *listing.other) if pattern is not None]
