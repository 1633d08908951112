"""Metrics and `doorward status` of the platform as users run it."""

import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from doorward_server.domain.credentials import mint_secret, mint_token_id
from tests.e2e.support.platform import DOORWARD, Platform, running_platform
from tests.integration.check.transport_peer import Peer
from tests.support.check_requests import check_request
from tests.support.scraping import Scrape
from tests.support.waiting import wait_for

HELLO = Path(__file__).resolve().parents[2] / "examples" / "hello.py"
LEASE = 2.0
DECISIONS = "doorward_check_decisions_total"


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """Two check processes with a short lease, metrics on free ports."""
    settings = {"metrics_port": "0", "check_processes": "2"}
    with running_platform(**settings, policy_lease=str(LEASE), policy_heartbeat="0.2") as running:
        yield running


def scrape(platform: Platform, process: str) -> Scrape:
    """What Prometheus reads of one process."""
    answer = httpx.get(platform.endpoints.metrics[process], timeout=10)
    assert answer.status_code == 200
    return Scrape.of(answer.text)


def ask(platform: Platform, process: str, host: str, secret: str | None, *, times: int) -> None:
    """Ask one check process itself: Envoy asks again when the machine is slow, and a test counts."""
    headers = () if secret is None else (("authorization", f"Bearer {secret}"),)
    with Peer(platform.home / "run" / f"{process}.sock") as peer:
        for _ in range(times):
            peer.call(check_request(host, headers=headers))


def create_token(platform: Platform, selector: str) -> str:
    """A token for the apps in GRA that match; its secret."""
    made = platform.cli(
        *("tokens", "create", "demo", "--role", "read-only", "--region", "GRA", "--selector", selector, "-q")
    )
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def revision(platform: Platform) -> int:
    """The newest revision, which every replica has reached."""

    def reached() -> float | None:
        newest = scrape(platform, "api")["doorward_policy_revision"]
        replicas = [scrape(platform, name)["doorward_policy_revision"] for name in ("check-0", "check-1")]
        return newest if replicas == [newest, newest] else None

    return int(wait_for(reached, what="every replica has the newest revision"))


def test_each_process_counts_what_it_was_asked(platform: Platform) -> None:
    """The counts of a scrape grow by the decisions that were made, to the last one, in that process alone."""
    app = platform.json(
        *("apps", "create", "hello", "--region", "GRA", "--label", "group=A", "--wait"),
        *("--process", "--", sys.executable, str(HELLO)),
    )
    other = platform.json(
        *("apps", "create", "other", "--region", "GRA", "--label", "group=B", "--external", "127.0.0.1:9")
    )
    secret, stranger = create_token(platform, "group=A"), mint_secret(mint_token_id()).reveal()
    assert revision(platform) > 0
    host, out_of_scope = (f"{each['appId']}.app.gra.localhost" for each in (app, other))
    before = {name: scrape(platform, name) for name in ("check-0", "check-1")}
    ask(platform, "check-0", host, secret, times=11)
    ask(platform, "check-0", host, None, times=4)
    ask(platform, "check-0", host, stranger, times=3)
    ask(platform, "check-1", out_of_scope, secret, times=5)
    ask(platform, "check-1", f"{uuid.uuid4()}.app.gra.localhost", secret, times=2)
    expected = {
        "check-0": {"ALLOWED": 11, "NO_CREDENTIAL": 4, "UNKNOWN_TOKEN": 3},
        "check-1": {"OUT_OF_SCOPE": 5, "UNKNOWN_APP": 2},
    }
    for name, counts in expected.items():
        after, earlier = scrape(platform, name), before[name]
        grown = {
            reason: count - earlier.by(DECISIONS, "reason").get(reason, 0)
            for reason, count in after.by(DECISIONS, "reason").items()
        }
        assert {reason: count for reason, count in grown.items() if count} == counts
        durations = "doorward_check_duration_seconds_count"
        assert after[durations] - earlier[durations] == sum(counts.values())
        assert after["doorward_check_failures_total"] == 0
        assert after["doorward_policy_fresh"] == 1
        assert 0 <= after["doorward_policy_age_seconds"] < LEASE
        for private in (secret, stranger, secret.split("_")[1], app["appId"]):
            assert private not in after.text()


