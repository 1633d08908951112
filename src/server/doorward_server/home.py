"""The folder of everything that Doorward keeps, as `doorward up` uses it."""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from doorward_server.settings import Settings

_MAX_SOCKET_PATH = 107 - len("/check-63.sock")
"""Bytes that a folder of Unix sockets may have, from `sockaddr_un.sun_path` on Linux."""


class HomeError(Exception):
    """The home cannot be used; the text says why."""


def make_home(path: Path) -> None:
    """Make the folder, for its owner alone; one that is there stays as it is. Raises `HomeError`."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise HomeError(f"cannot make the folder {path}: {error.strerror}") from None


def read_file(path: Path) -> bytes:
    """What a file holds; raises `HomeError`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise HomeError(f"cannot read {path}: {error.strerror}") from None


def admin_token_file(settings: Settings) -> Path:
    """Where the first ADMIN token is written."""
    return settings.home / "admin-token"


@contextmanager
def locked_home(path: Path) -> Iterator[None]:
    """Hold the home: a second `doorward up` on it would run every app twice. Raises `HomeError`."""
    descriptor = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HomeError(f"{path} is in use: another doorward up runs there") from None
        yield
    finally:
        os.close(descriptor)


@contextmanager
def run_folder(settings: Settings) -> Iterator[Path]:
    """The folder of Unix sockets: the one that is set, or a temporary one when that has too long a path."""
    wanted = settings.run.absolute()
    if len(os.fsencode(wanted)) <= _MAX_SOCKET_PATH:
        make_home(wanted)
        yield wanted
        # Envoy leaves its own behind, and so does whoever was killed.
        for left in wanted.glob("*.sock"):
            left.unlink(missing_ok=True)
        return
    short = Path(tempfile.mkdtemp(prefix="doorward-"))
    try:
        yield short
    finally:
        shutil.rmtree(short, ignore_errors=True)


@contextmanager
def published_endpoints(settings: Settings, *, metrics: Mapping[str, int]) -> Iterator[None]:
    """Keep `endpoints.json` in the home while everything runs: where programs find it.

    *metrics*: the ports of the metrics, by process.
    """
    path = settings.home / "endpoints.json"
    endpoints: dict[str, object] = {
        "apps": f"http://{connectable(settings.listen_address)}:{settings.envoy_port}",
        "api_http": f"http://{connectable(settings.listen_address)}:{settings.envoy_port}",
        "api_grpc": f"{connectable(settings.listen_address)}:{settings.api_port}",
        "regions": {name: f"{domain}:{settings.app_port}" for name, domain in settings.regions.items()},
    }
    if metrics:
        host = connectable(settings.metrics_address)
        endpoints["metrics"] = {name: f"http://{host}:{port}/metrics" for name, port in metrics.items()}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(endpoints, indent=2) + "\n")
    fresh.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def connectable(address: str) -> str:
    """An address to connect to, for one to listen on."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(address, f"[{address}]" if ":" in address else address)  # noqa: S104
