"""Use cases of apps, and their lifecycle."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from doorward_server.domain.apps import (
    Access,
    App,
    AppSpec,
    AppState,
    ExternalSource,
    ProcessSource,
    parse_address,
)
from doorward_server.domain.errors import InvalidFieldsError
from doorward_server.domain.labels import parse_labels
from doorward_server.domain.roles import Role
from doorward_server.domain.selectors import parse_selector
from doorward_server.services.app_service import AppChanges, NewApp
from doorward_server.services.errors import (
    AppNotFoundError,
    AppStateConflictError,
    EtagMismatchError,
    RequestIdReusedError,
    RoleTooLowError,
)
from doorward_server.services.etags import etag_of
from doorward_server.services.lifecycle import Lifecycle
from doorward_server.services.pages import PageRequest
from doorward_server.services.runtime import RuntimeDisabledError
from tests.integration.services.conftest import BHS, GRA, World
from tests.support.fakes import FakeRuntime
from tests.support.waiting import eventually

EVERYTHING = parse_selector("")
ADDRESS = parse_address("127.0.0.1:9")


def new_app(**spec: object) -> NewApp:
    """An app to create, at an external address unless *spec* says otherwise."""
    given = {"source": ExternalSource(address=ADDRESS), **spec}
    return NewApp(display_name="hello", region=GRA, labels={}, spec=AppSpec(**given))  # type: ignore[arg-type]


async def names(world: World, caller: object = None, **which: object) -> list[str]:
    """The names of the apps that a list answers."""
    given = {"region": None, "states": frozenset(), "selector": EVERYTHING, **which}
    page = await world.apps.list(world.call("ListApps", caller), PageRequest(), **given)  # type: ignore[arg-type]
    return [app.display_name for app in page.entries]


async def test_a_created_app_runs_under_the_platforms_labels(world: World) -> None:
    """What a caller gives under the reserved prefix is replaced, and the app comes up."""
    app = await world.app(labels={"group": "A", "ovh/id": "fake", "ovh/more": "x"})
    assert dict(app.labels) == {"group": "A", "ovh/id": app.app_id, "ovh/type": "app"}
    assert [change.state for change in app.status.history] == [AppState.QUEUED, AppState.RUNNING]
    assert app.status.address == ADDRESS


async def test_a_repeated_create_makes_one_app(world: World) -> None:
    """The same request id and contents answer the app of the first one; other contents are refused."""
    call, request_id = world.call("CreateApp"), str(uuid4())
    first = await world.apps.create(call, new_app(), request_id=request_id)
    assert (await world.apps.create(call, new_app(), request_id=request_id)).app_id == first.app_id
    with pytest.raises(RequestIdReusedError):
        await world.apps.create(call, new_app(cors_preflight=True), request_id=request_id)
    assert await names(world) == ["hello"]


async def test_a_repeat_is_compared_with_its_environment_too(world: World) -> None:
    """Two requests that differ in a variable's value alone are not taken for one."""
    call, request_id = world.call("CreateApp"), str(uuid4())
    source = ProcessSource(command=("true",), env={"KEY": "a"})
    await world.apps.create(call, new_app(source=source), request_id=request_id)
    with pytest.raises(RequestIdReusedError):
        await world.apps.create(
            call, new_app(source=replace(source, env={"KEY": "b"})), request_id=request_id
        )


async def test_a_source_that_this_server_does_not_run_is_refused(world: World) -> None:
    """A process is refused where it is not allowed, and nothing is left of it."""
    world.runtime._processes = False
    with pytest.raises(RuntimeDisabledError):
        await world.apps.create(world.call("CreateApp"), new_app(source=ProcessSource(command=("true",))))
    assert await names(world) == []


async def test_a_public_app_has_no_operator_paths(world: World) -> None:
    """Nobody shows a token to a public app, so a path there cannot need a role."""
    with pytest.raises(InvalidFieldsError, match="operator_paths"):
        await world.apps.create(
            world.call("CreateApp"), new_app(access=Access.PUBLIC, operator_paths=("/admin",))
        )


async def test_a_list_shows_what_is_in_scope(world: World) -> None:
    """A token sees the apps of its region that its selector matches, and a filter narrows that further."""
    await world.app("a", {"group": "A"})
    await world.app("b", {"group": "B"})
    await world.app("c", {"group": "A"}, region=BHS)
    reader, _ = await world.token(selector="group=A")
    assert await names(world) == ["c", "b", "a"]
    assert await names(world, reader) == ["a"]
    assert await names(world, reader, selector=parse_selector("group=B")) == []
    assert await names(world, reader, region=BHS) == []
    assert await names(world, region=BHS) == ["c"]
    assert await names(world, states=frozenset({AppState.STOPPED})) == []


