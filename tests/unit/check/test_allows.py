"""A remembered allow holds for exactly as long as the decision would be the same."""

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from doorward_server.check import allows, remembering
from doorward_server.check.bounded import Bounded
from doorward_server.check.handler import CheckHandler
from doorward_server.check.index import Entries, PolicyIndex
from doorward_server.check.lease import Lease
from doorward_server.check.sessions import SessionRenewal
from doorward_server.check.uses import TokenUses
from doorward_server.domain.cookies import SESSION_COOKIE
from doorward_server.domain.credentials import PlatformKey, Secret, mint_secret, mint_token_id
from doorward_server.domain.ids import AppId, SessionId
from doorward_server.domain.sessions import Session, SessionSeals
from doorward_server.policy.v1 import policy_pb2
from tests.unit.check.check_requests import check_request

KEY = PlatformKey("key-1", b"k" * 32)
MACS, SEALS = KEY.token_macs(), SessionSeals(KEY.session_key())
DOMAINS = {"GRA": "app.gra.localhost", "BHS": "app.bhs.localhost"}
APP_IDS = tuple(f"00000000-0000-4000-8000-00000000000{number}" for number in range(2))
SECRETS = tuple(mint_secret(mint_token_id()) for _ in range(2))
# Another secret of the first token: its next generation.
NEXT = mint_secret(SECRETS[0].token_id)

_UPSTREAMS = (
    policy_pb2.Upstream(host="127.0.0.1", port=1),
    policy_pb2.Upstream(host="127.0.0.1", port=2),
    None,
)
_APPS = st.builds(
    policy_pb2.App,
    app_id=st.sampled_from(APP_IDS),
    region=st.sampled_from(("GRA", "GRA", "BHS")),
    labels=st.sampled_from(({"group": "A"}, {"group": "A"}, {"group": "B"})),
    public=st.sampled_from((False, False, True)),
    operator_paths=st.sampled_from(((), ("/admin",))),
    cors_preflight=st.booleans(),
    upstream=st.sampled_from(_UPSTREAMS),
)


def _generation(secret: Secret, *, number: int, end: int | None) -> policy_pb2.Generation:
    message = policy_pb2.Generation(generation=number, mac=MACS.mac(secret))
    if end is not None:
        message.expire_time.seconds = end
    return message


_ENDS = st.sampled_from((None, 1_010, 1_020))


@st.composite
def _tokens(draw: st.DrawFn) -> policy_pb2.Token:
    secret = draw(st.sampled_from(SECRETS))
    generations = [_generation(secret, number=1, end=draw(_ENDS))]
    if secret is SECRETS[0] and draw(st.booleans()):
        generations.insert(0, _generation(NEXT, number=2, end=draw(_ENDS)))
    if draw(st.booleans()):
        generations.pop()
    return policy_pb2.Token(
        token_id=secret.token_id,
        role=draw(st.sampled_from(("READ_ONLY", "OPERATOR"))),
        region=draw(st.sampled_from((*DOMAINS, "", ""))),
        label_selector=draw(st.sampled_from(("group=A", "group=B", ""))),
        generations=generations,
    )


def _ended(session: Session) -> policy_pb2.EndedSession:
    message = policy_pb2.EndedSession(session_id=session.session_id)
    message.expire_time.seconds = int(session.end)
    return message


_PREFLIGHT = (("origin", b"o"), ("access-control-request-method", b"GET"))


def _bearer(secret: Secret) -> tuple[str, bytes]:
    return "authorization", f"Bearer {secret.reveal()}".encode()


def _session(number: int, *, app_id: str, generation: int = 1, idle_end: float = 1_008.0) -> Session:
    """A session of the first token, by its number."""
    return Session(
        session_id=SessionId(f"11111111-0000-4000-8000-00000000000{number}"),
        token_id=SECRETS[0].token_id,
        generation=generation,
        app_id=AppId(app_id),
        idle_end=idle_end,
        end=1_016.0,
    )


SESSIONS = (
    _session(0, app_id=APP_IDS[0]),
    _session(1, app_id=APP_IDS[0], generation=2),
    _session(2, app_id=APP_IDS[0], idle_end=1_016.0),
    _session(3, app_id=APP_IDS[1]),
)


def _cookie(session: Session) -> tuple[str, bytes]:
    return "cookie", f"a=1; {SESSION_COOKIE}={SEALS.seal(session)}".encode()


