"""The decision on one HTTP request to an app: one pure function, which nothing else decides beside.

Check, ExplainAccess and the tests call it.
"""

from dataclasses import dataclass, replace
from enum import Enum
from http import HTTPStatus

from doorward_server.domain.credentials import Secret
from doorward_server.domain.hosts import split_app_host
from doorward_server.domain.ids import AppId
from doorward_server.domain.paths import is_ambiguous, is_under, path_of
from doorward_server.domain.policy import PolicyApp, PolicyToken, PolicyView
from doorward_server.domain.presented import Malformed
from doorward_server.domain.roles import Role
from doorward_server.domain.sessions import Session


class Rule(Enum):
    """The rules in the order in which they are looked at. A public app skips those of the token."""

    POLICY = "the replica's policy is fresh"
    CREDENTIAL = "the request presents a credential of the right form"
    TOKEN = "a live token has that credential"  # noqa: S105 - a rule's name
    APP = "the host names an app"
    REGION = "the app is in the token's region"
    SELECTOR = "the token's selector matches the app's labels"
    PATH = "of an app with operator paths: the path has one reading"
    ROLE = "the path needs no higher role"
    STATE = "the app serves"


class Reason(Enum):
    """Why a request is allowed or denied; the name goes into the access log, the rest into the answer."""

    ALLOWED = ("The token opens the app.", 200, Rule.STATE)
    PUBLIC_APP = ("The app is public.", 200, Rule.STATE)
    CORS_PREFLIGHT = ("The app lets CORS preflight requests through.", 200, Rule.STATE)
    STALE_POLICY = ("This replica has lost touch with the control plane.", 503, Rule.POLICY)
    NO_CREDENTIAL = ("The request has no token.", 401, Rule.CREDENTIAL)
    MALFORMED_CREDENTIAL = ("What was sent is not of a token's form.", 400, Rule.CREDENTIAL)
    REPEATED_CREDENTIAL = ("A credential header was sent twice.", 400, Rule.CREDENTIAL)
    UNKNOWN_TOKEN = ("No token has this secret; it may have been regenerated or deleted.", 401, Rule.TOKEN)
    EXPIRED_TOKEN = ("The token has expired, or its secret was regenerated.", 401, Rule.TOKEN)
    UNKNOWN_SESSION = ("What was sent is no session with this app.", 401, Rule.TOKEN)
    EXPIRED_SESSION = (
        "The session has ended: idle, at its end, by a logout, or with its token's secret.",
        401,
        Rule.TOKEN,
    )
    UNKNOWN_APP = ("The host names no app.", 403, Rule.APP)
    OUT_OF_REGION = ("The app is not in the token's region.", 403, Rule.REGION)
    OUT_OF_SCOPE = ("The token's selector does not match the app's labels.", 403, Rule.SELECTOR)
    AMBIGUOUS_PATH = ("The path can be read in two ways, and the app has operator paths.", 400, Rule.PATH)
    ROLE_TOO_LOW = ("The path needs the role OPERATOR.", 403, Rule.ROLE)
    APP_NOT_RUNNING = ("The app is not running.", 503, Rule.STATE)

    def __init__(self, description: str, http_status: int, rule: Rule) -> None:
        self.description = description
        self.http_status = http_status
        self.rule = rule
        """The rule that decides; the rules before it were passed."""
        self.index = len(type(self).__members__)
        """Its place among the reasons, from 0."""

    @property
    def allowed(self) -> bool:
        """Whether the request may reach the app."""
        return self.http_status == HTTPStatus.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a decision looks at in an HTTP request."""

    host: str
    """The host as sent, port included."""
    path: str
    """The request target as sent, query included."""
    secret: Secret | Malformed | None
    """The credential that it presents (see `presented`)."""
    session: bytes | Malformed | None = None
    """The session that its cookie presents, sealed (see `cookies`); looked at when there is no *secret*."""
    app_id: AppId | None = None
    """The app that Envoy's route names; the host does not matter then."""
    cors_preflight: bool = False
    """Whether it is a CORS preflight: OPTIONS with `Origin` and `Access-Control-Request-Method`."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, and about whom."""

    reason: Reason
    app: PolicyApp | None = None
    """The app that the request is for, where there is one."""
    token: PolicyToken | None = None
    """The live token that it presents, where there is one."""
    session: Session | None = None
    """The live session by which it presents the token, where it does."""

    @property
    def allowed(self) -> bool:
        """Whether the request may reach the app."""
        return self.reason.allowed


