"""The list of apps."""

import re
from urllib.parse import urlencode

import grpc
import pytest

from doorward.v1.app_pb2 import (
    APP_STATE_FAILED,
    APP_STATE_INITIALIZING,
    APP_STATE_RUNNING,
    APP_STATE_STOPPED,
    AppState,
)
from doorward.v1.app_service_pb2 import ListAppsResponse
from doorward.v1.role_pb2 import ROLE_OPERATOR, ROLE_READ_ONLY
from tests.unit.web.console.apps import PATH, an_app
from tests.unit.web.console.conftest import Console, text_of
from tests.unit.web.console.fake_api import RefusedError


async def test_the_list_has_state_region_tags_and_age(console: Console) -> None:
    """Each with its word; the platform's own labels are on the app's page."""
    console.api.answers["ListApps"] = lambda _: ListAppsResponse(apps=[an_app()])
    page = await console.open("/apps")
    assert page.status_code == 200
    assert re.search(rf'<a [^>]*href="{PATH}">Churn &lt;model&gt;</a>', page.text)
    assert '<span class="badge state-running">RUNNING</span>' in page.text
    text = text_of(page)
    assert "group = A" in text
    assert "ovh/" not in text
    assert re.search(r'<time datetime="[-0-9T:]*Z" data-ago title="[^"]* UTC">3 h</time>', page.text)
    assert ">GRA</td>" in page.text


async def test_the_filter_is_apis(console: Console) -> None:
    """What is chosen is asked for, and stays chosen."""
    console.api.answers["ListApps"] = lambda _: ListAppsResponse(apps=[an_app()], next_page_token="next&1")  # noqa: S106 - a place in a list
    page = await console.client.get(
        "/apps?selector=+group+in+(A,B)+&region=GRA&state=RUNNING&state=nonsense&page=p1",
        headers=console._cookie(),
    )
    (request,) = console.api.asked("ListApps")
    assert (request.label_selector, request.region) == ("group in (A,B)", "GRA")
    assert list(request.states) == [APP_STATE_RUNNING]
    assert request.page_token == "p1"  # noqa: S105 - a place in a list
    assert 'value="group in (A,B)"' in page.text
    assert "<option selected>GRA</option>" in page.text
    assert "<option selected>RUNNING</option>" in page.text
    kept = "selector=group+in+%28A%2CB%29&amp;region=GRA&amp;state=RUNNING"
    assert f'href="/apps?{kept}&amp;page=next%261" rel="next"' in page.text
    assert f'href="/apps?{kept}">First page' in page.text


@pytest.mark.parametrize(("field", "name"), [("label_selector", "selector"), ("region", "region")])
async def test_a_wrong_filter_is_told_at_its_field(console: Console, field: str, name: str) -> None:
    """In api's words, tied to the field for who hears the page; what was typed stays."""
    error = RefusedError(
        grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", fields={field: "column 3: expected <x>"}
    )
    console.api.refuse("ListApps", error)
    page = await console.open("/apps", selector="a <b>")
    assert page.status_code == 400
    assert f'id="{name}-error">Column 3: expected &lt;x&gt;.</p>' in page.text
    assert re.search(
        rf'id="{name}"[^>]* aria-describedby="[^"]*{name}-error"[^>]* aria-invalid="true"', page.text
    )
    assert 'value="a &lt;b&gt;"' in page.text
    assert "There is no app yet" not in page.text


async def test_an_error_that_is_not_about_the_filter_is_a_page(console: Console) -> None:
    """There is no field to put it at."""
    error = RefusedError(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", fields={"page_size": "must"})
    console.api.refuse("ListApps", error)
    assert "page_size: must" in text_of(await console.open("/apps"))


@pytest.mark.parametrize(
    ("role", "query", "says"),
    [
        ("ADMIN", {}, "There is no app yet"),
        ("ADMIN", {"region": "GRA"}, "No app matches"),
        ("OPERATOR", {}, "No app is in your scope yet"),
        ("READ_ONLY", {}, "No app is in your scope yet"),
    ],
)
async def test_an_empty_list_teaches(console: Console, role: str, query: dict[str, str], says: str) -> None:
    """What to do next, to whom it concerns: the command for a first app, or the scope."""
    console.api.role = {"OPERATOR": ROLE_OPERATOR, "READ_ONLY": ROLE_READ_ONLY}.get(role, console.api.role)
    console.api.token.label_selector = "group=A"
    console.api.answers["ListApps"] = lambda _: ListAppsResponse()
    page = await console.open("/apps?" + urlencode(query))
    assert says in page.text
    assert ("doorward apps create" in page.text) == (says == "There is no app yet")
    assert ("<code>group=A</code>" in page.text) == (role != "ADMIN")
    assert ('href="/apps/new"' in page.text) == (role == "ADMIN")


@pytest.mark.parametrize(
    ("state", "seconds"),
    [
        (APP_STATE_INITIALIZING, "1.5"),
        (APP_STATE_RUNNING, "10"),
        (APP_STATE_STOPPED, "10"),
        (APP_STATE_FAILED, "10"),
    ],
)
async def test_what_changes_by_itself_is_looked_at_more_often(
    console: Console, state: AppState.ValueType, seconds: str
) -> None:
    """By the page's script."""
    console.api.answers["ListApps"] = lambda _: ListAppsResponse(apps=[an_app(state=state)])
    assert f'data-live="{seconds}"' in (await console.open("/apps")).text


async def test_a_state_of_a_newer_api_has_a_word(console: Console) -> None:
    """Rather than an error."""
    newer: AppState.ValueType = 99  # type: ignore[assignment]  # no member has it
    console.api.answers["ListApps"] = lambda _: ListAppsResponse(apps=[an_app(state=newer)])
    assert "UNKNOWN" in (await console.open("/apps")).text
