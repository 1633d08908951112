"""The folder of everything that Doorward keeps, as `doorward up` uses it."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from doorward_server.settings import Settings


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
def locked(folder: Path, name: str = "lock") -> Iterator[None]:
    """Hold a folder: a second `doorward up` on a home would run every app twice. Raises `HomeError`.

    *name* is that of the file which is locked in it.
    """
    descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HomeError(f"{folder} is in use: another doorward up runs there") from None
        yield
    finally:
        os.close(descriptor)


@contextmanager
def published_endpoints(settings: Settings, *, metrics: Mapping[str, int]) -> Iterator[None]:
    """Keep `endpoints.json` in the home while everything runs: where programs find it.

    *metrics*: the ports of the metrics, by process.
    """
    path = settings.home / "endpoints.json"
    endpoints: dict[str, object] = {
        "apps": f"http://{connectable(settings.listen_address)}:{settings.envoy_port}",
        "api_http": f"http://{connectable(settings.listen_address)}:{settings.envoy_port}",
        "api_grpc": f"{connectable(settings.api_listen_address)}:{settings.api_port}",
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
