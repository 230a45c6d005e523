"""The 65 permissions and the presets that bundle them."""

import re
from itertools import pairwise

import pytest

from bot.domain.permissions import PERMISSIONS, PRESETS

BY_NAME = {preset.name: preset for preset in PRESETS}


def test_names_are_what_the_table_takes_and_each_has_its_words() -> None:
    assert [name for name in PERMISSIONS if not re.fullmatch(r"[a-z]+(\.[a-z_]+)+", name)] == []
    assert all(words and words[0].isupper() and not words.endswith(".") for words in PERMISSIONS.values())
    assert len(set(PERMISSIONS.values())) == 65


def test_each_preset_has_what_the_one_below_has() -> None:
    ladder = sorted(PRESETS, key=lambda preset: preset.priority)
    assert [preset.name for preset in ladder] == ["player", "viewer", "moderator", "operator", "admin"]
    for lower, higher in pairwise(ladder):
        assert lower.permissions < higher.permissions, (lower.name, higher.name)


def test_players_see_servers_and_nothing_else() -> None:
    assert BY_NAME["player"].permissions == {"servers.view"}


def test_who_only_looks_changes_nothing() -> None:
    assert {name.rpartition(".")[2] for name in BY_NAME["viewer"].permissions} == {"view"}
    assert "audit.view" not in BY_NAME["viewer"].permissions and "users.view" not in BY_NAME["viewer"].permissions


@pytest.mark.parametrize("name", ["moderator", "operator"])
@pytest.mark.parametrize(
    "permission",
    ["users.edit", "users.permissions", "settings.edit", "nodes.create", "nodes.delete", "security.sessions",
     "servers.delete", "servers.wipe", "api.keys.create"],
)  # fmt: skip
def test_what_only_administrators_may(name: str, permission: str) -> None:
    assert permission not in BY_NAME[name].permissions


def test_kills_are_for_operators() -> None:
    assert "servers.kill" in BY_NAME["operator"].permissions - BY_NAME["moderator"].permissions


def test_administrators_may_everything() -> None:
    assert BY_NAME["admin"].permissions == PERMISSIONS.keys()
