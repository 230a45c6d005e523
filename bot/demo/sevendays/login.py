"""The chain of checks that somebody passes who wants to come in."""

import itertools
from collections.abc import Callable

from bot.demo.sevendays.admins import STAMP, local_now
from bot.demo.sevendays.players import UNKNOWN, Player, invented_eos, invented_steam
from bot.demo.sevendays.server import COMPATIBILITY, Server

Check = Callable[[Server, Player], str | None]
_clients = itertools.count(1)


def visitor(name: str, steam: str | None, eos: str | None, owner: str | None, ip: str) -> Player:
    """Somebody before the login. An id that is None is made from the name, an empty one is unknown to the server."""
    platform = _combined("Steam", invented_steam(name) if steam is None else steam)
    cross = _combined("EOS", invented_eos(name) if eos is None else eos)
    return Player(name, platform, cross, _combined("Steam", owner) if owner else platform, ip, next(_clients))


def join(server: Server, player: Player) -> int | str:
    """Journal somebody in. Returns the entity id, or the reason that the player reads when refused."""
    server.journal.info(f"PlayerLogin: {player.name}/{COMPATIBILITY}")
    server.journal.info(f"Client IP: {player.ip}")
    for name, check in CHAIN.items():
        reason = check(server, player)
        server.journal.info(f"[Auth] {name} authorization {'failed' if reason else 'successful'}: {player.ids()}")
        if reason:
            server.journal.info(f"Kicking player ({reason}): {player.ids()}")
            return reason
    server.journal.info(f"Allowing player with id {player.user_id}")
    return server.world.enter(player)


def _combined(platform: str, userid: str) -> str:
    return f"{platform}_{userid}" if userid else UNKNOWN


def _started(server: Server, _: Player) -> str | None:
    return None if server.world.ready else "Server is still initializing"


def _single(server: Server, player: Player) -> str | None:
    here = {user for other in server.world.players.values() for user in (other.platform, other.cross)}
    return "A player with the same ID is already connected" if player.user_id in here else None


def _listed(server: Server, player: Player) -> str | None:
    admins = server.admin_file.admins
    ban = admins.ban_of(player.user_ids, local_now())
    if ban:
        return f"You have been banned from this server until {ban.until.strftime(STAMP)}, reason: {ban.reason}"
    return "You are not on the whitelist of this server" if admins.shuts_out(player.user_ids) else None


def _room(server: Server, _: Player) -> str | None:
    full = len(server.world.players) >= server.config.number("ServerMaxPlayerCount")
    return "Server is full" if full else None


def _pass(_: Server, __: Player) -> str | None:
    return None


#: By the names that the log gives them.
CHAIN: dict[str, Check] = {
    "PlayerName": _pass,
    "ServerState": _started,
    "VersionCheck": _pass,
    "PlayerId": _single,
    "PlatformAuth": _pass,
    "BansAndWhitelist": _listed,
    "PlayerSlots": _room,
}