def _requests() -> Iterator[bytes]:
    """Requests that differ in one thing that a decision looks at, or in several."""
    for app_id, domain in ((APP_IDS[0], "app.gra.localhost"), (APP_IDS[1], "app.bhs.localhost")):
        host = f"{app_id}.{domain}"
        for secret in (*SECRETS, NEXT):
            for path in ("/", "/admin", "//admin"):
                yield check_request(host=host, path=path, headers=[_bearer(secret)])
            yield check_request(host="elsewhere", app_id=app_id, headers=[_bearer(secret)])
            yield check_request(host="elsewhere", headers=[_bearer(secret)])
            authorization = f"Bearer {secret.reveal()}"
            yield check_request(host=host, joined_headers={"authorization": authorization})
        for session in SESSIONS:
            yield check_request(host=host, headers=[_cookie(session)])
            yield check_request(host="elsewhere", app_id=app_id, headers=[_cookie(session)])
        yield check_request(host=host, headers=[_cookie(SESSIONS[0]), _bearer(SECRETS[1])])
        yield check_request(host=host, headers=[_cookie(SESSIONS[0]), ("sec-fetch-site", b"same-site")])
        for method in ("OPTIONS", "GET"):
            yield check_request(host=host, method=method, headers=_PREFLIGHT)
        yield check_request(host=host)


REQUESTS = tuple(_requests())


class Remembering(RuleBasedStateMachine):
    """A policy that changes, time that passes, and requests that come again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.index = PolicyIndex(MACS, SEALS, now=lambda: self.now)
        self.index.set_domains(DOMAINS)
        self.boottime = 0.0
        self.now = 1_000.0
        self.lease = Lease(lambda: self.boottime)
        self.lease.renew(0.0, 5.0)
        self.handler = self.fresh_handler()
        for app_id, region in zip(APP_IDS, DOMAINS, strict=True):
            labels = {"group": "A"}
            self.index.put_app(
                policy_pb2.App(app_id=app_id, region=region, labels=labels, upstream=_UPSTREAMS[0])
            )

    def fresh_handler(self) -> CheckHandler:
        """One that remembers nothing."""
        return CheckHandler(
            policy=self.index,
            lease=self.lease,
            uses=TokenUses(),
            login_enabled=True,
            # What Envoy may remember depends on the time that is left, whoever else remembers.
            remembering=remembering.Remembering(lifetime=1.0, lease=self.lease),
            renewal=SessionRenewal(SEALS, idle=8.0),
            now=lambda: self.now,
        )

    @rule(app=_APPS)
    def puts_an_app(self, app: policy_pb2.App) -> None:
        self.index.put_app(app)

    @rule(token=_tokens())
    def puts_a_token(self, token: policy_pb2.Token) -> None:
        self.index.put_token(token)

    @rule(app_id=st.sampled_from(APP_IDS))
    def removes_an_app(self, app_id: Any) -> None:
        self.index.remove_app(app_id)

    @rule(secret=st.sampled_from(SECRETS))
    def removes_a_token(self, secret: Secret) -> None:
        self.index.remove_token(secret.token_id)

    @rule(session=st.sampled_from(SESSIONS))
    def ends_a_session(self, session: Session) -> None:
        self.index.end_session(_ended(session))

    @rule(
        apps=st.lists(_APPS, max_size=2),
        tokens=st.lists(_tokens(), max_size=2),
        sessions=st.lists(st.sampled_from(SESSIONS), max_size=2),
    )
    def takes_a_snapshot(
        self, apps: list[policy_pb2.App], tokens: list[policy_pb2.Token], sessions: list[Session]
    ) -> None:
        entries = Entries()
        entries.put_part(policy_pb2.Snapshot(apps=apps, tokens=tokens, ended_sessions=map(_ended, sessions)))
        self.index.replace(entries)

    @rule(domains=st.sampled_from((DOMAINS, {"GRA": DOMAINS["BHS"], "BHS": DOMAINS["GRA"]})))
    def is_told_the_regions(self, domains: Mapping[str, str]) -> None:
        self.index.set_domains(domains)

    @rule(seconds=st.sampled_from((0.5, 1.0, 3.0, 10.0)), renewed=st.booleans())
    def passes(self, seconds: float, *, renewed: bool) -> None:
        self.now += seconds
        self.boottime += seconds
        if renewed:
            self.lease.renew(self.boottime, 5.0)

    @invariant()
    def every_answer_is_that_of_a_decision_made_now(self) -> None:
        for request in REQUESTS:
            # Twice: the second answer is a remembered one, where there is something to remember.
            for _ in range(2):
                assert self.handler(request) == self.fresh_handler()(request)


TestRemembering = Remembering.TestCase
TestRemembering.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


def _replica(
    *, end: int | None = None, now: Callable[[], float] = time.time
) -> tuple[PolicyIndex, CheckHandler, TokenUses]:
    """A handler whose first token, which ends at *end*, opens the first app."""
    index, uses, lease = PolicyIndex(MACS, SEALS, now=now), TokenUses(), Lease(lambda: 0.0)
    index.set_domains(DOMAINS)
    lease.renew(0.0, 0.0)
    index.put_app(policy_pb2.App(app_id=APP_IDS[0], region="GRA", upstream=_UPSTREAMS[0]))
    index.put_token(
        policy_pb2.Token(
            token_id=SECRETS[0].token_id,
            role="READ_ONLY",
            generations=[_generation(NEXT, number=2, end=None), _generation(SECRETS[0], number=1, end=end)],
        )
    )
    handler = CheckHandler(
        policy=index,
        lease=lease,
        uses=uses,
        login_enabled=False,
        renewal=SessionRenewal(SEALS, idle=8.0),
        now=now,
    )
    return index, handler, uses


def _request(path: str = "/") -> bytes:
    return check_request(host=f"{APP_IDS[0]}.app.gra.localhost", path=path, headers=[_bearer(SECRETS[0])])


def test_an_equal_request_is_answered_from_memory() -> None:
    """The path aside, a request that came before is decided by what is remembered: `decide` is not asked."""
    _, handler, _ = _replica()
    first = handler(_request("/a"))
    handler._decide = None  # type: ignore[assignment,method-assign]  # whoever calls it fails
    assert handler(_request("/b")) == first


def test_no_secret_is_kept() -> None:
    """What is remembered of a request has no secret in it, neither whole nor in part."""
    _, handler, _ = _replica()
    handler(_request())
    kept = handler._allows._kept
    assert len(kept) == 1
    secret = SECRETS[0].reveal().split("_")[2].encode()
    texts = [
        each
        for each in gc.get_referents(*kept.items(), *kept, *kept.values())
        if isinstance(each, str | bytes)
    ]
    assert texts
    assert not any(secret in (each.encode() if isinstance(each, str) else each) for each in texts)


def test_a_remembered_allow_counts_as_a_use() -> None:
    """A token's use is noted once in a while, whether its request was decided anew or not."""
    now = 1_200.0
    _, handler, uses = _replica(now=lambda: now)

    def noted() -> list[tuple[str, float]]:
        handler(_request())
        return [(token_id, time) for token_id, time in uses.take(10)]

    assert noted() == [(SECRETS[0].token_id, 1_200.0)]
    assert noted() == []
    now = 1_259.9
    assert noted() == []
    now = 1_260.0
    assert noted() == [(SECRETS[0].token_id, 1_260.0)]
    assert noted() == []