def test_requests_through_envoy_are_counted(platform: Platform) -> None:
    """What Envoy asks one of the processes is in the metrics."""

    def denied() -> float:
        return sum(
            scrape(platform, name).by(DECISIONS, "reason").get("NO_CREDENTIAL", 0)
            for name in ("check-0", "check-1")
        )

    before = denied()
    for _ in range(5):
        assert platform.visit(f"{uuid.uuid4()}.app.gra.localhost").status == 401
    assert denied() - before >= 5


def test_api_counts_calls_secrets_and_waits(platform: Platform) -> None:
    """Calls by method and code, a hash for each new secret, a wait for each change that was enforced."""
    before = scrape(platform, "api")
    for _ in range(3):
        assert platform.cli("whoami").returncode == 0
    assert platform.cli("tokens", "get", "0" * 12).returncode == 5
    secret = create_token(platform, "group=A")
    assert platform.cli("tokens", "delete", secret.split("_")[1], "--yes").returncode == 0
    after = scrape(platform, "api")

    def grown(name: str, **labels: str) -> float:
        return (after.get(name, **labels) or 0) - (before.get(name, **labels) or 0)

    service = "doorward.v1.TokenService"
    assert grown("doorward_rpc_calls_total", method=f"{service}/WhoAmI", code="OK") == 3
    assert grown("doorward_rpc_calls_total", method=f"{service}/GetToken", code="NOT_FOUND") == 1
    assert grown("doorward_rpc_duration_seconds_count", method=f"{service}/DeleteToken") == 1
    assert grown("doorward_argon2_duration_seconds_count") == 1
    assert grown("doorward_enforcement_wait_seconds_count") >= 1
    assert after["doorward_enforcement_waiting"] == 0
    assert after.get("doorward_database_pool_size", pool="writer") == 1
    assert after.by("doorward_replicas", "state") == {"CURRENT": 2}
    assert after["process_resident_memory_bytes"] > 0
    assert secret.split("_")[1] not in after.text()


@contextmanager
def stopped(platform: Platform, index: int) -> Iterator[None]:
    """One check process does nothing inside this block."""
    assert platform.process is not None
    (process,) = [
        each
        for each in psutil.Process(platform.process.pid).children(recursive=True)
        if each.cmdline()[-1] == "check" and each.environ()["DOORWARD_CHECK_INDEX"] == str(index)
    ]
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def test_a_replica_that_hangs_is_seen(platform: Platform) -> None:
    """Once it has lacked a change for longer than the lease, `status` fails and the metrics show the lag."""
    wait_for(lambda: platform.cli("status").returncode == 0, what="both replicas are current")
    newest = revision(platform)
    with stopped(platform, 1):
        create_token(platform, "group=C")
        wait_for(lambda: platform.cli("status").returncode == 1, what="a replica lags", within=30)
        failed = platform.cli("status", "-o", "json")
        assert failed.returncode == 1
        fleet = json.loads(failed.stdout)
        states = {each["displayName"].rpartition("/")[2]: each["state"] for each in fleet["replicas"]}
        assert states == {"check-0": "REPLICA_STATE_CURRENT", "check-1": "REPLICA_STATE_LAGGING"}
        (hanging,) = [each for each in fleet["replicas"] if each["state"].endswith("LAGGING")]
        assert failed.stderr.startswith(f"error: replica {hanging['replicaId']} lags")
        assert (
            int(fleet["policyRevision"]) - int(hanging["appliedRevision"])
            == 1
            == int(hanging["lagRevisions"])
        )
        assert hanging["leaseRemaining"] == "0s"
        shown = scrape(platform, "api")
        assert shown["doorward_policy_lag_revisions"] == 1
        assert shown["doorward_policy_lag_seconds"] > LEASE
        assert shown["doorward_replica_silence_seconds"] > LEASE
        assert shown["doorward_replica_lease_remaining_seconds"] == 0
        assert shown.by("doorward_replicas", "state") == {"CURRENT": 1, "LAGGING": 1}
    wait_for(lambda: platform.cli("status").returncode == 0, what="it is current again", within=30)
    assert revision(platform) == newest + 1
    assert scrape(platform, "api")["doorward_policy_lag_seconds"] == 0


