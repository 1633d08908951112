"""The whole journey of the README, on the platform as `doorward up` runs it.

Walked twice: with the small app in examples/, and with Datasette, which keeps a login cookie of its own.
"""

import json
import re
import sys
import time
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.e2e.support.platform import Platform
from tests.e2e.support.raw_http import Answer
from tests.support.waiting import wait_for

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NOBODY = "00000000-0000-4000-8000-000000000000"


class Kind(Protocol):
    """A program that the journey is walked with."""

    def command(self, folder: Path) -> list[str]:
        """What runs it; *folder* is its own."""

    def greets(self, answer: Answer) -> bool:
        """Whether an answer is the app's front page."""

    def posts(self, visitor: "Visitor") -> None:
        """Assert that a POST reaches the app and its answer comes back."""

    def keeps_its_own_login(self, visitor: "Visitor", platform: Platform, app_id: str) -> None:
        """Assert that the app's own cookies or headers pass both ways."""


@dataclass(frozen=True)
class Visitor:
    """Somebody at an app, with a token or without."""

    platform: Platform
    host: str
    token: str | None

    def get(self, target: str = "/", **options: Any) -> Answer:
        """GET a page of the app."""
        return self.platform.visit(self.host, target, token=self.token, **options)

    def post(self, target: str, body: bytes, *headers: tuple[str, str]) -> Answer:
        """POST to the app."""
        return self.platform.visit(
            self.host, target, token=self.token, method="POST", body=body, headers=headers
        )

    def headers_seen(self, **options: Any) -> dict[str, str]:
        """The headers that the app receives, by lower-case name."""
        seen: dict[str, str] = json.loads(self.get("/headers", **options).body)
        return seen


class Hello:
    """The app in examples/."""

    def command(self, folder: Path) -> list[str]:
        del folder
        return [sys.executable, str(EXAMPLES / "hello.py")]

    def greets(self, answer: Answer) -> bool:
        return (answer.status, answer.body) == (200, b"Hello, World!\n")

    def posts(self, visitor: Visitor) -> None:
        assert visitor.post("/anything", b"ping").body == b"ping"

    def keeps_its_own_login(self, visitor: Visitor, platform: Platform, app_id: str) -> None:
        del platform, app_id
        basic = ("Authorization", "Basic YWRhOmxvdmVsYWNl")
        own = Visitor(visitor.platform, visitor.host, None).headers_seen(
            headers=[basic, ("Doorward-Token", visitor.token or ""), ("Cookie", "session=1; a=b")]
        )
        assert own["authorization"] == basic[1]
        assert own["cookie"] == "session=1; a=b"
        assert "doorward-token" not in own


class Datasette:
    """A real web app from PyPI, with a route of the test's own that shows the headers it gets."""

    _PLUGIN = """
from datasette import hookimpl
from datasette.utils.asgi import Response

def headers(request):
    return Response.json(dict(request.headers))

@hookimpl
def register_routes():
    return [(r"^/headers$", headers)]
"""

    def command(self, folder: Path) -> list[str]:
        (folder / "headers.py").write_text(self._PLUGIN)
        return [
            *(sys.executable, "-m", "datasette", "serve", "--memory", "--root"),
            *("--host", "127.0.0.1", "--port", "{port}", "--plugins-dir", str(folder)),
        ]

    def greets(self, answer: Answer) -> bool:
        return answer.status == 200 and b"Datasette" in answer.body

    def posts(self, visitor: Visitor) -> None:
        form = visitor.get("/-/messages")
        cookie = _cookies(form)["ds_csrftoken"]
        csrf = re.search(rb'name="csrftoken" value="([^"]+)"', form.body)
        assert csrf is not None
        sent = visitor.post(
            "/-/messages",
            b"message=ping&message_type=INFO&csrftoken=" + csrf[1],
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Cookie", f"ds_csrftoken={cookie}"),
        )
        assert sent.status == 302
        assert "ds_messages" in _cookies(sent)

    def keeps_its_own_login(self, visitor: Visitor, platform: Platform, app_id: str) -> None:
        def offered() -> "re.Match[str] | None":
            return re.search(r"/-/auth-token\?token=\w+", platform.cli("apps", "logs", app_id).stdout)

        login = wait_for(offered, what="Datasette's login link in its log")
        assert login is not None
        actor = _cookies(visitor.get(login[0]))["ds_actor"]
        me = visitor.get("/-/actor.json", headers=[("Cookie", f"ds_actor={actor}")])
        assert json.loads(me.body) == {"actor": {"id": "root"}}
        assert json.loads(visitor.get("/-/actor.json").body) == {"actor": None}


def _cookies(answer: Answer) -> dict[str, str]:
    """The cookies that an answer sets, values as they stand."""
    cookies: dict[str, str] = {}
    for line in answer.all("set-cookie"):
        cookies |= {name: morsel.coded_value for name, morsel in SimpleCookie(line).items()}
    return cookies


