"""Ports for apps."""

import json
import logging
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from doorward_server.runtimes.folders import open_regular, private_folder

LOOPBACK: Final = "127.0.0.1"

_log = logging.getLogger(__name__)

_ATTEMPTS: Final = 100
_LONGEST_RECORD: Final = 1024 * 1024
_MAX_PORT: Final = 65535


class Ports:
    """Free ports on the loopback interface, none of them given to two apps.

    A port that an app had rests before it goes to another app: until every replica of the policy has heard
    that the first is not there any more, what is meant for the first must not reach the second. Replicas
    outlive a server that is killed, so it is written down which ports were given, and all of them rest anew
    when the next server starts.
    """

    def __init__(self, record: Path, *, rest: float, clock: Callable[[], float] = time.monotonic) -> None:
        """*record*: the file that keeps the ports. *rest*: seconds; *clock* counts them."""
        self._record = record
        self._rest = rest
        self._clock = clock
        self._lock = threading.Lock()
        self._taken = _read(record)
        self._released = deque((clock(), port) for port in sorted(self._taken))

    def take(self) -> int:
        """A port that nothing listens on now, which is written down. May be called from any thread.

        Raises OSError when there is none, or it cannot be written down.
        """
        with self._lock:
            now = self._clock()
            while self._released and self._released[0][0] <= now - self._rest:
                self._taken.discard(self._released.popleft()[1])
            port = self._free()
            _write(self._record, {*self._taken, port})
            self._taken.add(port)
            return port

    def release(self, port: int) -> None:
        """Give a port back."""
        with self._lock:
            self._released.append((self._clock(), port))

    def _free(self) -> int:
        for _ in range(_ATTEMPTS):
            with socket.socket() as probe:
                probe.bind((LOOPBACK, 0))
                port: int = probe.getsockname()[1]
            if port not in self._taken:
                return port
        raise OSError("no free port was found")


def _write(record: Path, ports: set[int]) -> None:
    private_folder(record.parent)
    fresh = record.with_suffix(".new")
    with open(fresh, "w", encoding="ascii", opener=open_regular) as file:
        json.dump(sorted(ports), file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(record)


def _read(record: Path) -> set[int]:
    try:
        with open(record, encoding="ascii", opener=open_regular) as file:
            ports = json.loads(file.read(_LONGEST_RECORD))
    except FileNotFoundError:
        return set()
    except (OSError, ValueError, RecursionError) as error:
        _log.warning("%s does not tell which ports apps had: %s", record, error)
        return set()
    if not isinstance(ports, list) or not all(type(port) is int and 0 < port <= _MAX_PORT for port in ports):
        _log.warning("%s does not tell which ports apps had", record)
        return set()
    return set(ports)