def test_status_without_a_replica() -> None:
    """An api that no check process has connected to."""
    folder = Path(tempfile.mkdtemp(prefix="dw-"))
    made = Platform(folder / "home", policy_lease="1", policy_heartbeat="0.2", metrics_port="0")
    log = (folder / "log").open("wb")
    try:
        assert subprocess.run([DOORWARD, "init"], env=made.environment, check=False).returncode == 0
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        made.environment["DOORWARD_API_PORT"] = str(port)
        made.environment["DOORWARD_ADDRESS"] = f"127.0.0.1:{port}"
        api = subprocess.Popen([DOORWARD, "api"], env=made.environment, stdout=log, stderr=log)
        try:
            wait_for(lambda: made.cli("whoami").returncode == 0, what="api", within=30)
            ended = made.cli("status")
            assert ended.returncode == 1
            assert "REPLICAS  none" in ended.stdout
            assert "no replica is connected" in ended.stderr
            # Alone it has taken a free port, and says which.
            assert "Metrics on 127.0.0.1, port" in (folder / "log").read_text()
        finally:
            api.terminate()
            assert api.wait(20) == 0
    finally:
        log.close()
        shutil.rmtree(folder)


@pytest.fixture
def home() -> Iterator[Path]:
    """The home of a platform that was never started."""
    folder = Path(tempfile.mkdtemp(prefix="dw-"))
    yield folder / "home"
    shutil.rmtree(folder)


def unused_port() -> int:
    """A port below those that are handed out as free ones, so that nobody takes the next ones meanwhile."""
    for port in range(20_000, 30_000, 10):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


@pytest.mark.parametrize("process", ["up", "api", "check"])
def test_a_port_in_use_is_named(home: Path, process: str) -> None:
    """The process ends with one line that has the setting to change."""
    environment = Platform(home).environment
    subprocess.run([DOORWARD, "init"], env=environment, check=True, capture_output=True)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [DOORWARD, process],
            env={**environment, "DOORWARD_METRICS_PORT": str(port), "DOORWARD_LOG_LEVEL": "ERROR"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stderr == (
        f"error: cannot listen for metrics on 127.0.0.1, port {port}: {os.strerror(errno.EADDRINUSE)}; "
        "set DOORWARD_METRICS_PORT to another port, or to 0 for a free one\n"
    )


def test_a_port_of_two_settings_is_named(home: Path) -> None:
    """A port that Envoy or api listens on is refused before anything is started."""
    first = unused_port()
    environment = Platform(home, metrics_port=str(first), api_port=str(first + 1)).environment
    ended = subprocess.run(
        [DOORWARD, "up"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr == (
        f"error: metrics_port: api and check take the ports from {first} to {first + 1}, which must be ports"
        " and neither envoy_port nor api_port\n"
    )


def test_without_the_setting_there_are_no_metrics(home: Path) -> None:
    """No process listens for a scraper."""
    made = Platform(home).start()
    try:
        assert made.endpoints.metrics == {}
        assert made.process is not None
        ports = {
            connection.laddr.port
            for each in psutil.Process(made.process.pid).children(recursive=True)
            for connection in each.net_connections(kind="tcp")
            if connection.status == psutil.CONN_LISTEN
        }
        assert ports == {made.address[1], int(made.endpoints.api_grpc.rpartition(":")[2])}
    finally:
        made.stop()


def test_ports_follow_one_another(home: Path) -> None:
    """The port that is set is api's, and the check processes have the next ones."""
    base = unused_port()
    made = Platform(home, metrics_port=str(base), check_processes="2").start()
    try:
        assert made.endpoints.metrics == {
            name: f"http://127.0.0.1:{base + place}/metrics"
            for place, name in enumerate(("api", "check-0", "check-1"))
        }
        for name in made.endpoints.metrics:
            assert scrape(made, name).get("doorward_build_info", version="0.1.0") == 1
    finally:
        made.stop()
