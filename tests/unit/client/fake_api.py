"""An api in this process, on a free port of 127.0.0.1: the public services over plain dictionaries.

It keeps what it is told, and nothing of what the real one decides. `fail` makes the next calls of an RPC end
in an error; `seen` has every call with its request, metadata and deadline.
"""

import secrets
import string
import threading
import uuid
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from doorward._conversions import duration
from doorward.v1 import app_service_pb2 as apps_pb2
from doorward.v1 import audit_service_pb2 as audit_pb2
from doorward.v1 import replica_service_pb2 as replicas_pb2
from doorward.v1 import session_service_pb2 as sessions_pb2
from doorward.v1 import token_service_pb2 as tokens_pb2
from doorward.v1.app_pb2 import App, AppState, AppStatus
from doorward.v1.app_service_pb2_grpc import AppServiceServicer, add_AppServiceServicer_to_server
from doorward.v1.audit_service_pb2_grpc import AuditServiceServicer, add_AuditServiceServicer_to_server
from doorward.v1.policy_update_pb2 import Enforcement, PolicyUpdate
from doorward.v1.replica_service_pb2_grpc import (
    ReplicaServiceServicer,
    add_ReplicaServiceServicer_to_server,
)
from doorward.v1.role_pb2 import Role
from doorward.v1.session_service_pb2_grpc import (
    SessionServiceServicer,
    add_SessionServiceServicer_to_server,
)
from doorward.v1.token_pb2 import Token
from doorward.v1.token_service_pb2_grpc import TokenServiceServicer, add_TokenServiceServicer_to_server

M = TypeVar("M", bound=Message)

REQUEST_ID = "7b0c7bfa-5f0f-4b58-9f5e-2f3d1a8c4e11"
"""The id that the fake answers for every request."""


