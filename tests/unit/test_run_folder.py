"""The folder of Unix sockets."""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorward_server.home import HomeError, locked
from doorward_server.run_folder import owned_sockets, run_folder
from doorward_server.settings import load_settings


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a path that is short enough for Unix sockets."""
    path = Path(tempfile.mkdtemp(prefix="dw-"))
    yield path
    shutil.rmtree(path)


def listening(path: Path) -> socket.socket:
    """A server on a Unix socket; closed, it leaves the file behind."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    return server


def test_a_folder_is_for_one_platform(folder: Path) -> None:
    """Two homes may be set to share it; the second one to start is refused."""
    first = load_settings(home=folder / "a", run_dir=folder / "run")
    second = load_settings(home=folder / "b", run_dir=folder / "run")
    with run_folder(first), pytest.raises(HomeError, match="in use"), run_folder(second):
        pass
    with run_folder(second):
        pass


def test_the_home_can_be_the_folder(folder: Path) -> None:
    """The two locks do not stand in each other's way."""
    with locked(folder), run_folder(load_settings(home=folder, run_dir=folder)) as run:
        assert run == folder


def test_what_is_left_is_removed_and_nothing_else(folder: Path) -> None:
    """Sockets of ours that nobody listens on any more go; another program's, dead or alive, stay."""
    ours, taken, file, foreign = (folder / name for name in ("api.sock", "a.sock", "b.sock", "other.sock"))
    with owned_sockets([ours, taken, file, folder / "never-made.sock"]):
        listening(ours).close()
        successor = listening(taken)
        file.write_text("no socket")
        listening(foreign).close()
    assert not ours.exists()
    assert taken.exists()
    assert file.exists()
    assert foreign.exists()
    successor.close()


def test_a_socket_that_another_program_serves_is_refused(folder: Path) -> None:
    """It is named with what to do, and goes on to serve."""
    path = folder / "api.sock"
    with listening(path) as stranger:
        with pytest.raises(HomeError, match=r"api\.sock: .*DOORWARD_RUN_DIR"), owned_sockets([path]):
            pass
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
        assert stranger.fileno() >= 0


def test_a_socket_that_nobody_serves_stands_in_nobodys_way(folder: Path) -> None:
    """Whoever was killed has left it behind."""
    path = folder / "api.sock"
    listening(path).close()
    with owned_sockets([path]):
        assert path.exists()
