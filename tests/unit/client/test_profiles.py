"""Profiles: which api and which token a name stands for, and who is believed about it."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import doorward
from doorward._environment import find_connection
from doorward._profiles import Profile, Profiles, profiles_file, read_profiles
from tests.unit.client.both import Connect
from tests.unit.client.fake_api import FakeApi, mint

FILE = """
current = "laptop"

[profiles.laptop]
address = "127.0.0.1:8081"
token_file = "laptop.token"

[profiles.production]
address = "api.example.com:443"
ca_file = "/etc/ca.pem"
keyring = "production"

[profiles.lab]
address = "10.0.0.1:8081"
insecure = true
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A folder with profiles, as `XDG_CONFIG_HOME` names it."""
    folder = tmp_path / "config" / "doorward"
    folder.mkdir(parents=True)
    write(folder / "profiles.toml", FILE)
    write(folder / "laptop.token", mint("laptoplaptop") + "\n")
    return tmp_path / "config"


@pytest.fixture
def environ(config: Path) -> dict[str, str]:
    """An environment that has those profiles, and nothing else."""
    return {"XDG_CONFIG_HOME": str(config)}


class FakeKeyring(ModuleType):
    """The package `keyring` over a dictionary."""

    def __init__(self, passwords: dict[tuple[str, str], str], *, broken: bool = False) -> None:
        super().__init__("keyring")
        self.passwords = passwords
        self.broken = broken
        self.errors = SimpleNamespace(KeyringError=LookupError)

    def get_password(self, service: str, account: str) -> str | None:
        if self.broken:
            raise LookupError("locked, and the token is secret-1")
        return self.passwords.get((service, account))


def write(file: Path, text: str) -> None:
    """Write a file for its owner alone."""
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)


def laptop_token(config: Path) -> str:
    """Return the token of the profile `laptop`."""
    return (config / "doorward" / "laptop.token").read_text(encoding="utf-8").strip()


def test_the_current_profile(config: Path, environ: dict[str, str]) -> None:
    """Without any other word the current profile is used, with its token."""
    connection = find_connection(environ)
    assert (connection.address, connection.token) == ("127.0.0.1:8081", laptop_token(config))


def test_a_named_profile(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """DOORWARD_PROFILE picks a profile; its token is in the keyring, and its authority in its file."""
    keyring = FakeKeyring({("doorward", "production"): "secret-1"})
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    connection = find_connection({**environ, "DOORWARD_PROFILE": "production"})
    assert (connection.address, connection.token) == ("api.example.com:443", "secret-1")
    assert (connection.ca_file, connection.insecure) == ("/etc/ca.pem", False)
    assert "secret-1" not in repr(connection)


def test_the_environment_goes_before_the_profile_it_names(environ: dict[str, str]) -> None:
    """A token and an authority of the environment count for more than those that a profile keeps."""
    variables = {"DOORWARD_PROFILE": "production", "DOORWARD_TOKEN": "mine", "DOORWARD_CA_FILE": "/mine.pem"}
    connection = find_connection({**environ, **variables})
    assert (connection.address, connection.token) == ("api.example.com:443", "mine")
    assert connection.ca_file == "/mine.pem"


def test_a_profile_that_is_given_goes_before_the_environment(config: Path, environ: dict[str, str]) -> None:
    """An exported token of another api does not follow whoever names a profile."""
    variables = {"DOORWARD_ADDRESS": "b:2", "DOORWARD_TOKEN": "other", "DOORWARD_PROFILE": "production"}
    connection = find_connection({**environ, **variables}, profile="laptop")
    assert (connection.address, connection.token) == ("127.0.0.1:8081", laptop_token(config))


def test_the_environment_fills_in_what_a_profile_lacks(environ: dict[str, str]) -> None:
    """A profile that keeps no token is used with that of the environment, as in CI."""
    connection = find_connection({**environ, "DOORWARD_TOKEN": "of-ci"}, profile="lab")
    assert (connection.address, connection.token, connection.insecure) == ("10.0.0.1:8081", "of-ci", True)


def test_a_profiles_token_stays_with_its_address(config: Path, environ: dict[str, str]) -> None:
    """The token of a profile goes to its address and to no other, as does its leave for plain text."""
    named = {**environ, "DOORWARD_PROFILE": "laptop"}
    assert find_connection({**named, "DOORWARD_ADDRESS": "127.0.0.1:8082"}).token is None
    assert find_connection({**named, "DOORWARD_ADDRESS": "127.0.0.1:8081"}).token == laptop_token(config)
    assert find_connection(named, address="evil.example.com:443").token is None
    assert not find_connection({**environ, "DOORWARD_PROFILE": "lab"}, address="10.0.0.2:8081").insecure


def test_an_authority_outweighs_insecure(environ: dict[str, str]) -> None:
    """Who names an authority means TLS, whatever a profile allows."""
    variables = {"DOORWARD_PROFILE": "lab", "DOORWARD_CA_FILE": "/ca.pem"}
    connection = find_connection({**environ, **variables})
    assert (connection.ca_file, connection.insecure) == ("/ca.pem", False)


def test_a_running_up_is_closer_than_the_current_profile(environ: dict[str, str], tmp_path: Path) -> None:
    """In a folder with a running `doorward up`, and with DOORWARD_HOME, that is used and nothing far away."""
    home = tmp_path / ".doorward"
    home.mkdir()
    write(home / "endpoints.json", '{"api_grpc": "127.0.0.1:9999"}')
    assert find_connection(environ).address == "127.0.0.1:9999"
    assert find_connection({**environ, "DOORWARD_PROFILE": "laptop"}).address == "127.0.0.1:8081"
    with pytest.raises(doorward.ConfigurationError, match=r"elsewhere/endpoints\.json"):
        find_connection({**environ, "DOORWARD_HOME": str(tmp_path / "elsewhere")})


def test_no_profile_of_that_name(environ: dict[str, str]) -> None:
    """A name that is none is refused with those that are, not passed over."""
    with pytest.raises(doorward.ConfigurationError, match="no profile 'prod', only laptop, production, lab"):
        find_connection({**environ, "DOORWARD_PROFILE": "prod"})
    with pytest.raises(doorward.ConfigurationError, match="no profile 'prod', only none"):
        find_connection({"DOORWARD_PROFILE": "prod"})


@pytest.mark.parametrize("name", ["profiles.toml", "laptop.token"])
def test_files_that_others_may_write(config: Path, environ: dict[str, str], name: str) -> None:
    """Nobody else can say where a token goes, or which."""
    (config / "doorward" / name).chmod(0o622)
    with pytest.raises(doorward.ConfigurationError, match="others may write to it"):
        find_connection(environ)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[profiles.a", "profiles.toml: "),
        ("profiles = 1", "profiles: expected tables"),
        ("[profiles]\na = 1", "profile 'a': expected a table"),
        ("[profiles.a]", "profile 'a': address is missing"),
        ("[profiles.a]\naddress = 8081", "profile 'a': address: expected text"),
        ('[profiles.a]\naddress = ""', "profile 'a': address: expected text"),
        ('[profiles.a]\naddress = "http://a:1"', "profile 'a': address 'http://a:1': expected host:port"),
        ('[profiles.a]\naddress = "a:1"\ninsecure = "no"', "profile 'a': insecure: expected true or false"),
        ('[profiles.a]\naddress = "a:1"\ntoken = "secret-1"', "profile 'a': unknown: token"),
        ('[profiles.a]\naddress = "a:1"\nkeyring = "a"\ntoken_file = "a"', "contradict each other"),
        ('[profiles.a]\naddress = "a:1"\ninsecure = true\nca_file = "a"', "contradict each other"),
        ('[profiles."a b"]\naddress = "a:1"', "a profile's name has"),
        ('current = "a"', "current: no profile 'a'"),
        ("current = 1", "current: no profile 1"),
        ("defaults = 1", "unknown: defaults"),
    ],
)
def test_a_broken_file(config: Path, environ: dict[str, str], text: str, fault: str) -> None:
    """A file that cannot be meant so is named with what is wrong in it, and never with a token."""
    write(config / "doorward" / "profiles.toml", text)
    with pytest.raises(doorward.ConfigurationError, match=r"profiles\.toml") as caught:
        read_profiles(environ)
    assert fault in str(caught.value)
    assert "secret-1" not in str(caught.value)


@pytest.mark.parametrize(
    ("keyring", "fault"),
    [
        (None, "pip install keyring"),
        (FakeKeyring({}), "the keyring has no token of 'production'"),
        (FakeKeyring({}, broken=True), "keyring: LookupError"),
    ],
)
def test_a_keyring_that_does_not_help(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, keyring: Any, fault: str
) -> None:
    """A keyring that is not installed, is locked or has no such token is an error that says so."""
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    with pytest.raises(doorward.ConfigurationError, match=fault) as caught:
        find_connection({**environ, "DOORWARD_PROFILE": "production"})
    assert "secret-1" not in str(caught.value)


def test_the_keyring_is_asked_when_it_is_needed(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever brings a token needs no keyring."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    variables = {"DOORWARD_PROFILE": "production", "DOORWARD_TOKEN": "mine"}
    assert find_connection({**environ, **variables}).token == "mine"  # noqa: S105 - made up


def test_where_the_file_is() -> None:
    """The file is in XDG_CONFIG_HOME, which counts when it is absolute, or else below HOME."""
    assert profiles_file({"XDG_CONFIG_HOME": "/x", "HOME": "/h"}) == Path("/x/doorward/profiles.toml")
    fallback = Path("/h/.config/doorward/profiles.toml")
    assert profiles_file({"XDG_CONFIG_HOME": "x", "HOME": "/h"}) == fallback
    assert profiles_file({"HOME": "/h"}) == fallback
    assert profiles_file({}) is None
    assert read_profiles({}).profiles == {}


def test_what_is_written_is_read(config: Path, environ: dict[str, str]) -> None:
    """Profiles that are written as TOML are the same when they are read."""
    file = config / "doorward" / "profiles.toml"
    profiles = {
        "a": Profile(address="unix:/run/a", token_file='a "quoted" \\ näme'),  # noqa: S106 - a file
        "b-2": Profile(address="10.0.0.1:1", insecure=True),
        "c_3": Profile(address="[::1]:1", ca_file="/c", keyring="c"),
    }
    for written in (Profiles(file=file, current="a", profiles=profiles), Profiles(file=file)):
        write(file, written.as_toml())
        assert read_profiles(environ) == written
    with pytest.raises(doorward.ConfigurationError, match="a profile's name has"):
        Profiles(file=file, profiles={"a\nb": profiles["a"]}).as_toml()


def test_a_client_of_a_profile(
    config: Path, api: FakeApi, monkeypatch: pytest.MonkeyPatch, connect: Connect
) -> None:
    """`Client.from_env` uses the profile that it is given, or that the environment names."""
    text = f'[profiles.test]\naddress = "{api.address}"\ntoken_file = "laptop.token"\n'
    write(config / "doorward" / "profiles.toml", text)
    connect(profile="test").whoami()
    monkeypatch.setenv("DOORWARD_PROFILE", "test")
    connect().whoami()
    sent = {seen.metadata["authorization"] for seen in api.state.seen["WhoAmI"]}
    assert (len(api.state.seen["WhoAmI"]), sent) == (2, {f"Bearer {laptop_token(config)}"})
