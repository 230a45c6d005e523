"""Where servers may live, and what is refused."""

import shutil
from pathlib import Path

import pytest

from agent.config import AgentConfig
from agent.errors import TaskFailed
from agent.runtime.home import Home, check_file, find_home
from agent.wire import ServerSpec
from tests.agent.runtime.conftest import Card, Host


def config(place: Path, **more: object) -> AgentConfig:
    values = {"url": "https://bot.example", "state_dir": place / "state", "roots": [place / "a", place / "b"], **more}
    return AgentConfig.model_validate(values)


def test_a_new_server_goes_to_the_first_root_and_an_old_one_stays_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "b/old").mkdir(parents=True)
    assert find_home("new", config(tmp_path)) == Home(tmp_path / "a/new", adopted=False)
    assert find_home("old", config(tmp_path)) == Home(tmp_path / "b/old", adopted=False)


def test_an_adopted_directory_is_used_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "srv").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "srv")
    adopting = config(tmp_path, adopt={"x": tmp_path / "srv", "y": tmp_path / "link", "z": tmp_path / "gone"})
    assert find_home("x", adopting) == Home(tmp_path / "srv", adopted=True)
    assert find_home("y", adopting).path == tmp_path / "srv"
    with pytest.raises(TaskFailed, match="that is not a directory"):
        find_home("z", adopting)


@pytest.mark.parametrize("slug", ["..", ".", "", "../../etc", "a/b", "/etc", ".hidden"])
def test_a_slug_is_one_word(tmp_path: Path, slug: str) -> None:
    with pytest.raises(TaskFailed, match="is not a name for a directory"):
        find_home(slug, config(tmp_path))


def test_a_slug_does_not_name_what_the_agent_lives_on(tmp_path: Path) -> None:
    for roots, slug in (([tmp_path], "state"), ([tmp_path / "state"], "runs"), ([tmp_path / "state"], "instances")):
        with pytest.raises(TaskFailed, match="is the agent's own"):
            find_home(slug, config(tmp_path, roots=roots))
    assert find_home("servers", config(tmp_path, roots=[tmp_path / "state"])).path == tmp_path / "state/servers"


def test_links_do_not_lead_out_of_a_root(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "a/one").symlink_to(tmp_path / "outside")
    (tmp_path / "a/two").symlink_to(tmp_path / "nowhere")
    (tmp_path / "a/three").write_text("a file")
    for slug in ("one", "two"):
        with pytest.raises(TaskFailed, match="is a symbolic link"):
            find_home(slug, config(tmp_path))
    with pytest.raises(TaskFailed, match="in the way"):
        find_home("three", config(tmp_path))


def test_files_behind_links_are_refused(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", adopted=False)
    (home.path / "sub").mkdir(parents=True)
    (home.path / "away").symlink_to(tmp_path)
    (home.path / "link.cfg").symlink_to("/etc/passwd")
    check_file(home, home.path / "sub/plain.cfg")
    for file in ("away/x.cfg", "link.cfg"):
        with pytest.raises(TaskFailed, match="through a symbolic link"):
            check_file(home, home.path / file)


async def test_what_the_configuration_does_not_allow_is_refused(host: Host) -> None:
    host.config = host.config.model_copy(update={"templates": ("7dtd",)})
    server = await host.server(host.spec("teeworlds"))
    with pytest.raises(TaskFailed, match="does not allow the game `teeworlds`"):
        await server.create(Card())
    report = await server.status()
    assert report.state == "install_failed"
    assert "does not allow" in report.note
    unknown = await host.server(host.spec("doom", slug="two"))
    host.config = host.config.model_copy(update={"templates": ("*",)})
    with pytest.raises(TaskFailed, match="does not allow the game `doom`"):
        await unknown.create(Card())
    unknown = await host.server(host.spec("doom", slug="three"))
    with pytest.raises(TaskFailed, match="no template for the game `doom`"):
        await unknown.create(Card())
    assert not (host.place / "servers").exists()


@pytest.mark.parametrize(
    ("vars", "sentence"),
    [
        ({"port": "99999"}, "`port` is at most 65535"),
        ({"map": "../../etc/passwd"}, "`map` cannot be"),
        ({"name": "x\nec_password hello"}, "line break"),
        ({"econ_password": "mine"}, "is a secret"),
        ({"nonsense": "1"}, "has no setting `nonsense`"),
        ({"port": "x"}, "whole number"),
    ],
)
async def test_settings_that_do_not_fit_leave_nothing_half_done(
    host: Host, vars: dict[str, str], sentence: str
) -> None:
    server = await host.server(host.spec("teeworlds", vars=vars))
    with pytest.raises(TaskFailed, match=sentence):
        await server.create(Card())
    assert (await server.status()).state == "install_failed"
    assert not (host.place / "servers").exists()


async def test_what_fails_later_leaves_a_created_server_created(host: Host) -> None:
    server = await host.server(host.spec("teeworlds"))
    await server.create(Card())
    server.update(host.spec("teeworlds", vars={"port": "x"}))
    with pytest.raises(TaskFailed, match="whole number"):
        await server.create(Card())
    assert (await server.status()).state == "stopped"


async def test_a_directory_that_is_gone_does_not_keep_a_server_from_being_removed(host: Host) -> None:
    (host.place / "old").mkdir()
    host.config = host.config.model_copy(update={"adopt": {"one": host.place / "old"}})
    server = await host.server(host.spec("teeworlds"))
    await server.create(Card())
    shutil.rmtree(host.place / "old")
    assert "its files were not touched" in await server.remove(Card())
    assert (await server.status()).state == "unknown"


async def test_two_servers_do_not_share_a_directory(host: Host) -> None:
    first = host.spec("teeworlds")
    await (await host.server(first)).create(Card())
    other = ServerSpec.model_validate({**first.model_dump(), "id": "00000000-0000-4000-8000-000000000001"})
    with pytest.raises(TaskFailed, match="belongs to another server"):
        await (await host.server(other)).create(Card())
