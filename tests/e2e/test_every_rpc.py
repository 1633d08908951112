"""Every RPC of the API, over gRPC and over REST through Envoy, on the platform as users run it."""

import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from doorward.v1 import app_pb2, role_pb2, token_pb2
from doorward.v1 import app_service_pb2 as apps
from doorward.v1 import audit_service_pb2 as audit
from doorward.v1 import replica_service_pb2 as replicas
from doorward.v1 import session_service_pb2 as sessions
from doorward.v1 import token_service_pb2 as tokens
from tests.e2e.support.api_calls import METHODS, Api, ApiError, GrpcApi, RestApi
from tests.e2e.support.platform import Platform
from tests.support.waiting import wait_for

HELLO = Path(__file__).resolve().parents[2] / "examples" / "hello.py"
HTTP_STATUS = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.UNIMPLEMENTED: 501,
}


@pytest.fixture(params=["grpc", "rest"])
def api(request: pytest.FixtureRequest, platform: Platform) -> Iterator[Api]:
    """One way to the API."""
    if request.param == "rest":
        yield RestApi(platform.address)
        return
    with grpc.insecure_channel(platform.endpoints.api_grpc) as channel:
        yield GrpcApi(channel)


def refused(api: Api, request: Any, code: grpc.StatusCode, *, token: str | None) -> ApiError:
    """Call and expect this error, whose status over REST is that of its code."""
    with pytest.raises(ApiError) as failed:
        api.call(request, token=token)
    error = failed.value
    assert error.code == code.value[0], error
    assert error.http_status in (None, HTTP_STATUS[code])
    assert error.headers["doorward-request-id"]
    return error


def test_every_rpc_answers(api: Api, platform: Platform) -> None:
    """The same requests get the same answers both ways, from an app's creation to its end."""
    admin = platform.admin_token
    app = an_app_is_created_and_changed(api, admin, domain=platform.endpoints.regions["GRA"])
    token_id, secret = a_token_is_created_and_changed(api, admin, app)
    a_session_is_begun_and_ended(api, platform, secret, app)
    an_app_is_stopped_and_started(api, secret, app)
    a_token_is_regenerated(api, admin, token_id, secret)
    both_are_deleted(api, admin, token_id, app)
    events = api.call(audit.ListAuditEventsRequest(resource_id=token_id), token=admin).audit_events
    assert [each.action for each in events] == [
        "DeleteToken",
        "RegenerateToken",
        "UpdateToken",
        "CreateToken",
    ]
    the_replica_is_listed(api, admin)
    assert api.called == set(METHODS)


def an_app_is_created_and_changed(api: Api, admin: str, *, domain: str) -> app_pb2.App:
    """Created, read, listed, watched, relabelled."""
    wanted = app_pb2.App(
        display_name="hello",
        region="GRA",
        labels={"group": "A", "ovh/id": "fake"},
        spec=app_pb2.AppSpec(
            process=app_pb2.ProcessSource(command=[sys.executable, str(HELLO)], env={"KEY": "s3cret"}),
            readiness=app_pb2.Readiness(path="/"),
        ),
    )
    create = apps.CreateAppRequest(app=wanted, request_id=str(uuid4()))
    app: app_pb2.App = api.call(create, token=admin).app
    assert dict(app.labels) == {"group": "A", "ovh/id": app.app_id, "ovh/type": "app"}
    assert dict(app.spec.process.env) == {"KEY": ""}
    assert app.status.url == f"http://{app.app_id}.{domain}"
    assert api.call(create, token=admin).app.app_id == app.app_id
    wait_for(lambda: state(api, admin, app) == app_pb2.APP_STATE_RUNNING, what="the app runs", within=30)
    watched = api.call(apps.WatchAppRequest(app_id=app.app_id), token=admin)
    assert watched.status.state == app_pb2.APP_STATE_RUNNING
    line = api.call(apps.ReadAppLogsRequest(app_id=app.app_id, tail_lines=-1), token=admin)
    assert line.HasField("time")
    query = apps.ListAppsRequest(
        label_selector="group in (A,B),!legacy",
        region="GRA",
        states=[app_pb2.APP_STATE_RUNNING, app_pb2.APP_STATE_SCALING],
        page_size=1,
    )
    assert [each.app_id for each in api.call(query, token=admin).apps] == [app.app_id]
    update = apps.UpdateAppRequest(
        app=app_pb2.App(
            app_id=app.app_id, labels={"group": "B"}, spec=app_pb2.AppSpec(cors_preflight=True), etag=app.etag
        ),
        update_mask=FieldMask(paths=["labels", "spec.cors_preflight"]),
    )
    updated: app_pb2.App = api.call(update, token=admin).app
    assert updated.labels["group"] == "B"
    assert updated.spec.cors_preflight
    assert updated.spec.process.command == wanted.spec.process.command
    assert int(api.headers["doorward-policy-revision"]) > 0
    assert api.headers["doorward-enforcement"] == "ENFORCEMENT_EVERYWHERE"
    refused(api, update, grpc.StatusCode.ABORTED, token=admin)
    return updated


