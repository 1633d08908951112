"""`doorward.testing`: the real server that programs are tested with."""

import asyncio
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import doorward
import doorward.testing

EXAMPLE = """
import doorward
import doorward.testing

pytest_plugins = ["doorward.testing.fixtures"]


def test_a_token_opens_its_apps(
    doorward_server: doorward.testing.Server, doorward_admin: doorward.Client
) -> None:
    app = doorward_server.app(labels={"group": "A"})
    issued = doorward_admin.tokens.create("t", role="read-only", region="GRA", selector="group=A")
    assert doorward_server.check(app, token=issued.secret).allowed


async def test_the_same_awaited(doorward_server: doorward.testing.Server) -> None:
    async with doorward_server.async_client() as admin:
        assert (await admin.whoami()).role == doorward.Role.ROLE_ADMIN
"""


@pytest.fixture(scope="module")
def server() -> Iterator[doorward.testing.Server]:
    """A server for the tests of this file."""
    with doorward.testing.server() as server:
        yield server


@pytest.fixture
def admin(server: doorward.testing.Server) -> Iterator[doorward.Client]:
    """A client of it."""
    with server.client() as client:
        yield client


def issue(admin: doorward.Client, selector: str, role: str = "read-only") -> doorward.IssuedToken:
    """Create a token."""
    return admin.tokens.create("test", role=role, region="GRA", selector=selector)


def test_a_token_from_beginning_to_end(server: doorward.testing.Server, admin: doorward.Client) -> None:
    """What a token opens is decided as in front of a real app, until the call that ends it returns."""
    app = server.app("hello", labels={"group": "journey"})
    assert app.status.state == doorward.AppState.APP_STATE_RUNNING
    first = issue(admin, "group=journey")
    opened = server.check(app, token=first.secret)
    assert (opened.allowed, opened.status, opened.reason) == (True, 200, "ALLOWED")
    assert opened.headers == {
        "x-doorward-app-id": app.app_id,
        "x-doorward-token-id": first.token.token_id,
        "x-doorward-role": "READ_ONLY",
    }
    assert opened.removed == ("authorization",)

    second = admin.tokens.regenerate(first.token.token_id)
    assert server.check(app, token=first.secret).status == 401
    assert server.check(app, token=second.secret).allowed
    admin.tokens.delete(first.token.token_id)
    denied = server.check(app, token=second.secret)
    assert (denied.allowed, denied.status) == (False, 401)
    assert 'error="invalid_token"' in denied.headers["www-authenticate"]
    assert "application/problem+json" in denied.headers["content-type"]
    assert denied.body


def test_what_else_is_decided(server: doorward.testing.Server, admin: doorward.Client) -> None:
    """Scope, role, path, access and the app's state count as they do everywhere."""
    app = server.app(labels={"group": "mine"}, operator_paths=("/admin",))
    reader, operator = (issue(admin, "group=mine", role).secret for role in ("read-only", "operator"))
    stranger = issue(admin, "group=another").secret
    assert server.check(app).status == 401
    assert server.check(app, token=stranger).status == 403
    assert server.check("nobody.app.gra.localhost", token=reader).status == 403
    assert server.check(app, token=reader, path="/admin", method="POST").status == 403
    assert server.check(app, token=operator, path="/admin", method="POST").allowed
    assert server.check(app, headers={"Doorward-Token": reader}).removed == ("doorward-token",)
    assert server.check(server.app(access="public")).allowed
    admin.apps.stop(app.app_id)
    assert server.check(app, token=reader).status == 503


async def test_on_an_event_loop(server: doorward.testing.Server) -> None:
    """A program that awaits is tested in the same way, several calls at a time."""
    async with server.async_client() as admin:
        app = server.app(labels={"group": "async"})
        made = await asyncio.gather(
            *(
                admin.tokens.create("t", role="read-only", region="GRA", selector="group=async")
                for _ in range(5)
            )
        )
        assert all(server.check(app, token=issued.secret).allowed for issued in made)
        async with admin.apps.watch(app.app_id, timeout=30) as statuses:
            first = await anext(statuses)
            assert first.status.state == doorward.AppState.APP_STATE_RUNNING
            await admin.apps.delete(app.app_id)
            async for _ in statuses:  # it ends, since the app is gone
                pass
        assert len([token async for token in admin.tokens.list(page_size=2)]) >= 5


