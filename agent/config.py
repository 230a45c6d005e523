"""The agent's configuration file: what this host allows.

The file belongs to the person who runs the host. Nothing that arrives from the bot can name a directory or a program:
a job names a server by its slug, and this file says where such servers may live and which games may run.
"""

import ipaddress
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Self
from urllib.parse import SplitResult, urlsplit

import platformdirs
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from agent.errors import ConfigError
from agent.wire import Slug

APP: Final = "gamekeeper-agent"
ANY: Final = "*"
_HOST: Final = re.compile(r"(?=.{1,253}\Z)(?:[^\s.]{1,63}(?:\.|\Z))+")

_EXAMPLE: Final = """\
# Where the bot listens. Plain http:// is accepted for this machine only.
url = "{url}"

# Other addresses of the same bot, where it runs several times: the next one is used when one does not answer.
# other_urls = []

# What the agent remembers, and the secrets of the consoles that it made.
# state_dir = "{state_dir}"

# Servers live in <root>/<slug>; new ones are made in the first root.
# roots = ["{root}"]

# The games that may run here, by the id of their template: ["teeworlds", "7dtd"], or ["*"] for every one known.
templates = ["*"]

# Directories with templates of your own.
# template_dirs = []

# A game's output is kept in files of this size, and in this many of them.
# log_mb = 8
# log_files = 5

# Servers that exist already: slug = "directory". They are run where they are, and never removed.
[adopt]
# old-server = "/srv/games/old-server"
"""


def default_state_dir() -> Path:
    """`/var/lib/gamekeeper-agent` for root, the user's data directory otherwise."""
    return Path("/var/lib", APP) if os.geteuid() == 0 else platformdirs.user_data_path(APP)


def default_path() -> Path:
    """Where the configuration file is when nobody says otherwise."""
    folder = Path("/etc", APP) if os.geteuid() == 0 else platformdirs.user_config_path(APP)
    return folder / "agent.toml"


def _absolute(path: Path) -> Path:
    try:
        path = path.expanduser()
    except RuntimeError:
        raise ValueError(f"must be an absolute path, and there is no home for {path.parts[0]}") from None
    if not path.is_absolute() or "\0" in str(path):
        raise ValueError("must be an absolute path")
    return Path(os.path.normpath(path))


def _has_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Does this name or address stand for this machine only?"""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must look like https://bot.example.org")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must be https://: over http:// the agent's key could be read (this machine itself excepted)")
    if not _HOST.fullmatch(parts.hostname) or not _has_port(parts):
        raise ValueError("must look like https://bot.example.org, or https://bot.example.org:8443")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("must be an address without a user, a query or a fragment")
    return url.rstrip("/")


Directory = Annotated[Path, AfterValidator(_absolute)]


class AgentConfig(BaseModel):
    """What the file says, checked. Paths are absolute."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    """The bot's address, without a path at the end."""
    other_urls: tuple[str, ...] = ()
    """Further addresses of the same bot, in the order in which they are tried."""
    state_dir: Directory = Field(default_factory=default_state_dir)
    roots: tuple[Directory, ...] = ()
    """Servers live in `<root>/<slug>`; never empty after validation."""
    templates: tuple[str, ...] = (ANY,)
    template_dirs: tuple[Directory, ...] = ()
    adopt: dict[Slug, Directory] = {}
    log_mb: Annotated[float, Field(gt=0, le=1024)] = 8
    log_files: Annotated[int, Field(ge=1, le=99)] = 5

    @field_validator("other_urls")
    @classmethod
    def _addresses(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(_address, urls))

    @field_validator("url")
    @classmethod
    def _one_address(cls, url: str) -> str:
        return _address(url)

    @model_validator(mode="before")
    @classmethod
    def _one_root_at_least(cls, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("roots"):
            return values
        state_dir = values.get("state_dir") or default_state_dir()
        if not isinstance(state_dir, str | Path):
            return values  # it is complained about as what it is
        return {**values, "roots": (Path(state_dir, "servers"),)}

    @property
    def urls(self) -> tuple[str, ...]:
        """Every address of the bot, each once, that of `url` first."""
        return tuple(dict.fromkeys((self.url, *self.other_urls)))

    def allows(self, game: str) -> bool:
        """May servers of this game run on this host?"""
        return ANY in self.templates or game in self.templates

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file. Raises `ConfigError`."""
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ConfigError(f"There is no configuration at {path}; `{APP} pair` writes one.") from None
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
        except ValueError as error:
            raise ConfigError(f"{path} is not valid TOML: {error}.") from None
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigError("\n".join(_sentence(path, dict(one)) for one in error.errors())) from None

    @staticmethod
    def example(url: str) -> str:
        """The text of a first configuration file, with what may be changed explained."""
        state_dir = default_state_dir()
        return _EXAMPLE.format(url=url, state_dir=state_dir, root=state_dir / "servers")


def _sentence(path: Path, error: dict[str, Any]) -> str:
    key = ".".join(str(part) for part in error["loc"]) or "the file"
    match error["type"]:
        case "extra_forbidden":
            known = ", ".join(sorted(AgentConfig.model_fields))
            return f"{path}: `{key}` is not a setting; known are {known}."
        case "missing":
            return f"{path}: `{key}` is missing."
        case _:
            return f"{path}: `{key}` {_lower(error['msg'])}."


def _lower(message: str) -> str:
    message = message.removeprefix("Value error, ").rstrip(".")
    return message if message.startswith("must") else f"is wrong: {message[:1].lower()}{message[1:]}"
