"""The shipped templates understand what real games said; the check says so when one does not."""

from pathlib import Path

import pytest
import yaml

from games.catalog import SHIPPED
from games.golden import check_template


@pytest.mark.parametrize("name", ["teeworlds", "7dtd"])
def test_shipped_templates_pass(name: str) -> None:
    assert check_template(SHIPPED / f"{name}.yaml") == []


def copied(directory: Path, **changes: object) -> Path:
    raw = yaml.safe_load((SHIPPED / "teeworlds.yaml").read_text(encoding="utf-8"))
    raw.update(changes)
    golden = directory / "golden"
    golden.mkdir()
    (golden / "teeworlds.yaml").write_text((SHIPPED / "golden/teeworlds.yaml").read_text(encoding="utf-8"))
    (directory / "teeworlds.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    return directory / "teeworlds.yaml"


def test_a_parser_that_a_name_can_fool_is_found(tmp_path: Path) -> None:
    loose = r"id=(?P<slot>\d+) addr=(?P<ip>[0-9.]+):\d+ client=\w+ name='(?P<name>[^']*)' score="
    found = check_template(copied(tmp_path, players={"send": "status", "each": loose}))
    assert any("case 5 (players): rows: expected" in problem for problem in found)


def test_a_forbidden_command_that_gets_through_is_found(tmp_path: Path) -> None:
    raw = yaml.safe_load((SHIPPED / "teeworlds.yaml").read_text(encoding="utf-8"))
    raw["console"]["quoting"]["separator"] = ""
    found = check_template(copied(tmp_path, console=raw["console"]))
    assert any("`say hi; exec autoexec.cfg` is sent and should be refused" in problem for problem in found)


def test_nothing_replayed_is_a_problem(tmp_path: Path) -> None:
    assert check_template(copied(tmp_path, golden=[])) == ["teeworlds.yaml: it has no golden cases"]


def test_missing_files_are_problems_not_crashes(tmp_path: Path) -> None:
    assert "No such file" in check_template(tmp_path / "none.yaml")[0]
    assert "none.yaml" in check_template(copied(tmp_path, golden=["golden/none.yaml"]))[0]
