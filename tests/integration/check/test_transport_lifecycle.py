"""Starting, stopping and choosing a transport."""

import contextlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import h2.connection
import pytest

from doorward_server.check import transports
from doorward_server.check.transports import Limits, Transport, TransportError, TransportKind, open_transport
from tests.integration.check.conftest import Serve
from tests.integration.check.transport_peer import (
    DATA_FRAME,
    PING_FRAME,
    SECONDS,
    Peer,
    call_headers,
    frames,
    grpc_message,
    raw_connection,
)
from tests.support.waiting import wait_for


class Gate:
    """A handler that holds every call until it is opened."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.entered = threading.Semaphore(0)
        self.opened = threading.Event()
        self.left = threading.Event()
        """Whether the handler has been through with a call."""

    def __call__(self, payload: bytes) -> bytes:
        self.seen.append(payload)
        self.entered.release()
        self.opened.wait(SECONDS)
        self.left.set()
        return payload


@pytest.fixture
def gate() -> Iterator[Gate]:
    """A gate that is open again after the test, so that no thread stays behind."""
    gate = Gate()
    yield gate
    gate.opened.set()


def test_a_server_starts_again_on_its_path(serve: Serve, socket_path: Path) -> None:
    """A peer that stays connected through a restart is answered by the next server on the path."""
    transport = serve(lambda _: b"first")
    with Peer(socket_path) as peer:
        assert peer.call(b"") == b"first"
        transport.close()
        serve(lambda _: b"second")
        # It may write to the connection before it hears of its end, which gRPC does not repeat by itself.
        with contextlib.suppress(grpc.RpcError):
            assert peer.call(b"") == b"second"
        assert peer.call(b"") == b"second"


def test_calls_in_flight_are_answered_before_closing(serve: Serve, socket_path: Path, gate: Gate) -> None:
    """close() waits for the call that the handler has and those behind it: what it said reaches the peer."""
    transport = serve(gate)
    streams = range(1, 40, 2)
    with raw_connection(socket_path) as connection:
        http = h2.connection.H2Connection()
        http.initiate_connection()
        for stream in streams:
            http.send_headers(stream, call_headers())
            http.send_data(stream, grpc_message(b"%d" % stream), end_stream=True)
        http.ping(b"received")
        connection.sendall(http.data_to_send())
        incoming = frames(connection)
        # The server has read what came before the ping that it answers.
        assert any(frame.kind == PING_FRAME and frame.body == b"received" for frame in incoming)
        assert gate.entered.acquire(timeout=SECONDS)
        with closing_meanwhile(transport):
            wait_for(lambda: not socket_path.exists(), what="the file is gone")
            gate.opened.set()
            answers = {frame.stream: frame.body for frame in incoming if frame.kind == DATA_FRAME}
    # Not always all of them: grpcio turns away, unseen, what it has read but not yet given to its worker.
    assert gate.seen
    assert answers == {int(payload): grpc_message(payload) for payload in gate.seen}


def test_calls_past_the_grace_period_are_ended(
    serve: Serve, socket_path: Path, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    """close() returns soon after the grace period though the handler hangs, and its peer is told."""
    transport = serve(gate, Limits(grace_seconds=0.1))
    with Peer(socket_path) as peer:
        future = peer.check.future(b"x", timeout=SECONDS)
        assert gate.entered.acquire(timeout=SECONDS)
        transport.close()
        # It has returned while the handler still hangs.
        assert not gate.left.is_set()
        assert future.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
    assert not socket_path.exists()


def test_closing_under_load_takes_no_longer_than_the_calls(
    serve: Serve, socket_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Peers that keep on asking do not hold up close(); what they get is their answer or UNAVAILABLE."""
    transport = serve()
    outcomes: set[bytes | grpc.StatusCode] = set()
    connected, stopping = threading.Barrier(5), threading.Event()

    def ask() -> None:
        with Peer(socket_path) as peer:
            peer.call(b"x")
            connected.wait(SECONDS)
            while not stopping.is_set():
                future = peer.check.future(b"x", timeout=SECONDS)
                outcomes.add(future.result() if future.exception() is None else future.code())

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    try:
        connected.wait(SECONDS)
        wait_for(lambda: b"x" in outcomes, what="an answer")
        transport.close()
        wait_for(lambda: grpc.StatusCode.UNAVAILABLE in outcomes, what="who comes late is turned away")
    finally:
        stopping.set()
        for asker in askers:
            asker.join(SECONDS)
    # It would say so if it had to end a call because the grace was over.
    assert "outlived" not in caplog.text
    assert outcomes <= {b"x", grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}


