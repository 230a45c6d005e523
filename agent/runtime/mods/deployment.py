"""One deployment, from the file to a game that has taken it or has its old version back."""

import contextlib
import errno
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from agent import wire
from agent.errors import Cancelled, TaskFailed
from agent.runtime.instance import Instance, Running
from agent.runtime.mods.download import Fetch, download
from agent.runtime.mods.inventory import twins
from agent.runtime.mods.place import Place, find_place, readable
from agent.runtime.mods.proof import Proof, log_from_now, log_of_start, prove
from agent.runtime.mods.swap import Swap, recover
from agent.runtime.mods.threads import to_its_end
from agent.runtime.mods.unpack import carry_over, conflicts, digests, unpack
from agent.runtime.mods_records import Chosen, Installed, UnderWay
from agent.runtime.power import Power
from agent.runtime.starting import Report
from agent.wire import Step
from games.archives import ArchiveError
from games.resolved import ResolvedTemplate
from games.sections.mods import Change, Mods

DOWNLOAD: Final = "download-"


def clear_up(server: Instance) -> str:
    """End what an earlier agent has left; says in a few words what that was. Raises `TaskFailed`, or `OSError`."""
    for left in server.directory.glob(f"{DOWNLOAD}*"):
        left.unlink()
    return recover(server.directory, server.mods)


async def install(
    server: Instance, power: Power, fetch: Fetch, params: wire.ModInstall, report: Report
) -> wire.ModInstallResult:
    """Deploy one version of a mod. Raises `TaskFailed` where nothing was touched."""
    if server.template().mods is None:
        raise TaskFailed(f"{server.template().name} has no mods that could be deployed.")
    source = server.directory / f"{DOWNLOAD}{params.deployment_id}"
    try:
        await report(Step.DOWNLOADING, "")
        await download(fetch, params, source, lambda words: report(Step.DOWNLOADING, words))
        async with server.lock.hold("deploying a mod"):
            return await Deployment(server, power, params, report).go(source)
    finally:
        source.unlink(missing_ok=True)


