"""A fake api, and clients of it of both kinds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.client.both import client, connect
from tests.unit.client.cli import Doorward, doorward_in
from tests.unit.client.fake_api import FakeApi, mint

__all__ = ["client", "connect"]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the connection of whoever runs it."""
    for name in ("ADDRESS", "CA_FILE", "HOME", "PROFILE", "TOKEN"):
        monkeypatch.delenv(f"DOORWARD_{name}", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """A fake api."""
    api = FakeApi()
    yield api
    api.stop()


@pytest.fixture
def token() -> str:
    """A token, new for each test."""
    return mint("1B2m9cQk0XyZ")


@pytest.fixture
def doorward_cli(
    api: FakeApi, token: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Doorward:
    """The command line, told by its environment where the fake api is."""
    monkeypatch.setenv("DOORWARD_ADDRESS", api.address)
    monkeypatch.setenv("DOORWARD_TOKEN", token)
    return doorward_in(capsys)


@pytest.fixture
def app_id(doorward_cli: Doorward) -> str:
    """An app, labelled group=A."""
    source = ("--external", "127.0.0.1:1")
    created = doorward_cli("apps", "create", "hello", "--region", "GRA", "--label", "group=A", *source, "-q")
    (app_id,) = created.lines()
    return app_id
