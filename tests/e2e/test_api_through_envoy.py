"""The api's host: REST, gRPC and gRPC-Web through Envoy."""

import json
from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import code_pb2, error_details_pb2
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from doorward.v1 import app_pb2, app_service_pb2, app_service_pb2_grpc, role_pb2
from tests.e2e.conformance.identity import FORGED
from tests.e2e.conformance.template import fill
from tests.e2e.support.fake_api import TRICKY_NAME
from tests.e2e.support.raw_http import TIMEOUT, Answer, Connection, Headers, exchange
from tests.e2e.support.stack import API_HOST, FakeStack, fake_stack

JSON = ("Content-Type", "application/json")


def call(
    glass: FakeStack,
    method: str,
    target: str,
    *,
    body: object = None,
    headers: Headers = (),
    host: str = API_HOST,
) -> Answer:
    """One REST request."""
    data = None if body is None else json.dumps(body).encode()
    return exchange(glass.address, method, target, host=host, headers=[JSON, *headers], body=data)


def channel_to(glass: FakeStack) -> grpc.Channel:
    """A gRPC channel to the api's host."""
    host, port = glass.address
    options = [("grpc.default_authority", API_HOST), ("grpc.enable_http_proxy", 0)]
    return grpc.insecure_channel(f"{host}:{port}", options=options)


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_an_identity_header_of_the_client_never_reaches_the_api(
    glass: FakeStack, forged: tuple[str, ...]
) -> None:
    """The api gets no such header, just as an app."""
    lines = [fill(line, {"identity": "x-doorward"}).partition(":") for line in forged]
    call(glass, "GET", "/v1/apps", headers=[(name, value.strip()) for name, _, value in lines])
    names = {name.replace("_", "-") for name in glass.api.calls[-1].metadata}
    assert not {name for name in names if name.startswith("x-doorward-")}


def test_a_resource_is_answered_alone(glass: FakeStack) -> None:
    """`response_body` of the protos holds: the answer is the app, and not a message around it."""
    answer = call(glass, "GET", "/v1/apps/some-id")
    assert answer.status == 200
    assert answer.all("content-type") == ["application/json"]
    app = json.loads(answer.body)
    assert (app["appId"], app["displayName"], app["labels"]) == ("some-id", TRICKY_NAME, {"group": "A"})
    assert answer.all("content-length") == [str(len(answer.body))]
    assert json.loads(call(glass, "GET", "/v1/me").body)["displayName"] == "mine"


def test_other_answers_are_whole(glass: FakeStack) -> None:
    """Without `response_body` the answer is the message, with what has its default value."""
    answer = json.loads(call(glass, "GET", "/v1/apps").body)
    assert [app["appId"] for app in answer["apps"]] == ["one"]
    assert answer["nextPageToken"] == ""


def test_large_resources_are_answered_alone(glass: FakeStack) -> None:
    """An app as large as the api would take it, braces and quotes in its text and all."""
    app = {"displayName": '}{"\\' * 10, "labels": {f"k{n}": '"}' * 100 for n in range(64)}}
    app["spec"] = {"process": {"command": ['{"' * 2000] * 64}}
    answer = call(glass, "POST", "/v1/apps", body=app)
    assert answer.status == 200
    echoed = json.loads(answer.body)
    assert echoed["displayName"] == app["displayName"]
    assert echoed["labels"] == app["labels"]
    assert echoed["spec"]["process"]["command"] == app["spec"]["process"]["command"]  # type: ignore[index]


def test_queries_and_bodies_reach_the_api(glass: FakeStack) -> None:
    """Path, query and body become the one request that the protos describe."""
    call(
        glass,
        "GET",
        "/v1/apps?label_selector=group%20in%20(A%2CB)&pageSize=7&states=APP_STATE_RUNNING&states=6",
    )
    request = glass.api.calls[-1].request
    assert (request.label_selector, request.page_size) == ("group in (A,B)", 7)
    assert list(request.states) == [app_pb2.APP_STATE_RUNNING, app_pb2.APP_STATE_STOPPED]

    call(glass, "POST", "/v1/apps?request_id=r1", body={"displayName": "hello", "labels": {"ovh/id": "fake"}})
    request = glass.api.calls[-1].request
    assert (request.request_id, request.app.display_name) == ("r1", "hello")
    assert dict(request.app.labels) == {"ovh/id": "fake"}


