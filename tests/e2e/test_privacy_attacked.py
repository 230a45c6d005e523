"""/my forget in bad moments: several times at once, between other things of theirs, and to get rid of a ban."""

import time

from bot.services.audit_seals import Sealing
from bot.ui.ids import Short
from tests.e2e import forging
from tests.e2e.community import Community, Host, said, shown_to
from tests.e2e.servers import add_server, online, up
from tests.e2e.test_privacy import another, ban_button, forget


async def test_several_times_at_once_and_between_other_things(community: Community, host: Host) -> None:
    """Once is enough, each try leaves its row, and nothing that goes on meanwhile gives them anything back."""
    server, mod = await add_server(community, host), community.mod
    await community.set_up()
    await another(community)
    await community.owner.slash(community.general, "access grant", member=mod, role="viewer")
    (old,) = await community.rows("select id from users where discord_user_id = :id", id=mod.id)
    (newest,) = await community.rows("select max(id) as id from audit_logs")
    asked = f"gk:my.forgotten:{Short(int(time.time()))}"
    forgets = [forging.form(mod, community.general, asked, {"words": "forget me"}) for _ in range(3)]
    option = [{"type": 3, "name": "server", "value": server}]
    restart = forging.command(community.env, mod, community.general, "server restart", option, {})
    looked = forging.command(community.env, mod, community.general, "help", [], {})
    await forging.send_all(community.env, [restart, *forgets, restart, looked])
    rows = await community.rows(
        "select action, outcome from audit_logs where id > :since and actor_type = 'user' order by id", since=newest.id
    )
    done = sorted((row.action, row.outcome) for row in rows)
    assert [one for one in done if "forg" not in one[0]] == [
        ("help", "success"),
        ("server.restart.ask", "success"),
        ("server.restart.ask", "success"),
    ]
    tries = [one for one in done if "forg" in one[0]]
    assert len(tries) == 3 and set(tries) <= {("user.forget", "success"), ("my.forgotten", "failed")}
    assert ("user.forget", "success") in tries
    for table in ("user_orgs", "user_permissions", "user_server_roles"):
        assert not await community.rows(f"select 1 from {table} where user_id = :id", id=old.id), table


async def test_a_ban_outlives_it(community: Community, host: Host) -> None:
    server = await add_server(community, host)
    await up(host, server, online("fae", "127.0.0.5"))
    await another(community)
    (fae,) = await community.owner.autocomplete(community.general, "player link", "player", "fae")
    await community.owner.slash(community.general, "player link", player=fae["value"], member=community.mod)
    asked = await community.owner.slash(community.general, "ban add", player=fae["value"], reason="rude")
    await community.owner.click(shown_to(asked), label=ban_button(asked))
    before = said(await community.owner.slash(community.general, "ban list"))
    assert "fae" in before
    assert "rude" in said(await community.mod.slash(community.general, "my bans"))
    await forget(community.mod, await community.mod.slash(community.general, "my forget"))
    assert said(await community.owner.slash(community.general, "ban list")) == before
    assert "No ban is known" in said(await community.mod.slash(community.general, "my bans"))
    await community.owner.slash(community.general, "player link", player=fae["value"], member=community.mod)
    assert "rude" in said(await community.mod.slash(community.general, "my bans"))


async def test_the_log_is_what_was_sealed_after_people_were_forgotten_and_came_back(community: Community) -> None:
    sealing, mod = Sealing(community.app.work_db), community.mod
    await another(community)
    for _ in range(2):
        await mod.slash(community.general, "help")
        await sealing.tick()
        await forget(mod, await mod.slash(community.general, "my forget"))
        await mod.slash(community.general, "help")
    await sealing.tick()
    assert "The audit log is unchanged" in said(await community.owner.slash(community.general, "audit verify"))