def a_token_is_created_and_changed(api: Api, admin: str, app: app_pb2.App) -> tuple[str, str]:
    """Created, read, listed, renamed; what it opens is previewed and explained. Its id and secret."""
    wanted = token_pb2.Token(
        display_name="demo", role=role_pb2.ROLE_OPERATOR, region="GRA", label_selector="group=B"
    )
    made = api.call(tokens.CreateTokenRequest(token=wanted), token=admin)
    token_id, secret = made.token.token_id, made.secret
    assert secret.startswith(f"dw_{token_id}_")
    assert api.call(tokens.WhoAmIRequest(), token=secret).token.token_id == token_id
    assert api.call(tokens.GetTokenRequest(token_id=token_id), token=admin).token.display_name == "demo"
    page = api.call(tokens.ListTokensRequest(page_size=1), token=admin)
    assert page.tokens[0].token_id == token_id
    assert api.call(tokens.ListTokensRequest(page_token=page.next_page_token), token=admin).tokens
    rename = tokens.UpdateTokenRequest(token=token_pb2.Token(token_id=token_id, display_name="renamed"))
    assert api.call(rename, token=admin).token.display_name == "renamed"
    preview = api.call(tokens.PreviewSelectorRequest(label_selector="group in(B)"), token=admin)
    assert preview.canonical_selector == "group=B"
    assert [each.app_id for each in preview.apps] == [app.app_id]
    question = tokens.ExplainAccessRequest(token_id=token_id, app_id=app.app_id, path="/?x=1")
    explained = api.call(question, token=admin)
    assert (explained.allowed, explained.reason, explained.http_status) == (True, "ALLOWED", 200)
    assert explained.rules
    return token_id, secret


def a_session_is_begun_and_ended(api: Api, platform: Platform, secret: str, app: app_pb2.App) -> None:
    """It opens the app until it is ended, and not a moment longer."""
    host = app.status.url.removeprefix("http://")
    begun = api.call(sessions.CreateSessionRequest(host=host), token=secret)
    cookie = [("Cookie", f"__Host-doorward={begun.credential}")]
    wait_for(lambda: platform.visit(host, headers=cookie).status == 200, what="the session opens the app")
    request = sessions.DeleteSessionRequest(session_id=begun.session.session_id)
    assert api.call(request, token=secret).policy_update.revision
    assert platform.visit(host, headers=cookie).status == 401


def an_app_is_stopped_and_started(api: Api, secret: str, app: app_pb2.App) -> None:
    """By an operator."""
    stopping = api.call(apps.StopAppRequest(app_id=app.app_id), token=secret).app
    assert stopping.status.state == app_pb2.APP_STATE_STOPPING
    wait_for(
        lambda: state(api, secret, app) == app_pb2.APP_STATE_STOPPED, what="the app has stopped", within=30
    )
    starting = api.call(apps.StartAppRequest(app_id=app.app_id), token=secret).app
    assert starting.status.state == app_pb2.APP_STATE_QUEUED


def a_token_is_regenerated(api: Api, admin: str, token_id: str, secret: str) -> None:
    """Its former secret is dead at once."""
    response = api.call(tokens.RegenerateTokenRequest(token_id=token_id), token=admin)
    assert response.token.generation == 2
    assert response.policy_update.revision > 0
    refused(api, tokens.WhoAmIRequest(), grpc.StatusCode.UNAUTHENTICATED, token=secret)
    assert api.call(tokens.WhoAmIRequest(), token=response.secret).token.token_id == token_id


