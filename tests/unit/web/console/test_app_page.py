"""An app's page, and what is done with an app from there."""

import re
from html import unescape

import grpc
import pytest

from doorward.v1.app_pb2 import (
    ACCESS_PUBLIC,
    APP_STATE_FAILED,
    APP_STATE_RUNNING,
    APP_STATE_STOPPED,
    APP_STATE_STOPPING,
    AppSpec,
    AppState,
    ExternalSource,
    ProcessSource,
    Readiness,
)
from doorward.v1.app_service_pb2 import (
    LOG_STREAM_STDERR,
    DeleteAppResponse,
    GetAppResponse,
    ListAppsResponse,
    ReadAppLogsResponse,
    StartAppResponse,
    StopAppResponse,
)
from doorward.v1.policy_update_pb2 import ENFORCEMENT_REACHABLE_ONLY, PolicyUpdate
from doorward.v1.role_pb2 import ROLE_ADMIN, ROLE_OPERATOR, ROLE_READ_ONLY, Role
from doorward_server.web.console.apps.command import joined
from tests.unit.web.console.apps import APP_ID, PATH, URL, an_app
from tests.unit.web.console.conftest import Console, text_of
from tests.unit.web.console.fake_api import AWAY, RefusedError

LINE = ReadAppLogsResponse(stream=LOG_STREAM_STDERR, line="<script>alert(1)</script>")


@pytest.fixture(autouse=True)
def _app(console: Console) -> None:
    console.api.answers["GetApp"] = lambda _: GetAppResponse(app=an_app())
    console.api.answers["ReadAppLogs"] = lambda _: [LINE]


async def test_the_page_has_all_of_an_app(console: Console) -> None:
    """Address, tags with the platform's marked, history newest first, source, names of variables."""
    page = await console.open(PATH)
    assert page.status_code == 200
    assert "<h1>Churn &lt;model&gt;</h1>" in page.text
    assert f'<a href="{URL}" id="url" rel="noreferrer">' in page.text
    assert re.findall(r'class="tag( reserved)?"><span class="key">([^<]*)', page.text) == [
        ("", "group"),
        (" reserved", "ovh/id"),
        (" reserved", "ovh/type"),
    ]
    assert page.text.count("(of the platform)") == 2
    history = page.text.partition('<ol class="history">')[2].partition("</ol>")[0]
    assert re.findall(r">([A-Z]+)</span>", history) == ["RUNNING", "QUEUED"]
    text = unescape(text_of(page))
    assert "python3 app.py" in text
    assert "KEY (values are never shown)" in text
    assert "<script>alert(1)</script>" in text
    assert "<script>alert" not in page.text
    assert page.text.count("Public: everybody") == 0


async def test_a_spec_reads_as_what_it_means(console: Console) -> None:
    """Of every field."""
    spec = AppSpec(
        external=ExternalSource(address="127.0.0.1:9"),
        access=ACCESS_PUBLIC,
        operator_paths=["/admin"],
        readiness=Readiness(path="/healthz"),
        cors_preflight=True,
    )
    console.api.answers["GetApp"] = lambda _: GetAppResponse(app=an_app(spec=spec))
    text = text_of(await console.open(PATH))
    for each in ("127.0.0.1:9", "Public: everybody", "/admin", "GET /healthz", "Preflight requests pass"):
        assert each in text


@pytest.mark.parametrize(
    ("role", "state", "offers"),
    [
        (ROLE_ADMIN, APP_STATE_RUNNING, ["labels", "stop", "delete"]),
        (ROLE_OPERATOR, APP_STATE_RUNNING, ["stop", "delete"]),
        (ROLE_OPERATOR, APP_STATE_STOPPED, ["start", "delete"]),
        (ROLE_OPERATOR, APP_STATE_FAILED, ["start", "stop", "delete"]),
        (ROLE_OPERATOR, APP_STATE_STOPPING, ["delete"]),
        (ROLE_READ_ONLY, APP_STATE_RUNNING, []),
    ],
)
async def test_what_is_offered_follows_role_and_state(
    console: Console, role: Role.ValueType, state: AppState.ValueType, offers: list[str]
) -> None:
    """A READ_ONLY token sees the app, and neither buttons nor log; api is not asked for one."""
    console.api.role = role
    console.api.answers["GetApp"] = lambda _: GetAppResponse(app=an_app(state=state))
    page = (await console.open(PATH)).text
    assert re.findall(rf'<a class="button[^"]*" id="[a-z]+" href="{PATH}/([a-z]+)"', page) == offers
    assert ('id="log"' in page) == (role != ROLE_READ_ONLY)
    assert bool(console.api.asked("ReadAppLogs")) == (role != ROLE_READ_ONLY)
    linked = f'href="/audit?resource={APP_ID}"' in page, f'href="/explain?app={APP_ID}"' in page
    assert linked == (role == ROLE_ADMIN, role == ROLE_ADMIN)


@pytest.mark.parametrize(
    ("role", "shown"),
    [
        (ROLE_ADMIN, ["new", "labels", "start", "stop", "delete"]),
        (ROLE_OPERATOR, ["start", "stop", "delete"]),
        (ROLE_READ_ONLY, []),
    ],
)
async def test_a_form_that_would_be_refused_is_not_shown(
    console: Console, role: Role.ValueType, shown: list[str]
) -> None:
    """Its address says whom it is for."""
    console.api.role = role
    for name in ("new", "labels", "start", "stop", "delete"):
        page = await console.open(f"/apps/{name}" if name == "new" else f"{PATH}/{name}")
        assert page.status_code == (200 if name in shown else 403)
        assert ("This page needs the role" in page.text) == (name not in shown)


