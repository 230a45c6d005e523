"""/mod as its users meet it, with a host that speaks the protocol and a game that says what the test says."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from typing import Any

import aiohttp

from agent import wire
from bot.demo import reading
from tests.e2e.community import Community, Host, said, shown_to
from tests.e2e.servers import add_server, online, up

MAP = b"DATA" + bytes(range(200))
INFO = '<xml><Name value="Demo"/><Version value="{}"/><Author value="Ann"/></xml>'


def packed(files: Mapping[str, str | bytes]) -> bytes:
    """A ZIP file."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


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
    assert (await fetched(host, str(params.artifact_id)))[0] == 404
    assert [row for row in await community.audit() if row[0].startswith("mod.")] == [
        ("mod.upload", "success"),
        ("mod.deploy.ask", "success"),
        ("mod.deploy", "success"),
        ("mod.history", "success"),
    ]
