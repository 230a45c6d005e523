"""Times in a game at which a stop hurts more than at others."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from games.catalog import SHIPPED, GameTemplate, TemplateError, load_template


@pytest.mark.parametrize(
    ("day", "hour", "days", "mood"),
    [
        (1, 8, 7, ""),
        (1, 3, 7, ""),  # there is no night before the first day
        (6, 23, 7, ""),
        (7, 3, 7, ""),
        (7, 19, 7, ""),
        (7, 20, 7, "soon"),
        (7, 21, 7, "soon"),
        (7, 22, 7, "now"),
        (7, 23, 7, "now"),
        (8, 0, 7, "now"),
        (8, 3, 7, "now"),
        (8, 4, 7, ""),
        (8, 22, 7, ""),
        (14, 22, 7, "now"),
        (1, 22, 1, "now"),
        (2, 3, 1, "now"),
        (10, 22, 5, "now"),
        (7, 22, 0, ""),  # switched off
    ],
)
def test_a_blood_moon(catalog: dict[str, GameTemplate], day: int, hour: int, days: int, mood: str) -> None:
    caution = catalog["7dtd"].caution
    assert caution is not None
    assert caution.mood({"day": str(day), "hour": f"{hour:02}"}, days) == mood


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("clock", {"send": "gettime", "each": "^Day (?P<day>\\d+)$"}, "needs the groups `day` and `hour`"),
        ("every", {"send": "gg x", "each": "^(?P<n>\\d+)$", "usual": 7}, "needs the group `days`"),
        ("begins", 24, "begins"),
        ("name", "", "name"),
    ],
)
def test_a_template_that_cannot_tell_it_is_refused(tmp_path: Path, place: str, value: Any, words: str) -> None:
    raw = yaml.safe_load((SHIPPED / "7dtd.yaml").read_text("utf-8"))
    raw["caution"][place] = value
    (tmp_path / "7dtd.yaml").write_text(yaml.safe_dump(raw), "utf-8")
    with pytest.raises(TemplateError, match=words):
        load_template(tmp_path / "7dtd.yaml")
