"""Submitting an app."""

import re
from html import unescape
from uuid import UUID

import grpc
import pytest

from doorward.v1.app_pb2 import ACCESS_PUBLIC, ACCESS_TOKEN_REQUIRED, AppSpec
from doorward.v1.app_service_pb2 import CreateAppResponse
from doorward_server.web.console.apps.spec_form import DEFAULTS, FIELDS
from tests.unit.web.console.apps import PATH, an_app
from tests.unit.web.console.conftest import Console, text_of
from tests.unit.web.console.fake_api import AWAY, RefusedError

FORM = "/apps/new"
ID = "7b0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11"


@pytest.fixture(autouse=True)
def _created(console: Console) -> None:
    console.api.answers["CreateApp"] = lambda _: CreateAppResponse(app=an_app())


async def test_the_form_begins_with_what_is_safe(console: Console) -> None:
    """A token is required, and nothing is filled in; each form makes one app at most."""
    page = (await console.open(FORM)).text
    assert re.search(r'name="access" value="TOKEN_REQUIRED" checked>', page)
    assert re.findall(r"<option[^>]*>([^<]*)", page) == ["GRA", "BHS"]
    ids = set()
    for _ in range(2):
        (found,) = re.findall(r'name="request_id" value="([^"]*)"', (await console.open(FORM)).text)
        ids.add(UUID(found))
    assert len(ids) == 2
    for name in DEFAULTS:
        assert f'name="{name}"' in page


async def test_a_process_is_submitted_with_all_that_was_typed(console: Console) -> None:
    """In one request, by an id that a repeat would have as well."""
    done = await console.send(
        FORM,
        request_id=ID,
        name=" Churn ",
        region="GRA",
        labels="group=A\r\nteam=b",
        source="process",
        address="ignored:1",
        command="python3 'my app.py' --port {port}",
        env="KEY=a=b\nEMPTY=",
        working_dir="/srv",
        access="PUBLIC",
        operator_paths="/admin\n /ops ",
        readiness_path="/healthz",
        readiness_period="0.5",
        readiness_threshold="4",
        cors_preflight="yes",
    )
    assert (done.status_code, done.headers["location"]) == (303, PATH)
    (request,) = console.api.asked("CreateApp")
    app, spec = request.app, request.app.spec
    assert (request.request_id, app.display_name, app.region) == (ID, "Churn", "GRA")
    assert dict(app.labels) == {"group": "A", "team": "b"}
    assert list(spec.process.command) == ["python3", "my app.py", "--port", "{port}"]
    assert dict(spec.process.env) == {"KEY": "a=b", "EMPTY": ""}
    assert spec.process.working_dir == "/srv"
    assert spec.access == ACCESS_PUBLIC
    assert list(spec.operator_paths) == ["/admin", "/ops"]
    assert spec.readiness.path == "/healthz"
    assert spec.readiness.period.ToMilliseconds() == 500
    assert spec.readiness.failure_threshold == 4
    assert spec.cors_preflight


async def test_a_service_is_submitted_with_no_more_than_its_address(console: Console) -> None:
    """What the other source was given, and what is empty, is not sent."""
    await console.send(
        FORM, name="x", region="GRA", source="external", address=" 127.0.0.1:9 ", command="'", env="secret"
    )
    (request,) = console.api.asked("CreateApp")
    assert request.app.spec == AppSpec(
        external={"address": "127.0.0.1:9"},  # type: ignore[arg-type]  # a message's fields may be a dict
        access=ACCESS_TOKEN_REQUIRED,
    )


