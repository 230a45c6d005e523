"""serverconfig.xml: what the server reads at its start, and the file that a new directory gets."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from bot.demo.sevendays import xml_file

DEFAULTS: Mapping[str, str] = {
    "ServerName": "My Game Host",
    "ServerPort": "26900",
    "ServerMaxPlayerCount": "8",
    "GameWorld": "Navezgane",
    "GameName": "My Game",
    "GameMode": "GameModeSurvival",
    "GameDifficulty": "2",
    "BloodMoonFrequency": "7",
    "TelnetEnabled": "true",
    "TelnetPort": "8081",
    "TelnetPassword": "",
    "TelnetFailedLoginLimit": "10",
    "TelnetFailedLoginsBlocktime": "10",
    "HideCommandExecutionLog": "0",
    "AdminFileName": "serveradmin.xml",
}

PREFS = ("BloodMoonFrequency", "GameDifficulty", "GameMode", "GameName", "GameWorld", "ServerMaxPlayerCount")
"""What can be asked for at the console."""


class BadConfig(Exception):
    """The file is missing or cannot be understood; the server does not start."""


@dataclass(frozen=True)
class ServerConfig:
    """The properties as text, by lower-case name, and the folder that relative paths start from."""

    properties: Mapping[str, str]
    directory: Path

    @classmethod
    def load(cls, path: Path) -> "ServerConfig":
        """Raises BadConfig with the sentence for the log."""
        try:
            root = xml_file.read(path)
        except FileNotFoundError as error:
            raise BadConfig(f"Specified configfile not found: {path.name}") from error
        except xml_file.BadXml as error:
            raise BadConfig(f"Could not parse {path.name}: {error}") from error
        found = {item.get("name", "").lower(): item.get("value", "") for item in root.iter("property")}
        return cls({name.lower(): value for name, value in DEFAULTS.items()} | found, path.parent.absolute())

    def text(self, name: str) -> str:
        """Raises KeyError for a property without a default that the file leaves out."""
        return self.properties[name.lower()]

    def number(self, name: str) -> int:
        """Raises BadConfig where the file holds something else."""
        try:
            return int(self.text(name))
        except ValueError as error:
            raise BadConfig(f"Property {name} is not a number: {self.text(name)!r}") from error

    def flag(self, name: str) -> bool:
        """`true` in any case; everything else is off."""
        return self.text(name).strip().lower() == "true"

    @property
    def user_data(self) -> Path:
        """Saves, serveradmin.xml and more mods lie below it."""
        given = self.properties.get("userdatafolder")
        return self.directory / given if given else Path.home() / ".local/share/7DaysToDie"

    @property
    def saves(self) -> Path:
        """The folder of serveradmin.xml and of the worlds."""
        return self.user_data / "Saves"


def default_text(directory: Path) -> str:
    """The file of a new server: the telnet password is empty until somebody sets one."""
    properties = {**DEFAULTS, "UserDataFolder": str(directory / "UserData")}
    lines = [f"\t<property name={quoteattr(name)} value={quoteattr(value)}/>" for name, value in properties.items()]
    return '<?xml version="1.0"?>\n<ServerSettings>\n' + "\n".join(lines) + "\n</ServerSettings>\n"
