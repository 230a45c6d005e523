"""What the database itself and the statements say of orgs: no row points into another one, and none is asked for
without its org."""

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

import pytest
from sqlalchemy import TextClause, text

import db.queries
from db.engine import Database
from db.models import Base

ORG_SCOPED: Final = {table.name for table in Base.metadata.sorted_tables if "org_id" in table.columns}
LOOSE: Final[Mapping[str, str]] = {}
"""table.column -> why it refers to a row of an org by its id alone."""
CHILDREN: Final[Mapping[str, str]] = {
    "alert_counts": "counts of a rule, written and read with it",
    "incident_events": "the timeline of an incident, written and read with it",
    "role_permissions": "what a role may do, written and read with it",
    "schedule_tasks": "the steps of a schedule, written and read with it",
}
"""Tables of org-scoped things that have no org of their own -> why that is enough."""

_ORG: Final = re.compile(
    r"\borg_id\s*(?:=|is not distinct from)\s*(?::org|(?:\(select )?cast\(:org|any\(cast\(:orgs|\w+\.org_id\b)"
    r"|\bdiscord_guild_id = :guild"
    r"|insert into \w+(?: as \w+)? \([^)]*\borg_id\b",
    re.DOTALL,
)
"""An org that is given, or that of a row that has been found by it; of a row that is written."""

REASONS: Final[Mapping[str, str]] = {
    "a worker takes what is due in every org, each row with its org": """
        audit_posts.due audit_purge.due audit_purge.loose audit_seals.orgs audit_seals.orgs_far bans.expired
        holds.expired hosts.offline job_runs.lapsed jobs.expired maintenance.due mods.abandoned
        outbox.claim power.due power_drift.ids schedules_due.claim schedules_due.due""",
    "a worker goes on with rows that it has claimed": """
        alert_firings.clearing alert_firings.seen alert_firings.unsure alert_rules.errors ban_entries.begin
        ban_entries.update ban_returns.repeat job_ends.open outbox.disable_message outbox.drop_twin outbox.fail_edits
        outbox.failed outbox.placed outbox.retry outbox.sent outbox.suspend power_drift.hold schedules_due.ended
        schedules_due.lock schedules_due.move_on schedules_due.ran schedules_due.shift""",
    "a host, by its key; the host is the bound": """
        agents.authenticate agents.confirm_key agents.drop_next_key agents.host_again agents.key_used agents.lock_host
        agents.retire_keys agents.rotated agents.rotation_pending agents.token_used_by agents.use_token heartbeats.host
        heartbeats.update_servers job_runs.find job_runs.ready job_runs.unwanted players.close_sessions""",
    "a run or job that was found by its host, or by its number in its org, and is held": """
        job_runs.drop_newer_offer job_runs.finish job_runs.lock job_runs.lose job_runs.overtaken job_runs.pass_on
        job_runs.take_back jobs.drop_offer jobs.followers jobs.lock jobs.past_expiry jobs.release jobs.splice
        mods_deployments.end mods_deployments.lock mods_deployments.replace""",
    "a plan that was found in its org or is due, by its id or its job; its jobs, in turn": """
        power.begin power.end power.hold_chain power.lock power.lock_free power.look power.move power.of_job power.seen
        power.set_job power.silence""",
    "the steps of a schedule that was found in its org and is held": "schedules.steps",
    "retention deletes what is old in every org": """
        retention.alert_counts retention.alert_firings retention.archived_ips retention.job_ips retention.jobs
        retention.maintenance_windows retention.notification_jobs retention.pairing_tokens
        retention.pending_confirmations retention.player_ips retention.power_plans retention.rejected_mods""",
    "a person's own rows, in every org where they are": """
        privacy.footprint privacy.forget_exceptions privacy.forget_orgs privacy.forget_players privacy.forget_proofs
        privacy.forget_questions privacy.forget_server_roles privacy.heir privacy.pass_on_denials
        privacy.pass_on_server_roles""",
    "no row of an org is read: a lock by name, files": "checks.newest_files mods.unused players.lock",
}
"""Why a statement names no org -> which ones."""


async def test_a_row_of_an_org_points_only_at_rows_of_its_org(db: Database) -> None:
    """In the database as it is migrated, whatever the models say."""
    async with db.read() as session:
        found = await session.execute(
            text("""
                select c.conrelid::regclass::text as child, c.confrelid::regclass::text as parent,
                       array(select attname::text from pg_attribute
                              where attrelid = c.conrelid and attnum = any(c.conkey)) as columns,
                       array(select attname::text from pg_attribute
                              where attrelid = c.confrelid and attnum = any(c.confkey)) as keys
                  from pg_constraint c where c.contype = 'f' and c.conparentid = 0""")
        )
        keys = [(row.child, row.parent, set(row.columns), set(row.keys)) for row in found]
    between = [key for key in keys if key[0] in ORG_SCOPED and key[1] in ORG_SCOPED]
    assert len(between) > 20
    loose = {f"{child}.{'+'.join(columns)}" for child, _, columns, keys in between if "org_id" not in columns & keys}
    assert loose == LOOSE.keys()
    assert {child for child, parent, *_ in keys if child not in ORG_SCOPED and parent in ORG_SCOPED} == CHILDREN.keys()


def _clauses(value: Any) -> Iterator[TextClause]:
    if isinstance(value, TextClause):
        yield value
    elif isinstance(value, Mapping):
        yield from _clauses(list(cast("Mapping[Any, Any]", value).values()))
    elif isinstance(value, list | tuple):
        for one in cast("list[Any]", value):
            yield from _clauses(one)


def _statements() -> dict[str, str]:
    """Name -> SQL of every statement that `db.queries` holds."""
    modules = [
        importlib.import_module(f"db.queries.{found.name}") for found in pkgutil.iter_modules(db.queries.__path__)
    ]
    written = [str(clause) for module in modules for value in vars(module).values() for clause in _clauses(value)]
    named = [re.match(r"/\* (?P<name>[a-z_.]+) \*/(?P<sql>.*)", sql, re.DOTALL) for sql in written]
    return {match["name"]: match["sql"] for match in named if match}


def test_every_statement_names_its_org() -> None:
    of_orgs = ORG_SCOPED | CHILDREN.keys()
    touching = {
        name: sql for name, sql in _statements().items() if any(re.search(rf"\b{table}\b", sql) for table in of_orgs)
    }
    assert len(touching) > 200
    excused = {name for names in REASONS.values() for name in names.split()}
    bare = {name for name, sql in touching.items() if not _ORG.search(sql)}
    if found := sorted(bare - excused):
        pytest.fail(f"Ask for the rows of one org (org_id = :org), or give a reason in REASONS: {found}", pytrace=False)
    assert sorted(excused - bare) == [], "names an org now, so strike it from REASONS"
