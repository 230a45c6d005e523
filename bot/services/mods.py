"""`/mod deploy`, `/mod rollback`, `/mod history`: a version of a mod is wanted on a server."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.actors import Actor
from bot.domain.words import safe
from bot.errors import Conflict, Invalid, NotFound
from bot.services.confirmations import Done, Question, ask
from bot.services.holds import must_not_be_held
from bot.services.mods_effects import Plan, effects
from bot.services.mods_games import GameMods, moddable
from bot.services.mods_giving import Action, give
from bot.services.mods_receipts import result_of
from bot.services.servers import PAGE, Page, must_be_able, permitted, seen
from db.engine import Database
from db.queries import fleet, mods, mods_deployments, mods_inventory
from db.queries.cards import ServerCard
from db.queries.mods import Artifact, ModName, Version
from db.queries.mods_deployments import Deployment
from db.queries.mods_inventory import ModThere
from db.uow import Tx

_VIEW: Final = "workshop.view"
_VERBS: Final[Mapping[Action, str]] = {"install": "Deploy", "rollback": "Roll back"}
_AUDIT: Final[Mapping[Action, str]] = {"install": "mod.deploy", "rollback": "mod.rollback"}


class Mods:
    """Deployments. Each is a row that says what is wanted, and a job that makes it so."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # ------------------------------------------------------------------------------------------------------- asking

    async def ask_deploy(self, actor: Actor, server_ref: str, mod: str, version: str) -> Question:
        """Puts the question of `/mod deploy`; without a version, for the one that came last.

        Raises:
            NotFound, NotPermitted, Unsupported, Invalid, Conflict: it cannot be deployed there, or not now.
        """
        async with self._db.uow(actor) as tx:
            server, _ = await _moddable(tx, server_ref)
            artifact = await named(tx.session, actor.org, mod, version)
            return await self._ask(tx, server, artifact, "install")

    async def ask_rollback(self, actor: Actor, server_ref: str, mod: str, to: str) -> Question:
        """Puts the question of `/mod rollback`; without `to`, for the version that was there before.

        Raises:
            NotFound, NotPermitted, Unsupported, Conflict: there is none, or not now.
        """
        async with self._db.uow(actor) as tx:
            server, _ = await _moddable(tx, server_ref)
            earlier = await mods_deployments.earlier(tx.session, actor.org, server.id, mod.strip())
            chosen = next((one for one in earlier if not to or one.version == to.strip()), None)
            if chosen is None:
                there = ", ".join(safe(one.version) for one in earlier[:5])
                remedy = f"Were there: {there}." if there else f"`/mod history` shows what {safe(server.name)} had."
                raise NotFound(f"{safe(server.name)} had no such version of {safe(mod)} before.", remedy)
            artifact = await mods.get(tx.session, actor.org, chosen.artifact_id)
            if artifact is None:
                raise NotFound("That version is gone.", "Upload it again.")
            return await self._ask(tx, server, artifact, "rollback")

    async def ask_force(self, actor: Actor, number: int) -> Question:
        """Puts the question whether what a job did not replace, because somebody had edited it, is to be replaced.

        Raises:
            NotFound, NotPermitted, Conflict: no such deployment, or it met no edited files.
        """
        async with self._db.uow(actor) as tx:
            stopped = await mods_deployments.stopped(tx.session, actor.org, number)
            reported = result_of(stopped.result) if stopped else None
            if stopped is None or reported is None:
                raise NotFound(f"J-{number} kept no edited files.", "`/mod deploy` deploys a mod.")
            server, _ = await _moddable(tx, str(stopped.server_id))
            artifact = await mods.get(tx.session, actor.org, stopped.artifact_id)
            if artifact is None:
                raise NotFound("That version is gone.", "Upload it again.")
            action: Action = "rollback" if stopped.action == "rollback" else "install"
            return await self._ask(tx, server, artifact, action, edited=tuple(reported.conflicts))

    async def _ask(
        self,
        tx: Tx,
        server: ServerCard,
        artifact: Artifact,
        action: Action,
        *,
        edited: tuple[str, ...] | None = None,
    ) -> Question:
        """`edited`: what is to be replaced although somebody edited it; None: that is kept."""
        await must_not_be_held(tx, server)
        plan, force = await self._plan(tx, server, artifact, action, edited or ()), edited is not None
        tx.audit(
            f"{_AUDIT[action]}.ask",
            resource=("server", server.id),
            mod=artifact.name,
            version=artifact.version,
            force=force,
        )
        payload = {"server": str(server.id), "artifact": str(artifact.id), "action": action, "force": force}
        verb = _VERBS[action]
        return await ask(
            tx,
            "mod.deploy",
            payload,
            title=f"{verb} {safe(artifact.name)} {'to ' if action == 'rollback' else ''}{safe(artifact.version)} "
            f"on {safe(server.name)}?",
            effect=effects(plan),
            verb=f"{verb} {'and replace edited files' if force else f'on {server.name}'}",
        )

    async def _plan(
        self, tx: Tx, server: ServerCard, artifact: Artifact, action: Action, edited: tuple[str, ...]
    ) -> Plan:
        game = _fits(server, artifact)
        if live := await mods_deployments.live(tx.session, tx.actor.org, server.id, artifact.name):
            raise _under_way(server, live)
        active = await mods_deployments.active(tx.session, tx.actor.org, server.id, artifact.name)
        return Plan(server, artifact, active, game.restarts, action, edited)

    # -------------------------------------------------------------------------------------------------------- doing

    async def confirmed(self, tx: Tx, payload: dict[str, Any]) -> Done:
        """Does what was asked; all of it is checked again, it may have changed by now."""
        action: Action = payload["action"]
        server, game = await _moddable(tx, payload["server"])
        if not await fleet.lock(tx.session, tx.actor.org, server.id):
            raise NotFound(f"{safe(server.name)} was removed meanwhile.", "`/server list` shows what there is.")
        await must_not_be_held(tx, server)
        artifact = await mods.get(tx.session, tx.actor.org, UUID(payload["artifact"]))
        if artifact is None:
            raise NotFound("That version is gone.", "Upload it again.")
        _fits(server, artifact)
        # who asked at the same moment has waited for the server's row: this sees what they wrote
        if live := await mods_deployments.live(tx.session, tx.actor.org, server.id, artifact.name):
            raise _under_way(server, live)
        job = await give(tx, server, artifact, action, restart=game.restarts, force=payload["force"])
        tx.audit(
            _AUDIT[action],
            resource=("server", server.id),
            jobId=str(job.id),
            number=job.number,
            mod=artifact.name,
            version=artifact.version,
            sha256=artifact.sha256,
            force=payload["force"],
        )
        words = f"{_VERBS[action]} {safe(artifact.name)} {safe(artifact.version)} on {safe(server.name)}"
        waits = f" It waits for J-{server.busy_with}, which is under way there." if server.busy_with else ""
        return Done(words, f"{job.where}{waits}")

    # ---------------------------------------------------------------------------------------------------- looking up

    async def inventory(self, actor: Actor, ref: str, page: int = 0) -> tuple[ServerCard, Page[ModThere]]:
        """What a server has and what was deployed to it, by name."""
        async with self._db.read() as session:
            server = await seen(session, actor, ref, _VIEW)
            rows = await mods_inventory.of_server(session, actor.org, server.id, limit=PAGE + 1, offset=page * PAGE)
        return server, Page(rows[:PAGE], page, len(rows) > PAGE)

    async def history(self, actor: Actor, ref: str, page: int = 0) -> tuple[ServerCard, Page[Deployment]]:
        """What was deployed to a server, the newest first."""
        async with self._db.read() as session:
            server = await seen(session, actor, ref, _VIEW)
            rows = await mods_deployments.of_server(session, actor.org, server.id, limit=PAGE + 1, offset=page * PAGE)
        return server, Page(rows[:PAGE], page, len(rows) > PAGE)

    async def suggest_mods(self, actor: Actor, words: str) -> list[ModName]:
        """For autocompletes: mods that can be deployed."""
        if not actor.may(_VIEW):
            return []
        async with self._db.read() as session:
            return await mods.names(session, actor.org, words)

    async def suggest_versions(self, actor: Actor, words: str, mod: str = "") -> list[Version]:
        """For autocompletes: versions that can be deployed, of one mod or of any."""
        if not actor.may(_VIEW):
            return []
        async with self._db.read() as session:
            return await mods.suggest(session, actor.org, words, mod)

    async def suggest_earlier(self, actor: Actor, words: str, mod: str = "") -> list[tuple[str, str, datetime]]:
        """For autocompletes: (mod, version, when) of what servers had before."""
        if not actor.may(_VIEW):
            return []
        async with self._db.read() as session:
            return await mods_deployments.versions_on_servers(
                session, actor.org, mods.like(words), mod, scope=actor.sight(_VIEW)
            )

    async def games(self, actor: Actor, words: str) -> list[GameMods]:
        """For autocompletes: games whose mods can be uploaded."""
        wanted = words.casefold()
        return [game for game in moddable().values() if wanted in f"{game.game} {game.name}".casefold()]


