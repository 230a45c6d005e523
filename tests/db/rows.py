"""One row of every table, all in one org."""

from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import Range

from bot import clock
from db.models import (
    AlertCount,
    AlertFiring,
    AlertRule,
    AlertRuleChannel,
    ApiKey,
    AppState,
    ArchivedJob,
    ArchivedRun,
    AuditLog,
    AuditSeal,
    Backup,
    BanEntry,
    BanEvent,
    BanIdentifier,
    Base,
    BotMessage,
    CommandMacro,
    CronRun,
    Event,
    GameType,
    Host,
    Incident,
    IncidentEvent,
    Job,
    JobBatch,
    JobRun,
    Lease,
    Log,
    LogCursor,
    MaintenanceWindow,
    ModArtifact,
    ModDeployment,
    NotificationChannel,
    NotificationJob,
    Org,
    OrgBan,
    OrgCounter,
    PairingToken,
    PendingConfirmation,
    Permission,
    Player,
    PlayerIdentity,
    PlayerName,
    PlayerSession,
    PowerPlan,
    Role,
    RoleBinding,
    RolePermission,
    Schedule,
    ScheduleExclusion,
    ScheduleTask,
    Server,
    ServerHold,
    ServerMod,
    ServerTag,
    User,
    UserOrg,
    UserPermission,
    UserServerRole,
)

SOON = func.now() + timedelta(minutes=1)
"""A fence is written with PostgreSQL's clock."""


def org(guild: int = 1) -> Org:
    return Org(id=uuid4(), discord_guild_id=guild, name="Guild")


def host(of: Org, name: str = "box") -> Host:
    return Host(id=uuid4(), org_id=of.id, name=name)


def game() -> GameType:
    return GameType(id=uuid4(), slug=f"game-{uuid4().hex[:8]}", name="Game")


def server(on: Host, runs: GameType, name: str = "Arena") -> Server:
    return Server(id=uuid4(), org_id=on.org_id, host_id=on.id, game_type_id=runs.id, name=name, slug=name.lower())


def job(on: Server, number: int = 1) -> Job:
    return Job(
        id=uuid4(),
        org_id=on.org_id,
        number=number,
        server_instance_id=on.id,
        host_id=on.host_id,
        type="SERVER_RESTART",
        is_exclusive=True,
    )


def run(of: Job, attempt: int = 1) -> JobRun:
    return JobRun(
        org_id=of.org_id,
        job_id=of.id,
        host_id=of.host_id,
        server_instance_id=of.server_instance_id,
        attempt=attempt,
        is_exclusive=of.is_exclusive,
        lease_expires_at=SOON,
    )


def one_of_each() -> list[Base]:
    """In an order in which they can be written."""
    now, o = clock.now(), org()
    user = User(id=uuid4(), discord_user_id=7, username="ann")
    role = Role(id=uuid4(), org_id=o.id, name="captain")
    permission = Permission(
        id=uuid4(), name="moon.view", category="moon", resource="moon", action="view", description=""
    )
    box, kind = host(o), game()
    arena = server(box, kind)
    player = Player(id=uuid4(), org_id=o.id, name="Eve", user_id=user.id)
    work = job(arena)
    channel = NotificationChannel(
        id=uuid4(), org_id=o.id, name="ops", purpose="ops", type="discord_channel", discord_channel_id=5
    )
    message = BotMessage(id=uuid4(), org_id=o.id, kind="job", subject_id=str(work.id), channel_id=5)
    return [
        o,
        user,
        role,
        permission,
        box,
        kind,
        arena,
        player,
        work,
        channel,
        message,
        OrgCounter(org_id=o.id, name="job", value=1),
        RolePermission(role_id=role.id, permission_id=permission.id),
        UserOrg(user_id=user.id, org_id=o.id, role_id=role.id),
        RoleBinding(
            org_id=o.id, discord_role_id=3, role_id=role.id, server_instance_id=arena.id, created_by_id=user.id
        ),
        UserServerRole(org_id=o.id, user_id=user.id, server_instance_id=arena.id, role_id=role.id),
        UserPermission(
            org_id=o.id, user_id=user.id, permission_id=permission.id, server_instance_id=arena.id, granted=False
        ),
        PairingToken(org_id=o.id, token_hash=b"t", host_name="box", host_id=box.id, expires_at=SOON),
        ApiKey(
            org_id=o.id,
            kind="agent",
            name="box",
            key_prefix="gk_",
            key_hash=b"k",
            host_id=box.id,
            allowed_cidrs=["10.0.0.0/8"],
        ),
        ServerTag(org_id=o.id, server_instance_id=arena.id, tag="pvp"),
        PlayerIdentity(org_id=o.id, kind="steam", value="76561198000000000", player_id=player.id),
        PlayerName(player_id=player.id, org_id=o.id, name="Evelyn", last_seen_at=now),
        PlayerSession(org_id=o.id, player_id=player.id, server_instance_id=arena.id, started_at=now, ip="192.0.2.7"),
        run(work),
        Event(org_id=o.id, source_type="server_instance", source_id=str(arena.id), event_type="ready", ts=now),
        NotificationJob(
            org_id=o.id,
            target_kind="channel",
            discord_channel_id=5,
            bot_message_id=message.id,
            event_type="job",
            payload_json={"job": str(work.id)},
            dedupe_key="job-1",
        ),
        AuditLog(
            org_id=o.id,
            actor_id=user.id,
            action="server.restart",
            outcome="success",
            resource_type="server",
            ip="192.0.2.7",
        ),
        AuditSeal(org_id=o.id, number=1, ids=[Range(1, 2)], row_count=1, hash=b"s"),
        PendingConfirmation(org_id=o.id, user_id=user.id, action="server.kill", payload={}, expires_at=SOON),
        Lease(duty="outbox", holder="me", epoch=1, expires_at=SOON),
        AppState(key="tree", value={"hash": "x"}),
        CronRun(job_name="sweep", status="success", meta_json={"done": 3}),
        *_wishes(o, arena, player),
        *_watched(box, arena, channel),
        *_planned(work, arena, now),
        *_archived(arena, now),
    ]


