"""Files of mods, where they were deployed, and what the servers have."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text, true
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, BigInt, JsonList, JsonObject, Key, Moment, check, newest, partial


class ModArtifact(Base):
    """A version of a mod: a file that never changes."""

    __tablename__ = "mod_artifacts"

    id: Mapped[Key]
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    game_type_id: Mapped[UUID | None] = mapped_column(ForeignKey("game_types.id", ondelete="SET NULL"))
    name: Mapped[str]
    version: Mapped[str]
    source: Mapped[str]
    source_url: Mapped[str | None]
    file_name: Mapped[str | None]
    file_ref: Mapped[str | None]
    size_bytes: Mapped[BigInt | None]
    sha256: Mapped[bytes | None]
    manifest: Mapped[JsonObject]
    status: Mapped[str] = mapped_column(default="uploading", server_default="uploading")
    reject_reason: Mapped[str | None]
    uploaded_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("id", "org_id", name="uq_mod_artifacts_id_org"),
        check("mod_artifacts_source_check", "source IN ('discord_attachment','url','workshop','agent')"),
        check("mod_artifacts_size_bytes_check", "size_bytes BETWEEN 1 AND 268435456"),
        check("mod_artifacts_sha256_check", "octet_length(sha256) = 32"),
        check("mod_artifacts_status_check", "status IN ('uploading','ready','rejected','deleted')"),
        check(
            "mod_artifacts_check",
            "status <> 'ready' OR (file_ref IS NOT NULL AND sha256 IS NOT NULL AND size_bytes IS NOT NULL)",
        ),
        partial(
            "uq_mod_artifacts_version",
            "org_id",
            text("lower(name)"),
            "version",
            where="status IN ('uploading','ready')",
            unique=True,
        ),
        Index("ix_mod_artifacts_game_type", "game_type_id"),
        Index("ix_mod_artifacts_sha", "org_id", "sha256"),
        {
            "comment": "immutable once ready; identified by sha256; /mod list, plan and deploy, and the "
            "download of the agent"
        },
    )


class ModDeployment(Base):
    """A version of a mod on its way to a server, there, or gone again."""

    __tablename__ = "mod_deployments"

    id: Mapped[Key]
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    artifact_id: Mapped[UUID]
    server_instance_id: Mapped[UUID]
    mod_name: Mapped[str]
    action: Mapped[str]
    status: Mapped[str] = mapped_column(default="pending", server_default="pending")
    previous_deployment_id: Mapped[UUID | None]
    job_id: Mapped[UUID | None]
    restart_required: Mapped[bool] = mapped_column(default=True, server_default=true())
    error: Mapped[str | None]
    deployed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[Moment]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("id", "org_id", name="uq_mod_deployments_id_org"),
        ForeignKeyConstraint(
            ["previous_deployment_id", "org_id"],
            ["mod_deployments.id", "mod_deployments.org_id"],
            name="fk_mod_deployments_previous",
            ondelete="SET NULL (previous_deployment_id)",
        ),
        ForeignKeyConstraint(
            ["artifact_id", "org_id"],
            ["mod_artifacts.id", "mod_artifacts.org_id"],
            name="fk_mod_deployments_artifact",
            ondelete="NO ACTION",
        ),
        ForeignKeyConstraint(
            ["server_instance_id", "org_id"],
            ["server_instances.id", "server_instances.org_id"],
            name="fk_mod_deployments_server",
            ondelete="CASCADE",
        ),
        check("mod_deployments_action_check", "action IN ('install','remove','rollback')"),
        check(
            "mod_deployments_status_check",
            "status IN ('pending','running','active','superseded','failed','removed','rolled_back')",
        ),
        partial(
            "uq_mod_deployments_active",
            "server_instance_id",
            text("lower(mod_name)"),
            where="status = 'active'",
            unique=True,
        ),
        partial(
            "uq_mod_deployments_inflight",
            "server_instance_id",
            text("lower(mod_name)"),
            where="status IN ('pending','running')",
            unique=True,
        ),
        Index("ix_mod_deployments_server", "server_instance_id", newest("created_at")),
        Index("ix_mod_deployments_org", "org_id", newest("created_at")),
        Index("ix_mod_deployments_artifact", "artifact_id"),
        partial("ix_mod_deployments_job", "job_id", where="job_id IS NOT NULL"),
        partial("ix_mod_deployments_prev", "previous_deployment_id", where="previous_deployment_id IS NOT NULL"),
        {
            "comment": "every install, rollback and removal; rollback = a new row that becomes active, the row "
            "it replaces becomes rolled_back"
        },
    )


class ServerMod(Base):
    """A mod that a server has, as its host last said."""

    __tablename__ = "server_mods"

    server_instance_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    folder: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    version: Mapped[str | None]
    author: Mapped[str | None]
    website: Mapped[str | None]
    config_files: Mapped[JsonList]
    artifact_id: Mapped[UUID | None]
    seen_at: Mapped[Moment]

    __table_args__ = (
        ForeignKeyConstraint(
            ["server_instance_id", "org_id"],
            ["server_instances.id", "server_instances.org_id"],
            name="fk_server_mods_server",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["artifact_id", "org_id"],
            ["mod_artifacts.id", "mod_artifacts.org_id"],
            name="fk_server_mods_artifact",
            ondelete="SET NULL (artifact_id)",
        ),
        check("server_mods_state_check", "state IN ('active','quarantined')"),
        partial("ix_server_mods_artifact", "artifact_id", where="artifact_id IS NOT NULL"),
        {"comment": "last inventory that the agent put; /mod list shows it against what is wanted"},
    )
