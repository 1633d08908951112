"""Use cases of tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from doorward_server.domain.credentials import Secret, mint_token_id
from doorward_server.domain.errors import Violations
from doorward_server.domain.ids import RegionName, Revision, TokenId
from doorward_server.domain.roles import Role
from doorward_server.domain.selectors import Selector
from doorward_server.domain.tokens import Token, check_expiry, check_role_scope
from doorward_server.services.calls import Call
from doorward_server.services.clock import Clock
from doorward_server.services.errors import LastAdminTokenError, TokenNotFoundError
from doorward_server.services.etags import check_etag
from doorward_server.services.minting import Mint
from doorward_server.services.once import created_before, remember_create
from doorward_server.services.pages import Page, Pager, PageRequest
from doorward_server.services.ports import AuditEvent, Position, Storage, UnitOfWork
from doorward_server.services.publishing import (
    PolicyUpdate,
    Publisher,
    enforce,
    enforce_what_is_committed,
    spread,
)
from doorward_server.services.signals import Signals


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """What a caller says of a token to create."""

    display_name: str
    role: Role
    region: RegionName | None
    selector: Selector | None
    """None: every app of the region."""
    expire_time: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenChanges:
    """What a caller changes of a token. None: nothing."""

    display_name: str | None = None
    expire_time: datetime | None = None
    set_expire_time: bool = False
    """Whether `expire_time` is to be set, to None as well: the token never expires then."""


class TokenService:
    """Creates, changes and deletes tokens. Every call needs ADMIN, which `Call` has established."""

    def __init__(
        self,
        *,
        storage: Storage,
        mint: Mint,
        propagation: Publisher,
        signals: Signals,
        pager: Pager,
        clock: Clock,
    ) -> None:
        """*signals* tell of every change of a token, by its id."""
        self._storage = storage
        self._signals = signals
        self._mint = mint
        self._propagation = propagation
        self._pager = pager
        self._clock = clock

    async def create(self, call: Call, new: NewToken, *, request_id: str = "") -> tuple[Token, Secret | None]:
        """Create a token. The secret is None when the request repeats an earlier one.

        Raises `InvalidFieldsError`, `RequestIdReusedError`, `HashingQueueFullError`.
        """
        now = self._clock()
        found = Violations()
        with found.field("token.role"):
            check_role_scope(new.role, region=new.region, selector=new.selector)
        with found.field("token.expire_time"):
            check_expiry(new.expire_time, now=now)
        found.raise_if_any()
        if (repeated := await self._created_before(call, new, request_id)) is not None:
            return repeated, None
        token_id = mint_token_id()
        secret, generation = await self._mint.issue(token_id, number=1)
        token = Token(
            token_id=token_id,
            display_name=new.display_name,
            role=new.role,
            region=new.region,
            selector=new.selector,
            generations=(generation,),
            expire_time=new.expire_time,
            create_time=now,
            update_time=now,
        )
        async with self._storage.write() as work:
            # Asked again, for two such requests may have come at once.
            if (resource := await created_before(work, call, request_id, new)) is not None:
                return await self._get(work, TokenId(resource)), None
            await work.tokens.add(token)
            await remember_create(work, call, request_id, new, resource_id=token_id, clock=self._clock)
            revision = await work.policy.token_changed(token_id)
            await work.audit.add(
                self._event(
                    call,
                    token,
                    revision=revision,
                    details={
                        "display_name": token.display_name,
                        "role": token.role.name,
                        "region": token.region or "",
                        "label_selector": "" if token.selector is None else str(token.selector),
                        "expire_time": _text(token.expire_time),
                    },
                )
            )
        await spread(self._propagation, revision)
        return token, secret

    async def get(self, token_id: TokenId) -> Token:
        """One token; raises `TokenNotFoundError`."""
        async with self._storage.read() as work:
            return await self._get(work, token_id)

    async def list(self, request: PageRequest) -> Page[Token]:
        """The tokens, newest first; raises `InvalidFieldsError`."""
        window = self._pager.window(request, "tokens")
        async with self._storage.read() as work:
            tokens = await work.tokens.page(after=window.after, limit=window.limit)
        return window.page(tokens, lambda token: Position(token.create_time, token.token_id))

    async def update(
        self, call: Call, token_id: TokenId, changes: TokenChanges, *, etag: str = ""
    ) -> tuple[Token, PolicyUpdate | None]:
        """Change a token's name or expiry; an earlier expiry is enforced on return.

        Raises `TokenNotFoundError`, `EtagMismatchError`, `InvalidFieldsError`, `LastAdminTokenError`.
        """
        now = self._clock()
        async with self._storage.write() as work:
            token = await self._get(work, token_id)
            check_etag(etag, token_id, token.version)
            changed = token
            if changes.display_name is not None:
                changed = replace(changed, display_name=changes.display_name)
            if changes.set_expire_time:
                found = Violations()
                with found.field("token.expire_time"):
                    check_expiry(changes.expire_time, now=now)
                found.raise_if_any()
                changed = replace(changed, expire_time=changes.expire_time)
                await _keep_an_admin(work, token, until=changes.expire_time, now=now)
            unchanged, revision = changed == token, None
            if not unchanged:
                changed, revision = await self._save_changed(work, call, token, changed)
        if unchanged:
            await enforce_what_is_committed(self._storage, self._propagation)
            return token, None
        self._signals.notify(token_id)
        return changed, None if revision is None else await enforce(self._propagation, revision)

    async def regenerate(
        self, call: Call, token_id: TokenId, *, grace_period: timedelta, etag: str = ""
    ) -> tuple[Token, Secret, PolicyUpdate]:
        """Give a token a new secret; the former one is dead on return, or when the grace period ends.

        Raises `TokenNotFoundError`, `EtagMismatchError`, `InvalidFieldsError`, `HashingQueueFullError`.
        """
        async with self._storage.read() as work:
            seen = await self._get(work, token_id)
        check_etag(etag, token_id, seen.version)
        secret, generation = await self._mint.issue(token_id, number=seen.generation + 1)
        async with self._storage.write() as work:
            token = await self._get(work, token_id)
            check_etag(etag, token_id, token.version)
            found = Violations()
            with found.field("grace_period"):
                # Somebody else may have been faster while the secret was hashed: their number is taken.
                fresh = replace(generation, number=token.generation + 1)
                token = token.regenerated(fresh, grace_period=grace_period, now=self._clock())
            found.raise_if_any()
            await work.tokens.save(token)
            revision = await work.policy.token_changed(token_id)
            await work.audit.add(
                self._event(
                    call,
                    token,
                    revision=revision,
                    details={
                        "generation": str(token.generation),
                        "grace_period": f"{grace_period.total_seconds():g}s",
                    },
                )
            )
        self._signals.notify(token_id)
        return token, secret, await enforce(self._propagation, revision)

    async def delete(self, call: Call, token_id: TokenId, *, etag: str = "") -> PolicyUpdate:
        """Delete a token, which is dead on return.

        Raises `TokenNotFoundError`, `EtagMismatchError`, `LastAdminTokenError`.
        """
        try:
            return await self._delete(call, token_id, etag)
        except TokenNotFoundError:
            # Who repeats a call that was cut short must be able to rely on that answer, too.
            await enforce_what_is_committed(self._storage, self._propagation)
            raise

    async def _delete(self, call: Call, token_id: TokenId, etag: str) -> PolicyUpdate:
        async with self._storage.write() as work:
            token = await self._get(work, token_id)
            check_etag(etag, token_id, token.version)
            now = self._clock()
            await _keep_an_admin(work, token, until=now, now=now)
            await work.tokens.remove(token_id)
            revision = await work.policy.token_changed(token_id)
            await work.audit.add(
                self._event(call, token, revision=revision, details={"display_name": token.display_name})
            )
        self._signals.notify(token_id)
        return await enforce(self._propagation, revision)

    async def _save_changed(
        self, work: UnitOfWork, call: Call, token: Token, changed: Token
    ) -> tuple[Token, Revision | None]:
        """Save what a caller changed of a token; the revision, if the policy changes with it."""
        changed = replace(changed, version=token.version + 1, update_time=self._clock())
        await work.tokens.save(changed)
        details = {}
        if changed.display_name != token.display_name:
            details["display_name"] = changed.display_name
        revision = None
        if changed.expire_time != token.expire_time:
            details["expire_time"] = _text(changed.expire_time)
            revision = await work.policy.token_changed(token.token_id)
        await work.audit.add(self._event(call, changed, revision=revision, details=details))
        return changed, revision

    async def _created_before(self, call: Call, new: NewToken, request_id: str) -> Token | None:
        async with self._storage.read() as work:
            resource = await created_before(work, call, request_id, new)
            return None if resource is None else await self._get(work, TokenId(resource))

    @staticmethod
    async def _get(work: UnitOfWork, token_id: TokenId) -> Token:
        token = await work.tokens.get(token_id)
        if token is None:
            raise TokenNotFoundError(token_id)
        return token

    def _event(
        self, call: Call, token: Token, *, revision: Revision | None, details: Mapping[str, str]
    ) -> AuditEvent:
        return AuditEvent(
            time=self._clock(),
            actor=call.actor,
            action=call.action,
            resource_type="token",
            resource_id=token.token_id,
            request_id=call.request_id,
            revision=revision,
            details=details,
        )


async def _keep_an_admin(work: UnitOfWork, token: Token, *, until: datetime | None, now: datetime) -> None:
    """Raise `LastAdminTokenError` if *token* is to end at *until*, and no other ADMIN token lives then.

    One that ends then or before anyway takes nobody away.
    """
    if token.role is not Role.ADMIN or token.expired(now) or until is None or token.expired(until):
        return
    if await work.tokens.live_admins(until) == 1:
        raise LastAdminTokenError(token.token_id)


def _text(time: datetime | None) -> str:
    return "never" if time is None else time.isoformat()
