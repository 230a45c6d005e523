"""Whom an argument of a console command means."""

from bot.demo.sevendays.players import Player, is_combined_id
from bot.demo.sevendays.world import World


class NoTarget(Exception):
    """Nobody or several are meant; the text is the server's answer."""


def find(world: World, text: str) -> Player | str:
    """Return the player who is meant, or the combined id of somebody who is not here. Raises NoTarget.

    The order is the game's own: an exact entity id, name or user id, then any part of one online player's name.
    """
    players = world.players.values()
    for place in range(3):
        for player in players:
            if text in ({str(player.entity)}, {player.name}, {player.platform, player.cross})[place]:
                return player
    if is_combined_id(text):
        return text
    part = text.casefold()
    found = [player for player in players if part in player.name.casefold()]
    if len(found) > 1:
        raise NoTarget(f'"{text}" matches multiple player names.')
    if not found:
        raise NoTarget(f'"{text}" is not a valid entity id, player name or user id.')
    return found[0]


def user_id(target: Player | str) -> str:
    """The id that an entry about the target is stored under."""
    return target if isinstance(target, str) else target.user_id
