"""Whatever changes, a remembered allow is what would be decided now."""

from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from doorward_server.check import remembering
from doorward_server.check.handler import CheckHandler
from doorward_server.check.index import Entries, PolicyIndex
from doorward_server.check.lease import Lease
from doorward_server.check.sessions import SessionRenewal
from doorward_server.check.uses import TokenUses
from doorward_server.domain.credentials import Secret
from doorward_server.domain.sessions import Session
from doorward_server.policy.v1 import policy_pb2
from tests.unit.check.allow_world import (
    APP_IDS,
    DOMAINS,
    MACS,
    NEXT,
    SEALS,
    SECRETS,
    SESSIONS,
    UPSTREAMS,
    bearer,
    cookie,
    ended_session,
    generation_of,
)
from tests.unit.check.check_requests import check_request

_APPS = st.builds(
    policy_pb2.App,
    app_id=st.sampled_from(APP_IDS),
    region=st.sampled_from(("GRA", "GRA", "BHS")),
    labels=st.sampled_from(({"group": "A"}, {"group": "A"}, {"group": "B"})),
    public=st.sampled_from((False, False, True)),
    operator_paths=st.sampled_from(((), ("/admin",))),
    cors_preflight=st.booleans(),
    upstream=st.sampled_from(UPSTREAMS),
)


_ENDS = st.sampled_from((None, 1_010, 1_020))


@st.composite
def _tokens(draw: st.DrawFn) -> policy_pb2.Token:
    secret = draw(st.sampled_from(SECRETS))
    generations = [generation_of(secret, number=1, end=draw(_ENDS))]
    if secret is SECRETS[0] and draw(st.booleans()):
        generations.insert(0, generation_of(NEXT, number=2, end=draw(_ENDS)))
    if draw(st.booleans()):
        generations.pop()
    return policy_pb2.Token(
        token_id=secret.token_id,
        role=draw(st.sampled_from(("READ_ONLY", "OPERATOR"))),
        region=draw(st.sampled_from((*DOMAINS, "", ""))),
        label_selector=draw(st.sampled_from(("group=A", "group=B", ""))),
        generations=generations,
    )


_PREFLIGHT = (("origin", b"o"), ("access-control-request-method", b"GET"))


def _requests() -> Iterator[bytes]:
    """Requests that differ in one thing that a decision looks at, or in several."""
    for app_id, domain in ((APP_IDS[0], "app.gra.localhost"), (APP_IDS[1], "app.bhs.localhost")):
        host = f"{app_id}.{domain}"
        for secret in (*SECRETS, NEXT):
            for path in ("/", "/admin", "//admin"):
                yield check_request(host=host, path=path, headers=[bearer(secret)])
            yield check_request(host="elsewhere", app_id=app_id, headers=[bearer(secret)])
            yield check_request(host="elsewhere", headers=[bearer(secret)])
            authorization = f"Bearer {secret.reveal()}"
            yield check_request(host=host, joined_headers={"authorization": authorization})
        for session in SESSIONS:
            yield check_request(host=host, headers=[cookie(session)])
            yield check_request(host="elsewhere", app_id=app_id, headers=[cookie(session)])
        yield check_request(host=host, headers=[cookie(SESSIONS[0]), bearer(SECRETS[1])])
        yield check_request(host=host, headers=[cookie(SESSIONS[0]), ("sec-fetch-site", b"same-site")])
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
                policy_pb2.App(app_id=app_id, region=region, labels=labels, upstream=UPSTREAMS[0])
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
        self.index.end_session(ended_session(session))

    @rule(
        apps=st.lists(_APPS, max_size=2),
        tokens=st.lists(_tokens(), max_size=2),
        sessions=st.lists(st.sampled_from(SESSIONS), max_size=2),
    )
    def takes_a_snapshot(
        self, apps: list[policy_pb2.App], tokens: list[policy_pb2.Token], sessions: list[Session]
    ) -> None:
        entries = Entries()
        entries.put_part(
            policy_pb2.Snapshot(apps=apps, tokens=tokens, ended_sessions=map(ended_session, sessions))
        )
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
