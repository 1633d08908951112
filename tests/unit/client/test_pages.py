"""Lists that come page by page."""

from itertools import islice

import grpc
import pytest

import doorward
from doorward.v1.app_pb2 import App
from tests.unit.client.fake_api import FakeApi


@pytest.fixture
def _seven_apps(api: FakeApi) -> None:
    """Seven apps."""
    for number in range(7):
        api.state.apps[str(number)] = App(app_id=str(number))


@pytest.mark.usefixtures("_seven_apps")
def test_every_item_of_every_page(api: FakeApi, client: doorward.Client) -> None:
    """Iterating goes through all pages, in order, and asks for each once."""
    assert [app.app_id for app in client.apps.list(page_size=3)] == list("0123456")
    tokens = [seen.request.page_token for seen in api.state.seen["ListApps"]]  # type: ignore[attr-defined]
    assert tokens == ["", "3", "6"]


@pytest.mark.usefixtures("_seven_apps")
def test_pages_are_asked_for_when_needed(api: FakeApi, client: doorward.Client) -> None:
    """Nothing is asked before the first item is wanted, and no page beyond the last item that is."""
    apps = client.apps.list(page_size=3)
    assert api.state.seen["ListApps"] == []
    assert [app.app_id for app in islice(apps, 3)] == list("012")
    assert len(api.state.seen["ListApps"]) == 1


@pytest.mark.usefixtures("_seven_apps")
def test_whole_pages(client: doorward.Client) -> None:
    """The answers can be had whole."""
    pages = list(client.apps.list(page_size=3).pages())
    assert [(len(page.apps), page.next_page_token) for page in pages] == [(3, "3"), (3, "6"), (1, "")]


@pytest.mark.usefixtures("_seven_apps")
def test_iterating_again_asks_again(client: doorward.Client) -> None:
    """A list can be gone through more than once, and is up to date each time."""
    apps = client.apps.list()
    assert len(list(apps)) == 7
    client.apps.delete("0")
    assert len(list(apps)) == 6


def test_an_empty_list(client: doorward.Client) -> None:
    """A list without items is one empty page."""
    assert list(client.tokens.list()) == []
    assert len(list(client.tokens.list().pages())) == 1


@pytest.mark.usefixtures("_seven_apps")
def test_a_page_that_fails(api: FakeApi, client: doorward.Client) -> None:
    """The items before a page that cannot be had are had, then its error is raised."""
    apps = iter(client.apps.list(page_size=3))
    assert len(list(islice(apps, 3))) == 3
    api.fail("ListApps", grpc.StatusCode.UNAUTHENTICATED, "revoked")
    with pytest.raises(doorward.Unauthenticated, match="revoked"):
        next(apps)
