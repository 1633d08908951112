"""A target that is described in a TOML file (docs/how-to/conformance.md)."""

import os
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.e2e.conformance.app import KitApp
from tests.e2e.conformance.target import APPS, SECRETS, Target, TargetApp, TargetSecret

_OPTIONAL: Final = frozenset({"public"})
KEYS: Final = frozenset(
    {
        *("gateway", "identity-prefix", "apps", "secrets"),
        *(
            "http2",
            "token-header",
            "reserved-path",
            "exact",
            "mint",
            "revoke",
            "pause-check",
            "resume-check",
            "websocket-seconds",
        ),
    }
)
"""All that a file may say."""

_COMMAND_SECONDS: Final = 60


class SetupError(Exception):
    """The file does not describe a target; the text says what is wrong with it."""


@contextmanager
def described_target(file: Path) -> Iterator[Target]:
    """The target that a file describes, with its apps listening. Raises `SetupError`."""
    try:
        described = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SetupError(f"{file}: {error}") from None
    if unknown := described.keys() - KEYS:
        raise SetupError(f"{file}: there is no {', '.join(sorted(unknown))}")
    with ExitStack() as opened:
        try:
            target = _target(described, opened)
        except KeyError as error:
            raise SetupError(f"{file}: {error.args[0]} is missing") from None
        yield target


def _target(described: Mapping[str, Any], opened: ExitStack) -> Target:
    apps, secrets = described["apps"], described["secrets"]
    roles = [role for role in APPS if role in apps or role not in _OPTIONAL]
    minting, revoking = described.get("mint"), described.get("revoke")
    pausing, resuming = described.get("pause-check"), described.get("resume-check")
    return Target(
        address=_address(described["gateway"]),
        identity_prefix=described["identity-prefix"].lower(),
        apps={role: _app(apps[role], opened) for role in roles},
        secrets={role: _secret(secrets[role]) for role in SECRETS},
        http2=described.get("http2", True),
        token_header=described.get("token-header"),
        reserved_path=described.get("reserved-path"),
        exact=described.get("exact", False),
        tokens=_TokenCommands(minting, revoking) if minting and revoking else None,
        check=_CheckCommands(pausing, resuming) if pausing and resuming else None,
        websocket_seconds=float(described.get("websocket-seconds", 0)),
    )


def _app(described: Mapping[str, Any], opened: ExitStack) -> TargetApp:
    host, port = _address(described["listen"])
    try:
        app = opened.enter_context(KitApp(host=host, port=port))
    except OSError as error:
        raise SetupError(f"cannot listen on {described['listen']}: {error.strerror}") from None
    return TargetApp(host=described["host"], app=app, identity=_identity(described))


def _secret(described: Mapping[str, Any]) -> TargetSecret:
    name = described["env"]
    secret = os.environ.get(name)
    if not secret:
        raise SetupError(f"the environment has no {name}, which holds a secret")
    return TargetSecret(secret=secret, identity=_identity(described))


def _identity(described: Mapping[str, Any]) -> dict[str, str | None]:
    """Headers in lower case; `*` is any one value."""
    named = described.get("identity", {})
    return {name.lower(): None if value == "*" else value for name, value in named.items()}


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise SetupError(f"{text!r} is no address: host:port")
    return host, int(port)


@dataclass(frozen=True, slots=True)
class _TokenCommands:
    """Mints and revokes by running commands: one prints a new secret, the other one reads it."""

    minting: list[str]
    revoking: list[str]

    def mint(self) -> TargetSecret:
        return TargetSecret(secret=_run(self.minting, "").strip())

    def revoke(self, secret: str) -> None:
        _run(self.revoking, secret)


@dataclass(frozen=True, slots=True)
class _CheckCommands:
    """Pauses and resumes the check by running commands."""

    pausing: list[str]
    resuming: list[str]

    def pause(self) -> None:
        _run(self.pausing, "")

    def resume(self) -> None:
        _run(self.resuming, "")


def _run(command: list[str], text: str) -> str:
    done = subprocess.run(
        command, input=text, stdout=subprocess.PIPE, text=True, timeout=_COMMAND_SECONDS, check=False
    )
    if done.returncode:
        raise SetupError(f"{command[0]} ended with {done.returncode}")
    return done.stdout
