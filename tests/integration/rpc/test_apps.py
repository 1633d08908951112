"""AppService over gRPC."""

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from doorward.v1 import app_pb2, app_service_pb2
from doorward_server.domain.apps import AppState
from doorward_server.domain.roles import Role
from tests.integration.rpc.conftest import Api, new_app


async def test_an_app_is_created_as_it_was_asked_for(api: Api) -> None:
    """The answer has what was sent, the platform's labels, an id, an address and an etag."""
    response = await api.call(api.apps.CreateApp, new_app(labels={"ovh/id": "fake", "tier": "x"}))
    app = response.app
    assert app.display_name == "hello"
    assert app.region == "GRA"
    assert dict(app.labels) == {"group": "A", "tier": "x", "ovh/id": app.app_id, "ovh/type": "app"}
    assert app.spec.external.address == "127.0.0.1:9"
    assert app.spec.access == app_pb2.ACCESS_TOKEN_REQUIRED
    assert app.spec.readiness.period.ToTimedelta().total_seconds() == 1
    assert app.status.url == f"http://{app.app_id}.app.gra.localhost:8080"
    assert app.status.history[0].state == app_pb2.APP_STATE_QUEUED
    assert app.etag
    assert app.create_time == app.update_time


async def test_a_repeated_create_answers_the_first_app(api: Api) -> None:
    """With the same request id no second app is made."""
    request = new_app()
    request.request_id = "3F0C1C9E-5d1f-4f3e-9d53-0a1e0f6f2b11"
    first = await api.call(api.apps.CreateApp, request)
    again = await api.call(api.apps.CreateApp, request)
    assert again.app.app_id == first.app.app_id


async def test_values_of_variables_are_never_answered(api: Api) -> None:
    """Not even the owner reads back what a process was given, yet an update without values keeps them."""
    process = app_pb2.ProcessSource(command=["serve", "{port}"], env={"KEY": "s3cret"}, working_dir="/")
    request = new_app()
    request.app.spec.process.CopyFrom(process)
    created = (await api.call(api.apps.CreateApp, request)).app
    assert dict(created.spec.process.env) == {"KEY": ""}
    assert "s3cret" not in str(created)
    created.spec.process.working_dir = "/srv"
    update = app_service_pb2.UpdateAppRequest(app=created, update_mask=FieldMask(paths=["spec.process"]))
    changed = (await api.call(api.apps.UpdateApp, update)).app
    assert changed.spec.process.working_dir == "/srv"
    async with api.world.storage.read() as work:
        stored = await work.apps.get(created.app_id)
    assert stored is not None
    assert stored.spec.source.env == {"KEY": "s3cret"}  # type: ignore[union-attr]  # it is a process


@pytest.mark.parametrize(("role", "sees_all"), [(Role.READ_ONLY, False), (Role.OPERATOR, True)])
async def test_read_only_callers_see_no_spec_but_access(api: Api, role: Role, sees_all: bool) -> None:
    """Where an app runs is the business of those who run it."""
    app = await api.running_app(labels={"group": "A"})
    _, secret = await api.token(role, selector="group=A")
    seen = await api.call(api.apps.GetApp, app_service_pb2.GetAppRequest(app_id=app.app_id), token=secret)
    listed = await api.call(api.apps.ListApps, app_service_pb2.ListAppsRequest(), token=secret)
    for spec in (seen.app.spec, listed.apps[0].spec):
        assert spec.access == app_pb2.ACCESS_TOKEN_REQUIRED
        assert (spec.external.address == "127.0.0.1:9") is sees_all
        assert spec.HasField("readiness") is sees_all


async def test_lists_are_filtered_and_paged(api: Api) -> None:
    """Pages follow each other, newest first, and every filter narrows."""
    names = ["a", "b", "c"]
    for name in names:
        await api.running_app(name=name, labels={"name": name})
    request = app_service_pb2.ListAppsRequest(page_size=2, region="GRA", states=[app_pb2.APP_STATE_RUNNING])
    first = await api.call(api.apps.ListApps, request)
    request.page_token = first.next_page_token
    second = await api.call(api.apps.ListApps, request)
    assert [app.display_name for app in (*first.apps, *second.apps)] == ["c", "b", "a"]
    assert not second.next_page_token
    selected = await api.call(
        api.apps.ListApps, app_service_pb2.ListAppsRequest(label_selector="name in (a,b),!legacy")
    )
    assert [app.display_name for app in selected.apps] == ["b", "a"]
    stopped = app_service_pb2.ListAppsRequest(states=[app_pb2.APP_STATE_STOPPED])
    assert not (await api.call(api.apps.ListApps, stopped)).apps


