"""A policy under which requests are allowed, and every kind of change after which they are not."""

from collections.abc import Callable
from typing import Any

from envoy.service.auth.v3.external_auth_pb2 import CheckResponse

from doorward_server.check.handler import CheckHandler
from doorward_server.check.index import Entries, PolicyIndex
from doorward_server.check.lease import Lease
from doorward_server.check.uses import TokenUses
from doorward_server.domain.cookies import SESSION_COOKIE
from doorward_server.domain.credentials import PlatformKey, mint_secret, mint_token_id
from doorward_server.domain.ids import AppId, SessionId
from doorward_server.domain.sessions import Session, SessionSeals
from doorward_server.policy.v1 import policy_pb2
from tests.unit.check.check_requests import check_request

NOW = 1_000.0
APP_ID = AppId("00000000-0000-4000-8000-000000000001")
SECRET = mint_secret(mint_token_id())
SESSION = Session(
    session_id=SessionId("11111111-0000-4000-8000-000000000001"),
    token_id=SECRET.token_id,
    generation=1,
    app_id=APP_ID,
    idle_end=NOW + 100,
    end=NOW + 100,
)
_KEY = PlatformKey("key-1", b"k" * 32)
_MACS, _SEALS = _KEY.token_macs(), SessionSeals(_KEY.session_key())
_HOST = f"{APP_ID}.app.gra.localhost"
BY_SECRET = check_request(host=_HOST, headers=[("authorization", f"Bearer {SECRET.reveal()}".encode())])
BY_SESSION = check_request(
    host=_HOST, headers=[("cookie", f"{SESSION_COOKIE}={_SEALS.seal(SESSION)}".encode())]
)


def app(**changed: Any) -> policy_pb2.App:
    """An app that the token opens, unless something is changed."""
    upstream = policy_pb2.Upstream(host="127.0.0.1", port=1)
    given: dict[str, Any] = {"app_id": APP_ID, "region": "GRA", "labels": {"group": "A"}}
    return policy_pb2.App(**{**given, "upstream": upstream, **changed})


def token(selector: str = "group=A") -> policy_pb2.Token:
    """A token for a group."""
    return policy_pb2.Token(
        token_id=SECRET.token_id,
        role="READ_ONLY",
        region="GRA",
        label_selector=selector,
        generations=[policy_pb2.Generation(generation=1, mac=_MACS.mac(SECRET))],
    )


def ended() -> policy_pb2.EndedSession:
    """The session, ended by a logout."""
    message = policy_pb2.EndedSession(session_id=SESSION.session_id)
    message.expire_time.seconds = int(SESSION.end)
    return message


def _replaced(index: PolicyIndex) -> None:
    """A snapshot in which the token opens another group."""
    entries = Entries()
    entries.put_part(policy_pb2.Snapshot(apps=[app()], tokens=[token("group=B")]))
    index.replace(entries)


_OF_ANY_REQUEST: dict[str, Callable[[PolicyIndex], None]] = {
    "the app is relabelled": lambda index: index.put_app(app(labels={"group": "B"})),
    "the app is stopped": lambda index: index.put_app(app(upstream=None)),
    "the app gets operator paths": lambda index: index.put_app(app(operator_paths=["/"])),
    "the app is deleted": lambda index: index.remove_app(APP_ID),
    "the token is narrowed": lambda index: index.put_token(token("group=B")),
    "the token is deleted": lambda index: index.remove_token(SECRET.token_id),
    "the domains change": lambda index: index.set_domains({"GRA": "app.elsewhere.localhost"}),
    "a snapshot comes": _replaced,
}

CHANGES: dict[str, tuple[bytes, Callable[[PolicyIndex], None]]] = {
    **{f"by secret, {name}": (BY_SECRET, change) for name, change in _OF_ANY_REQUEST.items()},
    **{f"by session, {name}": (BY_SESSION, change) for name, change in _OF_ANY_REQUEST.items()},
    "by session, it is ended": (BY_SESSION, lambda index: index.end_session(ended())),
}
"""A request, and a change after which it is denied."""


def replica() -> tuple[PolicyIndex, CheckHandler]:
    """A handler that allows both requests, and its policy."""
    index, lease = PolicyIndex(_MACS, _SEALS, now=lambda: NOW), Lease(lambda: 0.0)
    index.set_domains({"GRA": "app.gra.localhost"})
    lease.renew(0.0, 0.0)
    index.put_app(app())
    index.put_token(token())
    handler = CheckHandler(policy=index, lease=lease, uses=TokenUses(), login_enabled=False, now=lambda: NOW)
    return index, handler


def allowed(handler: CheckHandler, request: bytes) -> bool:
    """Whether a request is allowed."""
    response = CheckResponse.FromString(handler(request))
    assert response.HasField("ok_response") != response.HasField("denied_response")
    return bool(response.HasField("ok_response"))
