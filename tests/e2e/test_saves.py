"""Macros and backups the whole way: typed in Discord, done by a real agent on the imitated 7 Days to Die server."""

import hashlib
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.demo import reading
from bot.demo.sevendays.control import AsyncControl
from bot.demo.sevendays.install import install
from tests.agent.harness import HostMachine, free_port
from tests.e2e.community import Community, filled, said, shown_to


class Navezgane:
    """A 7 Days to Die server that was added in Discord, on a machine with an agent of its own."""

    def __init__(self, community: Community, machine: HostMachine) -> None:
        self.community, self.machine = community, machine
        self.directory = machine.servers / "navezgane"
        self.game = AsyncControl(self.directory)

    async def found(self) -> None:
        """Pairs, adds, starts; each as people do it."""
        owner, general = self.community.owner, self.community.general
        await self.community.set_up()
        install(self.directory)
        self.machine.configure(templates='["7dtd"]')
        shown = said(await owner.slash(general, "host add", name="basement"))
        token = shown.split("gamekeeper-agent pair ")[1].split()[1]
        code, output = await self.machine.command("pair", self.machine.url, token, "--config", str(self.machine.config))
        assert code == 0, output
        await self.machine.start()
        ((host,),) = await self.community.rows("select id::text from hosts")
        form = await owner.slash(general, "fleet add", host=host, game="7dtd", name="Navezgane")
        ports = {"var.port": str(free_port()), "var.telnet_port": str(free_port())}
        await owner.submit_modal(form, filled(form, **ports))
        await self.community.eventually(lambda: self.ended("SERVER_CREATE"))
        await self.game.slow_start(0.1)
        await owner.slash(general, "server start", server="Navezgane")
        await self.community.eventually(lambda: self.ended("SERVER_START"))

    async def ended(self, job_type: str, count: int = 1) -> bool:
        """Whether so many jobs of a type have succeeded; one that failed ends the test."""
        rows = await self.community.rows("select status, number from jobs where type = :type", type=job_type)
        assert all(row.status not in ("failed", "cancelled", "expired") for row in rows), self.machine.log()
        return [row.status for row in rows].count("success") >= count


@pytest.fixture
async def navezgane(community: Community, tmp_path: Path) -> AsyncIterator[Navezgane]:
    machine = HostMachine(tmp_path / "host", f"http://127.0.0.1:{community.app.port}")
    machine.place.mkdir()
    made = Navezgane(community, machine)
    yield made
    await machine.clean_up()


async def test_what_is_entered_is_heard_and_what_was_built_is_kept(navezgane: Navezgane) -> None:
    community, general = navezgane.community, navezgane.community.general
    await navezgane.found()
    await navezgane.game.join("alice")
    asked = await community.owner.slash(
        general, "macro add", name="cheer", action="console", text="say {{what:text 80}}"
    )
    await community.owner.click(shown_to(asked), label="Save")
    form = await community.mod.slash(general, "macro run", macro="cheer", server="Navezgane")
    words = '"all" well"; shutdown # {{what}} @everyone'
    await community.mod.submit_modal(form, {"param.what": words})
    await community.eventually(lambda: navezgane.ended("CONSOLE_COMMAND"))
    assert await navezgane.game.heard("alice") == [words], "one text, and no second command"

    shown = said(await community.mod.slash(general, "backup create", server="Navezgane"))
    assert "Backing up Navezgane" in shown
    await community.eventually(lambda: navezgane.ended("SAVE_BACKUP"))
    message = await community.message_with("Backup · Navezgane")
    message = await community.message_with("and read them back")
    assert "✓ Save   ✓ Pack   ✓ Verify" in reading.text(message)
    ((ref, checksum, size),) = await community.rows("select storage_ref, checksum, size_bytes from backups")
    (archive,) = (navezgane.machine.state / "backups").glob(f"*/{ref}.tar.gz")
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == checksum and archive.stat().st_size == size
    with tarfile.open(archive) as packed:
        (world,) = [one for one in packed.getmembers() if one.name.endswith("main.ttw")]
        kept = packed.extractfile(world)
        assert kept is not None and kept.read() == (navezgane.directory / world.name).read_bytes()
    listed = said(await community.mod.slash(general, "backup list", server="Navezgane"))
    assert "complete" in listed and f"sha256 `{checksum[:12]}`" in listed and "by mia" in listed
    assert str(navezgane.machine.place) not in listed + reading.text(message)
