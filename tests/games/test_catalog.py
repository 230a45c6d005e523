"""Templates: what is refused in a file, and what comes of the shipped ones."""

from glob import glob
from pathlib import Path
from typing import Any

import pytest
import yaml

from games.catalog import SHIPPED, GameTemplate, TemplateError, load_catalog, load_template

Catalog = dict[str, GameTemplate]


REMOVED = object()


def changed(directory: Path, *changes: tuple[str, object]) -> Path:
    """The Teeworlds template with changes (where, value), as a file of its own. `-` adds to a list."""
    raw: Any = yaml.safe_load((SHIPPED / "teeworlds.yaml").read_text(encoding="utf-8"))
    for where, value in changes:
        *way, last = where.split("/")
        target: Any = raw
        for step in way:
            target = target[int(step) if step.isdigit() else step]
        if value is REMOVED:
            del target[last]
        elif last == "-":
            target.append(value)
        else:
            target[last] = value
    path = directory / "teeworlds.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    return path


def test_ships_two_games_with_what_they_can(catalog: Catalog) -> None:
    assert set(catalog) == {"teeworlds", "7dtd"}
    assert catalog["teeworlds"].capabilities == (
        "start", "stop", "restart", "kill", "console", "players", "mods", "bans", "bans_memory",
        "ban", "kick", "say", "unban",
    )  # fmt: skip
    assert {"save", "ban", "bans"} < set(catalog["7dtd"].capabilities)
    assert "bans_memory" not in catalog["7dtd"].capabilities
    assert catalog["teeworlds"].sha256 != catalog["7dtd"].sha256


def test_secrets_are_no_public_variables(catalog: Catalog) -> None:
    for template in catalog.values():
        secret = {name for name, variable in template.vars.items() if variable.secret}
        assert secret
        assert secret == set(template.new_secrets())
        assert not secret & set(template.public_vars)


def test_the_hosts_own_copy_wins(tmp_path: Path) -> None:
    path = changed(tmp_path, ("name", "Our Teeworlds"), ("golden", []))
    catalog = load_catalog(tmp_path)
    assert catalog["teeworlds"].name == "Our Teeworlds"
    assert catalog["teeworlds"].sha256 == load_template(path).sha256
    assert set(catalog) == {"teeworlds", "7dtd"}


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        ("shel", "x", "shel: Extra inputs"),
        ("sha256", "0" * 64, "not a template"),
        ("process/argv", "sh -c x", "process.argv"),
        ("process/argv/-", "{nobody}", "there is no variable or path for {nobody}"),
        ("config_files/0/path", "{name}.cfg", "a path cannot be made of what a person types"),
        ("paths/userdata", "{dir}/{map}", "a path cannot be made of what a person types"),
        ("vars/dir", {"type": "string", "default": "x"}, "a name stands for one thing only: dir"),
        ("vars/userdata", {"type": "string", "default": "x"}, "a name stands for one thing only: userdata"),
        ("console/says", "x", "needs the group `text`"),
        ("config_files/0/keep", ["sv_motd"], "are about settings in `set`: sv_motd"),
        ("process/stop", [{"signal": "TERM"}], "the last rung of `stop` is the signal KILL"),
        ("process/stop", [{"action": "save", "wait": 1}, {"signal": "KILL"}], "not described: save"),
        ("process/ready/all", [{"log": "server name is"}], "`log` begins with ^, or a player could say it"),
        ("process/ports/0/var", "name", "variables that are no ports: name"),
        ("actions/kick/send", "kick {reason}", "neither quoted nor an identity: reason"),
        ("actions/kick/ok", "Kicked", "begin with ^"),
        ("actions/say/ok", REMOVED, "outcome is never known"),
        ("players/each", "^x$", "needs the group `name`"),
        ("console/echo", "(?P<command>.*)(?=x)", "not a valid RE2 expression"),
        ("console/strip", ["\0"], "cannot be stripped"),
        ("console/end/fence/send", "zz", "a fence has {nonce}"),
        ("console", REMOVED, "need a console"),
        ("identity/ban_by", ["steam"], "kinds that are not described: steam"),
        ("identity/kinds/ip/format_v6", "[x]", "`format` has {value} once"),
        ("bans", REMOVED, "the actions `ban` and `unban` and the list `bans`"),
        ("actions/unban", REMOVED, "the actions `ban` and `unban` and the list `bans`"),
        ("bans/count", REMOVED, "silence reads as an empty list"),
        ("bans/each", "banned '(?P<ip>.*)'", "begin with ^, or a reason could say them"),
        ("bans/each", "^banned '(?P<who>.*)'", "`each` of bans needs the group `id`"),
        ("bans/timed", "agent", "just where bans are `timed: native`"),
        ("bans/persistence", "sometimes", "bans.persistence"),
        ("actions/ban/duration", REMOVED, "just where bans are `timed: native`"),
        ("actions/ban/duration/units", {}, "actions.ban.duration.units"),
        ("actions/ban/duration/units", {"minutes": "PT0M"}, "actions.ban.duration.units"),
        ("actions/ban/verify", {"bans": "absent"}, "are proved by the list"),
        ("actions/ban/send", "ban {ip}", "`ban` and `unban` send {target}"),
        ("actions/unban/send", "unban {target} {duration}", "`unban` cannot send {duration}"),
        ("actions/kick/send", "kick {target}", "`kick` cannot send {target}"),
        ("log/events/mod_loaded", REMOVED, "events that the log does not have: mod_loaded"),
        ("log/events/mod_failed", "failed to load map", "begins with ^, or a player could say it: mod_failed"),
        ("mods/apply/action", "play", "`mods` needs the action `play`"),
        ("mods/apply/action", "kick", "may send {q:name} and nothing else"),
        ("mods/apply/variable", "econ_password", "sets `econ_password`, which is no variable of people's"),
        ("mods/dirs/0/path", "/etc/{name}", "a path cannot be made of what a person types"),
        ("mods/dirs/0/suffix", REMOVED, "`suffix` belongs to the unit file"),
        ("mods/dirs/0/manifest_format", "7dtd_v2", "`manifest_format` is that of a `manifest`"),
        ("mods/loaded/-", {"send": "maps", "each": "^x$"}, "a list of mods needs the group `mod`"),
        ("mods/dirs", [], "mods.dirs"),
    ],
)
def test_a_template_that_cannot_work_is_refused(tmp_path: Path, where: str, value: object, said: str) -> None:
    with pytest.raises(TemplateError) as refusal:
        load_template(changed(tmp_path, (where, value)))
    assert said in str(refusal.value)


