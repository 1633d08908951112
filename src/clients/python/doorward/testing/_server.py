"""The server that tests use."""

import warnings
from collections.abc import Mapping
from importlib.metadata import entry_points
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from doorward._async_client import AsyncClient
from doorward._client import Client
from doorward._specs import external
from doorward.testing._platform import Decision, Platform, Start
from doorward.v1.app_pb2 import Access, App

_GROUP = "doorward.testing"
_REGIONS = {"GRA": "app.gra.localhost", "BHS": "app.bhs.localhost"}


class ServerNotInstalledError(ImportError):
    """The extra `server` is not installed, so there is nothing to start."""


class Server:
    """A real Doorward in this process: api with a SQLite of its own, and a check replica. No Envoy.

    Nothing of it outlives it, and nothing of the environment reaches it. Use it in a `with` or an `async
    with` block, or `stop` it; one that is left running warns (`ResourceWarning`).
    """

    def __init__(self, platform: Platform) -> None:
        self._platform: Platform | None = platform
        self._own = self.client()

    @property
    def address(self) -> str:
        """The api's `host:port`, to be used without TLS."""
        return self._running.address

    @property
    def admin_token(self) -> str:
        """The secret of a token that may do everything."""
        return self._running.admin_token

    def client(self, token: str | None = None) -> Client:
        """Return a client, for the caller to close: with *token*, or the ADMIN token."""
        return Client(self.address, token=token or self.admin_token)

    def async_client(self, token: str | None = None) -> AsyncClient:
        """Return a client for asyncio, for the caller to close: with *token*, or the ADMIN token."""
        return AsyncClient(self.address, token=token or self.admin_token)

    def app(
        self,
        display_name: str = "app",
        *,
        region: str = "GRA",
        labels: Mapping[str, str] | None = None,
        access: Access.ValueType | str = Access.ACCESS_TOKEN_REQUIRED,
        operator_paths: tuple[str, ...] = (),
    ) -> App:
        """Return a new app that runs, and answers every request with 200 and nothing."""
        spec = external(self._running.open_port(), access=access, operator_paths=operator_paths)
        created = self._own.apps.create(display_name, region=region, labels=labels, spec=spec)
        self._own.apps.wait(created.app_id)
        return self._own.apps.get(created.app_id)

    def check(
        self,
        app: App | str,
        *,
        token: str | None = None,
        method: str = "GET",
        path: str = "/",
        headers: Mapping[str, str] | None = None,
    ) -> Decision:
        """Return what is decided about an HTTP request to *app* (or to a host) that carries *token*.

        It is decided by the replica that Envoy would ask: what a token was good for until it was deleted, it
        is not any more once the call that deleted it has returned.
        """
        host = app if isinstance(app, str) else urlsplit(app.status.url).netloc
        given = [(name.lower(), value) for name, value in (headers or {}).items()]
        if token is not None:
            given.append(("authorization", f"Bearer {token}"))
        return self._running.decide(host=host, method=method, path=path, headers=given)

    def stop(self) -> None:
        """Stop the server and remove what it has kept. May be repeated."""
        if self._platform is not None:
            self._own.close()
            self._platform.stop()
            self._platform = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Server {self._platform.address if self._platform else 'stopped'}>"

    def __del__(self) -> None:
        if getattr(self, "_platform", None) is not None:
            warnings.warn(f"{self!r} was not stopped", ResourceWarning, stacklevel=2, source=self)
            self.stop()

    @property
    def _running(self) -> Platform:
        if self._platform is None:
            raise RuntimeError("the server is stopped")
        return self._platform


def server(*, regions: Mapping[str, str] | None = None) -> Server:
    """Start a server and return it, ready for calls.

    *regions* are names to the domains of their apps, GRA and BHS by default. Raises
    `ServerNotInstalledError`.
    """
    start = _start()
    return Server(start(regions=_REGIONS if regions is None else regions))


def _start() -> Start:
    """Return what starts a platform, whichever package offers it: this one never imports the server."""
    text = "doorward.testing needs the server: pip install 'doorward[server]'"
    try:
        (found,) = entry_points(group=_GROUP)
        start: Start = found.load()
    except (ValueError, ModuleNotFoundError) as error:
        raise ServerNotInstalledError(text) from error
    return start
