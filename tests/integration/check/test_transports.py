"""What both transports promise to whoever calls them."""

import logging
import threading
from pathlib import Path

import grpc
import pytest

from doorward_server.check.transports import Handler
from doorward_server.check.transports.contract import CHECK_METHOD, CHECK_SERVICE, HEALTH_METHOD
from tests.integration.check.conftest import Serve
from tests.integration.check.transport_peer import SECONDS, Peer

MAX_MESSAGE = 1024 * 1024


@pytest.mark.parametrize("size", [0, 1, 512 * 1024, MAX_MESSAGE])
def test_answers_with_the_handlers_bytes(serve: Serve, socket_path: Path, size: int) -> None:
    """The handler sees the request's bytes and the peer the handler's, from none to the largest size."""
    serve(lambda payload: payload[::-1])
    payload = bytes(index % 251 for index in range(size))
    with Peer(socket_path) as peer:
        assert peer.call(payload) == payload[::-1]


def test_concurrent_calls_get_their_own_answers(serve: Serve, socket_path: Path) -> None:
    """Calls in flight together, on several connections, are never answered with each other's bytes."""
    serve(lambda payload: b"answer to " + payload)
    peers = [Peer(socket_path) for _ in range(4)]
    try:
        futures = {
            (peer, call): peers[peer].check.future(b"%d/%d" % (peer, call), timeout=SECONDS)
            for call in range(200)
            for peer in range(len(peers))
        }
        for (peer, call), future in futures.items():
            assert future.result() == b"answer to %d/%d" % (peer, call)
    finally:
        for closing in peers:
            closing.channel.close()


def test_the_handler_runs_one_call_at_a_time(serve: Serve, socket_path: Path) -> None:
    """A handler needs no lock: however many calls are in flight, one thread runs them one after the other."""
    threads: set[int] = set()

    def handler(payload: bytes) -> bytes:
        threads.add(threading.get_ident())
        return payload

    serve(handler)
    with Peer(socket_path) as one, Peer(socket_path) as other:
        futures = [peer.check.future(b"", timeout=SECONDS) for peer in (one, other) for _ in range(100)]
        for future in futures:
            future.result()
    assert len(threads) == 1


def _raise(fault: BaseException) -> bytes:
    raise fault


@pytest.mark.parametrize(
    "broken",
    [
        lambda payload: _raise(ValueError(payload)),
        lambda payload: _raise(SystemExit(payload.decode())),
        lambda payload: payload.decode(),
        lambda _: None,
    ],
    ids=["exception", "exit", "text", "nothing"],
)
def test_a_broken_handler_is_a_bare_internal_error(
    serve: Serve, socket_path: Path, caplog: pytest.LogCaptureFixture, broken: Handler
) -> None:
    """A fault reaches the peer without its text and the log without the request, and serving goes on."""
    credential = b"dw_credential-of-a-caller"
    serve(lambda payload: payload if payload == b"fine" else broken(payload))
    with caplog.at_level(logging.DEBUG), Peer(socket_path) as peer:
        assert peer.refusal(credential) == (grpc.StatusCode.INTERNAL, "internal error")
        assert peer.call(b"fine") == b"fine"
    assert "handler" in caplog.text
    assert credential.decode() not in caplog.text


def test_a_fault_is_logged_with_its_place(
    serve: Serve, socket_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever reads the log finds the type of the exception and the function that raised it."""
    serve(lambda payload: _raise(ZeroDivisionError()))
    with Peer(socket_path) as peer:
        peer.refusal(b"")
    assert "ZeroDivisionError" in caplog.text
    assert "in _raise" in caplog.text


def test_health_follows_the_replica(serve: Serve, socket_path: Path) -> None:
    """A transport begins as not serving, and says what it was told last, for itself and for ext_authz."""
    transport = serve()
    with Peer(socket_path) as peer:
        assert not peer.is_serving()
        for serving in (True, False, True):
            transport.set_serving(serving)
            assert peer.is_serving() is serving
            assert peer.is_serving(CHECK_SERVICE) is serving


def test_checks_are_answered_while_not_serving(serve: Serve, socket_path: Path) -> None:
    """Health is advice to Envoy; a Check that comes all the same is decided by the handler."""
    serve()
    with Peer(socket_path) as peer:
        assert not peer.is_serving()
        assert peer.call(b"x") == b"x"


@pytest.mark.parametrize("question", [b"\n\x05other", b"\xff\xff\xff"], ids=["other", "garbage"])
def test_health_of_an_unknown_service_is_not_found(serve: Serve, socket_path: Path, question: bytes) -> None:
    """The health protocol's answer to a service that is not here is NOT_FOUND, never a status."""
    serve().set_serving(True)
    with Peer(socket_path) as peer:
        assert peer.refusal(question, method=HEALTH_METHOD)[0] is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    "method",
    [f"/{CHECK_SERVICE}/Other", "/other.Service/Check", "/grpc.health.v1.Health/Watch", f"{CHECK_METHOD}/"],
)
def test_other_methods_are_unimplemented(serve: Serve, socket_path: Path, method: str) -> None:
    """Only Check and the health protocol's Check are served."""
    serve()
    with Peer(socket_path) as peer:
        assert peer.refusal(b"", method=method)[0] is grpc.StatusCode.UNIMPLEMENTED


def test_calls_past_their_deadline_hurt_nobody_else(serve: Serve, socket_path: Path) -> None:
    """Callers that gave up while the handler was busy are forgotten, and the next caller is answered."""
    release = threading.Event()

    def handler(payload: bytes) -> bytes:
        if payload == b"slow":
            release.wait(SECONDS)
        return payload

    serve(handler)
    with Peer(socket_path) as peer:
        late = [peer.check.future(b"slow", timeout=0.05, wait_for_ready=True) for _ in range(20)]
        for future in late:
            assert future.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        release.set()
        assert peer.call(b"next") == b"next"


def test_cancelled_calls_hurt_nobody_else(serve: Serve, socket_path: Path) -> None:
    """Callers that hang up are forgotten, with their connection too, and the next caller is answered."""
    entered, release = threading.Event(), threading.Event()

    def handler(payload: bytes) -> bytes:
        if payload == b"slow":
            entered.set()
            release.wait(SECONDS)
        return payload

    serve(handler)
    with Peer(socket_path) as leaver:
        futures = [leaver.check.future(b"slow", timeout=SECONDS) for _ in range(20)]
        assert entered.wait(SECONDS)
        for future in futures[:10]:
            future.cancel()
    release.set()
    with Peer(socket_path) as peer:
        assert peer.call(b"next") == b"next"
