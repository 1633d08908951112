"""Whose the socket is, and who may reach it: what both transports promise about their file."""

import fcntl
import os
import socket
import stat
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from doorward_server.check.transports import (
    Limits,
    TransportError,
    TransportKind,
    open_transport,
    socket_file,
)
from doorward_server.check.transports.calls import Procedure
from doorward_server.check.transports.server import Engine, SocketServer
from tests.integration.check.conftest import Serve
from tests.integration.check.transport_peer import Peer, raw_connection


def mode(path: Path) -> int:
    """The permission bits of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def dead_socket(path: Path) -> None:
    """Leave behind what a killed server leaves behind."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as gone:
        gone.bind(str(path))


def test_only_the_owner_can_reach_the_socket(serve: Serve, socket_path: Path) -> None:
    """The directory that is made is 0700 and the socket 0600, whatever the process's umask."""
    before = os.umask(0)
    try:
        serve()
    finally:
        os.umask(before)
    assert stat.S_ISSOCK(socket_path.stat().st_mode)
    assert mode(socket_path) == 0o600
    assert mode(socket_path.parent) == 0o700


@pytest.mark.parametrize("open_mode", [0o710, 0o701, 0o755, 0o770, 0o777])
def test_a_directory_open_to_others_is_refused(serve: Serve, socket_path: Path, open_mode: int) -> None:
    """A directory that others can enter is not used, and the error says how to close it."""
    socket_path.parent.mkdir()
    socket_path.parent.chmod(open_mode)
    with pytest.raises(TransportError, match=rf"mode 0{open_mode:o}\): chmod 700 "):
        serve()
    assert not socket_path.exists()


