"""A stand to measure on: a replica that holds a policy, and servers that decide nothing beside it."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.children import Child, child
from benchmarks.replica import read_pauses
from benchmarks.requests import Pair, read_pairs
from benchmarks.waiting import await_serving
from doorward_server.platform_key import ensure_platform_key

_SECONDS_A_TOKEN: Final = 0.0005
"""How long the slowest machine may take to make a token, send it, and take it in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """A running replica with its policy."""

    replica: Child
    feed: Child
    socket: Path
    pause_log: Path
    pairs: tuple[Pair, ...]
    """What may be opened: a token of the load each, with its app."""

    def pauses(self, *, since: float) -> list[float]:
        """Seconds of each run of the garbage collector in the replica, from a time of `time.perf_counter`."""
        return [pause.length for pause in read_pauses(self.pause_log) if pause.began >= since]


@contextlib.contextmanager
def stand(
    home: Path,
    *,
    tokens: int,
    in_load: int,
    upstream_port: int = 8000,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Stand]:
    """Start a replica in the folder *home*, feed it *tokens* tokens, and wait until it serves."""
    home.mkdir(mode=0o700)
    key, pairs, pauses = home / "platform-key", home / "pairs", home / "pauses"
    ensure_platform_key(key)
    with contextlib.ExitStack() as stack:
        feed = stack.enter_context(
            child(
                "feed",
                str(home / "api.sock"),
                str(key),
                str(tokens),
                str(in_load),
                str(pairs),
                str(upstream_port),
            )
        )
        environment = {
            "DOORWARD_HOME": str(home),
            "DOORWARD_RUN_DIR": str(home),
            "DOORWARD_LOG_LEVEL": "WARNING",
            **{f"DOORWARD_{name.upper()}": value for name, value in (settings or {}).items()},
        }
        replica = stack.enter_context(child("replica", str(pauses), env=environment))
        socket = home / "check-0.sock"
        await_serving(socket, timeout=30 + tokens * _SECONDS_A_TOKEN)
        yield Stand(
            replica=replica, feed=feed, socket=socket, pause_log=pauses, pairs=tuple(read_pairs(pairs))
        )


@contextlib.contextmanager
def noop(home: Path, *, kind: str, answer: bytes) -> Iterator[tuple[Child, Path]]:
    """Start a server that answers every Check with *answer*; gives it and its socket."""
    home.mkdir(mode=0o700)
    said = home / "answer"
    said.write_bytes(answer)
    socket = home / "check-0.sock"
    with child("noop", str(socket), kind, str(said)) as process:
        yield process, socket
