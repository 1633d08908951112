"""What `client.apps` sends and answers."""

from datetime import timedelta
from typing import Any

import grpc
import pytest

import doorward
from doorward.v1.app_pb2 import App, AppState, AppStatus
from doorward.v1.app_service_pb2 import LogStream, ReadAppLogsResponse
from tests.unit.client.fake_api import FakeApi

NOTHING_MORE = AppStatus()
"""After this the fake's stream is silent."""


def status(name: str, message: str = "") -> AppStatus:
    """Return a status."""
    return AppStatus(state=AppState.Value(f"APP_STATE_{name}"), message=message)


@pytest.fixture
def app(client: doorward.Client) -> App:
    """An app."""
    return client.apps.create("hello", region="GRA", spec=doorward.external("127.0.0.1:1"))


def sent(api: FakeApi, rpc: str) -> Any:
    """Return the request of the only call of an RPC."""
    return api.seen(rpc).request


def test_create_a_process(api: FakeApi, client: doorward.Client) -> None:
    """A process is sent as it is described, and the app that comes back is the server's."""
    spec = doorward.process(
        ["python", "hello.py"],
        env={"MODE": "fast"},
        working_dir="/srv",
        access="public",
        operator_paths=["/admin"],
        readiness=doorward.readiness("/health", period=timedelta(seconds=0.5), failure_threshold=2),
        cors_preflight=True,
    )
    app = client.apps.create("hello", region="GRA", labels={"group": "A"}, spec=spec)
    request = sent(api, "CreateApp")
    assert (request.app.display_name, request.app.region) == ("hello", "GRA")
    assert request.app.labels == {"group": "A"}
    assert list(request.app.spec.process.command) == ["python", "hello.py"]
    assert request.app.spec.process.env == {"MODE": "fast"}
    assert request.app.spec.process.working_dir == "/srv"
    assert request.app.spec.access == doorward.Access.ACCESS_PUBLIC
    assert request.app.spec.operator_paths == ["/admin"]
    assert request.app.spec.readiness.path == "/health"
    assert request.app.spec.readiness.period.ToTimedelta() == timedelta(seconds=0.5)
    assert request.app.spec.readiness.failure_threshold == 2
    assert request.app.spec.cors_preflight
    assert app.labels["ovh/id"] == app.app_id


def test_create_is_idempotent(client: doorward.Client) -> None:
    """The same request id answers the same app; without one, each create is another app."""
    spec = doorward.external("127.0.0.1:1")
    one, same = (client.apps.create("a", region="GRA", spec=spec, request_id="x").app_id for _ in range(2))
    other = client.apps.create("a", region="GRA", spec=spec).app_id
    assert one == same != other


def test_a_command_is_no_string() -> None:
    """A command in one string is refused: no shell would split it, and its letters are no arguments."""
    with pytest.raises(TypeError, match="expected a sequence of arguments, not one string"):
        doorward.process("python hello.py")


def test_list_filters(api: FakeApi, client: doorward.Client) -> None:
    """Selector, region and states are sent; states also by their names."""
    states: list[AppState.ValueType | str] = [doorward.AppState.APP_STATE_RUNNING, "failed"]
    assert list(client.apps.list(selector="group=A", region="GRA", states=states, page_size=7)) == []
    request = sent(api, "ListApps")
    assert (request.label_selector, request.region, request.page_size) == ("group=A", "GRA", 7)
    assert list(request.states) == [AppState.APP_STATE_RUNNING, AppState.APP_STATE_FAILED]


def test_a_state_that_is_none(client: doorward.Client) -> None:
    """A name that is no state is refused with those that are."""
    with pytest.raises(ValueError, match="AppState 'busy': expected one of QUEUED, INITIALIZING, SCALING"):
        list(client.apps.list(states=["busy"]))


@pytest.mark.parametrize(
    ("change", "mask"),
    [
        ({"display_name": "other"}, ["display_name"]),
        ({"display_name": ""}, ["display_name"]),  # the server refuses it, and must see it to do so
        ({"labels": {"group": "B"}}, ["labels"]),
        ({"labels": {}}, ["labels"]),
        ({"spec": doorward.external("127.0.0.1:2")}, ["spec"]),
        ({"display_name": "x", "labels": {}, "etag": "1"}, ["display_name", "labels"]),
        ({"spec": doorward.AppSpec(cors_preflight=True), "update_mask": ["spec.access"]}, ["spec.access"]),
    ],
)
def test_update_says_what_changes(
    api: FakeApi, client: doorward.Client, app: App, change: dict[str, Any], mask: list[str]
) -> None:
    """An update names the fields that are given, so one that is emptied is not mistaken for one left out."""
    answer = client.apps.update(app.app_id, **change)
    request = sent(api, "UpdateApp")
    assert list(request.update_mask.paths) == mask
    assert request.app.etag == change.get("etag", "")
    assert answer.policy_update.revision == 1


def test_update_of_nothing(client: doorward.Client) -> None:
    """An update that changes nothing is a mistake; the server would take it for one of everything."""
    with pytest.raises(ValueError, match="nothing to change"):
        client.apps.update("some-id")


