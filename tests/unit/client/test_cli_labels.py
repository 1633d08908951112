"""`doorward apps labels` and `doorward apps open`."""

import webbrowser

import grpc
import pytest

from doorward.v1.app_pb2 import AppState
from tests.unit.client.cli import Doorward
from tests.unit.client.fake_api import FakeApi


def test_set_and_remove(api: FakeApi, doorward_cli: Doorward, app_id: str) -> None:
    """Single labels are set and removed; the others stay."""
    doorward_cli("apps", "labels", "set", app_id, "tier=gold", "team=search").lines()
    assert api.state.apps[app_id].labels == {
        "group": "A",
        "tier": "gold",
        "team": "search",
        "ovh/id": app_id,
    }
    doorward_cli("apps", "labels", "remove", f"apps/{app_id}", "tier", "team").lines()
    assert doorward_cli("apps", "labels", "list", app_id).lines() == ["group=A", f"ovh/id={app_id}"]
    listed = doorward_cli("apps", "labels", "list", app_id, "-o", "json").json()
    assert listed == {"group": "A", "ovh/id": app_id}


@pytest.mark.parametrize("arguments", [("set", "group=A"), ("remove", "nothing")])
def test_no_change(api: FakeApi, doorward_cli: Doorward, app_id: str, arguments: tuple[str, str]) -> None:
    """What is so already is not changed again, and that is said."""
    command, change = arguments
    ended = doorward_cli("apps", "labels", command, app_id, change)
    assert (ended.code, ended.err) == (0, "no change\n")
    assert api.state.seen["UpdateApp"] == []


def test_somebody_else_sets_a_label(api: FakeApi, doorward_cli: Doorward, app_id: str) -> None:
    """A label that somebody else sets at the same time is not lost: the change is made anew on top of it."""
    code, reason = grpc.StatusCode.ABORTED, "ERROR_REASON_ETAG_MISMATCH"
    api.fail("UpdateApp", code, "it has changed", reason=reason)
    doorward_cli("apps", "labels", "set", app_id, "tier=gold").lines()
    requests = [seen.request.app for seen in api.state.seen["UpdateApp"]]  # type: ignore[attr-defined]
    assert [request.etag for request in requests] == ["1", "1"]
    assert len(api.state.seen["GetApp"]) == 2


def test_somebody_else_never_stops(api: FakeApi, doorward_cli: Doorward, app_id: str) -> None:
    """Who is never fast enough hears of it in the end."""
    code, reason = grpc.StatusCode.ABORTED, "ERROR_REASON_ETAG_MISMATCH"
    api.fail("UpdateApp", code, "it has changed", reason=reason, times=9)
    ended = doorward_cli("apps", "labels", "set", app_id, "tier=gold")
    assert (ended.code, ended.err) == (6, "error: it has changed\n")
    assert len(api.state.seen["UpdateApp"]) == 5


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("set", "ID", "tier"), "expected KEY=VALUE"),
        (("set", "ID", "a=1", "a=2"), "KEY=VALUE gives a key more than once"),
        (("set", "ID"), "Missing argument"),
        (("remove", "ID"), "Missing argument"),
    ],
)
def test_labels_wrongly(api: FakeApi, doorward_cli: Doorward, arguments: tuple[str, ...], text: str) -> None:
    """What is no label is refused before anything is asked."""
    ended = doorward_cli("apps", "labels", *arguments)
    assert ended.code == 2
    assert text in ended.err
    assert not any(api.state.seen.values())


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the browser was sent to."""
    urls: list[str] = []

    def browse(url: str) -> bool:
        urls.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", browse)
    return urls


def test_open(api: FakeApi, doorward_cli: Doorward, app_id: str, opened: list[str]) -> None:
    """A browser is sent to the app's address, and nothing is on standard output."""
    app = api.state.apps[app_id]
    app.status.state = AppState.APP_STATE_RUNNING
    ended = doorward_cli("apps", "open", app_id)
    assert (ended.code, ended.out, ended.err) == (0, "", f"opened {app.status.url}\n")
    assert opened == [app.status.url]
    assert doorward_cli("apps", "open", app_id, "--print").lines() == [app.status.url]
    assert len(opened) == 1


@pytest.mark.parametrize("error", [None, webbrowser.Error("no browser")])
def test_open_without_a_browser(
    api: FakeApi,
    doorward_cli: Doorward,
    app_id: str,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception | None,
) -> None:
    """Where there is no browser the address is printed; an app that does not run is warned of."""

    def browse(_url: str) -> bool:
        if error is not None:
            raise error
        return False

    monkeypatch.setattr(webbrowser, "open", browse)
    ended = doorward_cli("apps", "open", app_id)
    assert (ended.code, ended.out) == (0, f"{api.state.apps[app_id].status.url}\n")
    assert ended.err == f"warning: app {app_id} is QUEUED: it answers 503\n"


@pytest.mark.parametrize("url", ["file:///etc/passwd", "javascript:alert(1)", "", "http://a/\n", "-version"])
def test_open_nothing_but_the_web(
    api: FakeApi, doorward_cli: Doorward, app_id: str, opened: list[str], url: str
) -> None:
    """A browser is sent nowhere but to an address of the web, whatever the server answers."""
    api.state.apps[app_id].status.url = url
    ended = doorward_cli("apps", "open", app_id)
    assert (ended.code, ended.out, opened) == (1, "", [])
