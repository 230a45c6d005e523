"""The configuration file, and the sentences about it."""

from pathlib import Path

import pytest

from agent.config import AgentConfig
from agent.errors import ConfigError


def load(tmp_path: Path, text: str) -> AgentConfig:
    path = tmp_path / "agent.toml"
    path.write_text(text)
    return AgentConfig.load(path)


def test_the_example_is_a_configuration(tmp_path: Path) -> None:
    config = load(tmp_path, AgentConfig.example("https://bot.example"))
    assert config.url == "https://bot.example"
    assert config.roots == (config.state_dir / "servers",)
    assert config.allows("teeworlds")
    everything = AgentConfig.example("https://bot.example").replace("\n# ", "\n").splitlines()
    settings = [line for line in everything if " = " in line and not line.startswith("#")]
    keys = {line.split(" = ")[0] for line in settings}
    assert keys >= {"url", "state_dir", "roots", "templates", "template_dirs", "log_mb", "log_files"}


def test_further_addresses(tmp_path: Path) -> None:
    config = load(tmp_path, 'url = "https://a"\nother_urls = ["https://b/", "https://a", "http://localhost:8378"]')
    assert config.urls == ("https://a", "https://b", "http://localhost:8378")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:1/", "https://a.b/bot/"])
def test_addresses_that_are_taken(tmp_path: Path, url: str) -> None:
    assert load(tmp_path, f'url = "{url}"').url == url.rstrip("/")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('url = "http://bot.example"', "`url` must be https://"),
        ('url = "http://127.0.0.1.evil.example"', "`url` must be https://"),
        ('url = "bot.example"', "`url` must look like"),
        ('url = "https://b"\nother_urls = ["http://bot.example"]', "`other_urls` must be https://"),
        ('url = "https://me:pw@bot.example"', "`url` must be an address without"),
        ("", "`url` is missing"),
        ("url = 1", "`url` is wrong: input should be a valid string"),
        ('url = "https://b"\ncolour = "red"', "`colour` is not a setting; known are adopt, "),
        ('url = "https://b"\nroots = ["games"]', "`roots.0` must be an absolute path"),
        ('url = "https://b"\nstate_dir = "state"', "`state_dir` must be an absolute path"),
        ('url = "https://b"\nlog_files = 0', "`log_files` is wrong: input should be greater"),
        ('url = "https://b"\n[adopt]\n"Big Server" = "/srv/x"', "`adopt.Big Server"),
        ('url = "https://b"\n[adopt]\nold = "srv"', "`adopt.old` must be an absolute path"),
        ("url = ", "is not valid TOML"),
        ('url = "https://b"\nstate_dir = 5', "`state_dir` is wrong"),
        (
            'url = "https://b"\nroots = ["~no-such-user/x"]',
            "`roots.0` must be an absolute path, and there is no",
        ),
        ('url = "https://b"\nroots = ["/srv/\\u0000"]', "`roots.0` must be an absolute path"),
        ('url = "http://localhost:99999"', "`url` must look like"),
        ('url = "https://bot.example:port"', "`url` must look like"),
        ('url = "https://bot example"', "`url` must look like"),
        (f'url = "https://{"a" * 64}.example"', "`url` must look like"),
    ],
)
def test_errors_name_the_file_and_the_key(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert str(tmp_path / "agent.toml") in str(caught.value)
    assert sentence in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_file_that_is_not_there_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"There is no configuration at .*agent.toml; `gamekeeper-agent pair`"):
        AgentConfig.load(tmp_path / "agent.toml")


def test_a_game_must_be_listed(tmp_path: Path) -> None:
    config = load(tmp_path, 'url = "https://b"\ntemplates = ["7dtd"]')
    assert config.allows("7dtd")
    assert not config.allows("teeworlds")