ADMIN_ID = "1B2m9cQk0XyZ"
"""The id of the token that every call seems to come from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One call as it arrived."""

    request: Message
    metadata: Mapping[str, str | bytes]
    seconds_left: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How a call is to end."""

    code: grpc.StatusCode
    message: str
    details: Sequence[Message] = ()


@dataclass(slots=True)
class State:
    """What the fake keeps, and what it is told to do."""

    apps: dict[str, App] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    events: list[audit_pb2.AuditEvent] = field(default_factory=list)
    replicas: list[replicas_pb2.Replica] = field(default_factory=list)
    lease: timedelta = timedelta(seconds=30)
    lines: list[apps_pb2.ReadAppLogsResponse] = field(default_factory=list)
    statuses: list[AppStatus] = field(default_factory=list)
    created: dict[str, str] = field(default_factory=dict)
    revision: int = 0
    held: set[str] = field(default_factory=set)
    """RPCs that are not answered until their call ends."""
    failures: defaultdict[str, deque[Failure]] = field(default_factory=lambda: defaultdict(deque))
    seen: defaultdict[str, list[Seen]] = field(default_factory=lambda: defaultdict(list))

    def arrive(self, rpc: str, request: Message, context: grpc.ServicerContext) -> None:
        """Note a call, and end it when it is to fail."""
        left = context.time_remaining()
        self.seen[rpc].append(
            Seen(
                request=request,
                metadata=dict(context.invocation_metadata()),
                seconds_left=None if left > 1e6 else left,
            )
        )
        context.send_initial_metadata((("doorward-request-id", REQUEST_ID),))
        if rpc in self.held:
            until_ended(context)
        if self.failures[rpc]:
            failure = self.failures[rpc].popleft()
            details = [AnyMessage() for _ in failure.details]
            for packed, detail in zip(details, failure.details, strict=True):
                packed.Pack(detail)
            status = status_pb2.Status(code=failure.code.value[0], message=failure.message, details=details)
            context.abort_with_status(rpc_status.to_status(status))

    def narrowed(self) -> PolicyUpdate:
        """Return the place of a change that has reached everyone."""
        self.revision += 1
        return PolicyUpdate(revision=self.revision, enforcement=Enforcement.ENFORCEMENT_EVERYWHERE)


def now() -> Timestamp:
    """Return the present."""
    stamp = Timestamp()
    stamp.FromDatetime(datetime.now(UTC))
    return stamp


def mint(token_id: str) -> str:
    """Return text with the form of a secret."""
    return f"dw_{token_id}_{''.join(secrets.choice(string.ascii_letters) for _ in range(49))}"


def page(items: Sequence[M], size: int, token: str) -> tuple[Sequence[M], str]:
    """Return one page of a list and the token of the next."""
    start, end = int(token or 0), int(token or 0) + (size or 50)
    return items[start:end], str(end) if end < len(items) else ""


class Apps(AppServiceServicer):
    """AppService."""

    def __init__(self, state: State) -> None:
        self.state = state

    def app(self, app_id: str, context: grpc.ServicerContext) -> App:
        if app_id not in self.state.apps:
            context.abort_with_status(rpc_status.to_status(not_found("APP_NOT_FOUND", app_id=app_id)))
        return self.state.apps[app_id]

    def unchanged(self, app: App, etag: str, context: grpc.ServicerContext) -> App:
        if etag not in ("", app.etag):
            context.abort_with_status(rpc_status.to_status(changed()))
        return app

    def enter(self, app: App, state: AppState.ValueType) -> App:
        app.status.state = state
        app.status.history.add(state=state, time=now())
        return app

    def CreateApp(self, request: Any, context: Any) -> Any:
        self.state.arrive("CreateApp", request, context)
        if request.request_id not in self.state.created:
            app = App()
            app.CopyFrom(request.app)
            app.app_id = str(uuid.uuid4())
            app.labels["ovh/id"] = app.app_id
            app.create_time.CopyFrom(now())
            app.status.url = f"http://{app.app_id}.app.gra.localhost:8080"
            app.etag = "1"
            for name in app.spec.process.env:
                app.spec.process.env[name] = ""
            self.state.apps[app.app_id] = self.enter(app, AppState.APP_STATE_QUEUED)
            self.state.created[request.request_id] = app.app_id
        return apps_pb2.CreateAppResponse(app=self.state.apps[self.state.created[request.request_id]])

    def GetApp(self, request: Any, context: Any) -> Any:
        self.state.arrive("GetApp", request, context)
        return apps_pb2.GetAppResponse(app=self.app(request.app_id, context))

    def ListApps(self, request: Any, context: Any) -> Any:
        self.state.arrive("ListApps", request, context)
        found = [app for app in self.state.apps.values() if request.region in ("", app.region)]
        apps, token = page(found, request.page_size, request.page_token)
        return apps_pb2.ListAppsResponse(apps=apps, next_page_token=token)

    def UpdateApp(self, request: Any, context: Any) -> Any:
        self.state.arrive("UpdateApp", request, context)
        app = self.unchanged(self.app(request.app.app_id, context), request.app.etag, context)
        app.etag = str(int(app.etag) + 1)
        for path in request.update_mask.paths:
            if path == "labels":
                app.labels.clear()
                app.labels.update(request.app.labels)
            elif path == "display_name":
                app.display_name = request.app.display_name
            else:
                request.update_mask.MergeMessage(request.app, app, replace_repeated_field=True)
        return apps_pb2.UpdateAppResponse(app=app, policy_update=self.state.narrowed())

    def StartApp(self, request: Any, context: Any) -> Any:
        self.state.arrive("StartApp", request, context)
        app = self.enter(self.app(request.app_id, context), AppState.APP_STATE_QUEUED)
        return apps_pb2.StartAppResponse(app=app)

    def StopApp(self, request: Any, context: Any) -> Any:
        self.state.arrive("StopApp", request, context)
        app = self.enter(self.app(request.app_id, context), AppState.APP_STATE_STOPPING)
        return apps_pb2.StopAppResponse(app=app, policy_update=self.state.narrowed())

    def DeleteApp(self, request: Any, context: Any) -> Any:
        self.state.arrive("DeleteApp", request, context)
        del self.state.apps[self.app(request.app_id, context).app_id]
        return apps_pb2.DeleteAppResponse(policy_update=self.state.narrowed())

    def WatchApp(self, request: Any, context: Any) -> Iterator[apps_pb2.WatchAppResponse]:
        self.state.arrive("WatchApp", request, context)
        self.app(request.app_id, context)
        for status in self.state.statuses:
            if status.state == AppState.APP_STATE_UNSPECIFIED:  # stands for: nothing more happens
                until_ended(context)
                return
            yield apps_pb2.WatchAppResponse(status=status)

    def ReadAppLogs(self, request: Any, context: Any) -> Iterator[apps_pb2.ReadAppLogsResponse]:
        self.state.arrive("ReadAppLogs", request, context)
        yield from self.state.lines
        if request.follow:
            until_ended(context)


class Tokens(TokenServiceServicer):
    """TokenService."""

    def __init__(self, state: State) -> None:
        self.state = state

    def token(self, token_id: str, context: grpc.ServicerContext) -> Token:
        if token_id not in self.state.tokens:
            context.abort_with_status(rpc_status.to_status(not_found("TOKEN_NOT_FOUND", token_id=token_id)))
        return self.state.tokens[token_id]

    def CreateToken(self, request: Any, context: Any) -> Any:
        self.state.arrive("CreateToken", request, context)
        if known := self.state.created.get(request.request_id):
            return tokens_pb2.CreateTokenResponse(token=self.state.tokens[known])
        token = Token()
        token.CopyFrom(request.token)
        token.token_id = "".join(secrets.choice(string.ascii_letters) for _ in range(12))
        token.generation = 1
        token.create_time.CopyFrom(now())
        token.etag = "1"
        self.state.tokens[token.token_id] = token
        self.state.created[request.request_id] = token.token_id
        return tokens_pb2.CreateTokenResponse(token=token, secret=mint(token.token_id))

    def GetToken(self, request: Any, context: Any) -> Any:
        self.state.arrive("GetToken", request, context)
        return tokens_pb2.GetTokenResponse(token=self.token(request.token_id, context))

    def ListTokens(self, request: Any, context: Any) -> Any:
        self.state.arrive("ListTokens", request, context)
        tokens, following = page(list(self.state.tokens.values()), request.page_size, request.page_token)
        return tokens_pb2.ListTokensResponse(tokens=tokens, next_page_token=following)

    def UpdateToken(self, request: Any, context: Any) -> Any:
        self.state.arrive("UpdateToken", request, context)
        token = self.token(request.token.token_id, context)
        for path in request.update_mask.paths:
            token.ClearField(path)
        request.update_mask.MergeMessage(request.token, token)
        return tokens_pb2.UpdateTokenResponse(token=token, policy_update=self.state.narrowed())

    def RegenerateToken(self, request: Any, context: Any) -> Any:
        self.state.arrive("RegenerateToken", request, context)
        token = self.token(request.token_id, context)
        token.generation += 1
        return tokens_pb2.RegenerateTokenResponse(
            token=token, secret=mint(token.token_id), policy_update=self.state.narrowed()
        )

    def DeleteToken(self, request: Any, context: Any) -> Any:
        self.state.arrive("DeleteToken", request, context)
        del self.state.tokens[self.token(request.token_id, context).token_id]
        return tokens_pb2.DeleteTokenResponse(policy_update=self.state.narrowed())

    def PreviewSelector(self, request: Any, context: Any) -> Any:
        self.state.arrive("PreviewSelector", request, context)
        apps, token = page(list(self.state.apps.values()), request.page_size, request.page_token)
        return tokens_pb2.PreviewSelectorResponse(
            canonical_selector=request.label_selector.replace(" ", ""), apps=apps, next_page_token=token
        )

    def ExplainAccess(self, request: Any, context: Any) -> Any:
        self.state.arrive("ExplainAccess", request, context)
        return tokens_pb2.ExplainAccessResponse(
            allowed=False,
            reason="OUT_OF_SCOPE",
            http_status=403,
            rules=[
                tokens_pb2.AccessRule(rule="token", passed=True, detail="live"),
                tokens_pb2.AccessRule(rule="selector", passed=False, detail="group=A does not match group=B"),
            ],
        )

    def WhoAmI(self, request: Any, context: Any) -> Any:
        self.state.arrive("WhoAmI", request, context)
        token = Token(token_id=ADMIN_ID, display_name="me", role=Role.ROLE_ADMIN, generation=1)
        return tokens_pb2.WhoAmIResponse(token=token)


class Audit(AuditServiceServicer):
    """AuditService."""

    def __init__(self, state: State) -> None:
        self.state = state

    def ListAuditEvents(self, request: Any, context: Any) -> Any:
        self.state.arrive("ListAuditEvents", request, context)
        events, token = page(self.state.events, request.page_size, request.page_token)
        return audit_pb2.ListAuditEventsResponse(audit_events=events, next_page_token=token)


class Sessions(SessionServiceServicer):
    """SessionService."""

    def __init__(self, state: State) -> None:
        self.state = state

    def CreateSession(self, request: Any, context: Any) -> Any:
        self.state.arrive("CreateSession", request, context)
        session = sessions_pb2.Session(session_id=str(uuid4()), host=request.host, token_id=ADMIN_ID)
        return sessions_pb2.CreateSessionResponse(session=session, credential="1.sealed")

    def DeleteSession(self, request: Any, context: Any) -> Any:
        self.state.arrive("DeleteSession", request, context)
        update = PolicyUpdate(revision=7, enforcement=Enforcement.ENFORCEMENT_EVERYWHERE)
        return sessions_pb2.DeleteSessionResponse(policy_update=update)


class Replicas(ReplicaServiceServicer):
    """ReplicaService."""

    def __init__(self, state: State) -> None:
        self.state = state

    def ListReplicas(self, request: Any, context: Any) -> Any:
        self.state.arrive("ListReplicas", request, context)
        # Two a page at most, so that callers who look at one page alone are found out.
        replicas, token = page(self.state.replicas, 2, request.page_token)
        return replicas_pb2.ListReplicasResponse(
            replicas=replicas,
            next_page_token=token,
            policy_revision=self.state.revision,
            policy_lease=duration(self.state.lease),
        )


def until_ended(context: grpc.ServicerContext) -> None:
    """Return when a call has ended."""
    ended = threading.Event()
    if context.add_callback(ended.set):
        ended.wait(timeout=30)


def not_found(reason: str, **metadata: str) -> status_pb2.Status:
    """Return the status of something that is not there."""
    info = AnyMessage()
    info.Pack(
        error_details_pb2.ErrorInfo(reason=f"ERROR_REASON_{reason}", domain="doorward.dev", metadata=metadata)
    )
    return status_pb2.Status(code=5, message=f"not found: {metadata}", details=[info])


def changed() -> status_pb2.Status:
    """Return the status of a call with the etag of what was before."""
    info = AnyMessage()
    info.Pack(error_details_pb2.ErrorInfo(reason="ERROR_REASON_ETAG_MISMATCH", domain="doorward.dev"))
    return status_pb2.Status(code=10, message="it has changed since", details=[info])


class FakeApi:
    """The fake, listening."""

    def __init__(
        self, *, credentials: grpc.ServerCredentials | None = None, address: str = "127.0.0.1:0"
    ) -> None:
        self.state = State()
        self._pool = ThreadPoolExecutor(max_workers=8)
        self._server = grpc.server(self._pool, options=[("grpc.so_reuseport", 0)])
        add_AppServiceServicer_to_server(Apps(self.state), self._server)
        add_TokenServiceServicer_to_server(Tokens(self.state), self._server)
        add_AuditServiceServicer_to_server(Audit(self.state), self._server)
        add_SessionServiceServicer_to_server(Sessions(self.state), self._server)
        add_ReplicaServiceServicer_to_server(Replicas(self.state), self._server)
        port = (
            self._server.add_secure_port(address, credentials)
            if credentials
            else self._server.add_insecure_port(address)
        )
        self.address = address if address.startswith("unix:") else f"127.0.0.1:{port}"
        self._server.start()

    def stop(self) -> None:
        """End every call, and the fake."""
        self._server.stop(grace=None).wait()
        self._pool.shutdown()

    def fail(
        self,
        rpc: str,
        code: grpc.StatusCode,
        message: str = "",
        *,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        violations: Mapping[str, str] | None = None,
        retry_after: timedelta | None = None,
        times: int = 1,
    ) -> None:
        """Make the next *times* calls of *rpc* fail."""
        details: list[Message] = []
        if reason:
            details.append(
                error_details_pb2.ErrorInfo(reason=reason, domain="doorward.dev", metadata=metadata or {})
            )
        if violations:
            bad_request = error_details_pb2.BadRequest()
            for name, description in violations.items():
                bad_request.field_violations.add(field=name, description=description)
            details.append(bad_request)
        if retry_after is not None:
            retry = error_details_pb2.RetryInfo()
            retry.retry_delay.FromTimedelta(retry_after)
            details.append(retry)
        failure = Failure(code=code, message=message, details=details)
        self.state.failures[rpc].extend([failure] * times)

    def seen(self, rpc: str) -> Seen:
        """Return the only call of *rpc*."""
        (call,) = self.state.seen[rpc]
        return call
