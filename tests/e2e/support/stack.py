"""What a test of Envoy needs: an address, apps behind it, and a credential that opens them."""

import secrets
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from doorward_server.gateway.config import GatewayConfig, UnixAddress
from tests.e2e.support.envoy_process import Edit, EnvoyProcess
from tests.e2e.support.fake_api import FakeApi
from tests.e2e.support.fake_check import FakeCheck, Rules
from tests.e2e.support.raw_http import Answer, Headers, exchange

API_HOST = "api.localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """An app as its visitors know it."""

    address: tuple[str, int]
    """Envoy's."""
    host: str
    """The app's host, with Envoy's port."""
    app_id: str
    """As the app is told."""
    secret: str = field(repr=False)
    """The secret of a READ_ONLY token that opens it."""

    @property
    def credential(self) -> dict[str, str]:
        """The headers that open it."""
        return {"Authorization": f"Bearer {self.secret}"}

    def get(self, target: str = "/", *, headers: Headers = (), **options: Any) -> Answer:
        """GET with the credential."""
        return self.send("GET", target, headers=headers, **options)

    def send(
        self,
        method: str,
        target: str = "/",
        *,
        host: str | None = None,
        headers: Headers = (),
        body: bytes | None = None,
    ) -> Answer:
        """Send one request with the credential, to the app's host or to another one."""
        pairs = [*self.credential.items(), *headers]
        return exchange(self.address, method, target, host=host or self.host, headers=pairs, body=body)


class Check(Protocol):
    """A check replica."""

    def close(self) -> None:
        """End it."""


class Stack(Protocol):
    """Envoy with a check and an api behind it."""

    @property
    def address(self) -> tuple[str, int]:
        """Where Envoy listens."""

    def publish(self, host: str, port: int) -> Published:
        """Put what listens at an address behind Envoy, under a host of its own."""


class FakeStack:
    """The real Envoy before a check and an api of the test's own."""

    def __init__(
        self,
        home: Path,
        *,
        checks: Callable[[Path, Rules], Sequence[Check]],
        api: Callable[[Path], FakeApi],
        rules: Rules,
        edit: Edit | None,
        **options: Any,
    ) -> None:
        self.home = home
        self.rules = rules
        self.api = api(home / "api.sock")
        self.replicas = list(checks(home, rules))
        config = GatewayConfig(
            listen_port=0,
            api_address=UnixAddress(home / "api.sock"),
            check_sockets=tuple(UnixAddress(path) for path in sorted(home.glob("check-*.sock"))),
            admin_socket=UnixAddress(home / "admin.sock"),
            **options,
        )
        try:
            self.envoy = EnvoyProcess(config, home, edit=edit)
        except BaseException:
            self.close_services()
            raise

    @property
    def address(self) -> tuple[str, int]:
        """Where Envoy listens."""
        return "127.0.0.1", self.envoy.port

    @property
    def checks(self) -> list[FakeCheck]:
        """The replicas that run in this process."""
        return [replica for replica in self.replicas if isinstance(replica, FakeCheck)]

    @property
    def credential(self) -> dict[str, str]:
        """The header that opens every app."""
        return {"Authorization": f"Bearer {self.rules.secret}"}

    def publish(self, host: str, port: int) -> Published:
        """Put what listens at an address behind Envoy, under a host of its own."""
        name = new_host()
        self.rules.apps[name] = (host, port)
        return self.published(name)

    def published(self, name: str) -> Published:
        """An app that the rules name."""
        return Published(
            address=self.address,
            host=f"{name}:{self.envoy.port}",
            app_id=name,
            secret=self.rules.secret,
        )

    def close_services(self) -> None:
        """Stop check and api."""
        for check in self.replicas:
            check.close()
        self.api.close()

    def close(self) -> None:
        """Stop everything."""
        self.envoy.close()
        self.close_services()


def new_host() -> str:
    """The host of an app that nobody has."""
    return f"{uuid.uuid4()}.app.gra.localhost"


def new_rules() -> Rules:
    """Rules with a secret of their own."""
    return Rules(secret=f"dw_{secrets.token_hex(16)}")


def one_check(home: Path, rules: Rules) -> list[FakeCheck]:
    """One replica, in this process."""
    return [FakeCheck(home / "check-0.sock", rules)]


@contextmanager
def fake_stack(
    *,
    checks: Callable[[Path, Rules], Sequence[Check]] = one_check,
    api: Callable[[Path], FakeApi] = FakeApi,
    rules: Rules | None = None,
    edit: Edit | None = None,
    **options: Any,
) -> Iterator[FakeStack]:
    """A stack in a folder with a path short enough for Unix sockets; *options* go to `GatewayConfig`."""
    home = Path(tempfile.mkdtemp(prefix="dw-"))
    try:
        stack = FakeStack(home, checks=checks, api=api, rules=rules or new_rules(), edit=edit, **options)
        try:
            yield stack
        finally:
            stack.close()
    finally:
        shutil.rmtree(home)
