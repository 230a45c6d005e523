"""/mod as its users meet it, with a host that speaks the protocol and a game that says what the test says."""

import hashlib
from typing import Any

import aiohttp
import pytest

from agent import wire
from bot.demo import reading
from tests.e2e.community import Community, Host, said, shown_to
from tests.e2e.servers import add_server, online, up
from tests.games import evil_zips as evil
from tests.games.evil_zips import packed

MAP = b"DATA" + bytes(range(200))
INFO = '<xml><Name value="Demo"/><Version value="{}"/><Author value="Ann"/></xml>'


def mod(version: str) -> bytes:
    return packed({"Demo/ModInfo.xml": INFO.format(version), "Demo/Config/items.xml": "<configs/>"})


async def upload(community: Community, file: tuple[str, bytes], **options: str) -> str:
    return said(await community.owner.slash(community.general, "mod upload", file=file, **options))


async def fetched(host: Host, artifact: str) -> tuple[int, bytes]:
    """What the host is given for an artifact."""
    url = f"http://127.0.0.1:{host.community.app.port}/agent/v1/artifacts/{artifact}"
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {host.key}"}) as session,
        session.get(url) as answer,
    ):
        return answer.status, await answer.read()


async def put(host: Host, path: str, message: wire.Wire) -> int:
    """Sends what is answered with nothing."""
    url = f"http://127.0.0.1:{host.community.app.port}/agent/v1/{path}"
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {host.key}"}) as session,
        session.put(url, json=message.dump()) as answer,
    ):
        return answer.status


async def deploy(community: Community, host: Host, server: str, **options: str) -> dict[str, Any]:
    """Asks, confirms, and lets the host take the job."""
    asked = await community.owner.slash(community.general, "mod deploy", server=server, **options)
    await community.owner.click(shown_to(asked), label="Deploy on EU #1")
    (job,) = await host.claim()
    await host.progress(job, wire.Step.STARTED)
    return job


def installed(*lines: str, **more: Any) -> dict[str, Any]:
    return wire.ModInstallResult(state="installed", verified=list(lines), **more).dump()


