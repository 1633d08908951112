"""The decision: each rule, in its place among the others."""

from dataclasses import replace

import pytest

from doorward_server.domain.credentials import mint_secret, mint_token_id
from doorward_server.domain.decision import Decision, Reason, Request, Rule, authorize, decide
from doorward_server.domain.ids import AppId, RegionName, SessionId
from doorward_server.domain.policy import Address, PolicyApp, PolicyToken
from doorward_server.domain.presented import Malformed
from doorward_server.domain.roles import Role
from doorward_server.domain.selectors import parse_selector
from doorward_server.domain.sessions import Session
from tests.unit.domain.policies import SEALS, ListedPolicy, live_secret

NOW = 1_000_000.0
GRA, BHS = RegionName("GRA"), RegionName("BHS")
UPSTREAM = Address(host="127.0.0.1", port=8080)


def app(number: int, **changes: object) -> PolicyApp:
    """A running app of group A in GRA, with *changes*."""
    plain = PolicyApp(
        app_id=AppId(f"00000000-0000-4000-8000-{number:012}"),
        region=GRA,
        labels={"group": "A"},
        upstream=UPSTREAM,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


PLAIN = app(1)
OTHER_GROUP = app(2, labels={"group": "B"})
OTHER_REGION = app(3, region=BHS)
STOPPED = app(4, upstream=None)
GUARDED = app(5, operator_paths=("/admin",))
PUBLIC = app(6, public=True, operator_paths=("/admin",), labels={})
PUBLIC_STOPPED = app(7, public=True, upstream=None)
CORS = app(8, cors_preflight=True)
CORS_STOPPED = app(9, cors_preflight=True, upstream=None)
NO_APP = app(99)
APPS = (
    *(PLAIN, OTHER_GROUP, OTHER_REGION, STOPPED, GUARDED, PUBLIC, PUBLIC_STOPPED, CORS, CORS_STOPPED),
    app(10, labels={"group": "B"}, upstream=None, operator_paths=("/admin",)),
)

READER = mint_secret(mint_token_id())
OPERATOR = mint_secret(mint_token_id())
ADMIN = mint_secret(mint_token_id())
OLD = mint_secret(READER.token_id)
EXPIRED = mint_secret(mint_token_id())
DELETED = mint_secret(mint_token_id())
TOKENS = (
    PolicyToken(
        token_id=READER.token_id,
        role=Role.READ_ONLY,
        region=GRA,
        selector=parse_selector("group=A"),
        secrets=(
            live_secret(READER, generation=2),
            live_secret(OLD, generation=1, expire_time=NOW + 60),
        ),
    ),
    PolicyToken(
        token_id=OPERATOR.token_id,
        role=Role.OPERATOR,
        region=GRA,
        selector=parse_selector("group=A"),
        secrets=(live_secret(OPERATOR, expire_time=NOW + 60),),
    ),
    PolicyToken(token_id=ADMIN.token_id, role=Role.ADMIN, secrets=(live_secret(ADMIN),)),
    PolicyToken(
        token_id=EXPIRED.token_id,
        role=Role.ADMIN,
        secrets=(live_secret(EXPIRED, expire_time=NOW),),
    ),
)
LOGGED_OUT = SessionId("eeeeeeee-0000-4000-8000-000000000000")
POLICY = ListedPolicy(APPS, TOKENS, frozenset([LOGGED_OUT]))


def session(target: PolicyApp, **changes: object) -> bytes:
    """The cookie of a live session of READER with *target*, with *changes*."""
    plain = Session(
        session_id=SessionId("11111111-0000-4000-8000-000000000000"),
        token_id=READER.token_id,
        generation=2,
        app_id=target.app_id,
        idle_end=NOW + 30,
        end=NOW + 90,
    )
    return SEALS.seal(replace(plain, **changes)).encode()  # type: ignore[arg-type]


def request(target: PolicyApp, path: str = "/", **changes: object) -> Request:
    """A request without a credential to *target*, by its host."""
    domain = {GRA: "app.gra.localhost", BHS: "app.bhs.localhost"}[target.region]
    plain = Request(host=f"{target.app_id}.{domain}:8080", path=path, secret=None)
    return replace(plain, **changes)  # type: ignore[arg-type]


def reason(wanted: Request, *, now: float = NOW, fresh: bool = True) -> Reason:
    """Why *wanted* is allowed or denied."""
    return decide(wanted, POLICY, now=now, fresh=fresh).reason


CASES = [
    # No credential
    (request(PLAIN), Reason.NO_CREDENTIAL),
    (request(STOPPED), Reason.NO_CREDENTIAL),
    (request(GUARDED, "/admin"), Reason.NO_CREDENTIAL),
    (request(GUARDED, "//"), Reason.NO_CREDENTIAL),
    (request(NO_APP), Reason.NO_CREDENTIAL),
    (Request(host="", path="/", secret=None), Reason.NO_CREDENTIAL),
    # A public app asks for none and looks at none; its operator paths do not count
    (request(PUBLIC), Reason.PUBLIC_APP),
    (request(PUBLIC, "/admin"), Reason.PUBLIC_APP),
    (request(PUBLIC, "//"), Reason.PUBLIC_APP),
    (request(PUBLIC, secret=Malformed.REPEATED), Reason.PUBLIC_APP),
    (request(PUBLIC, secret=DELETED), Reason.PUBLIC_APP),
    (request(PUBLIC_STOPPED), Reason.APP_NOT_RUNNING),
    # CORS preflight requests carry no credentials (Fetch standard, CORS-preflight fetch)
    (request(CORS, cors_preflight=True), Reason.CORS_PREFLIGHT),
    (request(CORS), Reason.NO_CREDENTIAL),
    (request(PLAIN, cors_preflight=True), Reason.NO_CREDENTIAL),
    (request(NO_APP, cors_preflight=True), Reason.NO_CREDENTIAL),
    (request(CORS_STOPPED, cors_preflight=True), Reason.APP_NOT_RUNNING),
    (request(CORS, cors_preflight=True, secret=DELETED), Reason.UNKNOWN_TOKEN),
    (request(CORS, cors_preflight=True, secret=Malformed.FORM), Reason.MALFORMED_CREDENTIAL),
    # Credentials that cannot be looked up
    (request(PLAIN, secret=Malformed.FORM), Reason.MALFORMED_CREDENTIAL),
    (request(PLAIN, secret=Malformed.REPEATED), Reason.REPEATED_CREDENTIAL),
    (request(NO_APP, secret=Malformed.FORM), Reason.MALFORMED_CREDENTIAL),
    (request(NO_APP, secret=Malformed.REPEATED), Reason.REPEATED_CREDENTIAL),
    # Credentials that do not work
    (request(PLAIN, secret=DELETED), Reason.UNKNOWN_TOKEN),
    (request(PLAIN, secret=mint_secret(READER.token_id)), Reason.UNKNOWN_TOKEN),
    (request(PLAIN, secret=EXPIRED), Reason.EXPIRED_TOKEN),
    (request(NO_APP, secret=DELETED), Reason.UNKNOWN_TOKEN),
    (request(NO_APP, secret=EXPIRED), Reason.EXPIRED_TOKEN),
    (request(STOPPED, secret=EXPIRED), Reason.EXPIRED_TOKEN),
    # Sessions
    (request(PLAIN, session=session(PLAIN)), Reason.ALLOWED),
    (request(PLAIN, session=b""), Reason.UNKNOWN_SESSION),
    (request(PLAIN, session=session(PLAIN)[:-1]), Reason.UNKNOWN_SESSION),
    (request(PLAIN, session=Malformed.REPEATED), Reason.REPEATED_CREDENTIAL),
    (request(PLAIN, session=session(GUARDED)), Reason.UNKNOWN_SESSION),
    (request(NO_APP, session=session(PLAIN)), Reason.UNKNOWN_SESSION),
    (Request(host="localhost", path="/", secret=None, session=session(PLAIN)), Reason.UNKNOWN_SESSION),
    (request(PLAIN, session=session(PLAIN, session_id=LOGGED_OUT)), Reason.EXPIRED_SESSION),
    (request(PLAIN, session=session(PLAIN, idle_end=NOW)), Reason.EXPIRED_SESSION),
    (request(PLAIN, session=session(PLAIN, idle_end=NOW, end=NOW)), Reason.EXPIRED_SESSION),
    # The former secret still works, and its sessions do not
    (request(PLAIN, session=session(PLAIN, generation=1)), Reason.EXPIRED_SESSION),
    (request(PLAIN, session=session(PLAIN, generation=3)), Reason.EXPIRED_SESSION),
    (request(PLAIN, session=session(PLAIN, token_id=DELETED.token_id)), Reason.EXPIRED_SESSION),
    (
        request(PLAIN, session=session(PLAIN, token_id=EXPIRED.token_id, generation=1)),
        Reason.EXPIRED_SESSION,
    ),
    # What the token opens now, a session of it opens
    (request(OTHER_GROUP, session=session(OTHER_GROUP)), Reason.OUT_OF_SCOPE),
    (request(NO_APP, session=session(NO_APP)), Reason.UNKNOWN_APP),
    (request(GUARDED, "/admin", session=session(GUARDED)), Reason.ROLE_TOO_LOW),
    (request(STOPPED, session=session(STOPPED)), Reason.APP_NOT_RUNNING),
    (request(PUBLIC, session=b"forged"), Reason.PUBLIC_APP),
    # A token in a header counts first, good or not
    (request(PLAIN, secret=DELETED, session=session(PLAIN)), Reason.UNKNOWN_TOKEN),
    (request(PLAIN, secret=Malformed.FORM, session=session(PLAIN)), Reason.MALFORMED_CREDENTIAL),
    (request(PLAIN, secret=READER, session=Malformed.REPEATED), Reason.ALLOWED),
    # Scope
    (request(PLAIN, secret=READER), Reason.ALLOWED),
    (request(PLAIN, secret=OLD), Reason.ALLOWED),
    (request(OTHER_GROUP, secret=READER), Reason.OUT_OF_SCOPE),
    (request(OTHER_REGION, secret=READER), Reason.OUT_OF_REGION),
    (request(NO_APP, secret=READER), Reason.UNKNOWN_APP),
    (request(NO_APP, secret=ADMIN), Reason.UNKNOWN_APP),
    (Request(host="localhost", path="/", secret=READER), Reason.UNKNOWN_APP),
    (request(OTHER_GROUP, secret=ADMIN), Reason.ALLOWED),
    (request(OTHER_REGION, secret=ADMIN), Reason.ALLOWED),
    # Out of scope, neither state nor paths are looked at
    (request(APPS[-1], "/admin", secret=READER), Reason.OUT_OF_SCOPE),
    (request(APPS[-1], "//", secret=READER), Reason.OUT_OF_SCOPE),
    # Operator paths
    (request(GUARDED, secret=READER), Reason.ALLOWED),
    (request(GUARDED, "/x?y=/admin", secret=READER), Reason.ALLOWED),
    (request(GUARDED, "/admin", secret=READER), Reason.ROLE_TOO_LOW),
    (request(GUARDED, "/%61DMIN/x?y", secret=READER), Reason.ROLE_TOO_LOW),
    (request(GUARDED, "/admin", secret=OPERATOR), Reason.ALLOWED),
    (request(GUARDED, "/admin", secret=ADMIN), Reason.ALLOWED),
    (request(GUARDED, "/x/%2e%2e/admin", secret=READER), Reason.AMBIGUOUS_PATH),
    (request(GUARDED, "/x/%2e%2e/admin", secret=ADMIN), Reason.AMBIGUOUS_PATH),
    (request(GUARDED, "*", secret=READER), Reason.AMBIGUOUS_PATH),
    # The paths of other apps are their own affair: model names have `%2F`
    (request(PLAIN, "/models/meta%2Fllama//x", secret=READER), Reason.ALLOWED),
    # State, for those who may know
    (request(STOPPED, secret=READER), Reason.APP_NOT_RUNNING),
    (request(STOPPED, secret=ADMIN), Reason.APP_NOT_RUNNING),
]


@pytest.mark.parametrize(("wanted", "expected"), CASES)
def test_the_first_rule_that_applies_decides(wanted: Request, expected: Reason) -> None:
    """Each outcome of the decision table, also where several could apply."""
    assert reason(wanted) is expected


def test_the_table_has_every_reason() -> None:
    """Every reason but a stale policy, which has a test of its own, is in the table above."""
    assert {expected for _, expected in CASES} == set(Reason) - {Reason.STALE_POLICY}


@pytest.mark.parametrize("target", [PLAIN, PUBLIC, NO_APP], ids=["app", "public", "unknown"])
@pytest.mark.parametrize(
    "secret", [None, READER, ADMIN, Malformed.FORM], ids=["none", "reader", "admin", "malformed"]
)
def test_a_stale_policy_opens_nothing(target: PolicyApp, secret: object) -> None:
    """Whoever asks for whatever, a replica that has lost touch denies, and tells nothing of app or token."""
    wanted = request(target, secret=secret)
    assert decide(wanted, POLICY, now=NOW, fresh=False) == Decision(Reason.STALE_POLICY)


@pytest.mark.parametrize(
    ("now", "expected"),
    [(NOW + 59.999_999, Reason.ALLOWED), (NOW + 60, Reason.EXPIRED_TOKEN), (NOW + 61, Reason.EXPIRED_TOKEN)],
)
@pytest.mark.parametrize("secret", [OLD, OPERATOR], ids=["grace period", "token"])
def test_expiry_counts_to_the_moment(secret: object, now: float, expected: Reason) -> None:
    """At its expiry a secret is dead, whether the token ends or its grace period."""
    assert reason(request(PLAIN, secret=secret), now=now) is expected
    assert reason(request(PLAIN, secret=READER), now=now) is Reason.ALLOWED


@pytest.mark.parametrize(
    ("named", "host", "expected"),
    [
        (PLAIN, "", Reason.ALLOWED),
        (PLAIN, f"{OTHER_GROUP.app_id}.app.gra.localhost", Reason.ALLOWED),
        (OTHER_GROUP, f"{PLAIN.app_id}.app.gra.localhost", Reason.OUT_OF_SCOPE),
        (NO_APP, f"{PLAIN.app_id}.app.gra.localhost", Reason.UNKNOWN_APP),
        (None, f"{PLAIN.app_id}.app.gra.localhost", Reason.ALLOWED),
        (None, f"{PLAIN.app_id}.app.bhs.localhost", Reason.UNKNOWN_APP),  # another region's domain
        (None, f"{PLAIN.app_id}.app.gra.localhost.evil.example", Reason.UNKNOWN_APP),
    ],
)
def test_the_route_names_the_app_before_the_host(
    named: PolicyApp | None, host: str, expected: Reason
) -> None:
    """What Envoy's route says counts; the host is a client's, and counts where the route says nothing."""
    wanted = Request(host=host, path="/", secret=READER, app_id=None if named is None else named.app_id)
    assert reason(wanted) is expected


def test_a_decision_names_app_and_token() -> None:
    """The access log learns who asked for what, whenever it is known."""
    assert decide(request(PLAIN, secret=READER), POLICY, now=NOW, fresh=True) == Decision(
        Reason.ALLOWED, PLAIN, TOKENS[0]
    )
    assert decide(request(OTHER_GROUP, secret=READER), POLICY, now=NOW, fresh=True) == Decision(
        Reason.OUT_OF_SCOPE, OTHER_GROUP, TOKENS[0]
    )
    assert decide(request(NO_APP, secret=READER), POLICY, now=NOW, fresh=True) == Decision(
        Reason.UNKNOWN_APP, None, TOKENS[0]
    )
    assert decide(request(PLAIN), POLICY, now=NOW, fresh=True) == Decision(Reason.NO_CREDENTIAL, PLAIN)


@pytest.mark.parametrize("secret", [EXPIRED, DELETED], ids=["expired", "unknown"])
def test_a_dead_token_is_not_named(secret: object) -> None:
    """A decision names a token only where its live secret was presented."""
    assert decide(request(PLAIN, secret=secret), POLICY, now=NOW, fresh=True).token is None


def test_authorization_alone_decides_alike() -> None:
    """Explaining access and checking it give one answer for a live token."""
    for target in APPS:
        for path in ("/", "/admin", "//"):
            for token, secret in zip(TOKENS, (READER, OPERATOR, ADMIN), strict=False):
                if not target.public:
                    asked = decide(request(target, path, secret=secret), POLICY, now=NOW, fresh=True)
                    assert authorize(token, target, path) == asked


@pytest.mark.parametrize("each", Reason)
def test_only_what_opens_an_app_is_allowed(each: Reason) -> None:
    """Exactly three reasons let a request through, all by the last rule; each has words and a status."""
    opens = each in (Reason.ALLOWED, Reason.PUBLIC_APP, Reason.CORS_PREFLIGHT)
    assert Decision(each).allowed is opens
    assert (each.http_status == 200) is opens
    assert each.http_status in (200, 400, 401, 403, 503)
    assert each.description.endswith(".")
    assert not opens or each.rule is Rule.STATE


def test_every_rule_decides_something() -> None:
    """There is no rule by which nothing is decided, and no two reasons are the same."""
    assert {each.rule for each in Reason} == set(Rule)
    assert len({each.description for each in Reason}) == len(Reason)
