"""Requests between changes of the policy: what check and Envoy remember opens nothing that is closed.

An input is steps of four bytes: what is done, and three numbers for it. Half a step is none.
"""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse

from doorward_server.domain.cookies import SESSION_COOKIE
from doorward_server.domain.roles import Role
from tests.fuzz.changing_world import AppState, ChangingReplica, Facts, TokenState
from tests.fuzz.stand_ins import session_facts
from tests.fuzz.target import Target
from tests.unit.domain.decision_oracle import APP_IDS, BHS, GRA, SECRETS, RequestFacts, SessionFacts, oracle
from tests.unit.domain.policies import DOMAINS, SEALS

_STEP: Final = 4
_SECONDS: Final = (0.125, 0.5, 0.875, 1.0, 1.125, 5.0, 29.0, 31.0)
_PATHS: Final = ("/", "/x", "/admin", "/admin/x", "/api/v1/x")
_GUARDED: Final = (None, ("admin",), ("api", "v1"))
_GROUPS: Final = ("A", "B", None)
_SESSIONS: Final = tuple(session_facts(number, ended=False) for number in range(3))
_LIFETIME: Final = 1.0
"""Seconds that Envoy remembers an allow at most, whatever check says."""


@dataclass(frozen=True)
class Question:
    """A request, as a client means it."""

    app: int
    """One more than there are: a host that is no app's."""
    credential: int | SessionFacts | None
    """The number of a secret, or a session."""
    form: int
    """How a secret is presented."""
    path: str
    preflight: bool

    @property
    def host(self) -> str:
        """Where it goes."""
        if self.app == len(APP_IDS):
            return "x"
        region = BHS if self.app == 2 else GRA
        return f"{APP_IDS[self.app]}.{DOMAINS[region]}"

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What it is judged by."""
        if self.preflight:
            return (("origin", "https://x"), ("access-control-request-method", "POST"))
        match self.credential:
            case None:
                return ()
            case SessionFacts() as session:
                return (("cookie", f"{SESSION_COOKIE}={SEALS.seal(session.session())}"),)
            case number:
                secret = SECRETS[number].reveal()
                basic = b64encode(f"user:{secret}".encode()).decode()
                forms = (("authorization", f"Bearer {secret}"), ("doorward-token", secret))
                return ((*forms, ("authorization", f"Basic {basic}"))[self.form],)

    def payload(self) -> bytes:
        """The CheckRequest."""
        listed = [{"key": name, "raw_value": value.encode()} for name, value in self.headers]
        http = {
            "method": "OPTIONS" if self.preflight else "GET",
            "host": self.host,
            "path": self.path,
            "header_map": {"headers": listed},
        }
        return bytes(CheckRequest(attributes={"request": {"http": http}}).SerializeToString())

    def status(self, facts: Facts, elapsed: float, *, fresh: bool) -> int:
        """How it is to be answered by these facts, at a moment."""
        there = self.app < len(APP_IDS) and facts.apps[self.app].there
        return oracle(
            facts.at(elapsed),
            RequestFacts(
                app=self.app if there else None,
                named=self.app if self.app < len(APP_IDS) else None,
                credential=self._counts(facts, elapsed),
                segments=tuple(filter(None, self.path.split("/"))),
                preflight=self.preflight,
            ),
            fresh=fresh,
        )

    def _counts(self, facts: Facts, elapsed: float) -> int | SessionFacts | Literal["none"]:
        if self.preflight or self.credential is None:
            return "none"
        if not isinstance(self.credential, SessionFacts):
            return self.credential
        session = self.credential
        return replace(
            session,
            seconds_left=session.seconds_left - elapsed,
            ended=facts.ended,
            generation=2 if facts.tokens[session.token].regenerated else 1,
        )


@dataclass
class EdgeMemory:
    """What Envoy remembers, by the words of docs/edge-cache.md."""

    _ends: dict[tuple[object, ...], float] = field(default_factory=dict)

    def repeats(self, question: Question, now: float) -> bool:
        """Whether it lets a request through without asking."""
        keys = (self._key(question, any_path=any_path) for any_path in (True, False))
        return not question.preflight and any(now < self._ends.get(key, now) for key in keys)

    def learn(self, question: Question, response: CheckResponse, now: float) -> None:
        """Check has answered."""
        remember = response.dynamic_metadata.fields.get("remember")
        if remember is None or question.preflight:
            return
        told = remember.struct_value.fields
        lifetime = min(told["milliseconds"].number_value / 1000, _LIFETIME)
        self._ends[self._key(question, any_path=told["any_path"].bool_value)] = now + lifetime

    @staticmethod
    def _key(question: Question, *, any_path: bool) -> tuple[object, ...]:
        return question.host, question.headers, None if any_path else question.path


@dataclass
class Program:
    """Runs steps on a replica, and judges each answer."""

    replica: ChangingReplica
    edge: EdgeMemory = field(default_factory=EdgeMemory)

    def run(self, data: bytes) -> None:
        """Run them all."""
        steps = (self.ask, self.ask, self.change_app, self.change_token, self.wait, self.report, self.log_out)
        for at in range(0, len(data) - _STEP + 1, _STEP):
            step, a, b, c = data[at : at + _STEP]
            steps[step % len(steps)](a, b, c)

    def ask(self, app: int, credential: int, request: int) -> None:
        """A request comes: to an Envoy that remembers, and to one that does not."""
        choices = (None, *range(len(SECRETS)), *_SESSIONS)
        question = Question(
            app=app % (len(APP_IDS) + 1),
            credential=choices[credential % len(choices)],
            form=credential // len(choices) % 3,
            path=_PATHS[request % len(_PATHS)],
            preflight=request // len(_PATHS) % 4 == 3,
        )
        replica, now = self.replica, self.replica.elapsed
        if self.edge.repeats(question, now):
            assert replica.lease.fresh, "remembered past the lease"
            assert any(question.status(facts, now, fresh=True) == 200 for facts in replica.in_force), (
                "remembered what is forbidden since"
            )
        response = CheckResponse.FromString(replica.handle(question.payload()))
        allowed = response.HasField("ok_response")
        found = 200 if allowed else response.denied_response.status.code
        assert found == question.status(replica.facts, now, fresh=replica.lease.fresh), (
            "not by the policy of now"
        )
        if allowed:
            assert response.dynamic_metadata.fields["app_id"].string_value == APP_IDS[question.app]
            self.edge.learn(question, response, now)
        else:
            assert "remember" not in response.dynamic_metadata.fields, "a denial is remembered"

    def change_app(self, app: int, what: int, value: int) -> None:
        """Somebody changes an app, deletes it, or makes it again."""
        number = app % len(APP_IDS)
        state = self.replica.facts.apps[number]
        facts = state.facts
        changes: tuple[Callable[[], AppState], ...] = (
            lambda: AppState(replace(facts, group=_GROUPS[value % len(_GROUPS)])),
            lambda: AppState(replace(facts, public=not facts.public)),
            lambda: AppState(replace(facts, operator_segments=_GUARDED[value % len(_GUARDED)])),
            lambda: AppState(replace(facts, runs=not facts.runs)),
            lambda: AppState(replace(facts, cors_preflight=not facts.cors_preflight)),
            lambda: AppState(facts, there=not state.there),
        )
        self.replica.put_app(number, changes[what % len(changes)]())

    def change_token(self, token: int, what: int, value: int) -> None:
        """Somebody changes a token, regenerates it with or without grace, deletes it, or brings it back."""
        number = token % len(self.replica.facts.tokens)
        state, now = self.replica.facts.tokens[number], self.replica.elapsed
        facts, later = state.facts, now + _SECONDS[value % len(_SECONDS)]
        changes: tuple[Callable[[], TokenState], ...] = (
            lambda: TokenState(replace(facts, seconds_left=None)),
            lambda: TokenState(replace(facts, seconds_left=later)),
            lambda: TokenState(replace(facts, seconds_left=now), regenerated=True),
            lambda: TokenState(replace(facts, seconds_left=later), regenerated=True),
            lambda: TokenState(replace(facts, groups=frozenset("AB"[value % 2]))),
            lambda: TokenState(replace(facts, groups="all", region=(GRA, BHS, None)[value % 3])),
            lambda: TokenState(replace(facts, role=list(Role)[value % len(Role)])),
            lambda: replace(state, there=not state.there),
        )
        self.replica.put_token(number, changes[what % len(changes)]())

    def wait(self, seconds: int, *_: int) -> None:
        """Time goes by."""
        self.replica.elapsed += _SECONDS[seconds % len(_SECONDS)]

    def report(self, answered: int, *_: int) -> None:
        """The replica says how far it has come, and the control plane may answer."""
        self.replica.report()
        if answered % 2:
            self.replica.answered()

    def log_out(self, *_: int) -> None:
        """The sessions are ended."""
        self.replica.end_sessions()


def check(data: bytes) -> None:
    """Each request is answered by the policy of now, or repeated by one that nobody was told is over."""
    Program(ChangingReplica()).run(data)


_WORDS: Final = tuple(
    bytes([step, number, what, 0]) for step in range(7) for number in (0, 4) for what in range(8)
)

TARGET = Target(
    name="programs",
    check=check,
    # A replica that acknowledges at once what Envoy still remembers otherwise.
    planted=lambda data: Program(ChangingReplica(remembered=0.0)).run(data),
    words=_WORDS,
    max_length=64 * _STEP,
)