def test_a_directory_of_someone_else_is_refused(
    serve: Serve, socket_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory that another user owns, and could open at any time, is not used."""
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(TransportError, match=f"belongs to user {owner}, but this process runs as"):
        serve()


def test_a_directory_that_cannot_be_made_is_named(serve: Serve, socket_path: Path) -> None:
    """A file where the directory should be is an error that names it."""
    socket_path.parent.write_text("a file")
    with pytest.raises(TransportError, match=f"cannot make the socket directory {socket_path.parent}"):
        serve()


def path_of(directory: Path, size: int) -> Path:
    """A path in a directory with so many bytes."""
    return directory / "s".ljust(size - len(os.fsencode(directory)) - 1, "s")


def test_the_longest_path_is_served(transport_kind: TransportKind, socket_path: Path) -> None:
    """A path of just as many bytes as the system allows works."""
    path = path_of(socket_path.parent, socket_file.MAX_PATH_BYTES)
    transport = open_transport(transport_kind, path=path, handler=bytes)
    transport.start()
    try:
        with Peer(path) as peer:
            assert peer.call(b"x") == b"x"
    finally:
        transport.close()


def test_a_longer_path_is_refused_with_the_limit(transport_kind: TransportKind, socket_path: Path) -> None:
    """One byte more is an error that names the size, the limit and the way out, before anything is made."""
    path = path_of(socket_path.parent, socket_file.MAX_PATH_BYTES + 1)
    limit = socket_file.MAX_PATH_BYTES
    with pytest.raises(
        TransportError, match=f"{limit + 1} bytes; this system allows at most {limit}: choose"
    ):
        open_transport(transport_kind, path=path, handler=bytes).start()
    assert not path.parent.exists()


@pytest.mark.parametrize("name", ["a b.sock", "100%41.sock", "a#b?c.sock", "ü.sock"])
def test_any_name_is_taken_literally(transport_kind: TransportKind, socket_path: Path, name: str) -> None:
    """What a URI would escape or cut off is part of the name, for both transports alike."""
    path = socket_path.with_name(name)
    transport = open_transport(transport_kind, path=path, handler=bytes)
    transport.start()
    try:
        assert os.listdir(path.parent) == [name]  # noqa: PTH208 -- the very name, as the system has it
        with Peer(path) as peer:
            assert peer.call(b"x") == b"x"
    finally:
        transport.close()


def test_what_a_killed_server_left_is_replaced(serve: Serve, socket_path: Path) -> None:
    """A socket that nobody listens on does not stop the next start."""
    dead_socket(socket_path)
    serve()
    assert [path.name for path in socket_path.parent.iterdir()] == [socket_path.name]
    with Peer(socket_path) as peer:
        assert peer.call(b"x") == b"x"


def test_a_live_server_keeps_its_socket(serve: Serve, socket_path: Path) -> None:
    """A second server on the path is refused with a clear error, and the first goes on undisturbed."""
    serve(lambda _: b"first")
    with Peer(socket_path) as peer:
        assert peer.call(b"") == b"first"
        with pytest.raises(TransportError, match=f"another server is listening on {socket_path}"):
            serve(lambda _: b"second")
        assert peer.call(b"") == b"first"
    with Peer(socket_path) as fresh:
        assert fresh.call(b"") == b"first"
    assert mode(socket_path) == 0o600


def test_a_busy_server_is_a_live_server(serve: Serve, socket_path: Path) -> None:
    """A server whose queue of new connections is full is not taken for a dead one."""
    socket_path.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as busy:
        busy.bind(str(socket_path))
        busy.listen(0)
        with raw_connection(socket_path), pytest.raises(TransportError, match="another server is listening"):
            serve()
        assert socket_path.is_socket()


def test_of_servers_that_start_at_once_one_wins(transport_kind: TransportKind, socket_path: Path) -> None:
    """However starts interleave over a dead socket, one server has the path and the others are told so."""
    dead_socket(socket_path)
    transports = [open_transport(transport_kind, path=socket_path, handler=bytes) for _ in range(6)]

    def start(number: int) -> bool:
        try:
            transports[number].start()
        except TransportError as refusal:
            assert "another server is listening" in str(refusal)  # noqa: PT017 -- one of them must not raise
            return False
        return True

    try:
        with ThreadPoolExecutor(len(transports)) as pool:
            assert sum(pool.map(start, range(len(transports)))) == 1
        with Peer(socket_path) as peer:
            assert peer.call(b"x") == b"x"
    finally:
        for transport in transports:
            transport.close()


def test_a_start_that_hangs_elsewhere_is_not_waited_for_forever(
    serve: Serve, socket_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When another process holds the directory's lock for too long, the error says so."""
    monkeypatch.setattr(socket_file, "_LOCK_SECONDS", 0.05)
    socket_path.parent.mkdir(mode=0o700)
    descriptor = os.open(socket_path.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with pytest.raises(TransportError, match="another process has been binding"):
            serve()
    finally:
        os.close(descriptor)


def test_a_file_that_is_no_socket_is_left_alone(serve: Serve, socket_path: Path) -> None:
    """Something else at the path is an error, and is never removed."""
    socket_path.parent.mkdir(mode=0o700)
    socket_path.write_text("precious")
    with pytest.raises(TransportError, match="is not a socket; it is left as it is"):
        serve()
    assert socket_path.read_text() == "precious"


def test_a_symbolic_link_is_not_followed(serve: Serve, socket_path: Path) -> None:
    """A link at the path is not a socket, wherever it points."""
    target = socket_path.with_name("target.sock")
    dead_socket(target)
    socket_path.symlink_to(target)
    with pytest.raises(TransportError, match="is not a socket"):
        serve()
    assert target.is_socket()


def test_a_start_that_fails_leaves_nothing(socket_path: Path) -> None:
    """When the server itself cannot be made, the error says where, and no file stays behind."""

    def broken(path: Path, procedures: Mapping[str, Procedure], limits: Limits) -> Engine:
        dead_socket(path)
        raise OSError("no more sockets")

    server = SocketServer(path=socket_path, handler=bytes, limits=Limits(), listen=broken)
    with pytest.raises(TransportError, match=f"cannot listen on {socket_path}: no more sockets"):
        server.start()
    server.close()
    assert list(socket_path.parent.iterdir()) == []


def test_closing_removes_the_socket(serve: Serve, socket_path: Path) -> None:
    """After close() nothing is left in the directory."""
    serve().close()
    assert list(socket_path.parent.iterdir()) == []


def test_closing_leaves_a_file_that_took_its_place(serve: Serve, socket_path: Path) -> None:
    """A server removes its own socket, not whatever has its name by then."""
    transport = serve()
    socket_path.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.bind(str(socket_path))
        transport.close()
        assert socket_path.is_socket()


def test_closing_does_not_mind_a_removed_file(serve: Serve, socket_path: Path) -> None:
    """A socket that someone removed is no error when the server closes."""
    transport = serve()
    socket_path.unlink()
    transport.close()
    assert not socket_path.exists()
