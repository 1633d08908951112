"""A check replica as ``doorward check`` runs it, with its pauses noted.

``python -m benchmarks.replica PAUSES`` is configured by the environment like the real one. Every run of the
garbage collector goes to the file PAUSES. Stops when its standard input ends.
"""

import asyncio
import gc
import os
import signal
import struct
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.children import announce
from doorward_server.bootstrap.check import run_check
from doorward_server.logs import set_up_logging
from doorward_server.settings import load_settings

_RECORD: Final = struct.Struct("dd")


@dataclass(frozen=True, slots=True)
class Pause:
    """One run of the garbage collector, during which nothing else runs in the process. In seconds."""

    began: float
    """By ``time.perf_counter``, which all processes of a machine share on Linux."""
    length: float
    """By the CPU time of its thread: what the machine gives to others in the midst of it is not its doing."""


def main() -> None:
    """Serve until standard input ends."""
    gc.callbacks.append(_PauseLog(Path(sys.argv[1])))
    settings = load_settings()
    set_up_logging(settings, process="check")
    threading.Thread(target=_stop_with_input, daemon=True).start()
    announce()
    sys.exit(asyncio.run(run_check(settings)))


def read_pauses(path: Path) -> list[Pause]:
    """What a running replica has noted so far."""
    raw = path.read_bytes()
    whole = raw[: len(raw) - len(raw) % _RECORD.size]
    return [Pause(*record) for record in _RECORD.iter_unpack(whole)]


class _PauseLog:
    """A callback of the garbage collector."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._began = self._used = 0.0

    def __call__(self, phase: str, _info: dict[str, Any]) -> None:
        if phase == "start":
            self._began, self._used = time.perf_counter(), time.thread_time()
        else:
            os.write(self._file, _RECORD.pack(self._began, time.thread_time() - self._used))


def _stop_with_input() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
