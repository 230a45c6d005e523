"""Who may do what in a community that has been there for a while: rows of every kind for the decision to work over."""

from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks.guilds import Guild

_MEMBERS: Final = 200
_STEPS: Final = (
    # three roles of the community's own beside the presets
    """insert into roles (org_id, name, priority, is_preset, created_at, updated_at)
       select :org, name, 30, false, now(), now() from unnest(array['builders', 'event team', 'night watch']) name""",
    """insert into role_permissions (role_id, permission_id)
       select r.id, p.id from roles r, permissions p
        where r.org_id = :org and not r.is_preset and p.name in ('servers.view', 'servers.console', 'players.view',
              'players.kick', 'jobs.view', 'logs.view', 'schedules.view')""",
    """insert into server_tags (org_id, server_instance_id, tag)
       select :org, s.id, tag from server_instances s, unnest(array['pvp', left(lower(s.name), 2)]) tag
        where s.org_id = :org""",
    # what the moderator's Discord roles are bound to, everywhere and in places, and what those of others are
    """insert into role_bindings (org_id, discord_role_id, role_id, server_instance_id, tag, created_at)
       select :org, b.discord, r.id, s.id, b.tag, now()
         from (values (cast(:moderator as bigint), 'moderator', null, null),
                      (cast(:other as bigint), 'viewer', null, null), (:other, 'event team', 'EU2', null),
                      (:other + 1, 'builders', null, 'eu'), (:other + 2, 'operator', null, 'us'),
                      (:other + 3, 'night watch', 'Test', null)) b(discord, role, server, tag)
         join roles r on r.org_id = :org and r.name = b.role
         left join server_instances s on s.org_id = :org and s.name = b.server""",
    """insert into role_bindings (org_id, discord_role_id, role_id, created_at)
       select :org, cast(:other as bigint) + 10 + n, r.id, now() from generate_series(1, 8) n, roles r
        where r.org_id = :org and r.name = 'viewer'""",
    # members, some with a role or exceptions of their own
    """with made as (
         insert into users (discord_user_id, username, display_name, created_at, updated_at)
         select number, case when number = cast(:member as bigint) then 'mia' else 'member' end || number, 'Mia',
                now(), now()
           from generate_series(cast(:member as bigint), cast(:member as bigint) + cast(:members as int) - 1) number
         returning id)
       insert into user_orgs (user_id, org_id, created_at, last_seen_at) select id, :org, now(), now() from made""",
    """update user_orgs m set role_id = r.id from users u, roles r
        where u.id = m.user_id and m.org_id = :org and r.org_id = :org and r.name = 'viewer'
          and u.discord_user_id % 5 = 0""",
    """insert into user_permissions (org_id, user_id, permission_id, server_instance_id, granted, expires_at)
       select :org, m.user_id, p.id, s.id, x.granted, now() + interval '30 days'
         from user_orgs m join users u on u.id = m.user_id
         cross join (values ('servers.kill', 'EU2', true), ('mods.deploy', null, false), ('servers.stop', 'US1', false))
                    x(name, server, granted)
         join permissions p on p.name = x.name
         left join server_instances s on s.org_id = :org and s.name = x.server
        where m.org_id = :org and (u.discord_user_id = :member or u.discord_user_id % 10 = 0)""",
    """insert into user_server_roles (org_id, user_id, server_instance_id, role_id)
       select :org, m.user_id, s.id, r.id from user_orgs m join users u on u.id = m.user_id
         join server_instances s on s.org_id = :org and s.name = 'US2'
         join roles r on r.org_id = :org and r.name = 'operator'
        where m.org_id = :org and (u.discord_user_id = :member or u.discord_user_id % 10 = 0)""",
)


async def settle(session: AsyncSession, org_id: UUID, guild: Guild) -> None:
    """Writes them, in the transaction of the caller. The moderator is decided by a role, and has exceptions as well."""
    values = {"org": org_id, "moderator": guild.role, "other": guild.others[0], "member": guild.moderator}
    for step in _STEPS:
        await session.execute(text(step), {**values, "members": _MEMBERS})
