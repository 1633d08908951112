"""The whole platform, as `doorward up` runs it, on free ports in a folder of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psutil

from tests.e2e.support.raw_http import Answer, Headers, exchange
from tests.support.waiting import wait_for

DOORWARD = Path(sys.executable).parent / "doorward"
"""The command as a user has it."""

START_SECONDS = 30.0
STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What `endpoints.json` holds."""

    apps: str
    api_http: str
    api_grpc: str
    regions: Mapping[str, str]
    metrics: Mapping[str, str] = field(default_factory=dict)


class Platform:
    """A running `doorward up`. Close it when done."""

    def __init__(
        self, home: Path, environment: Mapping[str, str] = MappingProxyType({}), /, **settings: str
    ) -> None:
        """*settings*: names without `DOORWARD_`, in lower case. *environment*: other variables."""
        self.home = home
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")},
            **environment,
            "DOORWARD_HOME": str(home),
            "DOORWARD_ENVOY_PORT": "0",
            "DOORWARD_API_PORT": "0",
            **{f"DOORWARD_{name.upper()}": value for name, value in settings.items()},
        }
        self.log = home.with_suffix(".log")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Platform":
        """Start it and wait until it says that it is ready."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [DOORWARD, "up"], env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

        def ready() -> bool:
            assert self.process is not None
            if self.process.poll() is not None:
                raise AssertionError(
                    f"doorward up ended with {self.process.returncode}:\n{self.log.read_text()}"
                )
            return (self.home / "endpoints.json").exists()

        wait_for(ready, what="doorward up", within=START_SECONDS)
        return self

    def stop(self, *, with_signal: int = signal.SIGTERM) -> int:
        """Stop it and answer its exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def family(self) -> list[psutil.Process]:
        """The processes that `doorward up` has started, and theirs."""
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, name: str) -> psutil.Process:
        """The running `api`, `envoy`, or check process such as `check-0`; fails when there is none."""
        for each in self.family():
            with suppress(psutil.NoSuchProcess):
                if each.status() != psutil.STATUS_ZOMBIE and _is(each, name):
                    return each
        raise AssertionError(f"{name} does not run")

    @property
    def run(self) -> Path:
        """The folder of its Unix sockets."""
        return Path(self.environment.get("DOORWARD_RUN_DIR", self.home / "run"))

    @property
    def endpoints(self) -> Endpoints:
        """Where it is reached."""
        return Endpoints(**json.loads((self.home / "endpoints.json").read_text()))

    @property
    def admin_token(self) -> str:
        """The first ADMIN token."""
        return (self.home / "admin-token").read_text().strip()

    @property
    def address(self) -> tuple[str, int]:
        """Where Envoy listens."""
        host, _, port = self.endpoints.apps.removeprefix("http://").rpartition(":")
        return host, int(port)

    def cli(self, *arguments: str, token: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run `doorward` with *arguments* as the holder of *token*, by default the first ADMIN token."""
        environment = {**self.environment, "DOORWARD_TOKEN": self.admin_token if token is None else token}
        return subprocess.run(
            [DOORWARD, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def json(self, *arguments: str, token: str | None = None) -> Any:
        """What `doorward -o json` answers, which must succeed."""
        done = self.cli("-o", "json", *arguments, token=token)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def publish(self, port: int, *, label: str, name: str = "app") -> Any:
        """Make an app in GRA of what listens on 127.0.0.1; answers it once it is RUNNING."""
        where = ("--region", "GRA", "--label", label, "--external", f"127.0.0.1:{port}", "--wait")
        return self.json("apps", "create", name, *where)

    def visit(
        self,
        host: str,
        target: str = "/",
        *,
        token: str | None = None,
        method: str = "GET",
        headers: Headers = (),
        body: bytes | None = None,
    ) -> Answer:
        """Send one request through Envoy to *host*, with *token* as Bearer."""
        bearer = [] if token is None else [("Authorization", f"Bearer {token}")]
        return exchange(self.address, method, target, host=host, headers=[*bearer, *headers], body=body)


def _is(process: psutil.Process, name: str) -> bool:
    command, _, index = name.partition("-")
    if command == "envoy":
        return bool(process.name() == "envoy")
    if not {"doorward_server", command} <= set(process.cmdline()):
        return False
    return not index or process.environ().get("DOORWARD_CHECK_INDEX") == index


@contextmanager
def running_platform(
    environment: Mapping[str, str] = MappingProxyType({}), /, **settings: str
) -> Iterator[Platform]:
    """A platform in a new folder, stopped and removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="dw-"))
    platform = Platform(folder / "home", environment, **settings)
    try:
        yield platform.start()
    finally:
        try:
            if platform.process is not None:
                platform.stop()
        finally:
            shutil.rmtree(folder)
