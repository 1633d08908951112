"""`doorward login`, `logout` and `profiles`: what is kept, where, and that it is kept to oneself."""

import getpass
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

from doorward._profiles import read_profiles
from tests.support.certificates import self_signed
from tests.unit.client.cli import Doorward, Ended, doorward_in
from tests.unit.client.fake_api import ADMIN_ID, FakeApi, mint
from tests.unit.client.terminal import at_a_terminal, piped


class Keyring(KeyringBackend):
    """A keyring in memory, as the system's would be."""

    priority = 5.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring has no annotation there
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    @property
    def name(self) -> str:
        return "a keyring of this test"

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise KeyringLocked(f"cannot keep {password}")
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.locked:
            raise PasswordDeleteError("locked")
        del self.kept[service, username]


@pytest.fixture(autouse=True)
def system() -> Iterator[Keyring]:
    """The system's keyring, for these tests."""
    former, system = keyring.get_keyring(), Keyring()
    keyring.set_keyring(system)
    yield system
    keyring.set_keyring(former)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Doorward:
    """The command line, in an environment that says nothing."""
    return doorward_in(capsys)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where profiles are."""
    return tmp_path / "config" / "doorward"


@pytest.fixture
def login(api: FakeApi, shell: Doorward, monkeypatch: pytest.MonkeyPatch) -> Doorward:
    """Return a function that logs in to the fake api with a token on standard input."""

    def log_in(secret: str, *options: str) -> Ended:
        return piped(monkeypatch, shell, secret + "\n", "login", api.address, *options)

    return log_in


def test_login_in_a_keyring(
    api: FakeApi, login: Doorward, shell: Doorward, system: Keyring, folder: Path
) -> None:
    """A token that the api knows is kept in the keyring, which is said, and used from then on."""
    secret = mint(ADMIN_ID)
    ended = login(secret)
    assert ended.fields() == {
        "PROFILE": "default, the current one",
        "ADDRESS": api.address,
        "TOKEN": f"{ADMIN_ID}, me, ADMIN",
        "KEPT IN": "the keyring, a keyring of this test",
    }
    assert system.kept == {("doorward", "default"): secret}
    assert [path.name for path in folder.iterdir()] == ["profiles.toml"]
    assert secret not in (folder / "profiles.toml").read_text(encoding="utf-8")
    assert shell("whoami", "-o", "id").lines() == [ADMIN_ID]
    carried = [seen.metadata["authorization"] for seen in api.state.seen["WhoAmI"]]
    assert carried == [f"Bearer {secret}"] * 2


@pytest.fixture(params=["locked", "poor", "forgetful", "unwanted"])
def no_keyring(request: pytest.FixtureRequest, system: Keyring, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The options of a login where the keyring cannot be used, or shall not."""
    system.locked = request.param == "locked"
    if request.param == "poor":
        monkeypatch.setattr(Keyring, "priority", 0.5)
    if request.param == "forgetful":
        monkeypatch.setattr(Keyring, "get_password", lambda *_: None)
    return ["--no-keyring"] if request.param == "unwanted" else []


def test_login_in_a_file(
    login: Doorward, shell: Doorward, system: Keyring, folder: Path, no_keyring: list[str]
) -> None:
    """Without a keyring that works the token is kept in a file for its owner alone, which is said."""
    secret = mint(ADMIN_ID)
    ended = login(secret, "--profile", "lab", *no_keyring)
    file = folder / "lab.token"
    assert ended.fields()["KEPT IN"] == f"{file}, for you alone"
    assert file.read_text(encoding="utf-8") == secret + "\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert (folder / "profiles.toml").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert secret not in ended.out + ended.err
    assert system.kept == {}
    assert shell("whoami").code == 0


