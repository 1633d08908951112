"""Apps: their states, their history, and what replicas learn of them."""

from datetime import UTC, datetime, timedelta

import pytest

from doorward_server.domain.apps import (
    HISTORY_LENGTH,
    Access,
    App,
    AppSpec,
    AppState,
    AppStatus,
    ExternalSource,
    ProcessSource,
    StateChange,
)
from doorward_server.domain.ids import AppId, RegionName
from doorward_server.domain.policy import Address, PolicyApp

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ADDRESS = Address(host="127.0.0.1", port=8080)
APP = App(
    app_id=AppId("3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11"),
    display_name="hello",
    region=RegionName("GRA"),
    labels={"group": "A"},
    spec=AppSpec(
        source=ExternalSource(address=Address(host="model.example", port=80)),
        access=Access.TOKEN_REQUIRED,
        operator_paths=("/admin",),
        cors_preflight=True,
    ),
    status=AppStatus(state=AppState.QUEUED),
    create_time=NOW,
    update_time=NOW,
)


@pytest.mark.parametrize(
    ("state", "serves", "wanted"),
    [
        (AppState.QUEUED, False, True),
        (AppState.INITIALIZING, False, True),
        (AppState.SCALING, True, True),
        (AppState.RUNNING, True, True),
        (AppState.STOPPING, False, False),
        (AppState.STOPPED, False, False),
        (AppState.FAILED, False, False),
        (AppState.ERROR, False, False),
        (AppState.DELETING, False, False),
    ],
)
def test_states_say_what_they_mean(state: AppState, serves: bool, wanted: bool) -> None:
    """RUNNING and SCALING serve; those and what leads to them is kept going after a restart."""
    assert (state.serves, state.wanted) == (serves, wanted)


def test_every_state_has_a_meaning() -> None:
    """The table above has all the states."""
    assert len(AppState) == 9


def test_a_step_is_remembered() -> None:
    """A state carries why, where and since when; the app changes its time but not its version."""
    later = NOW + timedelta(seconds=1)
    app = APP.in_state(AppState.RUNNING, at=later, message="ready", address=ADDRESS)
    change = StateChange(state=AppState.RUNNING, time=later, message="ready")
    assert app.status == AppStatus(
        state=AppState.RUNNING, message="ready", address=ADDRESS, history=(change,)
    )
    assert (app.update_time, app.version, APP.status.state) == (later, APP.version, AppState.QUEUED)


def test_the_past_is_bounded() -> None:
    """An app that flaps for years remembers its last 32 states, oldest first."""
    status = APP.status
    for second in range(100):
        status = status.entered(AppState.RUNNING, at=NOW + timedelta(seconds=second))
    times = [change.time for change in status.history]
    assert len(times) == HISTORY_LENGTH == 32
    assert times == sorted(times)
    assert times[-1] == NOW + timedelta(seconds=99)


def test_the_address_goes_with_the_state() -> None:
    """Where an app listened is forgotten with the next step, so that nobody is sent there."""
    running = APP.in_state(AppState.RUNNING, at=NOW, address=ADDRESS)
    assert running.in_state(AppState.STOPPING, at=NOW).status.address is None


@pytest.mark.parametrize("state", [state for state in AppState if state is not AppState.DELETING])
def test_replicas_learn_where_an_app_is_while_it_serves(state: AppState) -> None:
    """In every other state there is no upstream, whatever address is recorded."""
    entry = APP.in_state(state, at=NOW, address=ADDRESS).policy_entry()
    assert entry == PolicyApp(
        app_id=APP.app_id,
        region=APP.region,
        labels={"group": "A"},
        public=False,
        operator_paths=("/admin",),
        cors_preflight=True,
        upstream=ADDRESS if state in (AppState.RUNNING, AppState.SCALING) else None,
    )


def test_replicas_learn_nothing_of_an_app_that_goes() -> None:
    """An app that is being deleted is an unknown app to everybody."""
    assert APP.in_state(AppState.DELETING, at=NOW, address=ADDRESS).policy_entry() is None


def test_the_environment_of_a_process_is_not_shown() -> None:
    """Values of environment variables may be secrets: no log line of an app holds them."""
    source = ProcessSource(command=("run", "{port}"), env={"API_KEY": "swordfish"})
    assert "swordfish" not in f"{source} {AppSpec(source=source)!r}"


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (ADDRESS, "127.0.0.1:8080"),
        (Address(host="model.example", port=80), "model.example:80"),
        (Address(host="::1", port=80), "[::1]:80"),
    ],
)
def test_addresses_are_written_as_in_urls(address: Address, text: str) -> None:
    """IPv6 addresses stand in brackets (RFC 3986 §3.2.2)."""
    assert str(address) == text