async def test_an_update_without_a_mask_changes_what_has_a_value(api: Api) -> None:
    """Fields that are not set stay, those of the spec as well."""
    request = new_app()
    request.app.spec.operator_paths.append("/admin")
    app = (await api.call(api.apps.CreateApp, request)).app
    update = app_service_pb2.UpdateAppRequest(
        app=app_pb2.App(app_id=app.app_id, spec=app_pb2.AppSpec(cors_preflight=True), labels={"group": "B"})
    )
    response = await api.call(api.apps.UpdateApp, update)
    changed = response.app
    assert changed.display_name == "hello"
    assert changed.labels["group"] == "B"
    assert changed.spec.cors_preflight
    assert list(changed.spec.operator_paths) == ["/admin"]
    assert changed.spec.external.address == "127.0.0.1:9"
    assert changed.etag != app.etag
    assert response.policy_update.revision > 0
    assert response.policy_update.enforcement == 1


async def test_a_mask_replaces_what_it_names(api: Api) -> None:
    """A field that is named and not set has its default again."""
    request = new_app()
    request.app.spec.operator_paths.append("/admin")
    app = (await api.call(api.apps.CreateApp, request)).app
    update = app_service_pb2.UpdateAppRequest(
        app=app_pb2.App(app_id=app.app_id, display_name="not named"),
        update_mask=FieldMask(paths=["labels", "spec.operator_paths"]),
    )
    changed = (await api.call(api.apps.UpdateApp, update)).app
    assert "group" not in changed.labels
    assert not changed.spec.operator_paths
    assert changed.display_name == "hello"


async def test_how_far_a_change_has_reached_is_also_sent_as_metadata(api: Api) -> None:
    """REST answers have the app alone, so the rest goes into headers."""
    app = await api.running_app()
    stop = app_service_pb2.StopAppRequest(app_id=app.app_id)
    response = await api.call(api.apps.StopApp, stop)
    assert api.last_metadata["doorward-policy-revision"] == str(response.policy_update.revision)
    assert api.last_metadata["doorward-enforcement"] == "ENFORCEMENT_EVERYWHERE"
    await api.world.in_state(app.app_id, AppState.STOPPED)
    again = await api.call(api.apps.StopApp, stop)
    assert not again.HasField("policy_update")
    assert "doorward-policy-revision" not in api.last_metadata


async def test_an_operator_starts_stops_and_deletes_what_is_in_scope(api: Api) -> None:
    """The states follow each other, and the app is gone in the end."""
    app = await api.running_app()
    other = await api.running_app(name="other")
    _, secret = await api.token(Role.OPERATOR, selector=f"ovh/id={app.app_id}")
    stop = app_service_pb2.StopAppRequest(app_id=app.app_id)
    assert (await api.call(api.apps.StopApp, stop, token=secret)).app.status.state == (
        app_pb2.APP_STATE_STOPPING
    )
    await api.world.in_state(app.app_id, AppState.STOPPED)
    start = app_service_pb2.StartAppRequest(app_id=app.app_id)
    assert (await api.call(api.apps.StartApp, start, token=secret)).app.status.state == (
        app_pb2.APP_STATE_QUEUED
    )
    await api.world.in_state(app.app_id, AppState.RUNNING)
    delete = app_service_pb2.DeleteAppRequest(app_id=app.app_id)
    assert (await api.call(api.apps.DeleteApp, delete, token=secret)).policy_update.revision
    stop_other = app_service_pb2.StopAppRequest(app_id=other.app_id)
    refusal = await api.refused(api.apps.StopApp, stop_other, token=secret)
    assert refusal.code is grpc.StatusCode.NOT_FOUND


async def test_out_of_scope_and_not_there_are_answered_alike(api: Api) -> None:
    """A caller cannot find out which apps there are beside theirs."""
    app = await api.running_app(labels={"group": "B"})
    _, secret = await api.token(Role.OPERATOR, selector="group=A")
    unknown = "3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11"
    for method, request in (
        (api.apps.GetApp, app_service_pb2.GetAppRequest),
        (api.apps.StopApp, app_service_pb2.StopAppRequest),
        (api.apps.WatchApp, app_service_pb2.WatchAppRequest),
        (api.apps.ReadAppLogs, app_service_pb2.ReadAppLogsRequest),
    ):
        hidden = await api.refused(method, request(app_id=app.app_id), token=secret)
        missing = await api.refused(method, request(app_id=unknown), token=secret)
        assert hidden.code is missing.code is grpc.StatusCode.NOT_FOUND
        assert hidden.text.replace(app.app_id, unknown) == missing.text
        assert hidden.metadata == {"app_id": app.app_id}


async def test_everything_wrong_with_a_request_is_told_at_once(api: Api) -> None:
    """Each field is named with its rule, under its path in the request."""
    request = app_service_pb2.CreateAppRequest(
        app=app_pb2.App(region="MARS", labels={"-": "x"}, spec=app_pb2.AppSpec(operator_paths=["admin"])),
        request_id="1",
    )
    refusal = await api.refused(api.apps.CreateApp, request)
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.reason == "INVALID_FIELD"
    assert refusal.metadata == {"field": "app.display_name"}
    assert set(refusal.violations) == {
        "app.display_name",
        "app.region",
        "app.labels",
        "app.spec",
        "app.spec.operator_paths",
        "request_id",
    }
    assert refusal.violations["app.region"] == "'MARS' is no region: one of GRA, BHS"
    assert refusal.text.endswith("(and 5 more)")
