"""The games this host knows: one YAML template each, shipped or the host's own."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from games import resolution
from games.bans import problems as bans_problems
from games.placeholders import names
from games.resolved import ResolvedTemplate
from games.sections.actions import Action
from games.sections.backup import Backup
from games.sections.bans import Bans
from games.sections.base import Section
from games.sections.caution import Caution
from games.sections.console import ConsoleSpec
from games.sections.files import ConfigFile
from games.sections.log import Files, Log
from games.sections.mods import Change, Mods
from games.sections.people import Identity, Players
from games.sections.process import ActionRung, ConsoleReady, Process
from games.variables import Variable

SHIPPED: Final = Path(__file__).parent / "templates"
_NOT_FOR_PEOPLE: Final = {"shutdown"}


class TemplateError(Exception):
    """A template file that cannot be used; the sentences say where and why."""


class GameTemplate(Section):
    """What a game is. The host's copy counts; `sha256` of its file tells copies apart."""

    schema_version: Annotated[Literal[1], Field(alias="schema")]
    id: Annotated[str, Field(pattern=r"^[a-z0-9_-]{2,32}$")]
    name: str
    version: Annotated[int, Field(ge=1)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    vars: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")], Variable] = Field(default={})
    paths: dict[str, str] = Field(default={})
    process: Process
    config_files: tuple[ConfigFile, ...] = ()
    console: ConsoleSpec | None = None
    identity: Identity
    players: Players | None = None
    actions: dict[str, Action] = Field(default={})
    bans: Bans | None = None
    """The list of bans, for a game with the actions `ban` and `unban`."""
    mods: Mods | None = None
    backup: Backup | None = None
    caution: Caution | None = None
    log: Log
    golden: tuple[str, ...] = ()
    """Recorded conversations beside the template, replayed by `check_template`."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for problem in self._problems():
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        known = {"dir", *self.paths, *self.vars}
        if twice := ({"dir", *self.paths} & set(self.vars)) | ({"dir"} & set(self.paths)):
            yield f"a name stands for one thing only: {', '.join(sorted(twice))}"
        if unknown := names(self._texts()) - known:
            yield f"there is no variable or path for {', '.join(f'{{{n}}}' for n in sorted(unknown))}"
        if free := names(self._places()) & self._free_text():
            yield f"a path cannot be made of what a person types: {', '.join(sorted(free))}"
        ports = {port.var for port in self.process.ports}
        if wrong := {name for name in ports if name not in self.vars or self.vars[name].type != "port"}:
            yield f"`ports` names variables that are no ports: {', '.join(sorted(wrong))}"
        yield from self._console_problems()
        yield from bans_problems.problems(self.identity, self.actions, self.bans)
        yield from self._mods_problems()
        yield from self._backup_problems()

    def _console_problems(self) -> Iterator[str]:
        lists = self.players or self.bans or self.caution or (self.mods and self.mods.listings)
        if self.console is None and (self.actions or lists):
            yield "actions, lists of players, bans and mods, and a clock, need a console"
        if self.console is None and any(isinstance(c, ConsoleReady) for c in self.process.ready.all):
            yield "`ready` waits for a console that is not described"
        rungs = {r.action for r in self.process.stop if isinstance(r, ActionRung)}
        if missing := rungs - set(self.actions):
            yield f"`stop` names actions that are not described: {', '.join(sorted(missing))}"
        for name, action in self.actions.items():
            if strange := action.identities - set(self.identity.kinds):
                yield f"`{name}` sends values that are neither quoted nor an identity: {', '.join(sorted(strange))}"

    def _mods_problems(self) -> Iterator[str]:
        if self.mods is None:
            return
        if unknown := self.mods.events - set(self.log.events):
            yield f"`mods` looks for events that the log does not have: {', '.join(sorted(unknown))}"
        if loose := [
            e for e, pattern in self.log.events.items() if e in self.mods.events and pattern.source[:1] != "^"
        ]:
            yield f"what proves a mod begins with ^, or a player could say it: {', '.join(loose)}"
        change = self.mods.apply
        if not isinstance(change, Change):
            return
        action = self.actions.get(change.action)
        if action is None or action.quoted - {"name"} or action.identities:
            yield f"`mods` needs the action `{change.action}`, which may send {{q:name}} and nothing else"
        if change.variable is not None and (change.variable not in self.vars or self.vars[change.variable].secret):
            yield f"`mods` sets `{change.variable}`, which is no variable of people's"

    def _backup_problems(self) -> Iterator[str]:
        for name in self.backup.before if self.backup else ():
            action = self.actions.get(name)
            if action is None or action.quoted or action.identities or action.closes:
                yield f"`backup` needs the action `{name}`, which may send no values and not end the game"

    def _places(self) -> Iterator[str]:
        yield from self.paths.values()
        yield from self.backup.paths if self.backup else ()
        yield from (file.path for file in self.config_files)
        yield from (folder.path for folder in self.mods.dirs) if self.mods else ()

    def _texts(self) -> Iterator[str]:
        yield from self._places()
        yield from self.process.texts()
        for file in self.config_files:
            yield from file.set.values()
        if self.console is not None:
            yield self.console.address
            yield self.console.login.send
        if isinstance(self.log.source, Files):
            yield self.log.source.glob

    def _free_text(self) -> set[str]:
        return {name for name, variable in self.vars.items() if variable.type in {"string", "secret"}}

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What people can ask of this game, e.g. `start`, `console`, `players`, `kick`."""
        has = ["start", "stop", "restart", "kill"]
        has += ["console"] if self.console else []
        has += ["players"] if self.players else []
        has += ["mods"] if self.mods else []
        has += ["backup"] if self.backup else []
        if self.bans is not None:
            has += ["bans"] if self.bans.persistence == "file" else ["bans", "bans_memory"]
        return (*has, *sorted(set(self.actions) - _NOT_FOR_PEOPLE - self._our_own))

    @property
    def _our_own(self) -> set[str]:
        """Actions that only a deployment takes."""
        change = self.mods.apply if self.mods else None
        return {change.action} if isinstance(change, Change) else set()

    @property
    def public_vars(self) -> dict[str, Variable]:
        """The variables that people may see and set."""
        return {name: variable for name, variable in self.vars.items() if not variable.secret}

    def new_secrets(self) -> dict[str, str]:
        """A fresh value for every secret."""
        return {name: variable.new_secret() for name, variable in self.vars.items() if variable.secret}

    def check_public(self, values: Mapping[str, str]) -> dict[str, str]:
        """What people chose, checked and normalised; ValueError with a sentence. A secret is not theirs to set."""
        for name in values:
            if name in self.vars and self.vars[name].secret:
                raise ValueError(f"`{name}` is a secret of {self.name}: the host makes it.")
        return resolution.check(self.name, self.vars, values)

    def resolve(self, directory: Path, values: Mapping[str, str]) -> ResolvedTemplate:
        """Put the values in. Missing ones take their defaults; secrets must be given. ValueError with a sentence."""
        filled = resolution.with_defaults(self.name, self.vars, values)
        return resolution.resolve(self, directory, filled)


def load_template(path: Path) -> GameTemplate:
    """Read and validate one file; TemplateError says what is wrong in it."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TemplateError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        raw: Any = yaml.safe_load(content)
        if not isinstance(raw, dict) or "sha256" in raw:
            raise TemplateError(f"{path}: not a template")
        return GameTemplate.model_validate({**raw, "sha256": hashlib.sha256(content).hexdigest()})
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TemplateError(f"{path}: not YAML: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'template'}: {e['msg']}" for e in error.errors())
        raise TemplateError(f"{path}: {problems}") from error


def load_catalog(*directories: Path) -> dict[str, GameTemplate]:
    """The shipped templates and those of the host's own directories, by id. A later directory wins."""
    catalog: dict[str, GameTemplate] = {}
    for directory in (SHIPPED, *directories):
        for path in sorted(directory.glob("*.yaml")):
            template = load_template(path)
            catalog[template.id] = template
    return catalog