async def test_what_is_out_of_scope_is_not_there(world: World) -> None:
    """An app that a token does not open is answered as one that does not exist."""
    app = await world.app(labels={"group": "B"})
    operator, _ = await world.token(role=Role.OPERATOR, selector="group=A")
    for use, action in (
        (world.apps.get, "GetApp"),
        (world.apps.stop, "StopApp"),
        (world.apps.delete, "DeleteApp"),
    ):
        with pytest.raises(AppNotFoundError):
            await use(world.call(action, operator), app.app_id)
    assert (await world.in_state(app.app_id, AppState.RUNNING)).app_id == app.app_id


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        (Role.READ_ONLY, ["CreateApp", "UpdateApp", "StartApp", "StopApp", "DeleteApp", "ReadAppLogs"]),
        (Role.OPERATOR, ["CreateApp", "UpdateApp", "CreateToken", "ListTokens", "ListAuditEvents"]),
    ],
)
async def test_a_role_permits_its_calls_alone(world: World, role: Role, refused: list[str]) -> None:
    """A call needs its role before anything of it is looked at."""
    caller, _ = await world.token(role=role)
    for action in refused:
        with pytest.raises(RoleTooLowError):
            world.call(action, caller)


async def test_a_stopped_app_is_out_of_the_policy_when_the_call_returns(world: World) -> None:
    """Stop waits for the replicas; then the app ends STOPPED, and start brings it back."""
    app = await world.app()
    stopping, update = await world.apps.stop(world.call("StopApp"), app.app_id)
    assert stopping.status.state is AppState.STOPPING
    assert stopping.policy_entry().upstream is None  # type: ignore[union-attr]
    assert update is not None
    assert update.revision in world.propagation.enforced
    await world.in_state(app.app_id, AppState.STOPPED)
    assert await world.apps.stop(world.call("StopApp"), app.app_id) == (
        await world.apps.get(world.call("GetApp"), app.app_id),
        None,
    )
    started, _ = await world.apps.start(world.call("StartApp"), app.app_id)
    assert started.status.state is AppState.QUEUED
    await world.in_state(app.app_id, AppState.RUNNING)


async def test_starting_what_runs_does_nothing(world: World) -> None:
    """Start is idempotent: no revision, no restart, no event."""
    app = await world.app()
    same, update = await world.apps.start(world.call("StartApp"), app.app_id)
    assert (same, update) == (app, None)
    assert await world.audited("StartApp") == []


async def test_a_deleted_app_goes_with_all_that_is_kept_of_it(world: World) -> None:
    """Delete takes the app out of the policy, stops it, and removes its files and its row."""
    app = await world.app()
    await world.apps.delete(world.call("DeleteApp"), app.app_id)

    async def gone() -> bool:
        return app.app_id in world.runtime.forgotten and await names(world) == []

    await eventually(gone, what="the app is gone")
    with pytest.raises(AppNotFoundError):
        await world.apps.get(world.call("GetApp"), app.app_id)


async def test_an_app_on_its_way_out_only_goes(world: World) -> None:
    """Nothing brings an app back that is being deleted."""
    app = await world.app()
    await world.lifecycle.close()
    await world.apps.delete(world.call("DeleteApp"), app.app_id)
    with pytest.raises(AppStateConflictError):
        await world.apps.start(world.call("StartApp"), app.app_id)
    with pytest.raises(AppStateConflictError):
        await world.apps.update(world.call("UpdateApp"), app.app_id, AppChanges(display_name="x"))


async def test_relabelling_moves_an_app_out_of_a_tokens_scope(world: World) -> None:
    """A selector is compared with the labels an app has now, and the platform's own cannot be taken."""
    app = await world.app(labels={"group": "A"})
    reader, _ = await world.token(selector="group=A")
    changed, update = await world.apps.update(
        world.call("UpdateApp"),
        app.app_id,
        AppChanges(labels=parse_labels({"group": "B", "ovh/id": "fake"})),
    )
    assert dict(changed.labels) == {"group": "B", "ovh/id": app.app_id, "ovh/type": "app"}
    assert update is not None
    assert update.revision in world.propagation.enforced
    with pytest.raises(AppNotFoundError):
        await world.apps.get(world.call("GetApp", reader), app.app_id)


async def test_an_update_with_a_stale_etag_changes_nothing(world: World) -> None:
    """An etag is of one version of name, labels and spec; states do not change it."""
    app = await world.app()
    etag = etag_of(app.app_id, app.version)
    await world.apps.stop(world.call("StopApp"), app.app_id, etag=etag)
    await world.apps.update(world.call("UpdateApp"), app.app_id, AppChanges(display_name="b"), etag=etag)
    with pytest.raises(EtagMismatchError):
        await world.apps.update(world.call("UpdateApp"), app.app_id, AppChanges(display_name="c"), etag=etag)
    assert await names(world) == ["b"]


async def test_an_update_keeps_the_variables_that_nobody_was_shown(world: World) -> None:
    """An empty value for a variable that is set keeps it; a new value replaces it; one left out goes."""
    source = ProcessSource(command=("true",), env={"A": "1", "B": "2", "C": "3"})
    app = await world.apps.create(world.call("CreateApp"), new_app(source=source))
    sent = replace(source, env={"A": "", "B": "9", "D": ""})
    changed, _ = await world.apps.update(world.call("UpdateApp"), app.app_id, AppChanges(source=sent))
    assert isinstance(changed.spec.source, ProcessSource)
    assert changed.spec.source.env == {"A": "1", "B": "9", "D": ""}


