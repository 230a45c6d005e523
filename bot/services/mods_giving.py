"""A deployment and the job that carries it out."""

from typing import Literal
from uuid import UUID, uuid4

from agent import wire
from bot import clock
from bot.domain.jobs import JobType
from bot.services.jobs_enqueue import Enqueued, enqueue
from db.queries import mods_deployments
from db.queries.cards import ServerCard
from db.queries.mods import Artifact
from db.uow import Tx

Action = Literal["install", "rollback"]


async def give(
    tx: Tx,
    server: ServerCard,
    artifact: Artifact,
    action: Action,
    *,
    restart: bool,
    force: bool = False,
    batch_id: UUID | None = None,
    after: UUID | None = None,
) -> Enqueued:
    """Wants a version on a server. The caller holds the server's row and has looked for a deployment that is under way.
    One of a batch says nothing by itself; `after` holds it until the batch lets it begin."""
    deployment_id = uuid4()
    await mods_deployments.add(
        tx.session,
        deployment_id=deployment_id,
        org_id=tx.actor.org,
        artifact_id=artifact.id,
        server_id=server.id,
        action=action,
        restart=restart,
        by=tx.actor.user_id,
        now=clock.now(),
    )
    job = await enqueue(
        tx,
        type=JobType.MOD_INSTALL,
        host_id=server.host_id,
        server_id=server.id,
        params=wire.ModInstall(
            deployment_id=deployment_id,
            artifact_id=artifact.id,
            sha256=artifact.sha256,
            size_bytes=artifact.size_bytes,
            name=artifact.name,
            version=artifact.version,
            force=force,
        ),
        source="batch" if batch_id else "command",
        batch_id=batch_id,
        after=after,
        after_any=after is not None,
        quiet=batch_id is not None,
    )
    await mods_deployments.given(tx.session, tx.actor.org, deployment_id, job.id)
    return job
