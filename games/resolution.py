"""Putting values into a template: pure, and the only place where placeholders are replaced."""

import glob
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from games.placeholders import fill
from games.resolved import ResolvedConsole, ResolvedFile, ResolvedModDir, ResolvedPort, ResolvedTemplate
from games.sections.log import Files
from games.variables import Variable

if TYPE_CHECKING:
    from games.catalog import GameTemplate

_SECRET_MIN: Final = 4
"""Characters. Redacting a shorter one, which only an admin can have chosen, would make every output unreadable."""


def check(game: str, variables: Mapping[str, Variable], values: Mapping[str, str]) -> dict[str, str]:
    """The given values, normalised. A name that the game does not have, or a value that does not fit: ValueError."""
    for name in values:
        if name not in variables:
            raise ValueError(f"{game} has no setting `{name[:40]}`; it has {', '.join(sorted(variables))}.")
    return {name: variables[name].check(name, value) for name, value in values.items()}


def with_defaults(game: str, variables: Mapping[str, Variable], values: Mapping[str, str]) -> dict[str, str]:
    """Every variable with a value; one that has neither value nor default: ValueError."""
    given = check(game, variables, values)
    filled: dict[str, str] = {}
    for name, variable in variables.items():
        value = given.get(name, variable.default)
        if value is None:
            raise ValueError(f"{game} needs a value for `{name}`.")
        filled[name] = variable.check(name, value)
    return filled


def resolve(template: "GameTemplate", directory: Path, values: Mapping[str, str]) -> ResolvedTemplate:
    """The template for one directory. `values` are complete and checked."""
    context = {"dir": str(directory), **values}
    for name, path in template.paths.items():
        context[name] = fill(path, context)
    process = template.process
    source = template.log.source
    return ResolvedTemplate(
        game=template.id,
        directory=directory,
        argv=tuple(fill(word, context) for word in process.argv),
        cwd=Path(fill(process.cwd, context)),
        env={name: fill(value, context) for name, value in process.env.items()},
        ready=process.ready,
        stop=process.stop,
        ports=_ports(template, values),
        config_files=_files(template, directory, context),
        console=_console(template, context),
        identity=template.identity,
        players=template.players,
        actions=template.actions,
        bans=template.bans,
        backup=template.backup,
        caution=template.caution,
        backup_paths=_backup_paths(template, directory, context),
        mods=template.mods,
        mod_dirs=_mod_dirs(template, directory, context),
        log=template.log,
        log_glob=fill(source.glob, _literally(context)) if isinstance(source, Files) else None,
        values=dict(values),
        secrets=tuple(values[n] for n, v in template.vars.items() if v.secret and len(values[n]) >= _SECRET_MIN),
    )


def _literally(context: Mapping[str, str]) -> dict[str, str]:
    """For a pattern: only what the template itself writes has a meaning in it."""
    return {name: glob.escape(value) for name, value in context.items()}


def _ports(template: "GameTemplate", values: Mapping[str, str]) -> tuple[ResolvedPort, ...]:
    taken: dict[tuple[str, str], str] = {}
    for port in template.process.ports:
        other = taken.setdefault((port.proto, values[port.var]), port.var)
        if other != port.var:
            raise ValueError(f"`{other}` and `{port.var}` cannot both be {values[port.var]}.")
    return tuple(
        ResolvedPort(p.name, p.proto, int(values[p.var]), p.expose == "public") for p in template.process.ports
    )


def _files(template: "GameTemplate", directory: Path, context: Mapping[str, str]) -> tuple[ResolvedFile, ...]:
    files: list[ResolvedFile] = []
    for file in template.config_files:
        path = _inside(directory, file.path, context)
        settings = {key: fill(text, context) for key, text in file.set.items()}
        files.append(ResolvedFile(path, file.format, settings, file.keep))
    return tuple(files)


def _mod_dirs(template: "GameTemplate", directory: Path, context: Mapping[str, str]) -> tuple[ResolvedModDir, ...]:
    described = template.mods.dirs if template.mods else ()
    return tuple(ResolvedModDir(_inside(directory, one.path, context), one) for one in described)


def _backup_paths(template: "GameTemplate", directory: Path, context: Mapping[str, str]) -> tuple[Path, ...]:
    described = template.backup.paths if template.backup else ()
    return tuple(_inside(directory, one, context) for one in described)


def _inside(directory: Path, written: str, context: Mapping[str, str]) -> Path:
    path = directory / fill(written, context)
    if not path.is_relative_to(directory) or ".." in path.parts:
        raise ValueError(f"`{written}` is outside of the server's directory.")
    return path


def _console(template: "GameTemplate", context: Mapping[str, str]) -> ResolvedConsole | None:
    spec = template.console
    if spec is None:
        return None
    host, _, port = fill(spec.address, context).rpartition(":")
    return ResolvedConsole(spec, host, int(port), fill(spec.login.send, context))
