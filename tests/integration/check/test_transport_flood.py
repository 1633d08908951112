"""More connections than a transport may open: who was there goes on, and who comes later waits."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import psutil
import pytest

from doorward_server.check.transports import TransportKind
from tests.integration.check.transport_peer import SECONDS, Peer, flood
from tests.support.descriptors import at_least
from tests.support.waiting import wait_for

DESCRIPTORS = 1024
CONNECTIONS = 3000
MIB = 1024 * 1024

_ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def limited_server(kind: TransportKind, path: Path, log: Path) -> Iterator[psutil.Process]:
    """A transport in a process of its own, which may not raise its limit."""
    command = [
        sys.executable,
        "-m",
        "tests.integration.check.limited_server",
        kind,
        str(path),
        f"{DESCRIPTORS}",
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stderr=output)
    try:
        wait_for(path.exists, what="the server's socket", within=30)
        yield psutil.Process(process.pid)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_a_flood_keeps_nobody_out_who_is_there(
    transport_kind: TransportKind, socket_path: Path, tmp_path: Path
) -> None:
    """Three times what it can open: who is connected goes on, who is not is served when they are gone."""
    log = tmp_path / "log"
    with (
        at_least(2 * CONNECTIONS),
        limited_server(transport_kind, socket_path, log) as server,
        Peer(socket_path) as peer,
    ):
        assert peer.call(b"first") == b"first"
        descriptors, memory = server.num_fds(), 0
        # What is taken once and kept, such as the allocator's arenas, is taken the first time.
        for each in range(3):
            with Peer(socket_path) as late:
                with flood(socket_path, count=CONNECTIONS):
                    wait_for(lambda: server.num_fds() >= DESCRIPTORS, what="no descriptor left")
                    for number in range(50):
                        assert peer.call(b"%d" % number) == b"%d" % number
                    with pytest.raises(grpc.RpcError):
                        late.check(b"too early", timeout=0.5, wait_for_ready=True)
                assert late.call(b"late") == b"late"
            assert peer.call(b"last") == b"last"
            wait_for(lambda: server.num_fds() <= descriptors, what="the descriptors are back", within=SECONDS)
            if each == 0:
                memory = server.memory_info().rss
        # Connections that stayed would take more: 15 MiB a flood.
        assert server.memory_info().rss - memory < 20 * MIB
    # Neither fills the disk with what it cannot do: grpcio says so once a second.
    assert len(log.read_text().splitlines()) < 60
