"""The processes that share a database: who they are, and whether they have what all of them need."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from bot.domain.checks_replicas import ReplicaFact
from bot.services.artifact_store import ArtifactStore
from bot.services.leases import SECONDS
from db.engine import Database
from db.queries import checks, operations
from db.queries.operations import Lease


async def replicas(db: Database) -> list[ReplicaFact]:
    """Every process that is there, by its leases."""
    async with db.read() as session:
        return replicas_of(await operations.leases(session))


def replicas_of(leases: Sequence[Lease]) -> list[ReplicaFact]:
    live: dict[str, list[Lease]] = {}
    for lease in leases:
        if lease.is_live:
            live.setdefault(lease.holder, []).append(lease)
    return [_replica(name, held) for name, held in sorted(live.items()) if _named(held, "role")]


def _replica(name: str, held: Sequence[Lease]) -> ReplicaFact:
    return ReplicaFact(
        name,
        roles=[role.partition(":")[0] for role in _named(held, "role")],
        shards=sorted(int(shard) for shard in _named(held, "shard")),
        leads=[lease.duty for lease in held if ":" not in lease.duty],
        silent_sec=max(0.0, SECONDS - min(lease.left_sec for lease in held)),
    )


def _named(held: Sequence[Lease], kind: str) -> list[str]:
    return [lease.duty.partition(":")[2] for lease in held if lease.duty.startswith(f"{kind}:")]


async def missing_files(db: Database, directory: Path) -> tuple[int, int]:
    """How many of the newest uploaded mods are not in a directory, and how many were looked for."""
    async with db.read() as session:
        refs = await checks.newest_files(session)
    store = ArtifactStore(directory)
    there = await asyncio.to_thread(lambda: [store.path(ref).is_file() for ref in refs])
    return there.count(False), len(there)
