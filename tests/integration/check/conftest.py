"""Transports that are closed after their test."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from doorward_server.check.transports import Handler, Limits, Transport, TransportKind, open_transport


class Serve(Protocol):
    """Starts a transport of the kind under test; an echo unless it is given a handler."""

    def __call__(self, handler: Handler = ..., limits: Limits | None = ...) -> Transport: ...


@pytest.fixture(params=["native", "grpcio"])
def transport_kind(request: pytest.FixtureRequest) -> TransportKind:
    """Each transport in turn: one suite holds for both."""
    kind: TransportKind = request.param
    return kind


@pytest.fixture
def socket_path() -> Iterator[Path]:
    """A path in a directory that does not exist yet; shorter than ``tmp_path``, as a socket's has to be."""
    with tempfile.TemporaryDirectory(prefix="dw-") as directory:
        yield Path(directory) / "run" / "check-0.sock"


@pytest.fixture
def serve(transport_kind: TransportKind, socket_path: Path) -> Iterator[Serve]:
    """Start transports on the socket path, and close them after the test."""
    opened: list[Transport] = []

    def start(handler: Handler = bytes, limits: Limits | None = None) -> Transport:
        transport = open_transport(transport_kind, path=socket_path, handler=handler, limits=limits)
        opened.append(transport)
        transport.start()
        return transport

    yield start
    for transport in opened:
        transport.close()
