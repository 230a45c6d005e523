"""Seals as a guild sees them: posted while nobody looks, and held against the log by somebody who doubts it."""

import re

import pytest

from tests.e2e.community import Community, said, shown_to


@pytest.fixture
async def posted(community: Community) -> str:
    """The hash of the first seal that the audit channel was told of."""
    await community.set_up()
    await community.owner.slash(community.general, "notify add", name="log", purpose="audit", channel=community.ops)
    await seal(community)
    await community.message_with("**Seal")
    message = next(text for text in community.texts(community.ops) if "**Seal" in text)
    found = re.search(r"audit entries, up to `[0-9]+`\n`([0-9a-f]{64})`\n", message)
    assert found
    return found[1]


async def seal(community: Community) -> None:
    """What happens every minute, and may happen during a test anyway."""
    await community.tick("audit.seal")


async def verify(community: Community, **options: str) -> str:
    answer = await community.mod.slash(community.general, "audit verify", **options)
    assert shown_to(answer).ephemeral
    return said(answer)


async def tampered(community: Community, statement: str) -> None:
    """By somebody who owns the database."""
    async with community.app.db.engine.connect() as connection:
        await connection.exec_driver_sql("set session_replication_role = replica")
        await connection.exec_driver_sql(statement)
        await connection.exec_driver_sql("set session_replication_role = origin")


async def test_an_unchanged_log(community: Community, posted: str) -> None:
    answer = await verify(community, seal=posted)
    assert "### The audit log is unchanged" in answer
    assert "You asked for seal " in answer and f"`{posted}`" in answer
    assert re.search(r"Checked: \d+ entries in \d seals?, the oldest of <t:", answer)
    assert f"<#{community.ops.id}>" in answer
    assert [action for action, _ in await community.audit()][-1] == "audit.verify"


async def test_a_changed_entry_and_one_that_is_gone(community: Community, posted: str) -> None:
    for _ in range(2):
        await community.owner.slash(community.general, "help")
        await seal(community)
    ids = [row.id for row in await community.rows("select id from audit_logs where org_id is not null order by id")]
    await tampered(community, f"update audit_logs set outcome = 'failed' where id = {ids[0]}")
    await tampered(community, f"delete from audit_logs where id = {ids[-1]}")
    answer = await verify(community, seal=posted[:10])
    assert "### The audit log is not what was sealed" in answer
    assert re.search(rf"\*\*Seal 1: an entry was changed\*\*, one of `{ids[0]}`", answer)
    assert re.search(rf"\*\*Seal \d: 1 entry is missing\*\*: `{ids[-1]}`\.", answer)


async def test_a_log_that_was_written_anew(community: Community, posted: str) -> None:
    await tampered(community, "delete from audit_seals")
    await tampered(community, "delete from audit_logs where action = 'setup.bind'")
    await seal(community)
    assert "The audit log is unchanged" in await verify(community), "nothing in the database tells"
    answer = await verify(community, seal=posted)
    assert "**No seal has the hash that you gave.**" in answer


async def test_what_is_no_seal(community: Community) -> None:
    await community.set_up()
    what, remedy, _ = (await verify(community, seal="yesterday")).splitlines()
    assert what == "**That is no seal.**" and "its hash" in remedy


async def test_a_player_checks_nothing(community: Community) -> None:
    assert "audit verify" not in {str(command) for command in community.player.available_commands(community.general)}