@pytest.mark.parametrize("kind", [Hello(), Datasette()], ids=["hello", "datasette"])
def test_the_journey(  # noqa: PLR0915 - one story, told in one piece
    platform: Platform, kind: Kind, tmp_path: Path
) -> None:
    """Create, open, scope, operate, regenerate, delete: each step as the README promises it."""
    label = f"group={type(kind).__name__}"
    command = kind.command(tmp_path)

    def create(name: str, *labels: str, region: str = "GRA") -> dict[str, Any]:
        options = [option for each in labels for option in ("--label", each)]
        app: dict[str, Any] = platform.json(
            *("apps", "create", name, "--region", region, *options),
            *("--readiness-path", "/", "--wait", "--process", "--", *command),
        )
        return app

    def issue(*arguments: str) -> str:
        done = platform.cli("tokens", "create", *arguments, "--region", "GRA", "--quiet")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def visitor(app: dict[str, Any], token: str | None) -> Visitor:
        return Visitor(platform, app["status"]["url"].removeprefix("http://").rstrip("/"), token)

    # 1. An app, its platform labels its own.
    app = create("hello", label, "ovh/id=fake")
    app_id = app["appId"]
    assert app["status"]["state"] == "APP_STATE_RUNNING"
    assert app["status"]["url"] == f"http://{app_id}.{platform.endpoints.regions['GRA']}"
    assert app["labels"] == {"group": type(kind).__name__, "ovh/id": app_id, "ovh/type": "app"}

    # 2. Nobody without a token; a secret that is shown once.
    refused = visitor(app, None).get()
    assert refused.status == 401
    assert refused.all("www-authenticate") == ['Bearer realm="doorward"']
    token = issue("demo", "--role", "read-only", "--selector", label)
    token_id = token.split("_")[1]
    for shown in (("tokens", "list"), ("tokens", "get", token_id), ("audit", "list")):
        assert token[16:] not in platform.cli("-o", "json", *shown).stdout

    # 3. In with it; the app sees who it is and no credential, forged headers or not.
    guest = visitor(app, token)
    assert kind.greets(guest.get())
    kind.posts(guest)
    kind.keeps_its_own_login(guest, platform, app_id)
    forged = [("x-doorward-role", "ADMIN"), ("X_Doorward_App_Id", "x"), ("x-doorward-token-id", "y")]
    seen = guest.headers_seen(headers=forged)
    assert "authorization" not in seen
    assert {name: value for name, value in seen.items() if "doorward" in name} == {
        "x-doorward-app-id": app_id,
        "x-doorward-token-id": token_id,
        "x-doorward-role": "READ_ONLY",
    }
    assert token[16:] not in json.dumps(seen)

    # 4. Later apps of the label are open; a different one, one abroad and none at all are the same 403.
    later = create("later", label)
    assert kind.greets(visitor(later, token).get())
    other = create("other", f"{label}-not")
    abroad = create("abroad", label, region="BHS")
    nowhere = {"status": {"url": app["status"]["url"].replace(app_id, NOBODY)}}
    denials = [visitor(each, token).get() for each in (other, abroad, nowhere)]
    assert [denial.status for denial in denials] == [403, 403, 403]
    assert len({_comparable(denial) for denial in denials}) == 1

    # 5. An operator of this one app.
    assert platform.cli("apps", "stop", app_id, token=token).returncode == 4
    operator = issue("ops", "--role", "operator", "--selector", f"ovh/id={app_id}")
    assert platform.cli("apps", "stop", app_id, token=operator).returncode == 0
    assert guest.get().status == 503
    assert platform.cli("apps", "start", app_id, "--wait", token=operator).returncode == 0
    assert kind.greets(guest.get())
    for use in ("stop", "start", "get"):
        assert platform.cli("apps", use, later["appId"], token=operator).returncode == 5
    assert platform.cli("apps", "update", app_id, "--label", "group=B", token=operator).returncode == 4
    more = ("tokens", "create", "x", "--role", "operator", "--region", "GRA", "--all-apps")
    assert platform.cli(*more, token=operator).returncode == 4

    # 6. Regenerate: dead on return, or after the grace period.
    before = platform.json("tokens", "get", token_id)
    renewed = platform.cli("tokens", "regenerate", token_id, "--quiet").stdout.strip()
    assert guest.get().status == 401
    assert kind.greets(visitor(app, renewed).get())
    after = platform.json("tokens", "get", token_id)
    assert after["generation"] == 2
    for field in ("tokenId", "displayName", "role", "region", "labelSelector"):
        assert after[field] == before[field]
    started = time.monotonic()
    newest = platform.cli("tokens", "regenerate", token_id, "--grace", "4s", "--quiet").stdout.strip()
    assert [visitor(app, each).get().status for each in (renewed, newest)] == [200, 200]
    wait_for(lambda: visitor(app, renewed).get().status == 401, what="the end of the grace period")
    assert time.monotonic() - started >= 4
    assert kind.greets(visitor(app, newest).get())

    # 7. Delete: dead on return.
    assert platform.cli("tokens", "delete", token_id, "--yes").returncode == 0
    assert visitor(app, newest).get().status == 401

    for each in (app, later, other, abroad):
        assert platform.cli("apps", "delete", each["appId"], "--yes").returncode == 0
        assert visitor(each, operator).get().status == 403


def _comparable(answer: Answer) -> tuple[int, bytes, tuple[tuple[str, str], ...]]:
    """An answer but for the time it was made and the name of the request."""
    varying = {"date", "x-request-id"}
    return (
        answer.status,
        answer.body,
        tuple((name, value) for name, value in answer.headers if name.lower() not in varying),
    )
