"""The fast engine: HTTP/2 in Rust outside the GIL, requests handed over in batches (pygrpc-native)."""

import logging
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from pygrpc_native import EVENT_CALL, NativeGrpcFront

from doorward_server.check.transports.calls import Procedure
from doorward_server.check.transports.contract import Limits
from doorward_server.check.transports.seldom import Seldom

_log = logging.getLogger(__name__)

_BATCH = 64
_POLL_MS = 50
# The front cannot say when it has written what it was given, and drops what it has not when it is closed.
# On a loaded machine writing took under 5 ms.
_FLUSH_SECONDS = 0.05

# With no descriptor left the front says so ten times a second.
_front_log = logging.getLogger("pygrpc_native.server")
_front_log.addFilter(Seldom(seconds=60))


def listen(path: Path, procedures: Mapping[str, Procedure], limits: Limits) -> "NativeEngine":
    """Serve on a `NativeGrpcFront`; raises `OSError`.

    The front has no limit of its own on a message's size: it reads a message whole before the procedure
    refuses it. What keeps strangers from sending one is who can open the socket.
    """
    front = NativeGrpcFront(
        f"unix:{os.fspath(path)}",
        [(method, False) for method in procedures],
        io_threads=1,
        max_concurrent_streams=limits.max_concurrent_streams,
        max_metadata_size=limits.max_metadata_bytes,
        reuse_port=False,
    )
    front.start()
    return NativeEngine(_Loop(front, tuple(procedures.values())))


class NativeEngine:
    """A front and the one thread that answers its calls."""

    def __init__(self, loop: "_Loop") -> None:
        self._loop = loop
        self._thread = threading.Thread(target=loop.run, name="check", daemon=True)
        self._thread.start()

    def drain(self, grace_seconds: float) -> None:
        self._loop.stop(grace_seconds)
        self._thread.join(grace_seconds + 2 * _POLL_MS / 1000)
        if self._thread.is_alive():
            _log.warning("A call outlived the %.1f s of grace and was ended unanswered", grace_seconds)
            self._loop.front.close()


class _Loop:
    def __init__(self, front: NativeGrpcFront, procedures: tuple[Procedure, ...]) -> None:
        self.front = front
        # By method id: the front numbers the methods in the order that it was given.
        self._procedures = procedures
        self._deadline: float | None = None

    def stop(self, grace_seconds: float) -> None:
        self._deadline = time.monotonic() + grace_seconds

    def run(self) -> None:
        try:
            while self._deadline is None and self._turn(_POLL_MS) is not None:
                pass
            if self._deadline is not None:
                self._finish(self._deadline)
        finally:
            # However the loop ends, peers are told at once and not left to their timeouts.
            self.front.close()

    def _finish(self, deadline: float) -> None:
        while time.monotonic() < deadline and self._turn(0):
            pass
        flushed = min(deadline, time.monotonic() + _FLUSH_SECONDS)
        while (left := flushed - time.monotonic()) > 0 and self._turn(max(1, int(left * 1000))) is not None:
            pass

    def _turn(self, timeout_ms: int) -> int | None:
        """Answer one batch and return its size, or None once the front is closed."""
        front, procedures = self.front, self._procedures
        batch = front.recv_batch(_BATCH, timeout_ms)
        if batch is None:
            return None
        for kind, call_id, method, payload, _ in batch:
            if kind != EVENT_CALL or payload is None:
                continue
            answer = procedures[method](payload)
            # Both return False for a peer that has gone: nobody is left to tell.
            if isinstance(answer, bytes):
                front.respond(call_id, answer)
            else:
                front.fail(call_id, answer.code.value[0], answer.message)
        return len(batch)
