"""Walks Doorward's whole journey on free ports in a temporary folder: `make demo`.

Each step prints the command that a person would type and what came back, and compares it with what is
expected; the first difference ends the demo with status 1. The `doorward` commands are really run. What is
printed as `curl` is sent by Python's own HTTP client, so that nothing but Python is needed.
"""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

DOORWARD = Path(sys.executable).with_name("doorward")
HELLO = Path(__file__).with_name("hello.py")

START_SECONDS = 60
STOP_SECONDS = 30


class UnexpectedError(Exception):
    """An answer is not the expected one."""


class Demo:
    """A running platform, and somebody at a shell."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")},
            "DOORWARD_HOME": str(self.home),
            "DOORWARD_ENVOY_PORT": "0",
            "DOORWARD_API_PORT": "0",
        }
        self.variables: dict[str, str] = {}
        """What the person has put into shell variables: name to value."""
        self.log = folder / "log"
        self.platform: subprocess.Popen[bytes] | None = None

    # The platform

    def start(self) -> None:
        """Run `doorward up` and wait until it is ready."""
        show("doorward up &")
        with self.log.open("wb") as log:
            self.platform = subprocess.Popen(
                [DOORWARD, "up"], env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        while not (self.home / "endpoints.json").exists():
            if self.platform.poll() is not None or time.monotonic() > deadline:
                raise UnexpectedError(f"doorward up did not become ready:\n{self.log.read_text()}")
            time.sleep(0.05)
        self.port = urlsplit(json.loads((self.home / "endpoints.json").read_text())["apps"]).port or 80
        print(f"    ready; Envoy listens on port {self.port}, everything is kept in {self.home}")

    def stop(self) -> None:
        """End `doorward up`, which must take everything with it and answer status 0."""
        if self.platform is None:
            return
        self.platform.send_signal(signal.SIGTERM)
        try:
            status = self.platform.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.platform.kill()
            self.platform.wait()
            raise UnexpectedError("doorward up did not stop") from None
        if status != 0:
            raise UnexpectedError(f"doorward up ended with status {status}:\n{self.log.read_text()}")

    # The shell

    def doorward(self, line: str, *, into: str = "", as_: str = "", status: int = 0) -> str:
        """Run a `doorward` command; *into* names the variable for its output, *as_* that of the token."""
        prefix = f"DOORWARD_TOKEN=${as_} " if as_ else ""
        show(f"{into}=$({prefix}doorward {line})" if into else f"{prefix}doorward {line}")
        token = {"DOORWARD_TOKEN": self.variables[as_]} if as_ else {}
        done = subprocess.run(
            [DOORWARD, *(self.filled_in(word) for word in shlex.split(line))],
            env={**self.env, **token},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode != status:
            raise UnexpectedError(f"exit status {done.returncode}, expected {status}: {done.stderr}")
        if into:
            self.variables[into] = done.stdout.strip()
        else:
            answer(done.stdout + done.stderr)
        return done.stdout

    def curl(
        self,
        url: str,
        *,
        status: int,
        bearer: str = "",
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        data: str = "",
    ) -> str:
        """Send a request to the URL in the variable *url*, with the token in the variable *bearer*."""
        headers = headers or {}
        words = ["curl", "-i"]
        words += ["-H", f'"Authorization: Bearer ${bearer}"'] if bearer else []
        for name, value in headers.items():
            words += ["-H", f'"{name}: {value}"']
        words += ["-d", shlex.quote(data)] if data else []
        show(" ".join([*words, f'"${url}"' if url in self.variables else f'"{url}"']))
        target = urlsplit(self.variables.get(url, self.filled_in(url)))
        sent = {**headers, "Host": target.netloc}
        if bearer:
            sent["Authorization"] = f"Bearer {self.variables[bearer]}"
        # Not every resolver knows *.localhost; curl does.
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, target.path or "/", body=data.encode() or None, headers=sent)
            response = connection.getresponse()
            body = response.read().decode(errors="replace")
        except (OSError, HTTPException) as error:
            raise UnexpectedError(f"no answer: {error!r}") from error
        finally:
            connection.close()
        answer(f"HTTP/1.1 {response.status} {response.reason}\n{body}")
        if response.status != status:
            raise UnexpectedError(f"status {response.status}, expected {status}")
        return body

    def filled_in(self, word: str) -> str:
        """A word of a command line with its variables replaced."""
        for name, value in sorted(self.variables.items(), key=lambda item: -len(item[0])):
            word = word.replace(f"${name}", value)
        return word


def title(text: str) -> None:
    """Say what comes now."""
    print(f"\n# {text}")


def show(command: str) -> None:
    """Show a command as a person would type it."""
    print(f"$ {command}", flush=True)


def answer(text: str) -> None:
    """Show what came back."""
    for line in text.rstrip().splitlines():
        print(f"    {line}")


def expect(what: str, *, true: bool) -> None:
    """Compare an answer with what is expected."""
    if not true:
        raise UnexpectedError(f"expected: {what}")


def create(name: str, group: str, region: str = "GRA", *more: str) -> str:
    """The command line that creates an app."""
    labels = " ".join(f"--label {label}" for label in (f"group={group}", *more))
    program = f"{shlex.quote(sys.executable)} {shlex.quote(str(HELLO))}"
    options = f"--region {region} {labels} --readiness-path / --wait --quiet"
    return f"apps create {name} {options} --process -- {program}"


def create_an_app(demo: Demo) -> None:
    """An app, labelled group=A and, in vain, with a label of the platform's own."""
    demo.doorward(create("hello", "A", "GRA", "ovh/id=fake"), into="APP")
    demo.doorward("apps get $APP -o url", into="URL")
    shown = json.loads(demo.doorward("apps get $APP -o json"))
    app_id = demo.variables["APP"]
    labels = {"group": "A", "ovh/id": app_id, "ovh/type": "app"}
    expect(f"the labels {labels}", true=shown["labels"] == labels)
    expect("the state RUNNING", true=shown["status"]["state"] == "APP_STATE_RUNNING")
    url = f"http://{app_id}.app.gra.localhost:{demo.port}"
    expect(f"the URL {url}", true=demo.variables["URL"].rstrip("/") == url)


