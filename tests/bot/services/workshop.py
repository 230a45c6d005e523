"""A guild that keeps mods: uploads as its people, and servers that they are deployed to."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from agent import wire
from agent.host import game_report
from bot.domain.actors import Actor
from bot.services.agents import HostIdentity
from bot.services.artifact_store import ArtifactStore
from bot.services.artifacts import Artifacts, Attachment, Upload, Uploaded
from bot.services.confirmations import Confirmations, Done, Question
from bot.services.downloads import Downloads
from bot.services.mods import Mods
from games.catalog import load_catalog
from tests.bot.people import People
from tests.bot.world import World, heartbeat
from tests.games.evil_zips import packed

INFO = '<xml><Name value="{}"/><Version value="{}"/></xml>'


def mod(version: str = "1.0", name: str = "Demo") -> bytes:
    """A mod of 7 Days to Die."""
    return packed({f"{name}/ModInfo.xml": INFO.format(name, version), f"{name}/Config/items.xml": "<configs/>"})


@dataclass
class Workshop:
    """The services of mods over one world. Its people are real: a question is put to somebody."""

    world: World
    place: Path
    downloads: Downloads = field(default_factory=Downloads)

    def __post_init__(self) -> None:
        self.store = ArtifactStore(self.place)
        self.artifacts = Artifacts(self.world.db, self.store, self.downloads)
        self.mods = Mods(self.world.db)
        self.confirmations = Confirmations(self.world.db, {"mod.deploy": self.mods.confirmed})
        self.people = People(self.world.db)

    async def owner(self) -> Actor:
        return await self.people.owner()

    async def upload(self, content: bytes, file_name: str = "mod.zip", **more: Any) -> Uploaded:
        """Uploads an attachment as the owner; `by`: as somebody else."""
        by = more.pop("by", None) or await self.owner()
        return await self.artifacts.upload(by, Upload(attached(content, file_name), **more))

    async def host(self, name: str = "gs-1") -> HostIdentity:
        """A host with every game that we ship."""
        host, _ = await self.world.pair(name)
        games = [game_report(template) for template in load_catalog().values()]
        await self.world.heartbeats.beat(host, heartbeat(games=games), None)
        return host

    async def server(self, host: HostIdentity, name: str = "EU1", game: str = "teeworlds") -> UUID:
        return await self.world.value(
            """insert into server_instances (org_id, host_id, game_type_id, name, slug, status)
               select :org, :host, id, :name, lower(:name), 'running' from game_types where slug = :game
               returning id""",
            org=host.org_id,
            host=host.id,
            name=name,
            game=game,
        )

    async def press(self, question: Question) -> Done:
        """Confirms as the owner."""
        return await self.confirmations.press(await self.owner(), question.token)

    async def deploy(self, server: UUID, mod: str, version: str = "") -> Done:
        """Asks and confirms as the owner."""
        return await self.press(await self.mods.ask_deploy(await self.owner(), str(server), mod, version))

    async def rollback(self, server: UUID, mod: str, to: str = "") -> Done:
        return await self.press(await self.mods.ask_rollback(await self.owner(), str(server), mod, to))

    async def finish(self, host: HostIdentity, state: str = "installed", **more: Any) -> wire.ClaimedJob:
        """Lets the host take its next job and report it as done or failed."""
        job = await self.world.started(host)
        outcome = "success" if state == "installed" else "failed"
        result = wire.ModInstallResult.model_validate({"state": state, **more}).dump()
        error = "" if outcome == "success" else more.get("detail") or state
        done = wire.Result(claim_token=job.claim_token, outcome=outcome, error=error, result=result)
        await self.world.queue.finish(host, job.run_id, done)
        return job

    async def deployments(self) -> list[tuple[str, str, str]]:
        """(version, action, status) of every deployment, oldest first."""
        return await self.world.rows(  # pyright: ignore[reportReturnType]  # rows are tuples
            """select a.version, d.action, d.status from mod_deployments d join mod_artifacts a on a.id = d.artifact_id
                order by d.created_at, d.id"""
        )

    async def artifact_rows(self) -> list[tuple[str, str, str]]:
        """(name, version, status) of every artifact, oldest first."""
        return await self.world.rows(  # pyright: ignore[reportReturnType]  # rows are tuples
            "select name, version, status from mod_artifacts order by created_at, id"
        )

    def files(self) -> list[str]:
        """What lies in the storage."""
        return sorted(str(path.relative_to(self.place)) for path in self.place.rglob("*") if path.is_file())


def attached(content: bytes, file_name: str = "mod.zip", size: int | None = None) -> Attachment:
    async def read() -> bytes:
        return content

    return Attachment(file_name, len(content) if size is None else size, read)