def test_the_apis_callers_keep_their_credential(glass: FakeStack) -> None:
    """The api checks its callers itself, and check is not asked."""
    asked = len(glass.checks[0].seen)
    call(glass, "GET", "/v1/apps", headers=[("Authorization", "Bearer theirs")])
    assert glass.api.calls[-1].metadata["authorization"] == "Bearer theirs"
    assert len(glass.checks[0].seen) == asked


@pytest.mark.parametrize(
    "host", ["api.localhost", "API.Localhost:8080", "localhost", "127.0.0.1:1", "api.localhost."]
)
def test_the_api_has_its_hosts(glass: FakeStack, host: str) -> None:
    """Case, port and a trailing dot do not matter."""
    assert call(glass, "GET", "/v1/apps", host=host).status == 200


@pytest.mark.parametrize(
    ("request_line", "body", "status", "named"),
    [
        ("GET /v1/apps?nope=1", None, 400, "nope"),
        ("GET /v1/apps?page_size=many", None, 400, "many"),
        ("GET /v1/apps?states=APP_STATE_NOPE", None, 400, "APP_STATE_NOPE"),
        ("POST /v1/apps", {"nope": 1}, 400, "there is no field nope"),
        ("POST /v1/apps", {"spec": {"readiness": {"pth": "/"}}}, 400, "spec.readiness.pth"),
        ("PATCH /v1/apps/x", {"spec": {"external": {"address": "a:1", "tls": True}}}, 400, "tls"),
        ("POST /v1/tokens", {"expire_tme": "2030-01-01T00:00:00Z"}, 400, "expire_tme"),
        ("PATCH /v1/tokens/t?update_mask=expire_time", {"expiretime": None}, 400, "expiretime"),
        ("POST /v1/tokens/t:regenerate", {"gracePeriod": "0s", "grace": 1}, 400, "no field grace."),
        ("POST /v1/apps/x:stop", {"etg": "1"}, 400, "etg"),
        ("POST /v1/apps", {"labels": []}, 400, "labels"),
        ("POST /v1/apps?app.region=GRA", {"region": "BHS"}, 400, "region"),
        ("PUT /v1/apps", None, 404, "/v1/apps"),
        ("GET /v1/nope", None, 404, "/v1/nope"),
        ("GET /", None, 404, "/"),
        ("GET /.doorward/", None, 404, ""),
        ("OPTIONS /v1/apps", None, 404, ""),
    ],
)
def test_what_the_api_does_not_know_is_refused(
    glass: FakeStack, request_line: str, body: object, status: int, named: str
) -> None:
    """An unknown query parameter, field, value or path is answered with an error that names it."""
    before = len(glass.api.calls)
    method, target = request_line.split(" ")
    answer = call(glass, method, target, body=body)
    assert answer.status == status
    assert answer.all("content-type") == ["application/problem+json"]
    assert named in json.loads(answer.body)["detail"]
    assert len(glass.api.calls) == before


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ('{"displayName": "a", "display_name": "b"}', "display_name is there twice"),
        ('{"labels": {"a": "1", "a": "2"}}', "labels.a is there twice"),
        ("{'displayName': 'a'}", "a name in double quotes"),
        ('{displayName: "a"}', "a name in double quotes"),
        ('{"displayName": "a",}', "a name in double quotes"),
        ('{"displayName": "a"} {}', "the end"),
        ('{"displayName": "a"', "',' or '}'"),
        ('{"displayName": "a', "a string does not end"),
        ('{"displayName": nan}', "a value"),
        ('{"display\\u004eame": "a"}', "there is no field"),
        ('{"spec": ' + "[" * 100 + "]" * 100 + "}", "more than 32"),
        ('["displayName"]', "'{'"),
        ("// x\n{}", "'{'"),
    ],
)
def test_a_body_has_one_reading(glass: FakeStack, body: str, named: str) -> None:
    """What is not exactly JSON, or says a thing twice, is refused with an error that says where."""
    before = len(glass.api.calls)
    answer = exchange(glass.address, "POST", "/v1/apps", host=API_HOST, headers=[JSON], body=body.encode())
    assert answer.status == 400
    assert named in json.loads(answer.body)["detail"]
    assert len(glass.api.calls) == before


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        " \n{ }\t",
        '{"display_name":"a"}',
        r'{"displayName": "\" \\ } { \u00e9 \n", "labels": {"any/key": "v", "a\"b": "w"}}',
        '{"spec": {"external": {"address": "h:1"}, "operatorPaths": ["/a", "/b"], "corsPreflight": true}}',
        '{"spec": {"readiness": {"period": "1.5s", "failure_threshold": 3}}, "etag": null}',
    ],
)
def test_a_body_that_is_right_passes(glass: FakeStack, body: str) -> None:
    """Both forms of a field's name, any key of a map, white space and escapes are fine."""
    before = len(glass.api.calls)
    answer = exchange(glass.address, "POST", "/v1/apps", host=API_HOST, headers=[JSON], body=body.encode())
    assert answer.status == 200, answer.body
    assert len(glass.api.calls) == before + 1


