"""What can be wrong with what a template says about bans."""

from collections.abc import Iterator, Mapping
from typing import Final

from games.placeholders import names
from games.sections.actions import BAN_VALUES, Action
from games.sections.bans import Bans
from games.sections.people import Identity

_SENT: Final[Mapping[str, frozenset[str]]] = {"ban": BAN_VALUES, "unban": frozenset({"target"})}


def problems(identity: Identity, actions: Mapping[str, Action], bans: Bans | None) -> Iterator[str]:
    """Sentences; nothing when bans work, or the game has none."""
    for name, action in actions.items():
        if strange := (names([action.send]) & BAN_VALUES) - _SENT.get(name, frozenset()):
            yield f"`{name}` cannot send {', '.join(f'{{{one}}}' for one in sorted(strange))}"
    ban, unban = actions.get("ban"), actions.get("unban")
    if ban is not None and unban is not None and bans is not None:
        yield from _of_all(identity, bans, ban, unban)
    elif ban is not None or unban is not None or bans is not None:
        yield "a game that bans has the actions `ban` and `unban` and the list `bans`: else nothing is ever proved"


def _of_all(identity: Identity, bans: Bans, ban: Action, unban: Action) -> Iterator[str]:
    if any("target" not in names([action.send]) for action in (ban, unban)):
        yield "`ban` and `unban` send {target}"
    if (bans.timed == "native", bans.timed == "native") != (ban.duration is not None, "{duration}" in ban.send):
        yield "`ban` sends {duration}, and describes it, just where bans are `timed: native`"
    if [action.verify and action.verify.bans for action in (ban, unban)] != ["present", "absent"]:
        yield "`ban` and `unban` are proved by the list: `verify: {bans: present}` and `verify: {bans: absent}`"
    if not bans.each.names & {"id", *identity.ban_by}:
        yield "`each` of bans needs the group `id` or a kind of `ban_by`"
