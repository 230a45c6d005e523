"""kick, ban, admin and whitelist: commands about people."""

from collections.abc import Callable

from bot.demo.sevendays import durations, targets
from bot.demo.sevendays.admins import STAMP, Ban, Permission, local_now
from bot.demo.sevendays.console import Answer, Command, Refusal, need, number
from bot.demo.sevendays.players import Player, is_combined_id
from bot.demo.sevendays.server import Server

_REMOVE_TRACE = "\n  at ConsoleCmdBan.ExecuteRemove (System.Collections.Generic.List`1[T] _params) [0x00055] in <0>:0"
Sub = Callable[[Server, list[str]], Answer]


def _kick(server: Server, words: list[str]) -> Answer:
    need(words, 1)
    target = targets.find(server.world, words[0])
    if isinstance(target, Player):
        reason = words[1] if len(words) > 1 else ""
        yield f"Kicking Player {target.name}: {reason}"
        server.world.kick(target, f"Kicked by the server: {reason}")


def _ban_add(server: Server, words: list[str]) -> Answer:
    need(words, 4)
    target = targets.find(server.world, words[1])
    count = number(words[2])
    if words[3].casefold() not in durations.UNITS:
        raise Refusal(f'"{words[3]}" is not an allowed duration unit.')
    until = durations.later(local_now(), count, words[3].casefold())
    reason = _printable(words[4] if len(words) > 4 else "")
    known = target.name if isinstance(target, Player) else ""
    ban = Ban(until, reason, _printable(words[5] if len(words) > 5 else known))
    yield from _banned(server, targets.user_id(target), ban, "")
    if isinstance(target, Player):
        if target.owner not in (target.platform, target.cross):
            yield from _banned(server, target.owner, ban, "Steam Family Sharing license owner ")
        server.world.kick(target, f"You have been banned from this server until {until:{STAMP}}, reason: {reason}")
    server.admin_file.save()


def _banned(server: Server, user: str, ban: Ban, who: str) -> Answer:
    server.admin_file.admins.bans[user] = ban
    yield f"{who}{user} banned until {ban.until:{STAMP}}, reason: {ban.reason}."


def _ban_remove(server: Server, words: list[str]) -> Answer:
    need(words, 2)
    if not is_combined_id(words[1]):
        server.journal.error(f"Could not parse user id '{words[1]}'{_REMOVE_TRACE}")
        raise Refusal(f'"{words[1]}" is not a valid user id.')
    server.admin_file.admins.bans.pop(words[1], None)
    server.admin_file.save()
    yield f"{words[1]} removed from ban list."


def _ban_list(server: Server, _: list[str]) -> Answer:
    yield "Ban list entries:"
    yield "  Banned until - UserID (name) - Reason"
    for user, ban in server.admin_file.admins.bans.items():
        yield f"  {ban.until:{STAMP}} - {user} ({ban.name or '-unknown-'}) - {ban.reason}"


def _admin_add(server: Server, words: list[str]) -> Answer:
    need(words, 3)
    target = targets.find(server.world, words[1])
    user, level = targets.user_id(target), number(words[2])
    name = _printable(words[3]) if len(words) > 3 else target.name if isinstance(target, Player) else ""
    server.admin_file.admins.users[user] = Permission(level, name)
    server.admin_file.save()
    yield f"{user} added with permission level of {level}"


def _admin_remove(server: Server, words: list[str]) -> Answer:
    need(words, 2)
    user = targets.user_id(targets.find(server.world, words[1]))
    server.admin_file.admins.users.pop(user, None)
    server.admin_file.save()
    yield f"{user} removed from permissions list."


def _admin_list(server: Server, _: list[str]) -> Answer:
    yield "Defined User Permissions:"
    yield "  Level: UserID (Player name if online, stored name)"
    for user, entry in server.admin_file.admins.users.items():
        yield f"  {entry.level:5}: {user} ({_online_name(server, user)}, stored name: {entry.name})"


def _whitelist_add(server: Server, words: list[str]) -> Answer:
    need(words, 2)
    target = targets.find(server.world, words[1])
    name = words[2] if len(words) > 2 else target.name if isinstance(target, Player) else ""
    user = targets.user_id(target)
    server.admin_file.admins.whitelist[user] = _printable(name)
    server.admin_file.save()
    yield f"{user} added to whitelist."


def _whitelist_remove(server: Server, words: list[str]) -> Answer:
    need(words, 2)
    user = targets.user_id(targets.find(server.world, words[1]))
    listed = server.admin_file.admins.whitelist.pop(user, None) is not None
    if listed:
        server.admin_file.save()
    yield f"{user} removed from the whitelist." if listed else f"{user} was not on the whitelist."


def _whitelist_list(server: Server, _: list[str]) -> Answer:
    yield "Whitelisted users:"
    yield "  UserID (Player name if online, stored name)"
    for user, name in server.admin_file.admins.whitelist.items():
        yield f"  {user} ({_online_name(server, user)}, stored name: {name})"


def _online_name(server: Server, user: str) -> str:
    return next((p.name for p in server.world.players.values() if user in (p.platform, p.cross)), "-offline-")


def _printable(text: str) -> str:
    """Raises ValueError for what the XML file could not hold."""
    for char in text:
        if ord(char) < 0x20 and char != "\t":
            raise ValueError(f"'{char}', hexadecimal value 0x{ord(char):02X}, is an invalid character.")
    return text


def _family(**subs: Sub) -> Callable[[Server, list[str]], Answer]:
    """A command whose first word says what to do."""

    def run(server: Server, words: list[str]) -> Answer:
        need(words, 1)
        sub = subs.get(words[0].casefold())
        if sub is None:
            raise Refusal(f'Invalid sub command "{words[0]}".')
        yield from sub(server, words)

    return run


COMMANDS = (
    Command(("kick",), "kicks a player", _kick),
    Command(("ban",), "manages ban entries", _family(add=_ban_add, remove=_ban_remove, list=_ban_list)),
    Command(("admin",), "manages permissions", _family(add=_admin_add, remove=_admin_remove, list=_admin_list)),
    Command(
        ("whitelist",),
        "manages whitelist entries",
        _family(add=_whitelist_add, remove=_whitelist_remove, list=_whitelist_list),
    ),
)