async def test_a_new_source_restarts_the_app(world: World) -> None:
    """An app that runs is taken down and brought up at its new address."""
    app = await world.app()
    other = parse_address("127.0.0.1:10")
    changed, _ = await world.apps.update(
        world.call("UpdateApp"), app.app_id, AppChanges(source=ExternalSource(address=other))
    )
    assert changed.status.state is AppState.QUEUED
    assert (await world.in_state(app.app_id, AppState.RUNNING)).status.address == other
    assert app.app_id in world.runtime.stopped


async def test_what_a_runtime_sees_is_written_down(world: World) -> None:
    """An app that is not ready any more leaves the policy, and comes back when it is."""
    app = await world.app()
    await world.runtime.report(app.app_id, AppState.INITIALIZING)
    assert (await world.apps.get(world.call("GetApp"), app.app_id)).policy_entry().upstream is None  # type: ignore[union-attr]
    await world.runtime.report(app.app_id, AppState.RUNNING, address=ADDRESS)
    assert (await world.apps.get(world.call("GetApp"), app.app_id)).status.state is AppState.RUNNING


async def test_a_late_report_does_not_bring_a_stopped_app_back(world: World) -> None:
    """What is seen of an app that was told to stop counts no more."""
    app = await world.app()
    await world.apps.stop(world.call("StopApp"), app.app_id)
    await world.in_state(app.app_id, AppState.STOPPED)
    await world.runtime.report(app.app_id, AppState.RUNNING, address=ADDRESS)
    assert (await world.apps.get(world.call("GetApp"), app.app_id)).status.state is AppState.STOPPED


async def test_a_runtime_that_fails_is_the_platforms_fault(world: World) -> None:
    """An app whose runtime raises ends in ERROR, with no detail of the server in its message."""
    world.runtime.fails = True
    app = await world.apps.create(world.call("CreateApp"), new_app())
    failed = await world.in_state(app.app_id, AppState.ERROR)
    assert "device" not in failed.status.message


async def test_a_restarted_server_takes_its_apps_up_again(world: World) -> None:
    """Processes are queued and started again, external apps keep serving, steps that were begun are ended."""
    external = await world.app("external")
    process = await world.apps.create(
        world.call("CreateApp"), new_app(source=ProcessSource(command=("true",)))
    )
    await world.in_state(process.app_id, AppState.RUNNING)
    await world.lifecycle.close()
    deleted = await world.app_without_lifecycle()
    runtime = FakeRuntime()
    lifecycle = Lifecycle(
        storage=world.storage, propagation=world.propagation, signals=world.signals, clock=world.clock
    )
    runtime.sink = lifecycle.observe
    await lifecycle.start(runtime)

    async def done() -> bool:
        return set(runtime.running) == {external.app_id, process.app_id} and deleted in runtime.forgotten

    await eventually(done, what="apps taken up")
    history = (await world.in_state(process.app_id, AppState.RUNNING)).status.history
    assert "restarted" in history[-2].message
    assert len((await world.in_state(external.app_id, AppState.RUNNING)).status.history) == 2
    await lifecycle.close()


async def test_watch_tells_of_every_state_and_ends_with_the_app(world: World) -> None:
    """A watcher sees the app as it is, then each change, then the end."""
    app = await world.app()
    seen: list[AppState] = []
    note = seen.append

    async def watch() -> None:
        async for each in world.apps.watch(world.call("WatchApp"), app.app_id):
            note(each.status.state)

    watcher = asyncio.create_task(watch())
    await eventually(lambda: _true(seen == [AppState.RUNNING]), what="the present state")
    await world.apps.stop(world.call("StopApp"), app.app_id)
    await eventually(lambda: _true(seen[-1] is AppState.STOPPED), what="stopped")
    await world.apps.delete(world.call("DeleteApp"), app.app_id)
    await asyncio.wait_for(watcher, 10)


async def _true(value: bool) -> bool:
    return value


async def test_explain_names_the_rule_that_decides(world: World) -> None:
    """An explanation is the decision itself, with the rules up to the one that decided."""
    app: App = await world.app(labels={"group": "A"})
    inside, _ = await world.token(selector="group=A")
    outside, _ = await world.token(selector="group=B")
    allowed = await world.access.explain(inside.token_id, app.app_id, path="/")
    denied = await world.access.explain(outside.token_id, app.app_id, path="/")
    assert allowed.reason.name == "ALLOWED"
    assert all(rule.passed for rule in allowed.rules)
    assert denied.reason.name == "OUT_OF_SCOPE"
    assert [rule.passed for rule in denied.rules] == [True] * (len(denied.rules) - 1) + [False]
    assert "group=B" in denied.rules[-1].detail


async def test_preview_lists_what_a_scope_matches_now(world: World) -> None:
    """A preview is the evaluator's own answer."""
    await world.app("a", {"group": "A"})
    await world.app("b", {"group": "B"})
    page = await world.access.preview(PageRequest(), region=GRA, selector=parse_selector("group=A"))
    assert [app.display_name for app in page.entries] == ["a"]
