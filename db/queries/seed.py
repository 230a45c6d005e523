"""The rows that code owns: permissions, games, and the presets of a new org."""

from sqlalchemy import text

PERMISSIONS = text("""/* seed.permissions */
    insert into permissions (name, category, resource, action, description, created_at)
    select n, split_part(n, '.', 1), regexp_replace(n, '\\.[^.]*$', ''), regexp_replace(n, '^.*\\.', ''), d, :now
      from unnest(cast(:names as text[]), cast(:descriptions as text[])) as given(n, d)
    on conflict (name) do update set description = excluded.description
     where permissions.description <> excluded.description""")

GAME = text("""/* seed.game */
    insert into game_types (slug, name, capabilities, created_at)
    values (:slug, :name, to_jsonb(cast(:capabilities as text[])), :now)
    on conflict (slug) do update set name = excluded.name, capabilities = excluded.capabilities
     where (game_types.name, game_types.capabilities) is distinct from (excluded.name, excluded.capabilities)""")

# only a role made here gets its permissions: what an org has edited stays as it is
PRESETS = text("""/* seed.presets */
    with made as (
      insert into roles (org_id, name, description, is_preset, priority, created_at, updated_at)
      select cast(:org as uuid), n, d, true, p, :now, :now
        from unnest(cast(:names as text[]), cast(:descriptions as text[]), cast(:priorities as int[])) as given(n, d, p)
      on conflict (org_id, name) do nothing
      returning id, name)
    insert into role_permissions (role_id, permission_id)
    select made.id, permissions.id
      from unnest(cast(:roles as text[]), cast(:permissions as text[])) as granted(role, permission)
      join made on made.name = granted.role join permissions on permissions.name = granted.permission""")
