"""The order of the set-up, which roles it proposes, and which zones."""

from collections.abc import Mapping

import pytest

from bot.domain import zones
from bot.domain.role_map import MOST, STAFF, Role, digest, suggested
from bot.domain.setup import STEPS, Step, first_open
from bot.domain.zones_likely import likely


def test_steps_lead_to_each_other() -> None:
    assert [step.number for step in STEPS] == [1, 2, 3, 4, 5, 6]
    assert [step.after for step in STEPS] == [*STEPS[1:], Step.FINISH]
    assert [step.before for step in STEPS] == [Step.ZONE, *STEPS[:-1]]


def test_where_it_goes_on() -> None:
    assert first_open(()) is Step.ZONE
    assert first_open({Step.ZONE, Step.CHANNELS}) is Step.ROLES
    assert first_open(set(Step)) is first_open(set(Step) - {Step.FINISH}) is Step.FINISH


def role(number: int, *rights: str, **kind: bool) -> Role:
    return Role(number, f"role {number}", frozenset(rights), **kind)


@pytest.mark.parametrize(
    ("rights", "preset"),
    [
        ("administrator", "admin"),
        ("manage_guild", "admin"),
        ("manage_channels", "operator"),
        ("ban_members", "moderator"),
        ("kick_members", "moderator"),
        ("moderate_members", "moderator"),
        ("view_audit_log", "viewer"),
    ],
)
def test_what_discord_lets_a_role_do_says_what_it_is(rights: str, preset: str) -> None:
    assert suggested([role(1, rights)], {}) == {preset: [1]}
    assert suggested([role(1, rights, "view_audit_log", "manage_messages")], {}) == {preset: [1]}, "the highest fits"


@pytest.mark.parametrize(
    "one",
    [role(1), role(1, "administrator", managed=True), role(1, "ban_members", everyone=True)],
    ids=["no rights", "a bot's", "@everyone"],
)
def test_roles_that_are_nobodys(one: Role) -> None:
    assert suggested([one], {}) == {}


@pytest.mark.parametrize("bound", [{"moderator": [9]}, {"viewer": [1]}, {"night shift": [1]}])
def test_what_somebody_decided_is_not_proposed_anew(bound: Mapping[str, list[int]]) -> None:
    assert suggested([role(1, "ban_members")], bound) == {}


def test_a_guild_with_many_roles() -> None:
    found = suggested([role(n, "ban_members") for n in range(250, 0, -1)], {})
    assert found == {"moderator": list(range(1, MOST + 1))} and list(found) == ["moderator"]


def test_a_proposal_has_a_name_of_its_own() -> None:
    one = {"admin": [1, 2], "viewer": [3]}
    assert digest(one) == digest({"viewer": [3], "admin": [2, 1]})
    assert (
        len({digest(one), digest({"admin": [1], "viewer": [2, 3]}), digest({}), digest({"admin": [12], "viewer": [3]})})
        == 4
    )
    assert set(one) <= set(STAFF)


@pytest.mark.parametrize("locale", ["de", "en-US", "en-GB", "pt-BR", "zh-CN", "xx", ""])
def test_zones_can_be_chosen(locale: str) -> None:
    found = likely(locale, "Europe/Kyiv")
    assert found[0] == "Europe/Kyiv" and len(set(found)) == len(found) <= 25
    assert [zones.named(name) for name in found] == found


def test_a_language_has_its_zones() -> None:
    assert likely("de", "UTC")[1] == "Europe/Berlin"
    assert likely("en-US", "UTC")[1] == "America/New_York"
    assert likely("ja", "UTC")[1] == "Asia/Tokyo"


def test_a_zone_that_this_machine_lost_stays_the_present_one() -> None:
    assert likely("de", "Atlantis/Gone")[0] == "Atlantis/Gone"