async def test_a_map_from_the_attachment_to_the_words_of_the_game(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    await up(host, server, online("bob", "192.0.2.7"))
    done = await upload(community, ("dm9.map", MAP), version="1.0")
    assert "dm9 1.0 is ready" in done and "Teeworlds · 1 file · 204 bytes" in done
    assert hashlib.sha256(MAP).hexdigest() in done
    games = await community.owner.autocomplete(community.general, "mod upload", "game", "tee")
    assert games == [{"name": "Teeworlds", "value": "teeworlds"}]
    choices = await community.owner.autocomplete(community.general, "mod deploy", "version", "")
    assert choices == [{"name": "1.0 · dm9", "value": "1.0"}]
    choices = await community.owner.autocomplete(community.general, "mod deploy", "mod", "DM")
    assert choices == [{"name": "dm9 · 1.0 · Teeworlds", "value": "dm9"}]
    asked = await community.owner.slash(community.general, "mod deploy", server=server, mod="dm9")
    assert "Deploy dm9 1.0 on EU #1?" in said(asked) and "No restart" in said(asked) and shown_to(asked).ephemeral
    pressed = await community.owner.click(shown_to(asked), label="Deploy on EU #1")
    assert f"<#{community.ops.id}>" in said(pressed)
    message = await community.message_with("Deploy · EU #1")
    (job,) = await host.claim()
    params = wire.ModInstall.model_validate(job["params"])
    assert (params.name, params.version, params.sha256) == ("dm9", "1.0", hashlib.sha256(MAP).hexdigest())
    await host.progress(job, wire.Step.STARTED)
    assert await fetched(host, str(params.artifact_id)) == (200, MAP)
    await host.progress(job, wire.Step.SWAPPING)
    await community.message_with("▸ **Swap**")
    await host.result(job, duration_ms=1500, result=installed("[server]: maps/dm9.map crc is 12345678"))
    finished = await community.message_with("maps/dm9.map crc is 12345678")
    assert finished.id == message.id and "**dm9** 1.0" in reading.text(finished)
    history = said(await community.owner.slash(community.general, "mod history", server=server))
    assert "**dm9** 1.0 · **active** · by olga" in history
    there = wire.ModFound(folder="dm9.map", state="active", name="dm9", version="1.0", sha256=params.sha256)
    assert await put(host, f"servers/{server}/mods", wire.ModList(revision=1, mods=[there])) == 204
    listed = said(await community.owner.slash(community.general, "mod list", server=server))
    assert "**dm9** 1.0 · as deployed" in listed
    assert (await fetched(host, str(params.artifact_id)))[0] == 404
    assert [row for row in await community.audit() if row[0].startswith("mod.")] == [
        ("mod.upload", "success"),
        ("mod.deploy.ask", "success"),
        ("mod.deploy", "success"),
        ("mod.history", "success"),
        ("mod.list", "success"),
    ]


async def test_one_that_the_game_refuses_and_the_way_back(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    for version in ("1.0", "1.1", "1.2"):
        await upload(community, ("dm9.map", MAP + version.encode()), version=version)
    for version in ("1.0", "1.1"):
        job = await deploy(community, host, server, mod="dm9", version=version)
        await host.result(job, result=installed(f"loaded {version}"))
    job = await deploy(community, host, server, mod="dm9")
    await host.progress(job, wire.Step.ROLLING_BACK)
    words = "the game says: not a valid datafile. The old version is back"
    back = wire.ModInstallResult(state="rolled_back", detail=words, verified=["loaded 1.1"]).dump()
    await host.result(job, "failed", error=words, result=back)
    card = reading.text(await community.message_with(words))
    assert "**failed**" in card and "**dm9** 1.2" in card and "loaded 1.1" in card and card.count(words) == 1
    await upload(community, ("ctf9.map", MAP), version="7")
    suggest = community.owner.autocomplete
    assert await suggest(community.general, "mod deploy", "version", "", mod="ctf9") == [
        {"name": "7 · ctf9", "value": "7"}
    ]
    assert len(await suggest(community.general, "mod deploy", "version", "")) == 4
    assert await suggest(community.general, "mod rollback", "to", "", mod="ctf9") == []
    choices = await suggest(community.general, "mod rollback", "to", "", mod="dm9")
    assert choices == [{"name": "1.0 · dm9", "value": "1.0"}]
    asked = await community.owner.slash(community.general, "mod rollback", server=server, mod="dm9")
    assert "Roll back dm9 to 1.0 on EU #1?" in said(asked) and "Replaces 1.1." in said(asked)
    await community.owner.click(shown_to(asked), label="Roll back on EU #1")
    (again,) = await host.claim()
    assert again["params"]["version"] == "1.0"
    await host.progress(again, wire.Step.STARTED)
    await host.result(again, result=installed("loaded 1.0"))
    await community.message_with("loaded 1.0")
    history = said(await community.owner.slash(community.general, "mod history", server=server)).splitlines()
    states = [line.split(" · ")[:2] for line in history if line.startswith("**dm9**")]
    assert states == [
        ["**dm9** back to 1.0", "**active**"],
        ["**dm9** 1.2", "failed"],
        ["**dm9** 1.1", "rolled back"],
        ["**dm9** 1.0", "replaced"],
    ]


async def test_files_that_somebody_edited_are_kept_until_somebody_says_so(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host, game="7dtd")
    await upload(community, ("demo.zip", mod("1.0")))
    job = await deploy(community, host, server, mod="Demo")
    kept = ["Config/items.xml", "Config/`@everyone`.xml"]
    words = "2 files of `Demo` were edited on the host since. Nothing was changed."
    stopped = wire.ModInstallResult(state="conflict", detail=words, conflicts=kept).dump()
    await host.result(job, "failed", error=words, result=stopped)
    message = await community.message_with("Edited on the host, and kept:")
    assert "`Config/items.xml`" in reading.text(message)
    asked = await community.owner.click(message, label="Replace edited files")
    assert "**Edited on the host and replaced all the same:** Config/items.xml" in said(asked)
    assert "The server restarts" in said(asked)
    await community.owner.click(shown_to(asked), label="Deploy and replace edited files")
    (again,) = await host.claim()
    assert again["params"]["force"] is True
    denied = said(await community.player.click(message, label="Replace edited files"))
    assert "`mods.deploy`" in denied


async def test_a_server_that_is_being_restarted_gets_it_afterwards(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    await upload(community, ("dm9.map", MAP), version="1.0")
    asked = await community.owner.slash(community.general, "server restart", server=server)
    await community.owner.click(shown_to(asked), label="Restart EU #1")
    (restart,) = await host.claim()
    await host.progress(restart, wire.Step.STARTED)
    asked = await community.owner.slash(community.general, "mod deploy", server=server, mod="dm9")
    pressed = said(await community.owner.click(shown_to(asked), label="Deploy on EU #1"))
    assert "It waits for J-2, which is under way there." in pressed
    message = await community.message_with("`J-2` is under way on this server: this begins when it has ended.")
    assert "**waiting**" in reading.text(message) and await host.claim(wait=0) == []
    await host.result(restart)
    (job,) = await host.claim()
    await host.progress(job, wire.Step.STARTED)
    await host.result(job, result=installed("loaded"))
    assert (await community.message_with("loaded")).id == message.id


def three_lines(answer: str) -> str:
    """What failed; the other lines are what to do and the reference."""
    what, remedy, reference = answer.splitlines()
    assert remedy and reference.startswith("-# Reference: `")
    return what


@pytest.mark.parametrize(
    ("name", "content", "options", "why"),
    [
        ("x.zip", packed({"../x.map": MAP}), {}, "`../x.map` in the archive leads out of its folder."),
        ("x.zip", packed({"x.map": bytes(30_000_000)}), {}, "unpacks to more than 200 times its size."),
        ("x.zip", evil.link("x.map"), {}, "is a symbolic link."),
        ("x.map", b"", {}, "is empty."),
        ("x.map", MAP, {"sha256": "0" * 64}, "The file's sha256 is another one"),
        ("@everyone.txt", MAP, {}, "This is a mod of no game here."),
        ("x.map", MAP, {"url": "https://example.org/x.map"}, "Give a `file`, or a `url`"),
    ],
)
async def test_a_file_that_is_not_taken(
    community: Community, name: str, content: bytes, options: dict[str, str], why: str
) -> None:
    answer = await upload(community, (name, content), version="1", **options)
    assert why in three_lines(answer) and "@everyone" not in answer
    assert (await community.audit())[-1] == ("mod.upload", "failed")
    rows = await community.rows("select status from mod_artifacts")
    assert {row.status for row in rows} <= {"rejected"}


async def test_addresses_and_servers_that_are_refused(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    await upload(community, ("dm9.map", MAP), version="1")
    await upload(community, ("demo.zip", mod("1.0")))

    async def refused(command: str, **options: str) -> str:
        return three_lines(said(await community.owner.slash(community.general, command, **options)))

    sha = "0" * 64
    assert "Only https" in await refused("mod upload", url="http://example.org/x.map", sha256=sha)
    assert "private network" in await refused("mod upload", url="https://169.254.169.254/x.map", sha256=sha)
    assert "needs the `sha256`" in await refused("mod upload", url="https://example.org/x.map")
    assert "Demo is a mod of 7 Days to Die" in await refused("mod deploy", server=server, mod="Demo")
    assert "no version 7 of dm9" in await refused("mod deploy", server=server, mod="dm9", version="7")
    assert "no mod @\u200beveryone here" in await refused("mod deploy", server=server, mod="@everyone")
    assert "no such server" in await refused("mod history", server="00000000-0000-0000-0000-000000000000")
    assert "no such version of dm9" in await refused("mod rollback", server=server, mod="dm9")
    denied = three_lines(said(await community.mod.slash(community.general, "mod deploy", server=server, mod="dm9")))
    assert "`mods.deploy`" in denied
    assert (await community.audit())[-1] == ("mod.deploy", "denied")