@pytest.mark.parametrize(("field", "name"), FIELDS.items())
async def test_each_fields_error_stands_at_it(console: Console, field: str, name: str) -> None:
    """In api's words, and all that was typed is kept."""
    error = RefusedError(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", fields={field: "must <not>"})
    console.api.refuse("CreateApp", error)
    page = await console.send(
        FORM,
        request_id=ID,
        name="<Churn>",
        region="BHS",
        labels="group=A",
        source="process",
        command="run <it>",
        env="KEY=v",
        access="PUBLIC",
        readiness_path="/h",
    )
    assert page.status_code == 400
    assert f'id="{name}-error">Must &lt;not&gt;.</p>' in page.text
    assert f'name="request_id" value="{ID}"' in page.text
    assert 'value="&lt;Churn&gt;"' in page.text
    assert "<option selected>BHS</option>" in page.text
    assert 'value="process" checked' in page.text
    assert 'value="PUBLIC" checked' in page.text
    assert 'value="run &lt;it&gt;"' in page.text
    assert ">KEY=v</textarea>" in page.text
    assert '<details class="more" open>' in page.text


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("labels", "group", "Line 1 must be key=value"),
        ("env", "A=1\nKEY", "Line 2 must be NAME=value"),
        ("command", "python 'a", "A quotation mark is not closed"),
        ("readiness_period", "soon", "Must be a number of seconds"),
        ("readiness_period", "-1", "Must be a number of seconds"),
        ("readiness_period", "1e400", "Must be a number of seconds"),
        ("readiness_period", "nan", "Must be a number of seconds"),
        ("readiness_threshold", "0", "Must be a whole number"),
        ("readiness_threshold", "\u0663", "Must be a whole number"),
        ("readiness_threshold", "9" * 40, "Must be a whole number"),
    ],
)
async def test_what_no_request_can_hold_is_told_at_its_field(
    console: Console, name: str, value: str, says: str
) -> None:
    """Before api is asked, and without repeating what may be a secret."""
    page = await console.send_fields(FORM, {"source": "process", "region": "GRA", name: value})
    assert page.status_code == 400
    (error,) = re.findall(rf'id="{name}-error">([^<]*)<', page.text)
    assert says in unescape(error)
    assert console.api.asked("CreateApp") == []


@pytest.mark.parametrize(
    "refused",
    [
        AWAY,
        RefusedError(grpc.StatusCode.FAILED_PRECONDITION, "RUNTIME_DISABLED", "no processes here"),
        RefusedError(grpc.StatusCode.DEADLINE_EXCEEDED),
    ],
    ids=lambda each: each.code.name,
)
async def test_what_was_typed_outlives_an_outage(console: Console, refused: RefusedError) -> None:
    """And the form keeps its id: sent again, it makes no second app if the first was made after all."""
    console.api.refuse("CreateApp", refused)
    page = await console.send(
        FORM, request_id=ID, name="Churn", region="GRA", source="external", address="a:1"
    )
    assert page.status_code in {409, 503}
    assert 'value="Churn"' in page.text
    assert f'name="request_id" value="{ID}"' in page.text


async def test_a_form_that_was_sent_before_says_so(console: Console) -> None:
    """Back, another name, and send: that is another app, once somebody has said so."""
    error = RefusedError(grpc.StatusCode.ABORTED, "REQUEST_ID_REUSED")
    console.api.refuse("CreateApp", error)
    page = await console.send(FORM, request_id=ID, name="Churn", region="GRA", source="external")
    assert page.status_code == 409
    assert "This form was sent before" in text_of(page)
    (fresh,) = re.findall(r'name="request_id" value="([^"]*)"', page.text)
    assert fresh != ID


async def test_an_error_that_no_field_has_is_a_page(console: Console) -> None:
    """Such as a role that has become too low."""
    console.api.refuse("CreateApp", RefusedError(grpc.StatusCode.PERMISSION_DENIED, "ROLE_TOO_LOW"))
    assert (await console.send(FORM, name="x", region="GRA", source="external")).status_code == 403
    error = RefusedError(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", fields={"request_id": "must"})
    console.api.refuse("CreateApp", error)
    assert "request_id: must" in text_of(await console.send(FORM, name="x", source="external"))
