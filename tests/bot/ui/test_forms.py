"""Every form, held against Discord's limits."""

import pytest

from bot.ui import bans, confirm, fleet, players, power, setup, setup_hosts
from tests.bot.ui import samples
from tests.bot.ui.limits import INPUT, check_form, parts_of
from tests.bot.ui.macro_samples import macro_forms
from tests.bot.ui.schedule_samples import schedule_forms

every_name = pytest.mark.parametrize("name", samples.NAMES.values(), ids=samples.NAMES.keys())


@every_name
def test_every_form_is_one_that_discord_takes(name: str) -> None:
    for form in (
        confirm.typed_name(samples.number(), name),
        players.kick_form(samples.number().hex),
        bans.lift_form(10**15 - 1),
        power.postpone_form(samples.number()),
        setup.zone_form(),
        setup_hosts.host_form(),
        fleet.form(samples.draft(name), f"New server on {name}", "fleet.added", samples.number(), "g" * 32),
        fleet.form(samples.draft(name), f"Edit {name}", "fleet.edited", samples.number()),
        fleet.form(samples.Draft(name, "x", (), {}), name, "fleet.edited", samples.number()),
        *macro_forms(name),
        *schedule_forms(name),
    ):
        check_form(form)


def test_a_form_starts_with_what_is_there() -> None:
    draft = samples.Draft("EU #1", "teeworlds", (samples.Variable("port", "port", "8303", "Port"),), {"port": "8305"})
    form = fleet.form(draft, "Edit EU #1", "fleet.edited", samples.number())
    fields = {part["custom_id"]: part.get("value") for part in parts_of(form) if part["type"] == INPUT}
    assert fields == {"name": "EU #1", "var.port": "8305"}