def test_closing_again_does_nothing(serve: Serve, socket_path: Path) -> None:
    """close() may be called any number of times, also from several threads."""
    transport = serve()
    with closing_meanwhile(transport), closing_meanwhile(transport):
        transport.close()
    transport.close()
    assert not socket_path.exists()


def test_closing_what_never_started_does_nothing(transport_kind: TransportKind, socket_path: Path) -> None:
    """A transport that was made and not started leaves no trace."""
    open_transport(transport_kind, path=socket_path, handler=bytes).close()
    assert not socket_path.parent.exists()


def test_a_transport_serves_once(serve: Serve) -> None:
    """Starting twice, or after closing, is an error and not a second server."""
    transport = serve()
    with pytest.raises(TransportError, match="a transport serves once"):
        transport.start()
    transport.close()
    with pytest.raises(TransportError, match="a transport serves once"):
        transport.start()


def test_an_unclosed_transport_warns_and_lets_go(transport_kind: TransportKind, socket_path: Path) -> None:
    """A transport that is forgotten says so, and does not keep its socket or its threads."""
    forgotten = [open_transport(transport_kind, path=socket_path, handler=bytes)]
    forgotten[0].start()
    with pytest.warns(ResourceWarning, match=r"unclosed SocketServer\('.*check-0.sock'\)"):
        forgotten.clear()
    assert not socket_path.exists()


def test_closing_leaves_no_thread(serve: Serve, socket_path: Path) -> None:
    """The thread that runs the handler ends with its transport."""
    threads: list[threading.Thread] = []

    def handler(payload: bytes) -> bytes:
        threads.append(threading.current_thread())
        return payload

    transport = serve(handler)
    with Peer(socket_path) as peer:
        peer.call(b"x")
    transport.close()
    wait_for(lambda: not threads[0].is_alive(), what="the thread has ended")


def test_a_successor_keeps_its_socket_while_the_old_server_drains(
    transport_kind: TransportKind, socket_path: Path, gate: Gate
) -> None:
    """The path is free for the next server as soon as closing begins, and the old one never takes it away."""
    old = open_transport(transport_kind, path=socket_path, handler=gate)
    new = open_transport(transport_kind, path=socket_path, handler=lambda _: b"new")
    old.start()
    with Peer(socket_path) as early:
        future = early.check.future(b"old", timeout=SECONDS)
        assert gate.entered.acquire(timeout=SECONDS)
        with closing_meanwhile(old):
            wait_for(lambda: not socket_path.exists(), what="the file is gone")
            new.start()
            gate.opened.set()
            assert future.result() == b"old"
    try:
        with Peer(socket_path) as late:
            assert late.call(b"") == b"new"
    finally:
        new.close()


@pytest.fixture
def without_native(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter in which pygrpc-native is not installed."""
    monkeypatch.setitem(sys.modules, "pygrpc_native", None)
    monkeypatch.delitem(sys.modules, "doorward_server.check.transports.native", raising=False)


def serving_module(kind: TransportKind) -> str:
    """The module of the engine that a kind stands for."""
    return transports._engine(kind).__module__.rpartition(".")[2]


def test_auto_prefers_native() -> None:
    """Where pygrpc-native is installed, it serves."""
    assert serving_module("auto") == "native"


@pytest.mark.usefixtures("without_native")
def test_auto_falls_back_to_grpcio_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """Where pygrpc-native has no wheel, grpcio serves, and the log says why it is slower."""
    assert serving_module("auto") == "grpcio"
    assert "pygrpc-native is not installed" in caplog.text


@pytest.mark.usefixtures("without_native")
def test_native_on_demand_is_an_error_where_it_is_missing(socket_path: Path) -> None:
    """Who asks for native never gets something slower in silence."""
    with pytest.raises(TransportError, match="the native transport needs pygrpc-native"):
        open_transport("native", path=socket_path, handler=bytes)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_message_bytes": 0},
        {"max_metadata_bytes": 0},
        {"max_concurrent_streams": -1},
        {"grace_seconds": -0.1},
    ],
    ids=str,
)
def test_limits_that_would_stop_all_calls_are_refused(wrong: dict[str, Any]) -> None:
    """A limit below its least value is an error that names it."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Limits(**wrong)


@contextlib.contextmanager
def closing_meanwhile(transport: Transport) -> Iterator[None]:
    """Close a transport in another thread while the block runs, and wait for it at the end."""
    closer = threading.Thread(target=transport.close)
    closer.start()
    try:
        yield
    finally:
        closer.join(SECONDS)
        assert not closer.is_alive()
