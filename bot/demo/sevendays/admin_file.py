"""serveradmin.xml: read, watched, and rewritten whenever the console changes it (comments do not survive that)."""

from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

from bot.demo.sevendays import xml_file
from bot.demo.sevendays.admins import STAMP, Admins, Ban, Permission
from bot.demo.sevendays.journal import Journal


class AdminFile:
    """The file and what was last read from it. `admins` is never None: a broken file leaves the old values standing."""

    def __init__(self, path: Path, journal: Journal) -> None:
        self.path = path
        self.admins = Admins()
        self._journal = journal
        self._seen: tuple[int, int] | None = None

    def start(self) -> None:
        """Read the file, or write an empty one."""
        if self.path.exists():
            self.load()
        else:
            self.save()

    def load(self) -> None:
        self._seen = self._state()
        try:
            root = xml_file.read(self.path)
        except (OSError, xml_file.BadXml) as error:
            self._journal.error(f"Failed loading {self.path.name}: {error}")
        else:
            self.admins = self._read(root)

    def save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        root = _written(self.admins)
        ElementTree.indent(root, "  ")
        text = '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"
        self.path.write_text(text, "utf-8-sig")
        self._seen = self._state()

    def watch(self) -> None:
        """Load the file again where somebody else has changed it since."""
        state = self._state()
        if state is not None and state != self._seen:
            self._journal.info(f"Reloading {self.path.name}")
            self.load()

    def _state(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size

    def _read(self, root: ElementTree.Element) -> Admins:
        admins = Admins()
        for item in root.iterfind("users/user"):
            admins.users[_id(item)] = _permission(item)
        for item in root.iterfind("admins/admin"):
            admins.users[_id(item)] = _permission(item)
        for item in root.iterfind("whitelist/user"):
            admins.whitelist[_id(item)] = item.get("name", "")
        for item in root.iterfind("blacklist/blacklisted"):
            self._read_ban(item, admins)
        admins.groups = [dict(item.attrib) for item in root.iterfind("users/group")]
        admins.whitelist_groups = [dict(item.attrib) for item in root.iterfind("whitelist/group")]
        admins.commands = [
            dict(item.attrib)
            for section in ("commands", "permissions")
            for item in root.iterfind(f"{section}/permission")
        ]
        admins.tokens = [dict(item.attrib) for item in root.iterfind("apitokens/token")]
        return admins

    def _read_ban(self, item: ElementTree.Element, admins: Admins) -> None:
        stamp = item.get("unbandate", "")
        try:
            until = datetime.fromisoformat(stamp).replace(tzinfo=None)
        except ValueError:
            self._journal.warning(f"Ignoring blacklist entry with invalid unbandate {stamp!r} of {_id(item)}")
        else:
            admins.bans[_id(item)] = Ban(until, item.get("reason", ""), item.get("name", ""))


def _id(item: ElementTree.Element) -> str:
    """The combined id; files from before A20 name a `steamID` alone."""
    old = item.get("steamID")
    return f"Steam_{old}" if old else f"{item.get('platform', '')}_{item.get('userid', '')}"


def _permission(item: ElementTree.Element) -> Permission:
    level = item.get("permission_level", "0")
    return Permission(int(level) if level.isdecimal() else 0, item.get("name", ""))


def _user(user: str, **attributes: str) -> dict[str, str]:
    platform, _, userid = user.partition("_")
    return {"platform": platform, "userid": userid, **attributes}


def _written(admins: Admins) -> ElementTree.Element:
    root = ElementTree.Element("adminTools")
    users = [_user(user, name=entry.name, permission_level=str(entry.level)) for user, entry in admins.users.items()]
    listed = [_user(user, name=name) for user, name in admins.whitelist.items()]
    bans = [
        _user(user, name=ban.name, unbandate=ban.until.strftime(STAMP), reason=ban.reason)
        for user, ban in admins.bans.items()
    ]
    _section(root, "users", user=users, group=admins.groups)
    _section(root, "whitelist", user=listed, group=admins.whitelist_groups)
    _section(root, "blacklist", blacklisted=bans)
    _section(root, "commands", permission=admins.commands)
    _section(root, "apitokens", token=admins.tokens)
    return root


def _section(root: ElementTree.Element, tag: str, **children: list[dict[str, str]]) -> None:
    section = ElementTree.SubElement(root, tag)
    for child, entries in children.items():
        for attributes in entries:
            ElementTree.SubElement(section, child, attributes)