def _archived(arena: Server, now: datetime) -> list[Base]:
    old = ArchivedJob(
        id=uuid4(),
        org_id=arena.org_id,
        number=1_000,
        server_instance_id=arena.id,
        host_id=arena.host_id,
        type="ANNOUNCE",
        payload={"text": "x"},
        is_exclusive=False,
        priority=3,
        status="success",
        source="command",
        after_any=False,
        max_attempts=1,
        backoff_sec=2,
        timeout_sec=60,
        not_before=now,
        created_at=now,
        finished_at=now,
    )
    run = ArchivedRun(
        id=uuid4(),
        org_id=arena.org_id,
        job_id=old.id,
        host_id=arena.host_id,
        server_instance_id=arena.id,
        attempt=1,
        status="success",
        is_exclusive=False,
        claim_token=uuid4(),
        lease_expires_at=now,
        started_at=now,
        finished_at=now,
        output="said",
        created_at=now,
    )
    return [old, run]


def _wishes(o: Org, arena: Server, player: Player) -> list[Base]:
    """What people want of a server: bans, mods, schedules."""
    case = OrgBan(id=uuid4(), org_id=o.id, number=1, player_id=player.id, reason="griefing", banned_at=clock.now())
    mod = ModArtifact(id=uuid4(), org_id=o.id, name="Bigger", version="1.0", source="url")
    daily = Schedule(id=uuid4(), org_id=o.id, server_instance_id=arena.id, name="daily", cron_expression="0 4 * * *")
    return [
        case,
        BanIdentifier(org_ban_id=case.id, org_id=o.id, kind="steam", value="76561198000000000"),
        BanEntry(org_id=o.id, org_ban_id=case.id, server_instance_id=arena.id),
        BanEvent(org_ban_id=case.id, org_id=o.id, type="created"),
        mod,
        ModDeployment(
            org_id=o.id, artifact_id=mod.id, server_instance_id=arena.id, mod_name="Bigger", action="install"
        ),
        ServerMod(server_instance_id=arena.id, org_id=o.id, folder="Bigger", state="active", artifact_id=mod.id),
        daily,
        ScheduleTask(schedule_id=daily.id, sequence=1, job_type="SERVER_RESTART"),
        ScheduleExclusion(org_id=o.id, schedule_id=daily.id, server_instance_id=arena.id),
    ]


def _planned(work: Job, arena: Server, now: datetime) -> list[Base]:
    """What shall be done together, later, or not at all for a time."""
    org_id = arena.org_id
    return [
        JobBatch(id=uuid4(), org_id=org_id, number=1, action="restart", targets={"tag": "pvp"}, total_count=1),
        CommandMacro(
            id=uuid4(),
            org_id=org_id,
            name="hello",
            job_type="ANNOUNCE",
            payload_template={"text": "Hello {{who}}"},
            param_definitions=[{"name": "who", "kind": "text", "low": 0, "high": 40, "choices": []}],
        ),
        PowerPlan(org_id=org_id, server_instance_id=arena.id, action="restart", mode="at", due_at=now, job_id=work.id),
        ServerHold(server_instance_id=arena.id, org_id=org_id, reason="its world is being copied"),
        MaintenanceWindow(
            org_id=org_id, tag="pvp", reason="new disks", starts_at=now, ends_at=now + timedelta(hours=1)
        ),
        Backup(org_id=org_id, server_instance_id=arena.id, name="2026-11-21", job_id=work.id),
    ]


def _watched(box: Host, arena: Server, channel: NotificationChannel) -> list[Base]:
    """What is seen of a server, and what came of it."""
    org_id, now = arena.org_id, clock.now()
    rule = AlertRule(
        id=uuid4(), org_id=org_id, name="down", type="server_down", condition={"for_seconds": 10}, severity="high"
    )
    incident = Incident(
        id=uuid4(), org_id=org_id, number=1, title="Arena is down", severity="high", source="alert", rule_id=rule.id
    )
    return [
        Log(org_id=org_id, server_instance_id=arena.id, ts=now, level="info", message="hello"),
        LogCursor(org_id=org_id, host_id=box.id, server_instance_id=arena.id, stream="log"),
        rule,
        AlertRuleChannel(rule_id=rule.id, channel_id=channel.id, org_id=org_id),
        incident,
        IncidentEvent(incident_id=incident.id, type="created", message="It is down"),
        AlertFiring(
            org_id=org_id, rule_id=rule.id, fingerprint="server_down:1", incident_id=incident.id, last_seen_at=now
        ),
        AlertCount(rule_id=rule.id, entity_id=str(arena.id), bucket=now, n=1),
    ]