def test_leave_for_envoy_to_remember_is_not_kept() -> None:
    """An answer from memory gives it while there is time, and not when the secret is about to end."""
    seconds = iter([1_000.0, 1_000.0, 1_009.5])
    index, _, _ = _replica(end=1_010)
    lease = Lease(lambda: 0.0)
    lease.renew(0.0, 0.0)
    handler = CheckHandler(
        policy=index,
        lease=lease,
        uses=TokenUses(),
        login_enabled=False,
        remembering=remembering.Remembering(lifetime=1.0, lease=lease),
        now=lambda: next(seconds),
    )
    answers = [CheckResponse.FromString(handler(_request())) for _ in range(3)]
    assert ["remember" in answer.dynamic_metadata.fields for answer in answers] == [True, True, False]


def test_what_is_remembered_is_bounded(monkeypatch: Any) -> None:
    """However many hosts are asked for, only so many allows are kept, the newest ones."""
    monkeypatch.setattr(allows, "_KEPT", 3)
    _, handler, _ = _replica()
    requests = [
        check_request(host=f"{APP_IDS[0]}.app.gra.localhost:{port}", headers=[_bearer(SECRETS[0])])
        for port in range(10)
    ]
    for request in requests:
        handler(request)
    newest = [handler._keys.key(request) for request in requests[-3:]]
    assert list(handler._allows._kept) == newest


def test_a_bounded_dictionary_forgets_the_oldest() -> None:
    """A full one gives its oldest entry up for a new one, and none for one that it has."""
    bounded: Bounded[str, int] = Bounded(2)
    bounded["a"] = bounded["b"] = 1
    bounded["a"] = 2
    assert dict(bounded) == {"a": 2, "b": 1}
    bounded["c"] = 3
    assert dict(bounded) == {"b": 1, "c": 3}


