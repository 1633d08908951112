"""Ports for apps: free, and never one for two."""

import socket
from collections.abc import Iterator
from pathlib import Path
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


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Where ports are written down; there is nothing yet."""
    return tmp_path / "apps" / "ports.json"


def test_free(record: Path) -> None:
    """A port that is given out can be listened on."""
    with socket.create_server(("127.0.0.1", Ports(record, rest=60.0).take())):
        pass


def test_not_twice(fake: type[FakeSocket], record: Path) -> None:
    """A port that an app has is not given to another, even if the first does not listen yet."""
    fake.numbers = iter([4000, 4000, 4001])
    ports = Ports(record, rest=60.0)
    assert [ports.take(), ports.take()] == [4000, 4001]


def test_rest(fake: type[FakeSocket], record: Path) -> None:
    """A port that an app had is not given to another until it has rested."""
    now = 0.0
    fake.numbers = iter([4000, 4000, 4001, 4000])
    ports = Ports(record, rest=60.0, clock=lambda: now)
    ports.release(ports.take())
    now = 59.9
    assert ports.take() == 4001
    now = 60.0
    assert ports.take() == 4000


def test_the_next_server_lets_them_rest_too(fake: type[FakeSocket], record: Path) -> None:
    """Replicas outlive a server that is killed: the ports of its apps rest from the next start on."""
    now = 0.0
    fake.numbers = iter([4000, 4001, 4000, 4001, 4002, 4000, 4001, 4002, 4003])
    killed = Ports(record, rest=60.0, clock=lambda: now)
    killed.release(killed.take())
    assert killed.take() == 4001
    after = Ports(record, rest=60.0, clock=lambda: now)
    now = 59.9
    assert after.take() == 4002
    now = 60.0
    assert [after.take(), after.take()] == [4000, 4001]
    assert after.take() == 4003


def test_what_has_rested_is_forgotten(fake: type[FakeSocket], record: Path) -> None:
    """The record has the ports that are in use or rest, and does not grow for ever."""
    now = 0.0
    fake.numbers = iter(range(4000, 4100))
    ports = Ports(record, rest=60.0, clock=lambda: now)
    for _ in range(100):
        ports.release(ports.take())
        now += 60.0
    assert record.read_text() == "[4099]"


def test_a_port_that_cannot_be_written_down_is_not_given(fake: type[FakeSocket], record: Path) -> None:
    """The next server would not know of it."""
    fake.numbers = iter([4000, 4000])
    ports = Ports(record, rest=60.0)
    record.parent.mkdir()
    record.mkdir()
    with pytest.raises(OSError, match=r"ports\.json"):
        ports.take()
    record.rmdir()
    assert ports.take() == 4000


@pytest.mark.parametrize("text", ["", "{}", '["80"]', "[0]", "[true]", "[70000]", "[" * 100_000, "\u00e9"])
def test_a_record_that_is_none_is_said(record: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    """An app can write there: it keeps no app from running, and the log has it."""
    record.parent.mkdir()
    record.write_text(text)
    Ports(record, rest=60.0).take()
    assert "does not tell which ports" in caplog.text


def test_none_free(fake: type[FakeSocket], record: Path) -> None:
    """When there is no other port, that is an error and no endless search."""
    fake.numbers = iter([4000] * 1000)
    ports = Ports(record, rest=60.0)
    ports.take()
    with pytest.raises(OSError, match="no free port"):
        ports.take()
