"""`doorward up`: starting, stopping, starting again, and what can go wrong on the way."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.support.platform import Platform
from tests.support.certificates import self_signed
from tests.support.waiting import wait_for

HELLO = Path(__file__).resolve().parents[2] / "examples" / "hello.py"


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that is not there yet, with a path that is short enough for Unix sockets."""
    folder = Path(tempfile.mkdtemp(prefix="dw-"))
    yield folder / "home"
    shutil.rmtree(folder)


@pytest.fixture
def platform(home: Path) -> Iterator[Platform]:
    """A platform that is not started yet, and stopped at the end whatever happened."""
    made = Platform(home)
    yield made
    if made.process is not None:
        made.stop()


def run_up(home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `doorward up` that is expected to fail at once."""
    made = Platform(home, **settings)
    return subprocess.run(
        [Path(sys.executable).with_name("doorward"), "up"],
        env=made.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def create_hello(platform: Platform) -> str:
    """Create the app of examples/, wait until it runs, and answer its id."""
    app = platform.json(
        *("apps", "create", "hello", "--region", "GRA", "--label", "group=A", "--wait"),
        *("--process", "--", sys.executable, str(HELLO)),
    )
    return str(app["appId"])


def test_the_first_start_makes_all_that_is_needed(platform: Platform) -> None:
    """The token is printed once and kept in a private file; the addresses are written down."""
    platform.start()
    token_file = platform.home / "admin-token"
    assert token_file.stat().st_mode & 0o777 == 0o600
    assert (platform.home / "platform-key").stat().st_mode & 0o777 == 0o600
    assert (platform.home / "doorward.db").stat().st_mode & 0o777 == 0o600
    assert platform.home.stat().st_mode & 0o777 == 0o700
    assert platform.log.read_text().count(platform.admin_token) == 1
    endpoints = platform.endpoints
    assert set(endpoints.regions) == {"GRA", "BHS"}
    assert endpoints.regions["GRA"].startswith("app.gra.localhost:")
    assert platform.visit("api.localhost", "/v1/me", token=platform.admin_token).status == 200


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything(platform: Platform, ending: signal.Signals) -> None:
    """Status 0, and neither a process nor a socket nor the addresses are left."""
    platform.start()
    create_hello(platform)
    processes = platform.family()
    port = platform.address[1]
    assert platform.stop(with_signal=ending) == 0
    assert [each for each in processes if each.is_running() and each.status() != psutil.STATUS_ZOMBIE] == []
    assert not (platform.home / "endpoints.json").exists()
    assert list((platform.home / "run").glob("*.sock")) == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_second_start_has_kept_everything(platform: Platform) -> None:
    """Apps run again, tokens work, and the ADMIN token is not printed a second time."""
    platform.start()
    app_id = create_hello(platform)
    token = platform.cli(
        *("tokens", "create", "demo", "--role", "read-only", "--region", "GRA", "--selector", "group=A", "-q")
    ).stdout.strip()
    assert platform.stop() == 0
    platform.start()
    host = f"{app_id}.app.gra.localhost"
    wait_for(lambda: platform.visit(host, token=token).status == 200, what="the app is back")
    assert platform.log.read_text().count(platform.admin_token) == 1


@pytest.mark.parametrize("process", ["api", "check"])
def test_a_crashed_child_is_restarted_and_said(platform: Platform, process: str) -> None:
    """A process that is killed comes back by itself, and the log has a line of it."""
    platform.start()
    app_id = create_hello(platform)
    host = f"{app_id}.app.gra.localhost"
    killed = platform.child(process)
    killed.kill()
    wait_for(lambda: not killed.is_running() or killed.status() == psutil.STATUS_ZOMBIE, what="its end")
    wait_for(
        lambda: platform.visit(host, token=platform.admin_token).status == 200, what="recovery", within=30
    )
    wait_for(lambda: "restarting in" in platform.log.read_text(), what="the line in the log")
    assert f"doorward: {process}" in platform.log.read_text()


def test_a_crashed_envoy_is_restarted(platform: Platform) -> None:
    """Envoy comes back on the same port."""
    platform.start()
    envoy = platform.child("envoy")
    envoy.kill()

    def answers() -> bool:
        try:
            return platform.visit("api.localhost", "/v1/me", token=platform.admin_token).status == 200
        except OSError:
            return False

    wait_for(lambda: not envoy.is_running() or envoy.status() == psutil.STATUS_ZOMBIE, what="its end")
    wait_for(answers, what="recovery", within=30)


def test_nothing_outlives_a_supervisor_that_is_killed(platform: Platform) -> None:
    """SIGKILL to `doorward up` itself leaves no orphan, apps included, and the next start works."""
    platform.start()
    create_hello(platform)
    processes = platform.family()
    assert platform.process is not None
    os.kill(platform.process.pid, signal.SIGKILL)
    platform.process.wait()

    def all_gone() -> bool:
        return not [each for each in processes if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]

    wait_for(all_gone, what="no orphans")
    (platform.home / "endpoints.json").unlink()
    platform.start()
    assert platform.cli("whoami").returncode == 0


def test_a_home_is_for_one_platform(platform: Platform, home: Path) -> None:
    """A second start on the same home is refused and harms nothing."""
    platform.start()
    second = run_up(home)
    assert second.returncode == 1
    assert "in use" in second.stderr
    assert platform.cli("whoami").returncode == 0


def test_a_run_folder_is_for_one_platform(platform: Platform, home: Path) -> None:
    """Another home with the same folder of sockets is refused. The first goes on, as do sockets of others."""
    run = home.with_name("run")
    platform.environment["DOORWARD_RUN_DIR"] = str(run)
    platform.start()
    foreign = run / "other.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(foreign))
        other.listen()
        second = run_up(home.with_name("second"), run_dir=str(run))
        assert second.returncode == 1
        assert f"{run} is in use" in second.stderr
        assert platform.visit("api.localhost", "/v1/me", token=platform.admin_token).status == 200
        assert platform.stop() == 0
        assert [path.name for path in run.glob("*.sock")] == ["other.sock"]


def test_a_port_in_use_is_named(home: Path) -> None:
    """The error has the address and the setting, and no process is left."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for setting in ("envoy_port", "api_port"):
            failed = run_up(home, **{setting: port})
            assert failed.returncode == 1
            assert f"127.0.0.1:{port}" in failed.stderr
            assert f"DOORWARD_{setting.upper()}" in failed.stderr


def test_with_a_certificate_everything_still_works(platform: Platform, tmp_path: Path) -> None:
    """With TLS on api's port only the command line has to know the authority; check and Envoy do not."""
    certificate, private_key = self_signed("127.0.0.1").write(tmp_path)
    platform.environment["DOORWARD_API_TLS_CERTIFICATE_FILE"] = str(certificate)
    platform.environment["DOORWARD_API_TLS_PRIVATE_KEY_FILE"] = str(private_key)
    platform.start()
    plain = platform.cli("whoami", "--timeout", "5s")
    assert plain.returncode == 7
    assert "DOORWARD_CA_FILE" in plain.stderr
    platform.environment["DOORWARD_CA_FILE"] = str(certificate)
    app_id = create_hello(platform)
    host = f"{app_id}.app.gra.localhost"
    assert platform.visit(host, token=platform.admin_token).status == 200
    assert platform.visit("api.localhost", "/v1/me", token=platform.admin_token).status == 200


def test_envoy_finds_api_where_it_is_told(platform: Platform, tmp_path: Path) -> None:
    """REST goes to api's own port over TLS when the settings say so, and to no other certificate."""
    certificate, private_key = self_signed("127.0.0.1").write(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    platform.environment |= {
        "DOORWARD_API_PORT": str(port),
        "DOORWARD_API_TLS_CERTIFICATE_FILE": str(certificate),
        "DOORWARD_API_TLS_PRIVATE_KEY_FILE": str(private_key),
        "DOORWARD_ENVOY_API_TARGET": f"127.0.0.1:{port}",
        "DOORWARD_ENVOY_API_CERTIFICATE_FILE": str(certificate),
    }
    platform.start()
    assert platform.visit("api.localhost", "/v1/me", token=platform.admin_token).status == 200
    platform.stop()
    folder = tmp_path / "other"
    folder.mkdir()
    other, _ = self_signed("127.0.0.1").write(folder)
    platform.environment["DOORWARD_ENVOY_API_CERTIFICATE_FILE"] = str(other)
    platform.start()
    assert platform.visit("api.localhost", "/v1/me", token=platform.admin_token).status == 503


def test_a_corrupt_database_is_named(home: Path) -> None:
    """A file that is no database ends the start with one line, and stays as it is."""
    home.mkdir(mode=0o700)
    (home / "doorward.db").write_bytes(b"this is no database" * 100)
    failed = run_up(home)
    assert failed.returncode == 1
    assert "doorward.db" in failed.stderr
    assert len(failed.stderr.strip().splitlines()) == 1
    assert (home / "doorward.db").read_bytes().startswith(b"this is no database")


def test_a_key_that_others_may_read_is_named(home: Path) -> None:
    """A key file of mode 0644 is refused with what mends it."""
    home.mkdir(mode=0o700)
    (home / "platform-key").touch(0o644)
    (home / "platform-key").chmod(0o644)
    failed = run_up(home)
    assert failed.returncode == 1
    assert "chmod 600" in failed.stderr


def test_a_key_that_is_gone_is_missed(platform: Platform) -> None:
    """A platform with tokens does not start under another key, unless told to; then its tokens still work."""
    platform.start()
    assert platform.stop() == 0
    key = platform.home / "platform-key"
    former = key.read_bytes()
    key.unlink()
    failed = run_up(platform.home)
    assert failed.returncode == 1
    assert "platform-key is missing" in failed.stderr
    assert not key.exists()
    made = platform.cli("init", "--replace-key")
    assert made.returncode == 0, made.stderr
    assert key.read_bytes() != former
    platform.start()
    assert platform.cli("whoami").returncode == 0


def test_a_wrong_setting_is_named(home: Path) -> None:
    """The setting and the rule, in one line that does not repeat a password."""
    for setting, value, says in (
        ("envoy_port", "http", "envoy_port"),
        ("regions", "GRA", "regions: must be JSON"),
        ("listen_address", "localhost", "listen_address: must be an IP address"),
        ("metrics_port", "65535", "metrics_port: api and check take the ports from 65535 to 65536"),
        ("database_url", "mysql://me:hunter2@there/name", "must begin with sqlite or postgresql"),
    ):
        failed = run_up(home, **{setting: value})
        assert failed.returncode == 2
        assert says in failed.stderr
        assert "hunter2" not in failed.stderr
        assert len(failed.stderr.strip().splitlines()) == 1


def test_an_address_of_another_machine_is_named(home: Path, tmp_path: Path) -> None:
    """Where nobody can listen (RFC 5737), the error names the setting of the address, and not of a port."""
    certificate, private_key = self_signed("127.0.0.1").write(tmp_path)
    files = {"api_tls_certificate_file": str(certificate), "api_tls_private_key_file": str(private_key)}
    for setting in ("listen_address", "api_listen_address"):
        failed = run_up(home, **files, **{setting: "203.0.113.1"})
        assert failed.returncode == 1
        assert f"DOORWARD_{setting.upper()} " in failed.stderr
        assert len(failed.stderr.strip().splitlines()) == 1


def test_envoy_may_be_seen_where_api_is_not(platform: Platform) -> None:
    """Each has an address of its own: showing Envoy to others does not show them api's plain text."""
    platform.environment["DOORWARD_LISTEN_ADDRESS"] = "127.0.0.2"
    platform.start()
    assert platform.address[0] == "127.0.0.2"
    host, _, port = platform.endpoints.api_grpc.rpartition(":")
    assert host == "127.0.0.1"
    assert platform.cli("whoami").returncode == 0
    assert platform.visit("api.localhost", "/v1/me", token=platform.admin_token).status == 200
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.2", int(port))) != 0


def test_an_admin_token_file_of_a_lost_database_is_not_overwritten(home: Path) -> None:
    """Where the file is but no live ADMIN token, the start says so and changes nothing."""
    home.mkdir(mode=0o700)
    (home / "admin-token").write_text("of another time\n")
    failed = run_up(home)
    assert failed.returncode == 1
    assert "move the file away" in failed.stderr
    assert (home / "admin-token").read_text() == "of another time\n"


def test_a_home_with_a_long_path_works(platform: Platform) -> None:
    """Unix sockets have short paths; a home need not."""
    platform.home = platform.home / ("x" * 120)
    platform.environment["DOORWARD_HOME"] = str(platform.home)
    platform.home.parent.mkdir()
    platform.start()
    assert json.loads(platform.cli("-o", "json", "whoami").stdout)["role"] == "ROLE_ADMIN"


def test_processes_can_be_switched_off(platform: Platform) -> None:
    """`up` allows apps that are processes, unless a setting says otherwise."""
    platform.environment["DOORWARD_PROCESS_RUNTIME"] = "false"
    platform.start()
    refused = platform.cli("apps", "create", "x", "--region", "GRA", "--process", "--", "true")
    assert refused.returncode == 6
    assert "process" in refused.stderr