async def test_what_runs_elsewhere_has_its_log_there(console: Console) -> None:
    """The page says so, and follows nothing."""
    spec = AppSpec(external=ExternalSource(address="127.0.0.1:9"))
    console.api.answers["GetApp"] = lambda _: GetAppResponse(app=an_app(spec=spec))
    page = await console.open(PATH)
    assert "This app runs elsewhere" in page.text
    assert "data-follow" not in page.text
    assert console.api.asked("ReadAppLogs") == []


async def test_a_command_reads_as_the_form_takes_it(console: Console) -> None:
    """So that its arguments can be told apart."""
    spec = AppSpec(process=ProcessSource(command=["python3", "-c", "print('a  b')"]))
    console.api.answers["GetApp"] = lambda _: GetAppResponse(app=an_app(spec=spec))
    page = (await console.open(PATH)).text
    assert f"<code>{joined(spec.process.command)}</code>" in unescape(page)


async def test_why_an_app_is_in_its_state_is_said(console: Console) -> None:
    """Above all else, escaped."""
    app = an_app(state=APP_STATE_FAILED, message="exit <1>")
    console.api.answers["GetApp"] = lambda _: GetAppResponse(app=app)
    assert '<p class="problem">exit &lt;1&gt;</p>' in (await console.open(PATH)).text


async def test_a_log_that_cannot_be_had_hides_no_app(console: Console) -> None:
    """The rest of the page is there."""
    console.api.refuse("ReadAppLogs", AWAY)
    page = await console.open(PATH)
    assert page.status_code == 200
    assert "The log cannot be had right now." in page.text


async def test_a_page_that_refreshes_itself_leaves_the_log_alone(console: Console) -> None:
    """It is followed in its own way."""
    await console.open(PATH, headers={"doorward-background": "1"})
    assert console.api.asked("ReadAppLogs") == []


@pytest.mark.parametrize("app_id", ["x", APP_ID[:-1], APP_ID + "/x", "new/x", "..%2fsign-in"])
async def test_what_is_no_id_is_no_page(console: Console, app_id: str) -> None:
    """Api is not asked."""
    assert (await console.open(f"/apps/{app_id}")).status_code == 404
    assert console.api.calls == []


@pytest.mark.parametrize(
    ("action", "answer", "to", "says"),
    [
        ("start", StartAppResponse(), PATH, "The app is starting."),
        ("stop", StopAppResponse(), PATH, "No request reaches it any more."),
        ("delete", DeleteAppResponse(), "/apps", "Its address opens nothing any more."),
    ],
)
async def test_an_action_is_asked_about_and_then_done(
    console: Console, action: str, answer: object, to: str, says: str
) -> None:
    """To the app as it was seen; the page says what comes of it before, and the next one what came."""
    rpc = f"{action.title()}App"
    console.api.answers[rpc] = lambda _: answer
    console.api.answers["ListApps"] = lambda _: ListAppsResponse()
    page = await console.open(f"{PATH}/{action}")
    assert "Churn &lt;model&gt;" in page.text
    assert "data-dialog" in page.text
    assert console.api.asked(rpc) == []
    (etag,) = re.findall(r'name="etag" value="([^"]*)"', page.text)
    done = await console.send(f"{PATH}/{action}", etag=etag)
    assert (done.status_code, done.headers["location"]) == (303, to)
    (request,) = console.api.asked(rpc)
    assert (request.app_id, request.etag) == (APP_ID, "etag-1")
    assert says in text_of(await console.open(to))


@pytest.mark.parametrize(("action", "rpc"), [("stop", "StopApp"), ("delete", "DeleteApp")])
async def test_what_is_not_enforced_everywhere_is_not_said_to_be(
    console: Console, action: str, rpc: str
) -> None:
    """With a policy lease of 0, a replica that was not reached goes on."""
    update = PolicyUpdate(revision=1, enforcement=ENFORCEMENT_REACHABLE_ONLY)
    kind = {"StopApp": StopAppResponse, "DeleteApp": DeleteAppResponse}[rpc]
    console.api.answers[rpc] = lambda _: kind(policy_update=update)
    await console.send(f"{PATH}/{action}", etag="etag-1")
    text = text_of(await console.open(PATH))
    assert "may go on by what they knew" in text
    assert "any more." not in text


@pytest.mark.parametrize(
    ("refused", "says"),
    [
        (RefusedError(grpc.StatusCode.ABORTED, "ETAG_MISMATCH"), "Somebody else was faster"),
        (
            RefusedError(grpc.StatusCode.FAILED_PRECONDITION, "APP_STATE_CONFLICT", "the app is deleting"),
            "The app is deleting.",
        ),
    ],
)
async def test_an_app_that_has_changed_is_asked_about_again(
    console: Console, refused: RefusedError, says: str
) -> None:
    """As it is now, by whatever name; nothing was done."""
    app = an_app(name="renamed")
    app.etag = "etag-2"
    console.api.answers["GetApp"] = lambda _: GetAppResponse(app=app)
    console.api.refuse("DeleteApp", refused)
    page = await console.send(f"{PATH}/delete", etag="etag-1")
    assert page.status_code == 409
    assert says in text_of(page)
    assert "renamed" in page.text
    assert 'name="etag" value="etag-2"' in page.text


async def test_an_action_that_the_role_does_not_permit_is_apis_to_refuse(console: Console) -> None:
    """Whoever makes up the address: the console has no rule of its own."""
    console.api.role = ROLE_READ_ONLY
    console.api.refuse("StopApp", RefusedError(grpc.StatusCode.PERMISSION_DENIED, "ROLE_TOO_LOW", "no"))
    page = await console.send(f"{PATH}/stop", etag="etag-1")
    assert page.status_code == 403
    assert "Your token may not do this" in page.text
