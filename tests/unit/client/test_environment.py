"""Where a client finds its api and its token."""

import json
import os
from pathlib import Path

import pytest

import doorward
from doorward._environment import find_connection
from doorward._files import read_token
from tests.unit.client.both import Connect
from tests.unit.client.fake_api import FakeApi, mint


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home as `doorward up` leaves it."""
    home = tmp_path / ".doorward"
    home.mkdir()
    endpoints = {"apps": "127.0.0.1:8080", "api_http": "127.0.0.1:8080", "api_grpc": "127.0.0.1:8081"}
    (home / "endpoints.json").write_text(json.dumps(endpoints), encoding="utf-8")
    (home / "admin-token").write_text(mint("homehomehome") + "\n", encoding="utf-8")
    (home / "admin-token").chmod(0o600)
    return home


def admin_token(home: Path) -> str:
    """Return the token of a home."""
    return (home / "admin-token").read_text(encoding="utf-8").strip()


def test_the_environment_says_it() -> None:
    """Address and token come from the environment when it has both."""
    connection = find_connection({"DOORWARD_ADDRESS": "api.example.com:443", "DOORWARD_TOKEN": "secret-1"})
    assert (connection.address, connection.token) == ("api.example.com:443", "secret-1")


def test_what_is_given_goes_first() -> None:
    """An argument counts for more than the environment."""
    environ = {"DOORWARD_ADDRESS": "a:1", "DOORWARD_TOKEN": "secret-1"}
    connection = find_connection(environ, address="b:2", token="secret-2")  # noqa: S106 - made up
    assert (connection.address, connection.token) == ("b:2", "secret-2")


def test_the_home_of_up(home: Path) -> None:
    """Beside a running `doorward up` nothing has to be set."""
    connection = find_connection({})
    assert (connection.address, connection.token) == ("127.0.0.1:8081", admin_token(home))


def test_a_home_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DOORWARD_HOME names the home when it is not in the current folder."""
    monkeypatch.chdir("/")
    assert find_connection({"DOORWARD_HOME": str(home)}).token == admin_token(home)


def test_an_own_token_for_the_api_of_the_home(home: Path) -> None:
    """A token in the environment is used in place of the home's."""
    assert find_connection({"DOORWARD_TOKEN": "mine"}) == find_connection(
        {"DOORWARD_ADDRESS": "127.0.0.1:8081", "DOORWARD_TOKEN": "mine"}
    )


def test_the_admin_token_stays_at_home(home: Path) -> None:
    """The home's admin token is sent to the home's api, and to no other."""
    assert find_connection({"DOORWARD_ADDRESS": "127.0.0.1:8081"}).token == admin_token(home)
    assert find_connection({"DOORWARD_ADDRESS": "127.0.0.1:8082"}).token is None
    assert find_connection({"DOORWARD_ADDRESS": "api.example.com:8081"}).token is None


@pytest.mark.parametrize("address", ["evil.example.com:443", "http://127.0.0.1:1", 8081, None])
def test_a_folder_sends_no_token_away(home: Path, address: object) -> None:
    """A folder that came from somebody else cannot make a client send its token off this machine."""
    (home / "endpoints.json").write_text(json.dumps({"api_grpc": address}), encoding="utf-8")
    with pytest.raises(doorward.ConfigurationError):
        find_connection({"DOORWARD_TOKEN": "mine"})


@pytest.mark.parametrize("name", ["endpoints.json", "admin-token"])
def test_files_that_others_may_write(home: Path, name: str) -> None:
    """A file that somebody else may have written is not trusted; in a closed folder nobody else may."""
    (home / name).chmod(0o622)
    home.chmod(0o700)
    assert find_connection({}).token == admin_token(home)
    home.chmod(0o711)
    with pytest.raises(doorward.ConfigurationError, match="others may write to it"):
        find_connection({})


def test_files_of_others(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that belongs to somebody else is not trusted."""
    monkeypatch.setattr(os, "geteuid", lambda: home.stat().st_uid + 1)
    with pytest.raises(doorward.ConfigurationError, match="belongs to another user"):
        find_connection({})


def test_nothing_anywhere(tmp_path: Path) -> None:
    """Without an address the error says what to set, and where it was looked for."""
    with pytest.raises(
        doorward.ConfigurationError, match=r"set DOORWARD_ADDRESS.*\.doorward/endpoints\.json"
    ):
        find_connection({})


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '"text"', "\x00", "null"])
def test_a_broken_endpoints_file(home: Path, text: str) -> None:
    """A file that `doorward up` has not written so is named, not guessed at."""
    (home / "endpoints.json").write_text(text, encoding="utf-8")
    with pytest.raises(doorward.ConfigurationError, match=r"endpoints\.json"):
        find_connection({})


def test_a_token_file(tmp_path: Path) -> None:
    """A token file holds a token, with or without an end of line."""
    file = tmp_path / "token"
    file.write_text(" secret-1\r\n", encoding="utf-8")
    assert read_token(file) == "secret-1"


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"two words", b"a\nb", b"\xff\xfe", b"x" * 70_000, "é".encode()]
)
def test_a_wrong_token_file(tmp_path: Path, data: bytes) -> None:
    """A file that is not one token is refused, and what is in it is not shown."""
    file = tmp_path / "token"
    file.write_bytes(data)
    with pytest.raises(doorward.ConfigurationError) as caught:
        read_token(file)
    assert str(file) in str(caught.value)
    assert "words" not in str(caught.value)


@pytest.mark.parametrize("name", ["missing", "."])
def test_an_unreadable_token_file(tmp_path: Path, name: str) -> None:
    """A file that cannot be read is named with the reason."""
    with pytest.raises(doorward.ConfigurationError, match=r": \w+"):
        read_token(tmp_path / name)


def test_connections_hide_their_token() -> None:
    """A connection that is printed does not show its token."""
    assert "secret-1" not in repr(find_connection({"DOORWARD_ADDRESS": "a:1", "DOORWARD_TOKEN": "secret-1"}))


def test_a_client_from_the_environment(
    api: FakeApi, token: str, monkeypatch: pytest.MonkeyPatch, connect: Connect
) -> None:
    """`Client.from_env` uses what the environment says."""
    monkeypatch.setenv("DOORWARD_ADDRESS", api.address)
    monkeypatch.setenv("DOORWARD_TOKEN", token)
    connect().whoami()
    assert api.seen("WhoAmI").metadata["authorization"] == f"Bearer {token}"
