"""Making a server's directory, and putting it aside."""

import shutil
from datetime import UTC, datetime

from agent.errors import TaskFailed
from agent.runtime.home import Home, put_aside
from agent.runtime.instance import Instance
from agent.runtime.ladder import climb
from agent.runtime.memory import directories_in_use
from agent.runtime.settings import write_config
from agent.runtime.starting import Report
from agent.wire import Step
from games.resolved import ResolvedTemplate


async def create(server: Instance, report: Report) -> str:
    """Make the directory and write the template's files, or take over one that is there."""
    async with server.lock.hold("creating"):
        if server.process.alive:
            raise TaskFailed(f"`{server.spec.slug}` runs; stop it first.")
        before = server.memory.facts.installed
        server.memory.update(installed="under way")
        try:
            return await _create(server, report)
        except TaskFailed as error:
            server.memory.update(installed="yes" if before == "yes" else "failed", note=str(error))
            raise
        finally:
            if server.memory.facts.installed == "under way":
                server.memory.update(installed=before)


async def _create(server: Instance, report: Report) -> str:
    await report(Step.PREPARING, "")
    template, home = server.template(), server.home()
    _check_free(server, home)
    was_there = home.path.exists() and server.memory.facts.directory != str(home.path)
    resolved = server.settings.resolve(template, home, server.wanted)
    await report(Step.WRITING, "")
    _make(home)
    write_config(home, resolved)
    server.memory.update(installed="yes", directory=str(home.path), note="")
    return f"{template.name} {'taken over where it is' if was_there else 'created'}.{_missing_program(resolved)}"


def _check_free(server: Instance, home: Home) -> None:
    owner = directories_in_use(server.instances).get(str(home.path))
    if owner not in (None, str(server.spec.id)):
        raise TaskFailed(f"The directory of `{server.spec.slug}` belongs to another server of this host.")


def _make(home: Home) -> None:
    try:
        home.path.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        raise TaskFailed(f"{home.path} cannot be made: {error.strerror}.") from None


def _missing_program(resolved: ResolvedTemplate) -> str:
    program = resolved.cwd / resolved.argv[0]
    if "/" not in resolved.argv[0] or program.exists():
        return ""
    return f" It cannot be started yet: {program} is not there."


async def remove(server: Instance, report: Report) -> str:
    """Stop it, put its directory aside, and forget it."""
    async with server.lock.hold("removing"):
        server.memory.update(wanted="stopped", next_start=None)
        if server.process.alive:
            await climb(server, report)
        await report(Step.REMOVING, "")
        what = _put_aside(server)
        server.settle("")
        server.memory.update(installed="no", directory="")
        shutil.rmtree(server.directory, ignore_errors=True)
        return f"Removed; {what}."


def _put_aside(server: Instance) -> str:
    try:
        home = server.home()
    except TaskFailed as error:
        # What the configuration no longer allows is not ours to touch, and must not keep the server from being removed.
        return f"its files were not touched: {str(error).rstrip('.')}"
    if home.adopted:
        return "its directory was there before and stays as it is"
    if server.memory.facts.directory != str(home.path):
        return "it had no files"
    try:
        aside = put_aside(home, datetime.now(UTC))
    except OSError as error:
        raise TaskFailed(f"{home.path} cannot be renamed: {error.strerror}.") from None
    return "it had no files" if aside is None else f"its files are kept as {aside.name}"
