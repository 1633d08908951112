"""Editing labels: nobody overwrites another's edit, and what was typed is kept."""

import re
from html import unescape

import grpc
import pytest

from doorward.v1.app_service_pb2 import GetAppResponse, UpdateAppResponse
from doorward.v1.policy_update_pb2 import ENFORCEMENT_REACHABLE_ONLY, PolicyUpdate
from tests.unit.web.console.apps import APP_ID, PATH, an_app
from tests.unit.web.console.conftest import Console, text_of
from tests.unit.web.console.fake_api import RefusedError

FORM = f"{PATH}/labels"


@pytest.fixture(autouse=True)
def _app(console: Console) -> None:
    console.api.answers["GetApp"] = lambda _: GetAppResponse(app=an_app(labels={"team": "b", "group": "A"}))
    console.api.answers["UpdateApp"] = lambda _: UpdateAppResponse()


def typed(page: str) -> str:
    """What is in the field."""
    return unescape(re.findall(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)[0])


async def test_the_form_has_the_labels_a_line_each(console: Console) -> None:
    """The platform's own stand beside it, and cannot be edited."""
    page = (await console.open(FORM)).text
    assert typed(page) == "group=A\nteam=b"
    assert re.findall(r'class="tag reserved"><span class="key">([^<]*)', page) == ["ovh/id", "ovh/type"]
    assert 'name="etag" value="etag-1"' in page


async def test_labels_are_saved_as_typed(console: Console) -> None:
    """With the etag of the app as it was seen; nothing else of the app is sent."""
    answer = await console.send(FORM, labels=" group = B \r\n\r\nx/empty=\r\na=b=c", etag="etag-1")
    assert (answer.status_code, answer.headers["location"]) == (303, PATH)
    (request,) = console.api.asked("UpdateApp")
    assert request.app.app_id == APP_ID
    assert request.app.etag == "etag-1"
    assert dict(request.app.labels) == {"group": "B", "x/empty": "", "a": "b=c"}
    assert list(request.update_mask.paths) == ["labels"]
    assert not request.app.HasField("spec")


async def test_all_labels_can_be_taken_away(console: Console) -> None:
    """An empty field means none, and not as they were."""
    await console.send(FORM, labels="", etag="etag-1")
    (request,) = console.api.asked("UpdateApp")
    assert dict(request.app.labels) == {}
    assert list(request.update_mask.paths) == ["labels"]


async def test_anothers_edit_is_not_overwritten(console: Console) -> None:
    """The page shows theirs beside what was typed; only who has seen it replaces it."""
    theirs = an_app(labels={"group": "theirs"})
    theirs.etag = "etag-2"
    console.api.answers["GetApp"] = lambda _: GetAppResponse(app=theirs)
    console.api.refuse("UpdateApp", RefusedError(grpc.StatusCode.ABORTED, "ETAG_MISMATCH"))
    page = await console.send(FORM, labels="group=mine", etag="etag-1")
    assert page.status_code == 409
    assert typed(page.text) == "group=mine"
    assert "group = theirs" in text_of(page)
    assert 'name="etag" value="etag-2"' in page.text
    assert 'role="alert"' in page.text


async def test_what_api_does_not_take_is_told_at_the_field(console: Console) -> None:
    """What was typed stays, and so does the version that it was typed for."""
    changed = an_app()
    changed.etag = "etag-2"
    console.api.answers["GetApp"] = lambda _: GetAppResponse(app=changed)
    error = RefusedError(
        grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", fields={"app.labels": "key '<b>': must"}
    )
    console.api.refuse("UpdateApp", error)
    page = await console.send(FORM, labels="<b>=c", etag="etag-1")
    assert page.status_code == 400
    assert 'id="labels-error">Key &#39;&lt;b&gt;&#39;: must.</p>' in page.text
    assert typed(page.text) == "<b>=c"
    assert 'name="etag" value="etag-1"' in page.text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("group", "Line 1 must be key=value"),
        ("a=b\n=c", "Line 2 must be key=value"),
        ("a=b\n\na=c", "The key of line 3 stands above already"),
    ],
)
async def test_what_is_no_label_at_all_is_told_with_its_line(console: Console, text: str, says: str) -> None:
    """Before api is asked."""
    page = await console.send(FORM, labels=text, etag="etag-1")
    assert page.status_code == 400
    assert says in page.text
    assert typed(page.text) == text
    assert console.api.asked("UpdateApp") == []


async def test_another_error_is_a_page(console: Console) -> None:
    """There is no field to put it at."""
    console.api.refuse("UpdateApp", RefusedError(grpc.StatusCode.PERMISSION_DENIED, "ROLE_TOO_LOW"))
    assert (await console.send(FORM, labels="a=b", etag="e")).status_code == 403


async def test_what_is_not_enforced_everywhere_is_not_said_to_be(console: Console) -> None:
    """With a policy lease of 0."""
    update = PolicyUpdate(revision=1, enforcement=ENFORCEMENT_REACHABLE_ONLY)
    console.api.answers["UpdateApp"] = lambda _: UpdateAppResponse(policy_update=update)
    console.api.answers["ReadAppLogs"] = lambda _: []
    await console.send(FORM, labels="a=b", etag="etag-1")
    assert "may go on by what they knew" in text_of(await console.open(PATH))