def test_login_at_a_terminal(
    api: FakeApi, shell: Doorward, system: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person is asked, and what is typed is not shown."""
    secret = mint(ADMIN_ID)
    asked: list[str] = []

    def typed(prompt: str, **_: object) -> str:
        asked.append(prompt)
        return f" {secret} "

    monkeypatch.setattr(getpass, "getpass", typed)
    monkeypatch.setattr("click.termui.hidden_prompt_func", typed)
    ended = at_a_terminal(monkeypatch, shell, "", "login", api.address)
    assert (ended.code, len(asked)) == (0, 1)
    assert secret not in ended.out + ended.err
    assert system.kept == {("doorward", "default"): secret}


def test_login_with_a_file(api: FakeApi, shell: Doorward, tmp_path: Path, system: Keyring) -> None:
    """A program hands over a file."""
    secret = mint(ADMIN_ID)
    (tmp_path / "token").write_text(secret, encoding="utf-8")
    answer = shell("login", api.address, "--token-file", "token", "-o", "json").json()
    assert answer == {
        "profile": "default",
        "address": api.address,
        "tokenId": ADMIN_ID,
        "kept": {"keyring": "a keyring of this test"},
    }
    assert system.kept == {("doorward", "default"): secret}


def test_nothing_is_kept_that_does_not_work(
    api: FakeApi, login: Doorward, system: Keyring, folder: Path
) -> None:
    """A token that the api refuses, or that is none, is not kept, and not shown either."""
    secret = mint(ADMIN_ID)
    reason = "ERROR_REASON_CREDENTIAL_INVALID"
    api.fail("WhoAmI", grpc.StatusCode.UNAUTHENTICATED, "not a valid token", reason=reason)
    assert (login(secret).code, login("").code, login(f"{secret} {secret}").code) == (3, 2, 2)
    api.stop()
    ended = login(secret, "--timeout", "1s")
    assert ended.code == 7
    assert secret not in ended.out + ended.err
    assert (system.kept, (folder / "profiles.toml").exists()) == ({}, False)


@pytest.mark.parametrize("name", ["../x", "a b", "", "x/y", "a" * 65])
def test_names_of_profiles(api: FakeApi, login: Doorward, system: Keyring, folder: Path, name: str) -> None:
    """The name of a profile cannot lead out of its folder; nothing is sent or kept."""
    ended = login(mint(ADMIN_ID), "--no-keyring", "--profile", name)
    if name:
        assert ended.code == 2
        assert "a profile's name has" in ended.err
        assert not any(api.state.seen.values())
        assert not folder.exists()
    else:
        assert ended.fields()["PROFILE"] == "default, the current one"


def test_a_token_is_never_an_argument(api: FakeApi, shell: Doorward) -> None:
    """Login has no option that would put a token on the command line."""
    ended = shell("login", api.address, "--token", "x")
    assert ended.code == 2
    assert "No such option" in ended.err


def test_another_login(login: Doorward, shell: Doorward, system: Keyring, folder: Path) -> None:
    """A second login replaces the token wherever the first one was, and needs no address."""
    login(mint(ADMIN_ID), "--no-keyring").lines()
    assert (folder / "default.token").exists()
    login(mint(ADMIN_ID)).lines()
    assert not (folder / "default.token").exists()
    assert list(system.kept) == [("doorward", "default")]
    login(mint(ADMIN_ID), "--no-keyring").lines()
    assert system.kept == {}


def test_login_again_without_an_address(
    api: FakeApi, login: Doorward, shell: Doorward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A profile that there is keeps its address; without one an address is asked for."""
    none = piped(monkeypatch, shell, mint(ADMIN_ID), "login")
    assert none.code == 2
    assert "no address" in none.err
    login(mint(ADMIN_ID)).lines()
    again = piped(monkeypatch, shell, mint(ADMIN_ID), "login")
    assert again.fields()["ADDRESS"] == api.address


def test_which_profile_a_login_is_for(
    api: FakeApi, login: Doorward, shell: Doorward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a name and an address it is the current profile's; a profile that moves is told of."""
    login(mint(ADMIN_ID), "--profile", "lab").lines()
    again = piped(monkeypatch, shell, mint(ADMIN_ID), "login")
    assert again.fields()["PROFILE"] == "lab, the current one"
    assert login(mint(ADMIN_ID)).fields()["PROFILE"] == "default, the current one"
    monkeypatch.setenv("DOORWARD_PROFILE", "lab")
    other = FakeApi()
    try:
        moved = piped(monkeypatch, shell, mint(ADMIN_ID), "login", other.address)
        assert moved.noting(f"the profile lab was for {api.address} until now").code == 0
    finally:
        other.stop()


def test_an_authority_is_kept(
    shell: Doorward, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """The authority that a login is made with goes with the profile, from every folder."""
    pair = self_signed("localhost")
    credentials = grpc.ssl_server_credentials([(pair.private_key, pair.certificate)])
    api = FakeApi(credentials=credentials)
    (tmp_path / "ca.pem").write_bytes(pair.certificate)
    address = api.address.replace("127.0.0.1", "localhost")
    try:
        piped(monkeypatch, shell, mint(ADMIN_ID), "login", address, "--ca-file", "ca.pem").lines()
        monkeypatch.chdir("/")
        assert shell("whoami", "-o", "id").lines() == [ADMIN_ID]
        again = piped(monkeypatch, shell, mint(ADMIN_ID), "login")
        assert again.code == 0
        assert shell("profiles", "list", "-o", "json").json()[0]["caFile"] == str(tmp_path / "ca.pem")
    finally:
        api.stop()


def test_what_goes_before_the_profile(
    login: Doorward, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Who logs in where something else goes before the profile is told."""
    monkeypatch.setenv("DOORWARD_ADDRESS", "127.0.0.1:1")
    assert login(mint(ADMIN_ID)).err.startswith("here, DOORWARD_ADDRESS goes before the current profile")
    monkeypatch.delenv("DOORWARD_ADDRESS")
    (tmp_path / ".doorward").mkdir()
    (tmp_path / ".doorward" / "endpoints.json").write_text("{}", encoding="utf-8")
    assert login(mint(ADMIN_ID)).err.startswith("here, the `doorward up` of this folder goes before")


def test_profiles(api: FakeApi, login: Doorward, shell: Doorward) -> None:
    """Profiles are listed without their tokens, one is the current one, and an option names another."""
    assert shell("profiles", "list").err == "no profiles: doorward login makes one\n"
    first, second = mint("firstfirst12"), mint("second123456")
    login(first, "--profile", "first", "--no-keyring").lines()
    login(second, "--profile", "second").lines()
    table = shell("profiles", "list")
    assert [line.split() for line in table.lines()] == [
        ["CURRENT", "NAME", "ADDRESS", "TOKEN", "TLS"],
        ["-", "first", api.address, "file", "default"],
        ["*", "second", api.address, "keyring", "default"],
    ]
    assert "dw_" not in table.out
    assert shell("profiles", "list", "-o", "name").lines() == ["first", "second"]
    assert shell("profiles", "use", "first").lines() == ["first is the current profile"]
    shell("whoami").lines()
    shell("whoami", "--profile", "second").lines()
    carried = [seen.metadata["authorization"] for seen in api.state.seen["WhoAmI"][2:]]
    assert carried == [f"Bearer {first}", f"Bearer {second}"]
    ended = shell("profiles", "use", "third")
    assert (ended.code, ended.err) == (5, "error: there is no profile 'third', only first, second\n")


def test_logout(login: Doorward, shell: Doorward, system: Keyring, folder: Path) -> None:
    """A profile that is logged out of is gone with its token; another one stays."""
    login(mint(ADMIN_ID), "--profile", "first", "--no-keyring").lines()
    login(mint(ADMIN_ID), "--profile", "second").lines()
    assert shell("logout").lines() == ["logged out of second"]
    assert system.kept == {}
    assert (folder / "first.token").exists()
    assert shell("logout").code == 1
    assert shell("logout", "--profile", "first").lines() == ["logged out of first"]
    assert [path.name for path in folder.iterdir()] == ["profiles.toml"]
    assert shell("logout", "--profile", "first").code == 1
    assert shell("whoami").code == 2


def test_a_keyring_that_does_not_forget(login: Doorward, shell: Doorward, system: Keyring) -> None:
    """When the token cannot be taken away the profile stays, and that is an error."""
    login(mint(ADMIN_ID)).lines()
    system.locked = True
    ended = shell("logout")
    assert (ended.code, ended.err) == (2, "error: the keyring keeps the token: PasswordDeleteError\n")
    assert shell("profiles", "list", "-o", "name").lines() == ["default"]


def test_a_file_that_others_may_write(login: Doorward, shell: Doorward, folder: Path) -> None:
    """Profiles that somebody else could have written are neither used nor changed."""
    login(mint(ADMIN_ID)).lines()
    folder.chmod(0o755)
    (folder / "profiles.toml").chmod(0o666)
    before = (folder / "profiles.toml").read_bytes()
    for arguments in (["whoami"], ["profiles", "list"], ["profiles", "use", "default"], ["logout"]):
        assert "others may write to it" in shell(*arguments).err
    assert "others may write to it" in login(mint(ADMIN_ID)).err
    assert (folder / "profiles.toml").read_bytes() == before


def test_two_at_once(api: FakeApi, tmp_path: Path) -> None:
    """Logins at the same time do not lose each other's profile."""
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "PATH": "/usr/bin:/bin"}
    running = []
    for number in range(4):
        arguments = ["login", api.address, "--profile", f"p{number}", "--no-keyring"]
        process = subprocess.Popen(
            [sys.executable, "-m", "doorward.cli", *arguments],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
    for process in running:
        _, errors = process.communicate(mint(ADMIN_ID), timeout=60)
        assert (process.returncode, errors) == (0, "")
    assert sorted(read_profiles(environ).profiles) == ["p0", "p1", "p2", "p3"]


def test_json_has_no_token(login: Doorward, shell: Doorward, system: Keyring) -> None:
    """No answer of these commands has the token in it."""
    secret = mint(ADMIN_ID)
    answers = [login(secret, "-o", "json"), shell("profiles", "list", "-o", "json")]
    assert [secret in json.dumps(answer.json()) for answer in answers] == [False, False]