def test_a_body_that_arrives_in_pieces_is_looked_at_whole(glass: FakeStack) -> None:
    """Chunked bodies, and empty ones, are bodies too."""
    head = b"POST /v1/apps HTTP/1.1\r\nHost: api.localhost\r\nContent-Type: application/json\r\n"
    for pieces, status in (([b'{"display', b'Name": "a"}'], 200), ([b'{"no', b'pe": 1}'], 400), ([], 200)):
        with Connection(glass.address) as connection:
            connection.send(head + b"Transfer-Encoding: chunked\r\n\r\n")
            for piece in pieces:
                connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            connection.send(b"0\r\n\r\n")
            assert connection.answer().status == status


def test_cors_is_not_granted(glass: FakeStack) -> None:
    """No page of another origin may read what the api answers."""
    answer = call(glass, "GET", "/v1/apps", headers=[("Origin", "https://evil.example")])
    assert not [name for name, _ in answer.headers if name.startswith("access-control-")]


def test_a_body_over_the_limit_is_refused() -> None:
    """`max_message_bytes` bounds what Envoy holds of a REST request."""
    with fake_stack(max_message_bytes=10_000) as glass:
        assert call(glass, "POST", "/v1/apps", body={"displayName": "x" * 5_000}).status == 200
        refused = call(glass, "POST", "/v1/apps", body={"displayName": "x" * 20_000})
        assert refused.status == 413
        assert json.loads(refused.body)["detail"] == "The body is longer than 10000 bytes."
        assert len(glass.api.calls) == 1


