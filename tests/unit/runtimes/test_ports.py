"""Ports for apps: free, and never one for two."""

import socket
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import pytest

from doorward_server.runtimes.ports import Ports


class FakeSocket:
    """A socket whose ports the test says."""

    numbers: Iterator[int]

    def bind(self, address: tuple[str, int]) -> None:
        assert address == ("127.0.0.1", 0)

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", next(self.numbers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeSocket]:
    """Sockets whose ports the test says."""
    monkeypatch.setattr(socket, "socket", FakeSocket)
    return FakeSocket


def test_free() -> None:
    """A port that is given out can be listened on."""
    with socket.create_server(("127.0.0.1", Ports().take())):
        pass


def test_not_twice(fake: type[FakeSocket]) -> None:
    """A port that an app has is not given to another, even if the first does not listen yet."""
    fake.numbers = iter([4000, 4000, 4001])
    ports = Ports()
    assert [ports.take(), ports.take()] == [4000, 4001]


def test_quarantine(fake: type[FakeSocket]) -> None:
    """A port that an app had is not given to another until the quarantine is over."""
    now = 0.0
    fake.numbers = iter([4000, 4000, 4001, 4000])
    ports = Ports(quarantine=60.0, clock=lambda: now)
    ports.release(ports.take())
    now = 59.9
    assert ports.take() == 4001
    now = 60.0
    assert ports.take() == 4000


def test_none_free(fake: type[FakeSocket]) -> None:
    """When there is no other port, that is an error and no endless search."""
    fake.numbers = iter([4000] * 1000)
    ports = Ports()
    ports.take()
    with pytest.raises(OSError, match="no free port"):
        ports.take()
