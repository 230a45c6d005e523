"""A server that somebody set up by hand keeps its settings."""

from pathlib import Path

import pytest

from games import config_files
from games.adoption import read_values
from games.catalog import GameTemplate


def test_values_and_secrets_are_read(catalog: dict[str, GameTemplate], tmp_path: Path) -> None:
    (tmp_path / "serverconfig.xml").write_text(
        '<?xml version="1.0"?>\n<ServerSettings>\n  <property name="ServerPort" value="27000"/>\n'
        '  <property name="TelnetPassword" value="CHANGEME"/><!-- telnet -->\n'
        '  <property name="ServerMaxPlayerCount" value="9999"/>\n'
        '  <property name="UserDataFolder" value="/data/7dtd"/>\n</ServerSettings>\n'
    )
    assert read_values(catalog["7dtd"], tmp_path) == {"port": "27000", "telnet_password": "CHANGEME"}


def test_teeworlds_lines_are_read(catalog: dict[str, GameTemplate], tmp_path: Path) -> None:
    (tmp_path / "server.cfg").write_text('SV_NAME "a \\"b\\"" # ours\nec_password econpw\nsv_map dm1;\n# sv_port 1\n')
    found = read_values(catalog["teeworlds"], tmp_path)
    assert found == {
        "name": 'a "b"',
        "econ_password": "econpw",
        "map": "dm1",
        "max_clients": "8",
        "bind": "0.0.0.0",
    }


def test_its_worlds_stay_where_they_are(catalog: dict[str, GameTemplate], tmp_path: Path) -> None:
    template = catalog["7dtd"]
    old = '<ServerSettings>\n<property name="UserDataFolder" value="/data/7dtd"/>\n</ServerSettings>\n'
    (file,) = template.resolve(tmp_path, template.new_secrets()).config_files
    new = config_files.read(file.format, config_files.write(file.format, old, file.settings, keep=file.keep))
    fresh = config_files.read(file.format, config_files.write(file.format, "", file.settings, keep=file.keep))
    assert new["UserDataFolder"] == "/data/7dtd"
    assert fresh["UserDataFolder"] == f"{tmp_path}/UserData"
    assert new["TelnetPassword"] == file.settings["TelnetPassword"]


def test_where_its_worlds_are_is_not_guessed(catalog: dict[str, GameTemplate], tmp_path: Path) -> None:
    (tmp_path / "serverconfig.xml").write_text("<ServerSettings>\n</ServerSettings>\n")
    with pytest.raises(ValueError, match=r"serverconfig\.xml does not say `UserDataFolder`"):
        read_values(catalog["7dtd"], tmp_path)


def test_a_new_directory_has_none(catalog: dict[str, GameTemplate], tmp_path: Path) -> None:
    assert read_values(catalog["7dtd"], tmp_path) == {}


def test_a_broken_file_is_not_guessed_at(catalog: dict[str, GameTemplate], tmp_path: Path) -> None:
    (tmp_path / "serverconfig.xml").write_text("<ServerSettings><property")
    with pytest.raises(ValueError, match="not valid XML"):
        read_values(catalog["7dtd"], tmp_path)
