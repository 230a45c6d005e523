"""What `/access` says: the step that decided, those before and behind it, and what can be chosen for a role."""

from bot.domain.permissions import PERMISSIONS, PRESETS
from bot.domain.roles import AREAS
from bot.services.access_roles import Edited
from bot.ui import access, access_roles
from tests.bot.ui.access_samples import by_step, role, why
from tests.bot.ui.limits import SELECTS, parts_of, text_of


def test_one_of_six_steps_is_marked_and_those_behind_it_are_small() -> None:
    for number, found in enumerate(by_step("Mia"), 1):
        shown = text_of(access.why_card(why("Mia", found)))
        steps = [line for line in shown.splitlines() if " · " in line and line.lstrip("*-#▶ ")[:1].isdigit()]
        assert len(steps) == 6 and f"**Decided by step {number} of 6**" in shown
        for n, line in enumerate(steps, 1):
            start = "**▶ " if n == number else "-# " if n > number else f"{n} · "
            assert line.startswith(start), (number, line)
            assert line.endswith("not asked any more") == (n > number)


def test_the_verdict_is_in_words_as_well_as_in_a_sign() -> None:
    allowed, denied, *_ = by_step("Mia")
    assert text_of(access.why_card(why("Mia", allowed))).startswith("### ✓ Mia may `")
    assert text_of(access.why_card(why("Mia", denied))).startswith("### ✗ Mia may not `")
    assert "Gamekeeper takes nothing from an owner" in text_of(access.why_card(why("Mia", allowed)))


def test_the_editor_offers_every_permission_once_and_shows_what_is_chosen() -> None:
    preset = next(preset for preset in PRESETS if preset.name == "operator")
    view = access_roles.editor(Edited(role("operator", permissions=sorted(preset.permissions), priority=60)))
    options = [option for part in parts_of(view) if part["type"] in SELECTS for option in part["options"]]
    assert len(options) == len(PERMISSIONS) and {option["value"] for option in options} == PERMISSIONS.keys()
    assert {option["value"] for option in options if option.get("default")} == preset.permissions
    assert all(option["label"] == PERMISSIONS[option["value"]] for option in options)
    assert len([part for part in parts_of(view) if part["type"] in SELECTS]) == len(AREAS)


def test_a_preset_says_that_it_was_changed_and_can_be_put_back() -> None:
    preset = next(preset for preset in PRESETS if preset.name == "viewer")
    as_it_came = role("viewer", is_preset=True, permissions=sorted(preset.permissions), priority=preset.priority)
    changed = role("viewer", is_preset=True, permissions=["servers.view"], priority=preset.priority)
    assert "changed here" not in text_of(access_roles.editor(Edited(as_it_came)))
    assert "preset, **changed here**" in text_of(access_roles.editor(Edited(changed)))
    labels = [part["label"] for part in parts_of(access_roles.editor(Edited(changed))) if part["type"] == 2]
    assert labels == ["Put the preset back"]