def test_start_stop_delete(api: FakeApi, client: doorward.Client, app: App) -> None:
    """Each answers the app or how far the change has reached, and takes an etag."""
    everywhere = doorward.Enforcement.ENFORCEMENT_EVERYWHERE
    assert client.apps.start(app.app_id, etag="1").app.status.state == AppState.APP_STATE_QUEUED
    assert client.apps.stop(app.app_id, etag="2").policy_update.enforcement == everywhere
    assert client.apps.delete(app.app_id, etag="3").policy_update.enforcement == everywhere
    assert [sent(api, rpc).etag for rpc in ("StartApp", "StopApp", "DeleteApp")] == ["1", "2", "3"]
    with pytest.raises(doorward.NotFound):
        client.apps.get(app.app_id)


def test_watch(api: FakeApi, client: doorward.Client, app: App) -> None:
    """Watching yields each status as it comes, has no deadline, and ends with the app."""
    api.state.statuses += [status("QUEUED"), status("RUNNING")]
    with client.apps.watch(app.app_id) as stream:
        states = [answer.status.state for answer in stream]
    assert states == [AppState.APP_STATE_QUEUED, AppState.APP_STATE_RUNNING]
    assert api.seen("WatchApp").seconds_left is None


def test_leaving_a_stream_ends_it(api: FakeApi, client: doorward.Client, app: App) -> None:
    """A stream that is left early is over, for the server too."""
    api.state.statuses += [status("RUNNING"), NOTHING_MORE]
    with client.apps.watch(app.app_id) as stream:
        next(stream)
    with pytest.raises((doorward.Cancelled, StopIteration)):
        next(stream)


def test_logs(api: FakeApi, client: doorward.Client, app: App) -> None:
    """Lines come with where they were printed; reading has a deadline, following has none."""
    api.state.lines.append(ReadAppLogsResponse(line="hello", stream=LogStream.LOG_STREAM_STDOUT))
    assert [line.line for line in client.apps.logs(app.app_id, tail_lines=5)] == ["hello"]
    assert (sent(api, "ReadAppLogs").tail_lines, sent(api, "ReadAppLogs").follow) == (5, False)
    with client.apps.logs(app.app_id, follow=True) as stream:
        assert next(stream).line == "hello"
    assert [seen.seconds_left is None for seen in api.state.seen["ReadAppLogs"]] == [False, True]


def test_wait(api: FakeApi, client: doorward.Client, app: App) -> None:
    """Waiting returns the status as soon as the state is reached."""
    api.state.statuses += [status("QUEUED"), status("INITIALIZING"), status("RUNNING", "here"), NOTHING_MORE]
    assert client.apps.wait(app.app_id, timeout=20).message == "here"
    assert client.apps.wait(app.app_id, "initializing", timeout=20).state == AppState.APP_STATE_INITIALIZING


@pytest.mark.parametrize("name", ["FAILED", "ERROR", "DELETING"])
def test_wait_for_what_will_not_come(api: FakeApi, client: doorward.Client, app: App, name: str) -> None:
    """Waiting ends when the app has given up, and says why."""
    api.state.statuses += [status("QUEUED"), status(name, "exit status 1\n"), NOTHING_MORE]
    with pytest.raises(doorward.AppGaveUp) as caught:
        client.apps.wait(app.app_id, timeout=20)
    assert str(caught.value) == f"app {app.app_id} is {name}, not RUNNING: exit status 1"
    assert caught.value.status.message == "exit status 1\n"


def test_wait_for_a_failure(api: FakeApi, client: doorward.Client, app: App) -> None:
    """A failure can be waited for too."""
    api.state.statuses += [status("FAILED")]
    assert client.apps.wait(app.app_id, "failed", timeout=20).state == AppState.APP_STATE_FAILED


def test_wait_for_what_is_gone(api: FakeApi, client: doorward.Client, app: App) -> None:
    """Waiting ends when the app is gone, before or meanwhile."""
    api.state.statuses += [status("STOPPING")]
    with pytest.raises(doorward.AppGaveUp, match="is gone"):
        client.apps.wait(app.app_id, timeout=20)
    with pytest.raises(doorward.NotFound):
        client.apps.wait("nobody", timeout=20)


def test_wait_no_longer(api: FakeApi, client: doorward.Client, app: App) -> None:
    """Waiting ends at its limit, and says what the app is doing instead."""
    api.state.statuses += [status("INITIALIZING", "probing /"), NOTHING_MORE]
    with pytest.raises(
        doorward.DeadlineExceeded,
        match=r"^waited long enough: app .* is INITIALIZING, not RUNNING: probing /$",
    ):
        client.apps.wait(app.app_id, timeout=0.3)


def test_wait_for_what_says_nothing(api: FakeApi, client: doorward.Client, app: App) -> None:
    """Waiting ends at its limit where no status came, and does not make one up."""
    api.state.statuses += [NOTHING_MORE]
    with pytest.raises(doorward.DeadlineExceeded, match=r"^waited long enough: nothing was heard of app "):
        client.apps.wait(app.app_id, timeout=0.3)


def test_wait_outlives_the_api(api: FakeApi, client: doorward.Client, app: App) -> None:
    """An api that goes away for a moment is waited for, within the limit."""
    api.state.statuses += [status("RUNNING")]
    api.fail("WatchApp", grpc.StatusCode.UNAVAILABLE, "restarting")
    assert client.apps.wait(app.app_id, timeout=20).state == AppState.APP_STATE_RUNNING
    api.fail("WatchApp", grpc.StatusCode.UNAVAILABLE, "restarting", times=100)
    with pytest.raises(doorward.Unavailable, match="restarting"):
        client.apps.wait(app.app_id, timeout=1.2)
