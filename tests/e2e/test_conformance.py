"""Every case of the conformance kit, tried on the platform as users run it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.conformance.app import KitApp
from tests.e2e.conformance.case import Case
from tests.e2e.conformance.examine import examine, latecomers, missing
from tests.e2e.conformance.table import CASES
from tests.e2e.conformance.target import APPS
from tests.e2e.support.doorward_target import (
    REGION,
    SELECTORS,
    WEBSOCKET_SECONDS,
    DoorwardSetup,
    doorward_setup,
    is_check,
    publish,
)
from tests.e2e.support.platform import DOORWARD

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def setup() -> Iterator[DoorwardSetup]:
    """One platform for all the cases: what one of them breaks, the next one finds."""
    with doorward_setup() as setup:
        yield setup


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(setup: DoorwardSetup, case: Case) -> None:
    """The answer is the right one, no app saw what it must not see, and honest requests fare as ever."""
    assert not missing(case, setup.target)
    findings = examine(case, setup.target)
    assert not findings, "\n".join(findings)


def test_nothing_reaches_an_app_late(setup: DoorwardSetup) -> None:
    """A request that was refused is not sent on afterwards either."""
    assert latecomers(setup.target) == []


def test_no_process_ended_and_was_started_again(setup: DoorwardSetup) -> None:
    """A crash is not hidden by a restart: Envoy, check and api are still those of the beginning."""
    assert [process for process in setup.started if not process.is_running()] == []
    assert setup.processes() == setup.started


@pytest.fixture
def described(setup: DoorwardSetup, tmp_path: Path) -> Path:
    """The running platform as docs/how-to/conformance.md describes a setup: by ports, hosts and commands."""
    (check,) = [process.pid for process in setup.processes() if is_check(process)]
    lines = [
        f'gateway = "{setup.target.address[0]}:{setup.target.address[1]}"',
        'identity-prefix = "x-doorward"',
        'token-header = "Doorward-Token"',
        'reserved-path = "/.doorward"',
        "exact = true",
        f"websocket-seconds = {WEBSOCKET_SECONDS}",
        f"mint = {json.dumps(_mint())}",
        f"revoke = {json.dumps(_revoke())}",
        f'pause-check = ["kill", "-STOP", "{check}"]',
        f'resume-check = ["kill", "-CONT", "{check}"]',
    ]
    # They listen while they are put behind Envoy; afterwards the kit takes their ports.
    with ExitStack() as opened:
        apps = {role: publish(setup.stack, role, opened.enter_context(KitApp())) for role in APPS}
    for role, app in apps.items():
        lines += [f"[apps.{role}]", f'host = "{app.host}"', f'listen = "127.0.0.1:{app.app.port}"']
        lines += [f"identity = {{ x-doorward-app-id = {json.dumps(app.identity['x-doorward-app-id'])} }}"]
    for role, secret in setup.target.secrets.items():
        identity = ", ".join(f"{name} = {json.dumps(value)}" for name, value in secret.identity.items())
        lines += [f"[secrets.{role}]", f'env = "KIT_{role.upper()}"', f"identity = {{ {identity} }}"]
    file = tmp_path / "setup.toml"
    file.write_text("\n".join(lines) + "\n")
    return file


def _mint() -> list[str]:
    scope = ["--role", "read-only", "--region", REGION, "--selector", SELECTORS["token"]]
    return [str(DOORWARD), "tokens", "create", "fleeting", *scope, "--quiet"]


def _revoke() -> list[str]:
    return ["sh", "-c", f'IFS=_ read -r _ id _; "{DOORWARD}" tokens delete "$id" --yes']


@pytest.mark.parametrize("subject", ["identity/", "outage/", "upgrade/"])
def test_the_kit_examines_a_setup_that_it_is_told_of(
    setup: DoorwardSetup, described: Path, subject: str
) -> None:
    """The command, a file and the secrets in the environment are all that it takes to examine a setup."""
    secrets = {f"KIT_{role.upper()}": secret.secret for role, secret in setup.target.secrets.items()}
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.conformance", "run", str(described), "--only", subject],
        cwd=ROOT,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")},
            **setup.platform.environment,
            **secrets,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    names = [case.name for case in CASES if case.name.startswith(subject)]
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == [
        *(f"passed {name}" for name in names),
        f"{len(names)} passed, 0 failed, 0 left out",
    ]