def create_a_token(demo: Demo) -> None:
    """Nobody gets in without a token; a READ_ONLY token opens what is labelled group=A in GRA."""
    demo.curl("URL", status=401)
    demo.doorward("tokens create demo --role read-only --region GRA --selector group=A --quiet", into="TOKEN")
    demo.doorward("whoami -o id", as_="TOKEN", into="ID")
    listed = demo.doorward("tokens list -o json")
    expect("no answer with the secret", true=demo.variables["TOKEN"] not in listed)


def visit_the_app(demo: Demo) -> None:
    """The token opens the app, which sees who came but no credential."""
    body = demo.curl("URL", bearer="TOKEN", status=200)
    expect("Hello, World!", true=body == "Hello, World!\n")
    expect(
        "the same text",
        true=demo.curl("URL", bearer="TOKEN", method="POST", data="ping", status=200) == "ping",
    )
    forged = {"X-Doorward-Role": "ADMIN", "X_Doorward_App_Id": "forged"}
    received = json.loads(demo.curl("$URL/headers", bearer="TOKEN", headers=forged, status=200))
    identity = {name: value for name, value in received.items() if "doorward" in name}
    expect("no credential", true="authorization" not in received)
    expect(
        "the platform's own identity headers",
        true=identity
        == {
            "x-doorward-app-id": demo.variables["APP"],
            "x-doorward-token-id": demo.variables["ID"],
            "x-doorward-role": "READ_ONLY",
        },
    )


def look_at_other_apps(demo: Demo) -> None:
    """An app created later is open to it; another group, another region and no app at all are not."""
    demo.doorward(create("later", "A"), into="LATER")
    demo.doorward(create("other", "B"), into="OTHER")
    demo.doorward(create("abroad", "A", "BHS"), into="ABROAD")
    for app in ("LATER", "OTHER", "ABROAD"):
        demo.doorward(f"apps get ${app} -o url", into=f"{app}_URL")
    demo.curl("LATER_URL", bearer="TOKEN", status=200)
    demo.variables["NOWHERE_URL"] = demo.variables["URL"].replace(
        demo.variables["APP"], "00000000-0000-4000-8000-000000000000"
    )
    denied = {demo.curl(f"{app}_URL", bearer="TOKEN", status=403) for app in ("OTHER", "ABROAD", "NOWHERE")}
    expect("the same 403 for all three", true=len(denied) == 1)


def stop_and_start(demo: Demo) -> None:
    """Stopping needs an OPERATOR, whose scope here is this one app."""
    demo.doorward("apps stop $APP", as_="TOKEN", status=4)
    demo.doorward(
        "tokens create ops --role operator --region GRA --selector ovh/id=$APP --quiet", into="OPERATOR"
    )
    demo.doorward("apps stop $APP", as_="OPERATOR")
    demo.curl("URL", bearer="TOKEN", status=503)
    demo.doorward("apps start $APP --wait", as_="OPERATOR")
    demo.curl("URL", bearer="TOKEN", status=200)
    demo.doorward("apps stop $LATER", as_="OPERATOR", status=5)
    demo.doorward("apps update $APP --label group=B", as_="OPERATOR", status=4)
    demo.doorward("tokens create more --role operator --region GRA --all-apps", as_="OPERATOR", status=4)


def regenerate(demo: Demo) -> None:
    """Regenerate: the old secret is dead when the call returns."""
    demo.doorward("tokens regenerate $ID --quiet", into="NEW")
    demo.curl("URL", bearer="TOKEN", status=401)
    demo.curl("URL", bearer="NEW", status=200)
    token = json.loads(demo.doorward("tokens get $ID -o json"))
    expect("generation 2", true=token["generation"] == 2)
    expect(
        "the same name and scope",
        true=(token["displayName"], token["labelSelector"], token["region"]) == ("demo", "group=A", "GRA"),
    )
    demo.doorward("tokens regenerate $ID --grace 1h --quiet", into="NEWER")
    demo.curl("URL", bearer="NEW", status=200)
    demo.curl("URL", bearer="NEWER", status=200)


def delete(demo: Demo) -> None:
    """Delete: dead as well."""
    demo.doorward("tokens delete $ID --yes")
    demo.curl("URL", bearer="NEWER", status=401)


JOURNEY = (
    create_an_app,
    create_a_token,
    visit_the_app,
    look_at_other_apps,
    stop_and_start,
    regenerate,
    delete,
)


def main() -> int:
    """Walk the journey; the exit status."""
    folder = Path(tempfile.mkdtemp(prefix="doorward-demo-"))
    demo = Demo(folder)
    try:
        try:
            demo.start()
            for number, step in enumerate(JOURNEY, 1):
                title(f"{number}. {step.__doc__}")
                step(demo)
        finally:
            title("Everything stops")
            demo.stop()
    except UnexpectedError as error:
        print(f"\nNot as expected: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("\nThe whole journey went as expected.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
