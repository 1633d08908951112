"""`doorward up` as a target of the conformance kit."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from tests.e2e.conformance.app import KitApp
from tests.e2e.conformance.target import APPS, SECRETS, Target, TargetApp, TargetSecret
from tests.e2e.support.platform import Platform, running_platform
from tests.e2e.support.real_stack import RealStack
from tests.support.waiting import wait_for

WEBSOCKET_SECONDS: Final = 2.0
"""A bound that a test can wait for."""

REGION: Final = "GRA"
SELECTORS: Final[Mapping[str, str]] = {
    "token": "scope in (mine)",
    "operator": "scope in (mine)",
    "stranger": "scope in (other)",
    "dead": "scope in (mine)",
}


class DoorwardTokens:
    """Tokens by the API; their secrets hold their ids."""

    def __init__(self, stack: RealStack) -> None:
        self._stack = stack

    def mint(self, role: str = "token") -> TargetSecret:
        """A new secret for one of the roles."""
        token_role = "OPERATOR" if role == "operator" else "READ_ONLY"
        token = {
            "displayName": role,
            "role": f"ROLE_{token_role}",
            "region": REGION,
            "labelSelector": SELECTORS[role],
        }
        secret: str = self._stack.call("POST", "/v1/tokens", token)["secret"]
        identity = {"x-doorward-token-id": token_id(secret), "x-doorward-role": token_role}
        return TargetSecret(secret=secret, identity=identity)

    def revoke(self, secret: str) -> None:
        self._stack.call("DELETE", f"/v1/tokens/{token_id(secret)}")


class DoorwardCheck:
    """The check process of a platform, stopped as a machine in trouble would stop it."""

    def __init__(self, platform: Platform) -> None:
        (self._process,) = [each for each in _processes(platform) if is_check(each)]

    def pause(self) -> None:
        self._process.suspend()
        # That sends the signal; the threads stop one after the other, and one may answer meanwhile.
        wait_for(lambda: _stands_still(self._process.pid), what="check stands still")

    def resume(self) -> None:
        self._process.resume()


def _stands_still(pid: int) -> bool:
    """Whether every thread of a process is stopped (proc_pid_stat(5))."""
    states = [
        each.read_text().rpartition(")")[2].split()[0] for each in Path(f"/proc/{pid}/task").glob("*/stat")
    ]
    return set(states) <= {"T"}


def is_check(process: psutil.Process) -> bool:
    """Whether a process of a platform is check."""
    return process.cmdline()[-2:] == ["doorward_server", "check"]


def token_id(secret: str) -> str:
    """The id of the token that has this secret."""
    return secret.split("_")[1]


@dataclass(frozen=True, slots=True)
class DoorwardSetup:
    """A running platform, with what the kit asks for."""

    platform: Platform
    stack: RealStack
    target: Target
    started: list[psutil.Process]
    """Envoy, check, api and their warden, as they were before anything hostile came."""

    def processes(self) -> list[psutil.Process]:
        """The same, as they are now."""
        return _processes(self.platform)


@contextmanager
def doorward_setup(**settings: str) -> Iterator[DoorwardSetup]:
    """A platform of its own, with the apps and tokens that the kit asks for."""
    settings |= {"websocket_max_duration": str(WEBSOCKET_SECONDS)}
    with running_platform(**settings) as platform, ExitStack() as opened:
        stack = RealStack(platform)
        tokens = DoorwardTokens(stack)
        secrets = {role: tokens.mint(role) for role in SECRETS}
        tokens.revoke(secrets["dead"].secret)
        target = Target(
            address=platform.address,
            identity_prefix="x-doorward",
            apps={role: publish(stack, role, opened.enter_context(KitApp())) for role in APPS},
            secrets=secrets,
            token_header="Doorward-Token",  # noqa: S106 - the name of a header
            reserved_path="/.doorward",
            exact=True,
            tokens=tokens,
            check=DoorwardCheck(platform),
            websocket_seconds=WEBSOCKET_SECONDS,
        )
        yield DoorwardSetup(platform, stack, target, _processes(platform))


def _processes(platform: Platform) -> list[psutil.Process]:
    assert platform.process is not None
    return psutil.Process(platform.process.pid).children(recursive=True)


def publish(stack: RealStack, role: str, app: KitApp) -> TargetApp:
    """Put an app behind Envoy in one of the roles."""
    spec: dict[str, Any] = {}
    if role == "public":
        spec["access"] = "ACCESS_PUBLIC"
    if role == "guarded":
        spec["operatorPaths"] = ["/admin"]
    scope = "other" if role == "other" else "mine"
    published = stack.publish("127.0.0.1", app.port, labels={"scope": scope}, **spec)
    return TargetApp(host=published.host, app=app, identity={"x-doorward-app-id": published.app_id})