def test_a_process_app(server: doorward.testing.Server, admin: doorward.Client) -> None:
    """Apps that are processes run, too."""
    hello = Path(__file__).parents[2] / "examples" / "hello.py"
    spec = doorward.process([sys.executable, str(hello), "--port", "{port}"])
    app = admin.apps.create("hello", region="BHS", spec=spec)
    admin.apps.wait(app.app_id)
    assert any("listening" in line.line for line in admin.apps.logs(app.app_id))
    admin.apps.delete(app.app_id)


def test_errors_are_the_servers(server: doorward.testing.Server, admin: doorward.Client) -> None:
    """Mistakes are answered as the real server answers them, for it is one."""
    with pytest.raises(doorward.InvalidArgument) as caught:
        admin.apps.create("", region="MARS", spec=doorward.external("127.0.0.1:1"))
    assert [violation.field for violation in caught.value.field_violations] == [
        "app.display_name",
        "app.region",
    ]
    with (
        server.client(issue(admin, "a=b").secret) as reader,
        pytest.raises(doorward.PermissionDenied),
    ):
        reader.tokens.create("x", role="admin")


def test_nothing_of_the_environment_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Settings of a platform that is real neither reach the tests' own, nor does that reach them."""
    for name, value in {
        "DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/real.db",
        "HOME": str(tmp_path),
        "PLATFORM_KEY_FILE": str(tmp_path / "key"),
        "API_PORT": "not-a-port",
        "REGIONS": '{"MARS": "app.mars.localhost"}',
        "TOKEN": "real",
    }.items():
        monkeypatch.setenv(f"DOORWARD_{name}", value)
    with doorward.testing.server(regions={"ONE": "one.localhost"}) as server, server.client() as admin:
        assert admin.whoami().role == doorward.Role.ROLE_ADMIN
        assert server.app(region="ONE").status.url.startswith("http://")
    assert list(tmp_path.iterdir()) == []


def test_servers_are_apart(
    server: doorward.testing.Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Several may run at once and know nothing of each other; each leaves nothing behind."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = threading.active_count()
    with doorward.testing.server() as other, other.client() as admin:
        assert len(list(tmp_path.iterdir())) == 1
        assert other.admin_token != server.admin_token
        assert [token.token_id for token in admin.tokens.list()] == [admin.whoami().token_id]
        with server.client(other.admin_token) as stranger, pytest.raises(doorward.Unauthenticated):
            stranger.whoami()
        assert other.admin_token not in f"{other!r}{other._platform!r}"
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() <= before + 1  # gRPC keeps one of its own


async def test_a_server_of_an_async_block() -> None:
    """A server may be used in an `async with` block, and says so when it is used after it."""
    async with doorward.testing.server() as server, server.async_client() as admin:
        await admin.whoami(timeout=timedelta(seconds=30))
    server.stop()
    with pytest.raises(RuntimeError, match="the server is stopped"):
        server.client()


def test_a_forgotten_server_warns() -> None:
    """A server that is never stopped warns when it goes, and is stopped."""
    servers = [doorward.testing.server()]
    with pytest.warns(ResourceWarning, match=r"^<Server 127\.0\.0\.1:[0-9]+> was not stopped$"):
        servers.clear()


def test_the_fixtures(tmp_path: Path) -> None:
    """A project's own tests get a server by naming the fixtures."""
    (tmp_path / "test_example.py").write_text(EXAMPLE, encoding="utf-8")
    settings = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
    (tmp_path / "pytest.ini").write_text(settings, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "test_example.py"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100)
    assert "2 passed" in ended.stdout, ended.stdout + ended.stderr


@pytest.mark.parametrize("missing", ["doorward_server", "sqlalchemy"])
def test_without_the_extra(missing: str) -> None:
    """Where the server is not installed, or only a part of it, the error says what to install."""
    code = (
        "import sys; sys.modules[sys.argv[1]] = None\n"
        "import doorward.testing\n"
        "try:\n"
        "    doorward.testing.server()\n"
        "except doorward.testing.ServerNotInstalledError as error:\n"
        "    print(error)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, missing], capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.stdout == "doorward.testing needs the server: pip install 'doorward[server]'\n", ended.stderr
