"""What the cards of the set-up are built of: nothing yet, and everything at once, under hostile names."""

from collections.abc import Iterable
from typing import Any
from zoneinfo import available_timezones

import discord

from bot.domain.role_map import STAFF, Role
from bot.domain.settings import SETTINGS, Value
from bot.domain.setup import Step
from bot.services.config import Change
from bot.services.setup import ASKED
from bot.services.setup_wizard import OFFERS, Offer, Page
from bot.ui import config, setup, setup_hosts
from db.queries.setup import PairingState
from tests.bot.ui import samples

VALUES: dict[str, Value] = {
    "timezone": "America/Argentina/ComodRivadavia",
    "log_retention_days": 1,
    "health_interval_sec": 60,
    "host_offline_after_sec": 3600,
    "audit_retention_days": 3650,
    "audit_live": True,
    "avoid_risky_restart": True,
}


def page(step: Step, **changed: Any) -> Page:
    """A step of a guild in which nothing was done."""
    values: dict[str, Any] = {
        "step": step,
        "done": frozenset(),
        "zone": "UTC",
        "zones": ["UTC"],
        "roles": (),
        "bound": {},
        "suggested": {},
        "everyone": "player",
        "channels": {},
        "disabled": {},
        "hosts": 0,
        "online": 0,
        "servers": 0,
        "pairing": None,
        "offers": (),
    }
    return Page(**{**values, **changed})


def full_page(step: Step, name: str, **changed: Any) -> Page:
    """A step of a guild with 250 roles and 500 channels, in which much is done and some is wrong."""
    roles = tuple(Role(samples.SNOWFLAKE - n, name) for n in range(250))
    ids = [role.id for role in roles]
    values: dict[str, Any] = {
        "done": frozenset(Step),
        "zone": "America/Argentina/ComodRivadavia",
        "zones": sorted(available_timezones())[:25],
        "roles": roles,
        "bound": {"admin": ids[:25], "operator": ids[25:60]},
        "gone": 40,
        "suggested": {"moderator": ids[60:85], "viewer": ids[85:110]},
        "channels": dict.fromkeys(ASKED[:3], samples.SNOWFLAKE),
        "disabled": dict.fromkeys(ASKED[3:], name * 5),
        "hosts": 12,
        "online": 3,
        "servers": 400,
        "pairing": PairingState(name, samples.NOW, used=False, good=True, online=False),
        "offers": [Offer(samples.number(n), name, "g" * 32, name) for n in range(OFFERS)],
    }
    return page(step, **{**values, **changed})


def setup_cards(name: str) -> Iterable[discord.ui.LayoutView]:
    def mention(command: str) -> str:
        return f"</{command}:{samples.SNOWFLAKE}>"

    for step in Step:
        yield setup.step_card(page(step), samples.NOW, str)
        yield setup.step_card(full_page(step, name), samples.NOW, mention, "**Done**")
        yield setup.step_card(page(step, lacking="users.edit", roles_with=[name] * 30), samples.NOW, str)
    for used, good, online in ((True, True, True), (True, False, False), (False, False, False)):
        waiting = PairingState(name, samples.NOW, used=used, good=good, online=online)
        yield setup.step_card(page(Step.HOST, pairing=waiting), samples.NOW, str)
    yield setup.step_card(page(Step.SERVER, hosts=1), samples.NOW, str)
    yield setup.step_card(page(Step.ROLES, everyone="", bound={STAFF[0]: list(range(1, 27))}), samples.NOW, str)
    yield setup.step_card(page(Step.ZONE, zone="Atlantis/Gone", zones=["Atlantis/Gone"]), samples.NOW, str)
    yield setup_hosts.paired_card(samples.pairing(name), "https://bot.example:8443")


def config_cards(_name: str) -> Iterable[discord.ui.LayoutView]:
    """No value is a text that somebody chose."""
    yield config.list_card(VALUES, lambda command: f"</{command}:{samples.SNOWFLAKE}>")
    for setting in SETTINGS.values():
        value = VALUES[setting.key]
        yield config.changed_card(Change(setting, value, value))
        yield config.changed_card(Change(setting, False if value is True else 1, value))