def decide(request: Request, policy: PolicyView, *, now: float, fresh: bool) -> Decision:
    """Decide on one request.

    *now* is the wall clock in seconds since 1970, *fresh* whether the policy is within its lease. Whether an
    app exists is told to nobody whose token does not open it: an unknown app goes the way of a known one up
    to the credential, and is then out of scope.
    """
    if not fresh:
        return Decision(Reason.STALE_POLICY)
    app = policy.app(request.app_id) if request.app_id is not None else policy.app_at(request.host)
    if app is not None and app.public:
        return _if_serving(app, Reason.PUBLIC_APP)
    if request.secret is None and request.session is None:
        if app is not None and app.cors_preflight and request.cors_preflight:
            return _if_serving(app, Reason.CORS_PREFLIGHT)
        return Decision(Reason.NO_CREDENTIAL, app)
    match request.session if request.secret is None else request.secret:
        case Malformed.REPEATED:
            return Decision(Reason.REPEATED_CREDENTIAL, app)
        case Secret() as secret:
            return _by_secret(secret, app, request, policy, now)
        case bytes() as sealed:
            return _by_session(sealed, app, request, policy, now)
        case _:
            return Decision(Reason.MALFORMED_CREDENTIAL, app)


def _by_secret(
    presented: Secret, app: PolicyApp | None, request: Request, policy: PolicyView, now: float
) -> Decision:
    """Decide on a request whose credential is a token's secret."""
    match policy.authenticate(presented):
        case None:
            return Decision(Reason.UNKNOWN_TOKEN, app)
        case (_, secret) if not secret.live(now):
            return Decision(Reason.EXPIRED_TOKEN, app)
        case (token, _):
            return authorize(token, app, request.path)


def _by_session(
    sealed: bytes, app: PolicyApp | None, request: Request, policy: PolicyView, now: float
) -> Decision:
    """Decide on a request whose credential is a session. *app* is the one that it is for, if there is one."""
    session = policy.session(sealed)
    # By the app that is named: whether there is one is told to nobody by a session with another app.
    if session is None or session.app_id != _named_app(request):
        return Decision(Reason.UNKNOWN_SESSION, app)
    token = policy.token(session.token_id)
    if token is None:
        return Decision(Reason.EXPIRED_SESSION, app)
    # Its newest secret: a former one may have a grace period, and its sessions have none.
    newest = token.secrets[0] if token.secrets else None
    if (
        newest is None
        or newest.generation != session.generation
        or not newest.live(now)
        or not session.live(now)
        or policy.is_ended(session.session_id)
    ):
        return Decision(Reason.EXPIRED_SESSION, app)
    return replace(authorize(token, app, request.path), session=session)


def _named_app(request: Request) -> AppId | None:
    if request.app_id is not None:
        return request.app_id
    parts = split_app_host(request.host)
    return None if parts is None else parts[0]


def authorize(token: PolicyToken, app: PolicyApp | None, target: str) -> Decision:
    """Decide what a live token may do: the part of `decide` after the credential.

    *target* is the request target as sent, query included.
    """
    if app is None:
        return Decision(Reason.UNKNOWN_APP, None, token)
    if not token.opens_region(app.region):
        return Decision(Reason.OUT_OF_REGION, app, token)
    if not token.selects(app.labels):
        return Decision(Reason.OUT_OF_SCOPE, app, token)
    if app.operator_paths:
        path = path_of(target)
        if is_ambiguous(path):
            return Decision(Reason.AMBIGUOUS_PATH, app, token)
        if token.role < Role.OPERATOR and is_under(path, app.operator_paths):
            return Decision(Reason.ROLE_TOO_LOW, app, token)
    return _if_serving(app, Reason.ALLOWED, token)


def _if_serving(app: PolicyApp, reason: Reason, token: PolicyToken | None = None) -> Decision:
    """Allow, if there is something to reach. Looked at last: only who may use an app learns its state."""
    return Decision(reason if app.upstream is not None else Reason.APP_NOT_RUNNING, app, token)
