"""Files to deploy, from a shelf instead of a bot."""

import hashlib
import io
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from agent.runtime.server import GameServer
from agent.wire import ModInstall, ModInstallResult
from tests.agent.runtime.conftest import Card, Host, inside


class Shelf:
    """Artifacts by their id."""

    def __init__(self, place: Path) -> None:
        self.place = place
        place.mkdir()

    def put(self, content: bytes, name: str, version: str = "1", *, force: bool = False) -> ModInstall:
        """A deployment of this content."""
        artifact = uuid4()
        (self.place / str(artifact)).write_bytes(content)
        return ModInstall(
            deployment_id=uuid4(),
            artifact_id=artifact,
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
            name=name,
            version=version,
            force=force,
        )

    async def fetch(self, artifact_id: UUID, target: Path, *, most: int) -> str:
        """As the link does it."""
        source = self.place / str(artifact_id)
        assert source.stat().st_size <= most
        shutil.copyfile(source, target)
        return hashlib.sha256(source.read_bytes()).hexdigest()


@pytest.fixture
def shelf(host: Host, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """A shelf that the host's servers fetch from."""
    monkeypatch.setattr("agent.runtime.mods.proof.STEADY", 0.3)
    shelf = Shelf(host.place / "shelf")
    host.fetch = shelf.fetch
    return shelf


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """An archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return packed.getvalue()


def modlet(name: str, version: str, files: Mapping[str, str | bytes] | None = None) -> bytes:
    """A mod of 7 Days to Die."""
    about = f'<xml><Name value="{name}"/><Version value="{version}"/><Author value="Marla"/></xml>'
    return zipped({f"{name}/ModInfo.xml": about, **{f"{name}/{path}": text for path, text in (files or {}).items()}})


async def deploy(server: GameServer, params: ModInstall) -> ModInstallResult:
    """With nobody watching the card; afterwards nothing of the work is left."""
    result = await server.install_mod(params, Card())
    assert_tidy(server)
    return result


def assert_tidy(server: GameServer) -> None:
    """No journal, no download, no half a mod."""
    parts = inside(server)
    assert not (parts.directory / "swap.json").exists()
    assert not list(parts.directory.glob("download*"))
    assert not [one for one in (parts.home().path / ".gamekeeper").glob("*") if one.name != "replaced"]
