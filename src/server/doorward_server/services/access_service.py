"""Use cases that show what a scope opens and why."""

from collections.abc import Iterator
from dataclasses import dataclass

from doorward_server.domain.apps import App
from doorward_server.domain.credentials import Secret, mint_secret
from doorward_server.domain.decision import Reason, Request, Rule, decide
from doorward_server.domain.ids import AppId, RegionName, SessionId, TokenId
from doorward_server.domain.paths import path_of
from doorward_server.domain.policy import LiveSecret, PolicyApp, PolicyToken
from doorward_server.domain.selectors import Selector
from doorward_server.domain.sessions import Session
from doorward_server.domain.tokens import Token
from doorward_server.services.clock import Clock
from doorward_server.services.errors import AppNotFoundError, TokenNotFoundError
from doorward_server.services.pages import Page, Pager, PageRequest
from doorward_server.services.ports import AppFilter, Position, Storage


@dataclass(frozen=True, slots=True)
class LookedAt:
    """One rule of the decision, looked at for one request."""

    rule: Rule
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What would be decided, and the rules in their order up to the one that decides."""

    reason: Reason
    rules: tuple[LookedAt, ...]


class AccessService:
    """Answers what a scope opens. Every call needs ADMIN, which `Call` has established."""

    def __init__(self, *, storage: Storage, pager: Pager, clock: Clock, mac_key_id: str) -> None:
        """*mac_key_id*: the platform key that replicas know secrets under."""
        self._storage = storage
        self._pager = pager
        self._clock = clock
        self._mac_key_id = mac_key_id

    async def preview(
        self, request: PageRequest, *, region: RegionName | None, selector: Selector | None
    ) -> Page[App]:
        """The apps that a scope matches now, newest first; raises `InvalidFieldsError`."""
        filters = ("preview", region, "" if selector is None else str(selector))
        window = self._pager.window(request, *filters)
        which = AppFilter(region=region, selectors=() if selector is None else (selector,))
        async with self._storage.read() as work:
            apps = await work.apps.page(which, after=window.after, limit=window.limit)
        return window.page(apps, lambda app: Position(app.create_time, app.app_id))

    async def explain(self, token_id: TokenId, app_id: AppId, *, path: str) -> Explanation:
        """What would be decided on a request with the token's newest secret, sent to the app's own host.

        *path* is the request target, query included. The HTTP method does not matter to the decision.
        Raises `TokenNotFoundError`, `AppNotFoundError`.
        """
        async with self._storage.read() as work:
            token = await work.tokens.get(token_id)
            app = await work.apps.get(app_id)
        if token is None:
            raise TokenNotFoundError(token_id)
        if app is None or (entry := app.policy_entry()) is None:
            raise AppNotFoundError(app_id)
        view = _OneOfEach(entry, token.policy_entry(mac_key_id=self._mac_key_id))
        # A stand-in: nobody has the token's own secret, and this view takes every one for it.
        request = Request(host="", app_id=app_id, path=path, secret=mint_secret(token_id))
        reason = decide(request, view, now=self._clock().timestamp(), fresh=True).reason
        return Explanation(reason, tuple(_looked_at(reason, entry, token, path)))


@dataclass(frozen=True, slots=True)
class _OneOfEach:
    """A policy of one app and one token, whose newest secret is the one presented."""

    only_app: PolicyApp
    only_token: PolicyToken

    def app(self, _app_id: AppId) -> PolicyApp | None:
        return self.only_app

    def app_at(self, _host: str) -> PolicyApp | None:
        return self.only_app

    def token(self, _token_id: TokenId) -> PolicyToken | None:
        return self.only_token

    def session(self, _sealed: bytes) -> Session | None:
        return None

    def is_ended(self, _session_id: SessionId) -> bool:
        return False

    def authenticate(self, _secret: Secret) -> tuple[PolicyToken, LiveSecret] | None:
        return (self.only_token, self.only_token.secrets[0]) if self.only_token.secrets else None


def _looked_at(reason: Reason, app: PolicyApp, token: Token, path: str) -> Iterator[LookedAt]:
    """The rules up to the one that decides; a public app has but the last."""
    details = {
        Rule.TOKEN: f"expires {'never' if token.expire_time is None else token.expire_time.isoformat()}",
        Rule.APP: f"app {app.app_id}",
        Rule.REGION: f"app in {app.region}, token for {token.region or 'every region'}",
        Rule.SELECTOR: f"selector {'of every app' if token.selector is None else token.selector}, labels "
        + ",".join(f"{key}={value}" for key, value in sorted(app.labels.items())),
        Rule.PATH: f"path {path_of(path)}",
        Rule.ROLE: f"role {token.role.name}, operator paths {' '.join(app.operator_paths) or 'none'}",
        Rule.STATE: "not running" if app.upstream is None else "running",
    }
    for rule in Rule:
        if app.public and rule is not Rule.STATE:
            continue
        yield LookedAt(rule, passed=rule is not reason.rule or reason.allowed, detail=details.get(rule, ""))
        if rule is reason.rule:
            return