async def _moddable(tx: Tx, ref: str) -> tuple[ServerCard, GameMods]:
    """A server whose mods the actor may change."""
    server = await permitted(tx, ref, "mods.deploy")
    must_be_able(server, "mods")
    game = moddable().get(server.game)
    if game is None:
        raise Invalid(f"This version of the bot does not know mods of {safe(server.game_name)}.", "Update the bot.")
    return server, game


async def named(session: AsyncSession, org_id: UUID, mod: str, version: str) -> Artifact:
    """The version of a mod that somebody means; without one, the one that came last.

    Raises:
        NotFound: with what there is.
    """
    name, wanted = mod.strip(), version.strip() or None
    found = await mods.find(session, org_id, name, wanted)
    if found is not None:
        return found
    if newest := await mods.find(session, org_id, name):
        raise NotFound(
            f"There is no version {safe(version, 40)} of {safe(newest.name)} here.",
            f"The newest is {safe(newest.version)}. Pick one of the suggestions.",
        )
    known = ", ".join(safe(one.name) for one in await mods.names(session, org_id, "", 5))
    remedy = f"Pick one of the suggestions. Mods here: {known}." if known else "`/mod upload` adds the first one."
    raise NotFound(f"There is no mod {safe(mod, 40)} here.", remedy)


def _fits(server: ServerCard, artifact: Artifact) -> GameMods:
    if artifact.game != server.game:
        raise Invalid(
            f"{safe(artifact.name)} is a mod of {safe(artifact.game_name)}; {safe(server.name)} runs "
            f"{safe(server.game_name)}.",
            "Pick a mod of its game.",
        )
    return moddable()[server.game]


def _under_way(server: ServerCard, live: Deployment) -> Conflict:
    job = f" (J-{live.number})" if live.number else ""
    what = f"{safe(live.mod)} {safe(live.version)} is on its way to {safe(server.name)} already{job}."
    return Conflict(what, "Wait for it, or cancel it with `/job cancel`.")
