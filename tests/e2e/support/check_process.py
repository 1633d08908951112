"""The fake check in a process of its own, which a test can kill."""

import subprocess
import sys
from pathlib import Path

from tests.e2e.support.fake_check import Rules
from tests.e2e.support.tether import tethered
from tests.support.waiting import wait_for

_ROOT = Path(__file__).resolve().parents[3]


class CheckProcess:
    """A replica with rules that stay as they are."""

    def __init__(self, socket: Path, rules: Rules) -> None:
        self.socket = socket
        file = socket.with_suffix(".json")
        file.write_text(rules.to_json())
        self.process = subprocess.Popen(
            tethered([sys.executable, "-m", "tests.e2e.support.fake_check", str(socket), str(file)]),
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
        )

    def close(self) -> None:
        """SIGKILL, as a crash would."""
        self.process.kill()
        self.process.wait(10)


def start_replicas(home: Path, rules: Rules, *, count: int) -> list[CheckProcess]:
    """Start replicas side by side, and wait until each has its socket."""
    replicas = [CheckProcess(home / f"check-{number}.sock", rules) for number in range(count)]
    try:
        for replica in replicas:
            wait_for(replica.socket.exists, what=f"the socket {replica.socket}", within=30)
    except BaseException:
        for replica in replicas:
            replica.close()
        raise
    return replicas