def test_an_error_of_the_api_is_answered_with_its_details(
    glass: FakeStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A REST client gets the google.rpc.Status, with ErrorInfo and BadRequest in it."""
    details = [
        error_details_pb2.ErrorInfo(reason="ERROR_REASON_INVALID_FIELD", domain="doorward.dev"),
        error_details_pb2.BadRequest(
            field_violations=[
                error_details_pb2.BadRequest.FieldViolation(field="app.region", description="no such")
            ]
        ),
    ]
    status = Status(code=code_pb2.INVALID_ARGUMENT, message="app.region: no such")
    for detail in details:
        packed = AnyMessage()
        packed.Pack(detail)
        status.details.append(packed)

    def fail(context: grpc.ServicerContext) -> None:
        context.abort_with_status(rpc_status.to_status(status))

    monkeypatch.setattr(glass.api, "before_answer", fail)
    answer = call(glass, "GET", "/v1/apps/x")
    assert answer.status == 400
    body: dict[str, Any] = json.loads(answer.body)
    assert (body["code"], body["message"]) == (3, "app.region: no such")
    info, bad_request = body["details"]
    assert info["reason"] == "ERROR_REASON_INVALID_FIELD"
    assert bad_request["fieldViolations"][0]["field"] == "app.region"


def test_a_stream_is_one_object_a_line(glass: FakeStack) -> None:
    """Server streams can be read line by line."""
    answer = call(glass, "GET", "/v1/apps/x:logs?follow=true")
    assert [json.loads(line)["line"] for line in answer.body.splitlines()] == ["one", "two"]


def test_grpc_passes(glass: FakeStack) -> None:
    """Native gRPC reaches the api through the same port, and their answers are not unwrapped."""
    with channel_to(glass) as channel:
        apps = app_service_pb2_grpc.AppServiceStub(channel)
        request = app_service_pb2.GetAppRequest(app_id="some-id")
        answer = apps.GetApp(request, metadata=(("authorization", "Bearer theirs"),), timeout=TIMEOUT)
        assert answer.app.app_id == "some-id"
        assert glass.api.calls[-1].metadata["authorization"] == "Bearer theirs"
        logs = apps.ReadAppLogs(app_service_pb2.ReadAppLogsRequest(app_id="x"), timeout=TIMEOUT)
        assert [entry.line for entry in logs] == ["one", "two"]


def test_grpc_web_passes(glass: FakeStack) -> None:
    """A browser's gRPC-Web call is translated: a message frame, then a frame of trailers."""
    message = app_service_pb2.GetAppRequest(app_id="some-id").SerializeToString()
    answer = exchange(
        glass.address,
        "POST",
        "/doorward.v1.AppService/GetApp",
        host=API_HOST,
        headers=[("Content-Type", "application/grpc-web+proto"), ("X-Grpc-Web", "1")],
        body=b"\x00" + len(message).to_bytes(4, "big") + message,
    )
    assert answer.status == 200
    assert answer.all("content-type") == ["application/grpc-web+proto"]
    length = int.from_bytes(answer.body[1:5], "big")
    response = app_service_pb2.GetAppResponse.FromString(answer.body[5 : 5 + length])
    assert response.app.app_id == "some-id"
    trailers = answer.body[5 + length :]
    assert trailers[0] == 0x80
    assert b"grpc-status:0" in trailers


@pytest.mark.parametrize(
    "method",
    [
        "/doorward.policy.v1.PolicyService/StreamPolicy",
        "//doorward.policy.v1.PolicyService/StreamPolicy",
        "/doorward.v1.AppService/../../doorward.policy.v1.PolicyService/StreamPolicy",
        "/doorward%2epolicy.v1.PolicyService/StreamPolicy",
    ],
)
def test_the_policy_stream_is_not_reachable(glass: FakeStack, method: str) -> None:
    """What is between api and check stays between them."""
    before = len(glass.api.calls)
    with channel_to(glass) as channel, pytest.raises(grpc.RpcError) as error:
        channel.unary_unary(
            method,
            request_serializer=app_pb2.App.SerializeToString,
            response_deserializer=app_pb2.App.FromString,
        )(app_pb2.App(), timeout=TIMEOUT)
    assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert call(glass, "POST", method, body={}).status == 404
    assert len(glass.api.calls) == before


def test_an_api_that_is_gone_is_unavailable() -> None:
    """503 to REST, UNAVAILABLE to gRPC, and neither tells where the api should have been."""
    with fake_stack() as glass:
        glass.api.close()
        answer = call(glass, "GET", "/v1/apps")
        assert answer.status == 503
        assert answer.all("content-type") == ["application/problem+json"]
        assert b"api.sock" not in answer.body
        with channel_to(glass) as channel, pytest.raises(grpc.RpcError) as error:
            app_service_pb2_grpc.AppServiceStub(channel).GetApp(
                app_service_pb2.GetAppRequest(), timeout=TIMEOUT
            )
        assert error.value.code() is grpc.StatusCode.UNAVAILABLE
        assert error.value.details() == "The service behind this address does not answer."


def test_roles_are_named(glass: FakeStack) -> None:
    """Enums are their names in JSON."""
    assert json.loads(call(glass, "GET", "/v1/me").body)["role"] == role_pb2.Role.Name(
        role_pb2.ROLE_UNSPECIFIED
    )
