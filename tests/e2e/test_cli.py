"""The command line against a running platform, by way of a profile, as somebody with a terminal uses it."""

import os
import pty
import re
import select
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.e2e.support.platform import DOORWARD, Platform

HELLO = str(Path(__file__).parents[2] / "examples" / "hello.py")
SECRET = re.compile(r"dw_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has logged in nowhere."""
    return {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "PATH": f"{DOORWARD.parent}:/usr/bin:/bin",
        "TERM": "xterm",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }


@pytest.fixture
def doorward(environ: dict[str, str], tmp_path: Path) -> Run:
    """Return a function that runs the command in a folder of its own, with *text* on standard input."""

    def run(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [DOORWARD, *arguments],
            env=environ,
            cwd=tmp_path,
            input=text,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    return run


@pytest.fixture
def logged_in(platform: Platform, doorward: Run, tmp_path: Path) -> Run:
    """The same, after a login as the first ADMIN."""
    address = platform.endpoints.api_grpc
    done = doorward("login", address, "--profile", "live", text=platform.admin_token)
    assert (done.returncode, done.stderr) == (0, "")
    assert str(tmp_path / "config" / "doorward" / "live.token") in done.stdout
    return doorward


@pytest.fixture
def group(logged_in: Run) -> Iterator[str]:
    """The value of a label that no other test uses; its apps are deleted at the end."""
    name = f"g{uuid.uuid4().hex[:8]}"
    yield name
    found = logged_in("apps", "list", "-l", f"group={name}", "-o", "name").stdout
    logged_in("apps", "delete", "-", "--yes", text=found)


def document(name: str, group: str, *, command: list[str] | None = None, label: str = "") -> str:
    """Return a document that declares an app, with one more *label*."""
    process = {
        "command": command or [sys.executable, HELLO, "--port", "{port}"],
        "env": {"GREETING": "Hi", "API_KEY": "key-of-the-app"},
    }
    app = {
        "displayName": f"{name}-{group}",
        "region": "GRA",
        "labels": {"group": group} | ({label: "x"} if label else {}),
        "spec": {"process": process, "operatorPaths": ["/ops"], "readiness": {"path": "/", "period": "0.2s"}},
    }
    return f"---\n{yaml.safe_dump(app)}"


def test_declared_apps(logged_in: Run, group: str, tmp_path: Path) -> None:
    """What files declare is made, runs, and is not made again; a change is shown and made, and only that."""
    file = tmp_path / "apps.yaml"
    shop = {
        "displayName": f"shop-{group}",
        "region": "GRA",
        "labels": {"group": group},
        "spec": {"external": {"address": "LOCALHOST:9"}, "access": "public"},
    }
    file.write_text(document("hello", group) + f"---\n{yaml.safe_dump(shop)}", encoding="utf-8")
    apply = ("apps", "apply", "-f", "apps.yaml", "--yes")
    made = logged_in(*apply)
    assert (made.returncode, made.stdout.splitlines()[-1]) == (0, "2 of 2 changes made, 0 as declared")
    again = logged_in("apps", "apply", "-f", "apps.yaml")
    assert (again.returncode, again.stdout.splitlines()[-1]) == (0, "nothing to change: 2 as declared")

    file.write_text(file.read_text(encoding="utf-8").replace("/ops", "/admin"), encoding="utf-8")
    dry = logged_in("apps", "apply", "-f", "apps.yaml", "--dry-run")
    changed = logged_in(*apply, "--wait", "--timeout", "60s", "-f", "-", text=document("late", group))
    for shown in (dry.stdout, changed.stdout):
        assert {"- spec.operatorPaths[/ops]: yes", "+ spec.operatorPaths[/admin]: yes"} <= {
            *shown.splitlines()
        }
        assert "key-of-the-app" not in shown
    # The external app listens nowhere and was not to be changed, so that nobody waits for it.
    assert (changed.returncode, changed.stdout.splitlines()[-1]) == (0, "2 of 2 changes made, 1 as declared")
    assert ": RUNNING" in changed.stderr
    assert "nothing to change: 2" in logged_in("apps", "apply", "-f", "apps.yaml").stdout


def test_an_answer_is_a_file(logged_in: Run, group: str, tmp_path: Path) -> None:
    """What the api answers of an app can be applied as it is, and after an edit changes just that."""
    (tmp_path / "app.yaml").write_text(document("hello", group), encoding="utf-8")
    created = logged_in("apps", "create", "-f", "app.yaml", "--wait", "--quiet")
    assert (created.returncode, created.stderr) == (0, "")
    answered = logged_in("apps", "get", created.stdout.strip(), "-o", "yaml").stdout
    same = logged_in("apps", "apply", "-f", "-", text=answered)
    assert same.stdout.splitlines()[-1] == "nothing to change: 1 as declared"
    text = answered.replace("displayName: hello", "displayName: renamed")
    renamed = logged_in("apps", "apply", "-f", "-", "--yes", "-o", "json", text=text)
    (step,) = yaml.safe_load(renamed.stdout)
    assert [change["path"] for change in step["changes"]] == ["displayName"]
    assert step["app"]["displayName"] == f"renamed-{group}"


def test_what_the_api_refuses_of_a_file(logged_in: Run, group: str) -> None:
    """The api's own rules are told of the document that breaks them, and its neighbours are made."""
    wrong = document("wrong", group, label="not a key")
    done = logged_in("apps", "apply", "-f", "-", "--yes", text=document("fine", group) + wrong)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        2,
        "1 of 2 changes made, 0 as declared, 1 failed",
    )
    assert "error: standard input, document 2: labels: key 'not a key'" in done.stderr.replace('"', "'")


def test_labels_and_what_a_token_would_open(platform: Platform, logged_in: Run, group: str) -> None:
    """A dry run tells which apps a token would open, and the token then opens those; labels decide."""
    app = logged_in("apps", "create", "-f", "-", "--wait", "-q", text=document("hello", group)).stdout.strip()
    host = f"{app}.app.gra.localhost"
    create = ("tokens", "create", f"t-{group}", "--role", "read-only", "--region", "GRA")
    scope = ("-l", f"group={group},tier=gold", "--expires-in", "90d")
    assert "would open 0 apps" in logged_in(*create, *scope, "--dry-run").stdout
    logged_in("apps", "labels", "set", app, "tier=gold")
    dry = logged_in(*create, *scope, "--dry-run")
    assert "would open 1 app " in dry.stdout
    assert SECRET.search(dry.stdout) is None
    assert f"t-{group}" not in logged_in("tokens", "list").stdout
    token = logged_in(*create, *scope, "--quiet").stdout.strip()
    assert platform.visit(host, token=token).status == 200
    logged_in("apps", "labels", "remove", f"apps/{app}", "tier")
    assert platform.visit(host, token=token).status == 403
    names = logged_in("tokens", "list", "--name", f"t-{group}", "-o", "name").stdout
    deleted = logged_in("tokens", "delete", "-", "--expect", "1", text=names)
    assert (deleted.returncode, deleted.stdout) == (0, f"token {token[3:15]} deleted\n")
    assert platform.visit(host, token=token).status == 401


def test_an_app_that_fails(logged_in: Run, group: str) -> None:
    """An app that cannot run ends the wait with the exit code of its own, soon."""
    text = document("broken", group, command=[sys.executable, "-c", "raise SystemExit(3)"])
    done = logged_in("apps", "create", "-f", "-", "--wait", "--timeout", "80s", text=text)
    assert done.returncode == 8
    assert "is FAILED, not RUNNING" in done.stderr


def test_deleting_many(logged_in: Run, group: str) -> None:
    """All apps of a selector go together, when their number is right."""
    text = "".join(document(f"n{number}", group) for number in range(3))
    made = logged_in("apps", "apply", "-f", "-", "--yes", "-o", "id", text=text)
    select = ("apps", "delete", "-l", f"group={group}", "--expect")
    assert logged_in(*select, "2").returncode == 6
    gone = logged_in(*select, "3", "-o", "id")
    assert (gone.returncode, sorted(gone.stdout.split())) == (0, sorted(made.stdout.split()))
    assert logged_in(*select, "0").returncode == 0


def at_a_terminal(environ: dict[str, str], folder: Path, typed: str, *arguments: str) -> tuple[int, str]:
    """Run the command with a terminal of its own, type when it asks, and return what the terminal got."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [DOORWARD, *arguments],
        env=environ,
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,  # away from the terminal of whoever runs the tests
    )
    os.close(theirs)
    shown = b""
    deadline = time.monotonic() + 90
    try:
        while time.monotonic() < deadline:
            if not select.select([ours], [], [], 0.2)[0]:
                continue
            try:
                shown += os.read(ours, 65536)
            except OSError:  # how Linux says that the other end is closed
                break
            if typed and re.search(rb"(\]|Token|apps?): $", shown):
                os.write(ours, typed.encode())
                typed = ""
        return process.wait(10), shown.decode()
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_at_a_terminal(
    platform: Platform, logged_in: Run, environ: dict[str, str], group: str, tmp_path: Path
) -> None:
    """A terminal shows progress and colour, asks, and never shows the token that is typed."""
    address, secret = platform.endpoints.api_grpc, platform.admin_token
    code, shown = at_a_terminal(environ, tmp_path, secret + "\n", "login", address, "--profile", "typed")
    assert code == 0, shown
    assert "Token: " in shown
    assert secret not in shown

    (tmp_path / "apps.yaml").write_text(document("hello", group), encoding="utf-8")
    code, shown = at_a_terminal(environ, tmp_path, "n\n", "apps", "apply", "-f", "apps.yaml")
    assert (code, "Make this change? [y/N]: " in shown) == (1, True)
    code, shown = at_a_terminal(environ, tmp_path, "y\n", "apps", "apply", "-f", "apps.yaml", "--wait")
    assert code == 0, shown
    assert "\x1b[32m+ labels.group" in shown
    assert "\r\x1b[K" in shown
    code, shown = at_a_terminal(environ, tmp_path, "", "apps", "list", "-l", f"group={group}")
    assert "\x1b[32mRUNNING\x1b[0m" in shown
    delete = ("apps", "delete", "-l", f"group={group}")
    assert at_a_terminal(environ, tmp_path, "yes\n", *delete)[0] == 1
    code, shown = at_a_terminal(environ, tmp_path, "1\n", *delete)
    assert (code, " deleted" in shown) == (0, True)


def test_completion(logged_in: Run, environ: dict[str, str], group: str, tmp_path: Path) -> None:
    """A shell gets the ids of the api that the profile names."""
    app = logged_in("apps", "create", "-f", "-", "-q", text=document("hello", group)).stdout.strip()
    line = f"doorward apps get hello-{group}"
    asked = {"_DOORWARD_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": "3"}
    done = subprocess.run(
        [DOORWARD], env=environ | asked, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == (f"plain,{app}\n", "")


def test_logout(logged_in: Run) -> None:
    """After a logout nothing of the token is left, and the command says what to do."""
    assert logged_in("whoami").returncode == 0
    assert logged_in("logout").stdout == "logged out of live\n"
    ended = logged_in("whoami")
    assert ended.returncode == 2
    assert "no address" in ended.stderr