def test_mods_lie_below_the_servers_directory(tmp_path: Path) -> None:
    template = load_template(changed(tmp_path, ("mods/dirs/0/path", "/etc/maps")))
    with pytest.raises(ValueError, match="outside of the server's directory"):
        template.resolve(tmp_path, template.new_secrets())


@pytest.mark.parametrize("content", [b"", b"[1, 2]", b"a: [", b"\xff\xfe\x00", b"!!python/object:os.system {}"])
def test_what_is_no_template_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    with pytest.raises(TemplateError, match=r"x\.yaml"):
        load_template(path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / ".#mine.yaml").symlink_to("root@host.4711")  # an editor's lock
    with pytest.raises(TemplateError, match="cannot be read"):
        load_catalog(tmp_path)


def test_a_directory_with_brackets_finds_its_log(catalog: Catalog, tmp_path: Path) -> None:
    directory = tmp_path / "[eu] 7*"
    directory.mkdir()
    (directory / "output_log.txt").write_text("")
    template = catalog["7dtd"]
    resolved = template.resolve(directory, template.new_secrets())
    assert resolved.log_glob is not None
    assert glob(resolved.log_glob) == [str(directory / "output_log.txt")]


def test_resolving_replaces_everything(catalog: Catalog) -> None:
    template = catalog["7dtd"]
    for_one = template.resolve(Path("/srv/eu 1"), {"telnet_password": "s3cret-word", "telnet_port": "9000"})
    assert for_one.argv[0] == "/srv/eu 1/7DaysToDieServer.x86_64"
    assert for_one.argv[-2:] == ("/srv/eu 1/output_log.txt", "-configfile=serverconfig.xml")
    assert for_one.console is not None
    assert (for_one.console.host, for_one.console.port) == ("127.0.0.1", 9000)
    assert for_one.config_files[0].path == Path("/srv/eu 1/serverconfig.xml")
    assert for_one.config_files[0].settings["TelnetPassword"] == "s3cret-word"
    assert [(p.name, p.port, p.public) for p in for_one.ports] == [("game", 26900, True), ("telnet", 9000, False)]
    assert "s3cret-word" not in repr(for_one)
    assert for_one.redact("password s3cret-word!") == "password •••!"
    assert for_one.redact("cannot read /srv/eu 1/Mods/A/a.dll") == "cannot read Mods/A/a.dll"


def test_a_value_is_never_read_as_a_placeholder(catalog: Catalog) -> None:
    template = catalog["teeworlds"]
    resolved = template.resolve(Path("/srv/x"), {**template.new_secrets(), "name": "{econ_password} {dir}"})
    assert resolved.config_files[0].settings["sv_name"] == "{econ_password} {dir}"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"colour": "red"}, "Teeworlds has no setting `colour`; it has bind, econ_password"),
        ({"name": "x\nsv_rcon_password y"}, "`name` contains a line break"),
        ({"map": "../../x"}, "`map` cannot be `../../x`"),
        ({"port": "99999"}, "`port` is at most 65535"),
    ],
)
def test_values_that_do_not_fit_are_refused(catalog: Catalog, values: dict[str, str], sentence: str) -> None:
    template = catalog["teeworlds"]
    with pytest.raises(ValueError, match="`") as refusal:
        template.resolve(Path("/srv/x"), {**template.new_secrets(), **values})
    assert str(refusal.value).startswith(sentence)


def test_secrets_must_be_there_and_are_not_for_people(catalog: Catalog) -> None:
    template = catalog["teeworlds"]
    with pytest.raises(ValueError, match="Teeworlds needs a value for `econ_password`"):
        template.resolve(Path("/srv/x"), {})
    with pytest.raises(ValueError, match="`econ_password` is a secret of Teeworlds: the host makes it"):
        template.check_public({"econ_password": "known"})
    assert template.check_public({"port": "08303"}) == {"port": "8303"}


def test_one_port_cannot_serve_twice(catalog: Catalog, tmp_path: Path) -> None:
    template = catalog["teeworlds"]
    assert template.resolve(tmp_path, {**template.new_secrets(), "port": "8303", "econ_port": "8303"})
    path = changed(tmp_path, ("process/ports/0/proto", "tcp"))
    both = load_template(path)
    with pytest.raises(ValueError, match="`port` and `econ_port` cannot both be 8303"):
        both.resolve(tmp_path, {**both.new_secrets(), "port": "8303", "econ_port": "8303"})