def test_an_allow_ends_with_its_secret() -> None:
    """At the moment at which a secret expires, what it opened before is denied."""
    now = 1_000.0
    _, handler, _ = _replica(end=1_010, now=lambda: now)
    allowed = handler(_request())
    now = 1_009.999
    assert handler(_request()) == allowed
    now = 1_010.0
    denied = CheckResponse.FromString(handler(_request()))
    assert denied.dynamic_metadata["reason"] == "EXPIRED_TOKEN"


def _with_session(session: Session, *headers: tuple[str, bytes]) -> bytes:
    return check_request(host=f"{APP_IDS[0]}.app.gra.localhost", headers=[_cookie(session), *headers])


def test_a_session_is_answered_from_memory_until_it_is_ended() -> None:
    """A logout counts for what was allowed before, and for a cookie that somebody has copied."""
    index, handler, _ = _replica(now=lambda: 1_001.0)
    allowed = handler(_with_session(SESSIONS[1]))
    assert CheckResponse.FromString(allowed).HasField("ok_response")
    decide, handler._decide = handler._decide, None  # type: ignore[assignment,method-assign]
    assert handler(_with_session(SESSIONS[1])) == allowed
    handler._decide = decide  # type: ignore[method-assign]
    index.end_session(_ended(SESSIONS[1]))
    denied = CheckResponse.FromString(handler(_with_session(SESSIONS[1])))
    assert denied.dynamic_metadata["reason"] == "EXPIRED_SESSION"


def test_a_session_is_renewed_once_half_of_its_idle_time_has_passed() -> None:
    """The answer carries a cookie that lasts longer, and the cookie of before ends when it would have."""
    now = 1_003.999
    _, handler, _ = _replica(now=lambda: now)
    first = CheckResponse.FromString(handler(_with_session(SESSIONS[1])))
    assert not first.ok_response.response_headers_to_add
    now = 1_004.0
    renewed = CheckResponse.FromString(handler(_with_session(SESSIONS[1])))
    assert renewed.ok_response.headers == first.ok_response.headers
    assert renewed.dynamic_metadata == first.dynamic_metadata
    (header,) = renewed.ok_response.response_headers_to_add
    assert header.header.key == "set-cookie"
    pair, *attributes = header.header.value.split("; ")
    assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]
    name, _, sealed = pair.partition("=")
    assert name == SESSION_COOKIE
    later = SEALS.open(sealed.encode())
    assert later == replace(SESSIONS[1], idle_end=1_012.0)
    now = 1_008.0
    assert CheckResponse.FromString(handler(_with_session(SESSIONS[1]))).HasField("denied_response")
    assert CheckResponse.FromString(handler(_with_session(later))).HasField("ok_response")


def test_every_websocket_renews_its_session() -> None:
    """However early: it may be open, and used, for longer than the half of the idle time that is left."""
    now = 1_000.5
    _, handler, _ = _replica(now=lambda: now)
    opens = _with_session(SESSIONS[1], ("upgrade", b"websocket"))
    for now in (1_000.5, 1_001.5):
        (header,) = CheckResponse.FromString(handler(opens)).ok_response.response_headers_to_add
        sealed = header.header.value.partition("; ")[0].partition("=")[2]
        assert SEALS.open(sealed.encode()) == replace(SESSIONS[1], idle_end=now + 8.0)
    assert not CheckResponse.FromString(
        handler(_with_session(SESSIONS[1]))
    ).ok_response.response_headers_to_add
    now = SESSIONS[1].end - 0.5
    opens = _with_session(replace(SESSIONS[1], idle_end=SESSIONS[1].end), ("upgrade", b"websocket"))
    assert not CheckResponse.FromString(handler(opens)).ok_response.response_headers_to_add


def test_ended_sessions_are_forgotten_after_their_end() -> None:
    """What is remembered of logouts is bounded by the time that sessions last."""
    now = 1_000.0
    index, _, _ = _replica(now=lambda: now)
    index.end_session(_ended(SESSIONS[0]))
    now = 1_016.0 + 3_600
    index.end_session(_ended(SESSIONS[1]))
    assert set(index.entries.ended) == {SESSIONS[0].session_id, SESSIONS[1].session_id}
    now += 0.001
    index.end_session(_ended(SESSIONS[2]))
    assert set(index.entries.ended) == {SESSIONS[2].session_id}
