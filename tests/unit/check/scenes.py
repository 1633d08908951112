"""One policy, and for every reason a request that is decided by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from doorward_server.domain.credentials import Secret, mint_secret, mint_token_id
from doorward_server.domain.decision import Reason
from doorward_server.domain.ids import AppId, RegionName, SessionId
from doorward_server.domain.policy import Address, PolicyApp, PolicyToken
from doorward_server.domain.roles import Role
from doorward_server.domain.selectors import parse_selector
from doorward_server.domain.sessions import Session
from tests.unit.check.small_replica import NOW, SmallReplica, bearer
from tests.unit.domain.policies import DOMAINS, SEALS, live_secret

GRA, BHS = RegionName("GRA"), RegionName("BHS")


def _app(number: int, **fields: Any) -> PolicyApp:
    given: dict[str, Any] = {
        "app_id": AppId(f"00000000-0000-4000-8000-{number:012}"),
        "region": GRA,
        "labels": {"group": "A"},
        "upstream": Address(host="127.0.0.1", port=9000 + number),
    }
    return PolicyApp(**(given | fields))


OPEN = _app(1)
GUARDED = _app(2, operator_paths=("/admin",))
PUBLIC = _app(3, public=True)
PREFLIGHT = _app(4, cors_preflight=True)
STOPPED = _app(5, upstream=None)
OTHER_GROUP = _app(6, labels={"group": "B"})
OTHER_REGION = _app(7, region=BHS)
MISSING = _app(8)
"""Not in the policy."""
APPS = (OPEN, GUARDED, PUBLIC, PREFLIGHT, STOPPED, OTHER_GROUP, OTHER_REGION)


def _token(secret: Secret, role: Role, *, expire_time: float | None = None) -> PolicyToken:
    return PolicyToken(
        token_id=secret.token_id,
        role=role,
        region=GRA,
        selector=parse_selector("group=A"),
        secrets=(live_secret(secret, expire_time=expire_time),),
    )


READER_SECRET, OPERATOR_SECRET, EXPIRED_SECRET, NOBODYS_SECRET = (
    mint_secret(mint_token_id()) for _ in range(4)
)
READER = _token(READER_SECRET, Role.READ_ONLY)
OPERATOR = _token(OPERATOR_SECRET, Role.OPERATOR)
EXPIRED = _token(EXPIRED_SECRET, Role.READ_ONLY, expire_time=NOW)
TOKENS = (READER, OPERATOR, EXPIRED)


@dataclass(frozen=True, slots=True)
class Scene:
    """A request, and who is named in the decision on it."""

    request: Mapping[str, Any]
    app: PolicyApp | None = None
    token: PolicyToken | None = None

    def with_headers(self, *headers: tuple[str, bytes], **changes: Any) -> dict[str, Any]:
        """The request with more headers, and other changes."""
        return {**self.request, "headers": [*self.request.get("headers", ()), *headers], **changes}


def host_of(app: PolicyApp) -> str:
    """Where an app is."""
    return f"{app.app_id}.{DOMAINS[app.region]}"


def visit(app: PolicyApp, *headers: tuple[str, bytes], **request: Any) -> dict[str, Any]:
    """A request to an app."""
    return {"host": host_of(app), "headers": headers, **request}


def session(app: PolicyApp, *, end: float) -> tuple[str, bytes]:
    """The cookie of a session of READER with an app."""
    sealed = SEALS.seal(
        Session(
            session_id=SessionId("11111111-0000-4000-8000-000000000000"),
            token_id=READER.token_id,
            generation=1,
            app_id=app.app_id,
            idle_end=end,
            end=end,
        )
    )
    return "cookie", f"__Host-doorward={sealed}".encode()


_READS = bearer(READER_SECRET)
PREFLIGHT_HEADERS = (("origin", b"https://page.example"), ("access-control-request-method", b"PUT"))

SCENES: Mapping[Reason, Scene] = {
    Reason.ALLOWED: Scene(visit(OPEN, _READS), OPEN, READER),
    Reason.PUBLIC_APP: Scene(visit(PUBLIC), PUBLIC),
    Reason.CORS_PREFLIGHT: Scene(visit(PREFLIGHT, *PREFLIGHT_HEADERS, method="OPTIONS"), PREFLIGHT),
    # The lease is lost for this one.
    Reason.STALE_POLICY: Scene(visit(OPEN, _READS)),
    Reason.NO_CREDENTIAL: Scene(visit(OPEN), OPEN),
    Reason.MALFORMED_CREDENTIAL: Scene(visit(OPEN, ("authorization", b"Bearer dw_cut-short")), OPEN),
    Reason.REPEATED_CREDENTIAL: Scene(visit(OPEN, _READS, _READS), OPEN),
    Reason.UNKNOWN_TOKEN: Scene(visit(OPEN, bearer(NOBODYS_SECRET)), OPEN),
    Reason.EXPIRED_TOKEN: Scene(visit(OPEN, bearer(EXPIRED_SECRET)), OPEN),
    Reason.UNKNOWN_SESSION: Scene(visit(OPEN, session(GUARDED, end=NOW + 60)), OPEN),
    Reason.EXPIRED_SESSION: Scene(visit(OPEN, session(OPEN, end=NOW)), OPEN),
    Reason.UNKNOWN_APP: Scene(visit(MISSING, _READS), None, READER),
    Reason.OUT_OF_REGION: Scene(visit(OTHER_REGION, _READS), OTHER_REGION, READER),
    Reason.OUT_OF_SCOPE: Scene(visit(OTHER_GROUP, _READS), OTHER_GROUP, READER),
    Reason.AMBIGUOUS_PATH: Scene(visit(GUARDED, _READS, path="/x//admin"), GUARDED, READER),
    Reason.ROLE_TOO_LOW: Scene(visit(GUARDED, _READS, path="/admin/x"), GUARDED, READER),
    Reason.APP_NOT_RUNNING: Scene(visit(STOPPED, _READS), STOPPED, READER),
}
ALLOWS = tuple(reason for reason in Reason if reason.allowed)
DENIES = tuple(reason for reason in Reason if not reason.allowed)


def replica_for(reason: Reason, *, login_enabled: bool = False) -> SmallReplica:
    """A replica with the policy, which decides the reason's request as the reason says."""
    replica = SmallReplica(*APPS, *TOKENS, login_enabled=login_enabled)
    if reason is Reason.STALE_POLICY:
        replica.lose_lease()
    return replica
