"""A process between api and check, which a test has tamper with the policy stream."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.chaos.stream_relay import SOCKET, TAMPERED, TAMPERING
from tests.e2e.support.tether import tethered
from tests.support.waiting import wait_for

_ROOT = Path(__file__).resolve().parents[2]


class StreamProxy:
    """Relays the stream. Close it when done."""

    def __init__(self, folder: Path, api_socket: Path) -> None:
        socket = folder / SOCKET
        self.target = f"unix:{socket}"
        """Where check finds it."""
        self._file, self._tampered = folder / TAMPERING, folder / TAMPERED
        command = [sys.executable, "-m", "tests.chaos.stream_relay", str(folder), f"unix:{api_socket}"]
        self._process = subprocess.Popen(tethered(command), cwd=_ROOT, stdin=subprocess.DEVNULL)
        try:
            wait_for(socket.exists, what="the relay's socket", within=30)
        except BaseException:
            self.close()
            raise

    @property
    def tampered(self) -> int:
        """How many messages were not passed on as they were."""
        return self._tampered.stat().st_size if self._tampered.exists() else 0

    @contextmanager
    def tampering(self, how: str, *, seed: float) -> Iterator[None]:
        """Have it `double`, `lose` or `delay` messages during the block."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{how} {seed}")
        fresh.replace(self._file)
        try:
            yield
        finally:
            self._file.unlink()

    def close(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait(10)