def both_are_deleted(api: Api, admin: str, token_id: str, app: app_pb2.App) -> None:
    """The app is gone once it has stopped."""
    assert api.call(apps.DeleteAppRequest(app_id=app.app_id), token=admin).policy_update.revision
    wait_for(lambda: state(api, admin, app) is None, what="the app is gone", within=30)
    assert api.call(tokens.DeleteTokenRequest(token_id=token_id), token=admin).policy_update.revision


def the_replica_is_listed(api: Api, admin: str) -> None:
    """The one that `up` runs, current: what was changed before has been enforced."""
    answer = api.call(replicas.ListReplicasRequest(page_size=10), token=admin)
    (replica,) = answer.replicas
    assert replica.display_name.endswith("/check-0")
    assert replica.state == replicas.REPLICA_STATE_CURRENT
    assert replica.applied_revision == answer.policy_revision > 0
    assert (replica.lag_revisions, replica.lag.ToTimedelta()) == (0, timedelta())
    assert timedelta() < replica.lease_remaining.ToTimedelta() <= answer.policy_lease.ToTimedelta() * 1.001
    assert replica.connect_time.seconds
    assert replica.last_heard_time.ToDatetime() >= replica.connect_time.ToDatetime()


def state(api: Api, token: str, app: app_pb2.App) -> int | None:
    """The app's state; None when there is no such app."""
    try:
        return int(api.call(apps.GetAppRequest(app_id=app.app_id), token=token).app.status.state)
    except ApiError as error:
        if error.reason != "APP_NOT_FOUND":
            raise
        return None


@pytest.mark.parametrize("space", ["+", "%20"])
def test_a_space_may_be_written_in_both_ways(platform: Platform, space: str) -> None:
    """Browsers' forms and most libraries write a plus sign, others escape it."""
    selector = f"group{space}in{space}(A,B)"
    answer = platform.visit("api.localhost", f"/v1/apps?labelSelector={selector}", token=platform.admin_token)
    assert answer.status == 200


@pytest.mark.parametrize("name", METHODS)
def test_no_rpc_answers_a_stranger(api: Api, name: str) -> None:
    """Each wants a token, and says so as browsers and tools expect it."""
    request = _request(name)
    error = refused(api, request, grpc.StatusCode.UNAUTHENTICATED, token=None)
    assert error.reason == "CREDENTIAL_MISSING"
    assert error.headers["www-authenticate"] == 'Bearer realm="doorward"'


def test_what_is_wrong_is_told_field_by_field(api: Api, platform: Platform) -> None:
    """Under the same paths both ways."""
    request = apps.CreateAppRequest(app=app_pb2.App(display_name="x", region="MARS", labels={"?": ""}))
    error = refused(api, request, grpc.StatusCode.INVALID_ARGUMENT, token=platform.admin_token)
    assert error.reason == "INVALID_FIELD"
    assert error.fields == ["app.region", "app.labels", "app.spec"]


def test_what_is_not_there_is_told(api: Api, platform: Platform) -> None:
    """With its id."""
    request = apps.GetAppRequest(app_id=str(uuid4()))
    error = refused(api, request, grpc.StatusCode.NOT_FOUND, token=platform.admin_token)
    assert error.reason == "APP_NOT_FOUND"


def _request(name: str) -> Any:
    """The least that a call of this RPC must have: the ids that stand in its path."""
    for module in (apps, tokens, sessions, audit, replicas):
        if (kind := getattr(module, f"{name}Request", None)) is not None:
            break
    else:
        raise AssertionError(f"{name} has no request")
    ids = {"app_id": str(uuid4()), "token_id": "0" * 12, "session_id": "x"}
    names = {each.name for each in METHODS[name].input_type.fields}
    request = kind(**{key: value for key, value in ids.items() if key in names})
    if name == "UpdateApp":
        request.app.app_id = ids["app_id"]
    if name == "UpdateToken":
        request.token.token_id = ids["token_id"]
    return request