class Deployment:
    """Runs while the server's lock is held. What cannot be proved is taken back."""

    def __init__(self, server: Instance, power: Power, params: wire.ModInstall, report: Report) -> None:
        self._server, self._power, self._params, self._report = server, power, params, report
        self._kills = server.kills
        self._resolved = _resolved(server)
        assert self._resolved.mods is not None  # looked at before the file was fetched
        self._mods: Mods = self._resolved.mods
        self._place: Place = find_place(server.created_home(), self._resolved.mod_dirs[0], params.name)
        self._known = server.mods.facts.installed.get(self._place.target.name)
        self._ran = server.process.alive

    async def go(self, source: Path) -> wire.ModInstallResult:
        """The whole way, `source` being the file that was fetched."""
        recover(self._server.directory, self._server.mods)
        with _words_for_the_disk():
            self._remember()
            result = await self._begin(source)
        with contextlib.suppress(OSError):  # the next deployment writes its own over it
            self._server.mods.update(under_way=None)
        return result

    def _remember(self) -> None:
        before, deployment_id = self._server.mods.facts.under_way, self._params.deployment_id
        if before is not None and before.deployment_id == deployment_id:
            self._ran = self._ran or before.ran
        self._server.mods.update(under_way=UnderWay(deployment_id=deployment_id, ran=self._ran))

    async def _begin(self, source: Path) -> wire.ModInstallResult:
        try:
            self._check_variable()
        except ValueError as error:
            return wire.ModInstallResult(state="refused", detail=str(error))
        await self._report(Step.UNPACKING, "")
        swap = Swap.begin(self._server.directory, self._place, self._params.deployment_id)
        try:
            return await self._go(source, swap)
        finally:
            if not swap.settled:
                swap.undo()  # cancelled, or broken off

    async def _go(self, source: Path, swap: Swap) -> wire.ModInstallResult:
        try:
            installed = await to_its_end(self._unpack, source, swap)
            edited = await to_its_end(conflicts, self._place, self._known, installed.files)
            twin = await to_its_end(twins, self._place, installed.name)
        except ArchiveError as error:
            return wire.ModInstallResult(state="refused", detail=f"{error.what} {error.remedy} Nothing was changed.")
        if twin:
            return wire.ModInstallResult(state="refused", detail=_twin(installed.name, twin))
        if edited and not self._params.force:
            return wire.ModInstallResult(state="conflict", detail=self._conflict(edited), conflicts=edited)
        if self._to_run and not self._server.process.alive and isinstance(self._mods.apply, Change):
            await self._restart_old(frozenset())  # it died while no agent looked; it is asked as it was the first time
        await self._report(Step.SWAPPING, "")
        await to_its_end(carry_over, self._place, self._known, installed.files, swap.new)
        await to_its_end(swap.exchange, keep_old=bool(edited))
        return await self._apply(swap, installed)

    @property
    def _to_run(self) -> bool:
        """It did, and nobody has killed it since."""
        return self._ran and self._server.kills == self._kills

    def _check_variable(self) -> None:
        """ValueError: the game could not be started with a mod of this name."""
        if isinstance(self._mods.apply, Change) and self._mods.apply.variable is not None:
            name = self._mods.apply.variable
            self._server.template().vars[name].check(name, self._place.label)

    def _unpack(self, source: Path, swap: Swap) -> Installed:
        manifest = unpack(source, self._place, swap.new)
        return Installed(
            deployment_id=self._params.deployment_id,
            sha256=self._params.sha256,
            name=manifest.name if self._place.unit.manifest_format else self._place.label,
            version=manifest.version or self._params.version,
            files=digests(self._place, manifest),
        )

    def _conflict(self, edited: list[str]) -> str:
        what = f"{edited[0]} was" if len(edited) == 1 else f"{edited[0]} and {len(edited) - 1} more were"
        if self._known is None:
            return f"{self._place.target.name} is there already, and was not deployed from here. Nothing was changed."
        return f"{what} edited on the host since the last deployment. Nothing was changed."

    # ------------------------------------------------------------------------------------ from here on no cancelling

    async def _tell(self, step: Step, message: str) -> None:
        """Half done is worse than done: it is too late to cancel."""
        with contextlib.suppress(Cancelled):
            await self._report(step, message)

    async def _apply(self, swap: Swap, installed: Installed) -> wire.ModInstallResult:
        server, label = self._server, self._place.label
        if not self._to_run:
            self._keep(swap, installed, None)
            detail = f"{label} is in place. The game does not run: its next start shows if it takes it."
            return wire.ModInstallResult(state="installed", detail=detail)
        proof = await self._tell_game(_names(self._place, installed))
        if proof.failure:
            return await self._roll_back(swap, proof)
        detail = f"{installed.name} {installed.version} is loaded."
        try:
            self._keep(swap, installed, server.run())
        except OSError as error:
            if not swap.proved:
                return await self._roll_back(swap, Proof(failure=_of_the_disk(error)))
            detail += f" The game may begin with another one after a restart: {_of_the_disk(error)}"
        return wire.ModInstallResult(
            state="installed",
            detail=detail,
            verified=list(proof.lines),
            restarted=self._mods.apply == "restart",
        )

    async def _tell_game(self, names: frozenset[str]) -> Proof:
        """Restart it or tell it, and look what it says."""
        change = self._mods.apply
        try:
            if not isinstance(change, Change):
                return await self._restart(names)
            return await self._change(change.action, self._place.label, names)
        except TaskFailed as error:
            return Proof(failure=str(error))

    async def _restart(self, names: frozenset[str]) -> Proof:
        with self._server.lock.called("restarting"):
            await self._power.restart_held(self._tell)
        running = self._running()
        await self._tell(Step.VERIFYING, "")
        return await prove(self._server, running, self._mods, names, log_of_start(self._server, running))

    async def _change(self, action: str, label: str, names: frozenset[str]) -> Proof:
        console, running = self._server.console(), self._running()
        log = log_from_now(self._server, running)
        await self._tell(Step.VERIFYING, "")
        answer = await console.action(action, {"name": label})
        if answer.outcome == "refused":
            log.close()
            return Proof(failure=answer.reason, refused=True)
        return await prove(self._server, running, self._mods, names, log)

    def _running(self) -> Running:
        running = self._server.run()
        if running is None:
            raise TaskFailed("The game ended meanwhile.")
        return running

    def _keep(self, swap: Swap, installed: Installed, running: Running | None) -> None:
        """It stays, and where the game has to be told at its start as well, it will be."""
        server, change = self._server, self._mods.apply
        swap.finish(server.mods, installed)
        if isinstance(change, Change) and change.variable is not None:
            chosen = Chosen(value=self._place.label, instead_of=server.spec.vars.get(change.variable))
            server.mods.update(chosen={**server.mods.facts.chosen, change.variable: chosen})
            if running is not None:
                running.resolved = server.settings.keep(server.template(), server.home(), change.variable, chosen.value)

    async def _roll_back(self, swap: Swap, proof: Proof) -> wire.ModInstallResult:
        await self._tell(Step.ROLLING_BACK, "")
        await to_its_end(swap.undo)
        back = "The old version is back" if self._place.target.exists() else "It was removed again"
        after = await self._game_back(proof)
        words = f"{after.failure}" if after.failure else "and the game runs as before."
        return wire.ModInstallResult(
            state="rolled_back",
            detail=f"{proof.failure.rstrip('.')}. {back}{', ' if not after.failure else '. '}{words}"[:1000],
            verified=list(after.lines),
            restarted=self._mods.apply == "restart",
        )

    async def _game_back(self, proof: Proof) -> Proof:
        """The game as it was before."""
        if self._server.kills != self._kills:
            return Proof(failure="Somebody killed the game meanwhile, so it was not started again.")
        change, names = self._mods.apply, _names(self._place, self._known) if self._known else frozenset[str]()
        try:
            if not isinstance(change, Change):
                return await self._restart_old(names)
            if not self._server.process.alive:
                return await self._restart_old(frozenset())
            old = self._resolved.values.get(change.variable or "")
            if proof.refused or old is None:
                return Proof()  # it goes on with what it had
            return await self._change(change.action, old, frozenset({old}))
        except TaskFailed as error:
            return Proof(failure=f"The game is not as it was: {error}")

    async def _restart_old(self, names: frozenset[str]) -> Proof:
        if names:
            return await self._restart(names)
        with self._server.lock.called("restarting"):
            await self._power.restart_held(self._tell)
        return Proof()


def _names(place: Place, installed: Installed) -> frozenset[str]:
    return frozenset({place.label, installed.name})


def _twin(name: str, folder: str) -> str:
    return f"The game has the mod {name} in the folder {folder} as well, and loads only one. Nothing was changed."


def _resolved(server: Instance) -> ResolvedTemplate:
    """With the values of the running game; today's where none runs."""
    running = server.run()
    return running.resolved if running is not None else server.resolve()


@contextmanager
def _words_for_the_disk() -> Generator[None, None, None]:
    try:
        yield
    except OSError as error:
        raise TaskFailed(_of_the_disk(error)) from None


def _of_the_disk(error: OSError) -> str:
    if error.errno == errno.EXDEV:
        return "The mods lie on another file system than the server, and nothing can be renamed from one to the other."
    where = f" (`{readable(Path(error.filename).name)}`)" if isinstance(error.filename, str) else ""
    return f"The host's disk does not take it: {error.strerror or error}{where}."
