"""Settings: `GAMEKEEPER_*` in the environment or in a `.env` file. Built once by the command line and passed down."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from db.embedded import default_data_directory


class Settings(BaseSettings):
    """What an operator decides."""

    model_config = SettingsConfigDict(env_prefix="GAMEKEEPER_", env_file=".env", extra="ignore", frozen=True)

    discord_token: SecretStr | None = None
    database_url: str = ""
    """Empty: start the embedded PostgreSQL in the data directory."""
    data_dir: Path = Field(default_factory=default_data_directory)
    public_url: str = ""
    """How agents reach the HTTP side, e.g. https://gamekeeper.example.org; empty: `http://<bind>`."""
    artifact_dir: Path | None = None
    """Where uploaded mods are kept; None: `<data_dir>/artifacts`. Several replicas need the same directory."""
    bind: str = "127.0.0.1:8377"
    """Address and port of the HTTP side; port 0 takes a free one."""
    trusted_proxies: Annotated[list[str], NoDecode] = []
    """Networks whose X-Forwarded-For is believed, separated by commas."""
    secret_keys: SecretStr | None = None
    """Empty: `<data_dir>/secret.keys`, made at the first start."""
    shards: int = Field(default=1, ge=1, le=256)
    """Discord shards; one serves about 2,500 guilds."""
    log_format: Literal["text", "json"] = "text"

    @field_validator("data_dir")
    @classmethod
    def _home(cls, value: Path) -> Path:
        return value.expanduser()  # a .env file has no shell to do it

    @field_validator("bind")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            raise ValueError("GAMEKEEPER_BIND is an address and a port, such as 127.0.0.1:8377")
        return value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _separated(cls, value: str | list[str]) -> list[str]:
        parts = value.split(",") if isinstance(value, str) else value
        return [part.strip() for part in parts if part.strip()]

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        for network in value:
            ipaddress.ip_network(network)
        return value

    @property
    def artifacts(self) -> Path:
        return self.artifact_dir or self.data_dir / "artifacts"

    @property
    def host(self) -> str:
        return self.bind.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.bind.rpartition(":")[2])
