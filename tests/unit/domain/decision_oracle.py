"""The decision as the design's table has it: a naive oracle over plain facts.

It sees what a policy and a request mean, never how they are spelled.
"""

from dataclasses import dataclass
from typing import Literal

from doorward_server.domain.ids import AppId, RegionName, SessionId
from doorward_server.domain.policy import Address, PolicyApp, PolicyToken
from doorward_server.domain.roles import Role
from doorward_server.domain.selectors import Selector, parse_scope_selector
from doorward_server.domain.sessions import Session
from tests.support.derived import derived_secret
from tests.unit.domain.policies import ListedPolicy, live_secret

NOW = 1_800_000_000.0
GRA, BHS = (RegionName("GRA"), RegionName("BHS"))
APP_IDS = [AppId(f"{n}abcdef0-5d1f-4f3e-9d53-0a1e0f6f2b11") for n in range(6)]
SECRETS = [derived_secret(str(number)) for number in range(4)]
ENDED = SessionId("eeeeeeee-5d1f-4f3e-9d53-0a1e0f6f2b11")
"""The session that was ended."""
LIVE = SessionId("11111111-5d1f-4f3e-9d53-0a1e0f6f2b11")
"""Any other."""


@dataclass(frozen=True)
class AppFacts:
    """What is so about an app."""

    app_id: AppId
    region: RegionName
    group: str | None
    public: bool
    cors_preflight: bool
    operator_segments: tuple[str, ...] | None
    runs: bool

    def entry(self) -> PolicyApp:
        """The app as a replica holds it."""
        return PolicyApp(
            app_id=self.app_id,
            region=self.region,
            labels={"ovh/id": self.app_id} | ({} if self.group is None else {"group": self.group}),
            public=self.public,
            cors_preflight=self.cors_preflight,
            operator_paths=(
                () if self.operator_segments is None else ("/" + "/".join(self.operator_segments),)
            ),
            upstream=Address(host="127.0.0.1", port=1) if self.runs else None,
        )


@dataclass(frozen=True)
class TokenFacts:
    """What is so about a token; its secret is the one of the same number."""

    role: Role
    region: RegionName | None
    groups: frozenset[str] | Literal["all"]
    seconds_left: float | None

    def entry(self, number: int) -> PolicyToken:
        """The token as a replica holds it."""
        selector: Selector | None = None
        if self.groups != "all":
            selector = parse_scope_selector(f"group in ({','.join(self.groups)})")
        end = None if self.seconds_left is None else NOW + self.seconds_left
        return PolicyToken(
            token_id=SECRETS[number].token_id,
            role=self.role,
            region=self.region,
            selector=selector,
            secrets=(live_secret(SECRETS[number], expire_time=end),),
        )


@dataclass(frozen=True)
class SessionFacts:
    """What is so about a session."""

    token: int
    app: int
    """The number of the app that it is with."""
    generation: int
    """Of the token's secret. Each token has but its first."""
    seconds_left: float
    ended: bool

    def session(self) -> Session:
        """The session as its cookie holds it."""
        return Session(
            session_id=ENDED if self.ended else LIVE,
            token_id=SECRETS[self.token].token_id,
            generation=self.generation,
            app_id=APP_IDS[self.app],
            idle_end=NOW + self.seconds_left,
            end=NOW + 3600,
        )


@dataclass(frozen=True)
class RequestFacts:
    """What a request means."""

    app: int | None
    """The number of the app that it is for; None: it names none."""
    named: int | None
    """The number of the app whose id it names, be there such an app at that host or not."""
    credential: int | SessionFacts | Literal["none", "malformed", "repeated", "forged"]
    """The number of the secret that counts, or the session that does; forged: a cookie that is none."""
    segments: tuple[str, ...] | None
    """The path in its one reading; None: it has several."""
    preflight: bool


@dataclass(frozen=True)
class World:
    """A policy."""

    apps: tuple[AppFacts, ...]
    tokens: tuple[TokenFacts, ...]

    def policy(self) -> ListedPolicy:
        """The policy as a replica holds it."""
        return ListedPolicy(
            [each.entry() for each in self.apps],
            [each.entry(number) for number, each in enumerate(self.tokens)],
            frozenset([ENDED]),
        )


def oracle(world: World, meant: RequestFacts, *, fresh: bool) -> int:
    """The HTTP status that the design's table gives, outcome by outcome."""
    app = world.apps[meant.app] if meant.app is not None and meant.app < len(world.apps) else None
    running = 200 if app is not None and app.runs else 503
    if not fresh:
        return 503
    if app is not None and app.public:
        return running
    if meant.credential == "none":
        return running if app is not None and app.cors_preflight and meant.preflight else 401
    if meant.credential in ("malformed", "repeated"):
        return 400
    number = _token_number(meant)
    token = world.tokens[number] if number is not None and number < len(world.tokens) else None
    if token is None or (token.seconds_left is not None and token.seconds_left <= 0):
        return 401
    return _scope(meant, app, token, running)


def _token_number(meant: RequestFacts) -> int | None:
    """The token of the secret or session that counts; None: it works no more, or never did."""
    credential = meant.credential
    if isinstance(credential, SessionFacts):
        over = credential.ended or credential.seconds_left <= 0 or credential.generation != 1
        return None if over or credential.app != meant.named else credential.token
    return credential if isinstance(credential, int) else None


def _scope(meant: RequestFacts, app: AppFacts | None, token: TokenFacts, running: int) -> int:
    in_scope = (
        app is not None
        and token.region in (None, app.region)
        and (token.groups == "all" or app.group in token.groups)
    )
    if app is None or not in_scope:
        return 403
    if app.operator_segments is not None:
        if meant.segments is None:
            return 400
        guarded = meant.segments[: len(app.operator_segments)] == app.operator_segments
        if guarded and token.role is Role.READ_ONLY:
            return 403
    return running
