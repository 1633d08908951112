"""Tokens: named credentials with a role, a region and a scope."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.ids import RegionName, TokenId
from doorward_server.domain.policy import LiveSecret, PolicyToken
from doorward_server.domain.roles import Role
from doorward_server.domain.selectors import Selector

MAX_GRACE_PERIOD: Final = timedelta(days=7)
"""How long a former secret may go on working after it was replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One secret of a token, as it is kept: never the secret itself."""

    number: int
    """Counts the token's secrets, from 1."""
    argon2_hash: str
    """Argon2id of the whole secret in PHC string format, the durable record."""
    mac: bytes
    """The keyed BLAKE2b-256 of the whole secret, 32 bytes."""
    mac_key_id: str
    """The platform key that the MAC was made under."""
    expire_time: datetime | None = None
    """When this secret stops to work, while a grace period runs. None: with the token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A named credential. Times are in UTC."""

    token_id: TokenId
    display_name: str
    role: Role
    region: RegionName | None
    """The region whose apps it opens. None, with ADMIN alone: every region."""
    selector: Selector | None
    """The apps it opens. None: every app of the region."""
    generations: tuple[Generation, ...]
    """The secrets that may still work, newest first: one, or two while a grace period runs."""
    expire_time: datetime | None
    create_time: datetime
    update_time: datetime
    last_used_time: datetime | None = None
    """To within a minute."""
    version: int = 1
    """Grows with each change of name, expiry or generation."""

    @property
    def generation(self) -> int:
        """The number of the newest secret."""
        return self.generations[0].number

    def expired(self, now: datetime) -> bool:
        """Whether the token has stopped to work."""
        return self.expire_time is not None and self.expire_time <= now

    def previous_generation_expire_time(self, now: datetime) -> datetime | None:
        """When the secret before the present one stops to work; None when it does not work any more."""
        previous = self.generations[1:]
        if not previous or (end := self.end_of(previous[0])) is None or end <= now:
            return None
        return end

    def regenerated(self, fresh: Generation, *, grace_period: timedelta, now: datetime) -> "Token":
        """The token with a new secret; the former one ends now, or when the grace period does.

        Whatever was older than the former one ends now: at most two secrets of a token work at a time.
        Raises `InvalidValueError` when the grace period is negative or too long.
        """
        if not timedelta(0) <= grace_period <= MAX_GRACE_PERIOD:
            raise InvalidValueError(f"must be between 0 and {MAX_GRACE_PERIOD.days} days")
        kept: tuple[Generation, ...] = ()
        if grace_period:
            former = self.generations[0]
            end = now + grace_period
            if self.expire_time is not None:
                end = min(end, self.expire_time)
            kept = (replace(former, expire_time=end),)
        return replace(self, generations=(fresh, *kept), update_time=now, version=self.version + 1)

    def policy_entry(self, *, mac_key_id: str) -> PolicyToken:
        """What replicas need to know of the token.

        Secrets whose MAC was made under another platform key than *mac_key_id* are left out: replicas
        cannot recognise them until they were used with the api once.
        """
        return PolicyToken(
            token_id=self.token_id,
            role=self.role,
            region=self.region,
            selector=self.selector,
            secrets=tuple(
                LiveSecret(
                    generation=each.number,
                    mac=each.mac,
                    expire_time=end.timestamp() if (end := self.end_of(each)) is not None else None,
                )
                for each in self.generations
                if each.mac_key_id == mac_key_id
            ),
        )

    def numbered(self, number: int) -> Generation | None:
        """The secret with that number; None when it works no more."""
        return next((each for each in self.generations if each.number == number), None)

    def end_of(self, generation: Generation) -> datetime | None:
        """When one of the token's secrets stops to work; None: never."""
        ends = [end for end in (generation.expire_time, self.expire_time) if end is not None]
        return min(ends, default=None)


def check_role_scope(role: Role, *, region: RegionName | None, selector: Selector | None) -> None:
    """Raise `InvalidValueError` when a role cannot have this scope.

    ADMIN is the platform's owner and has no narrower form; every other role is bound to one region.
    """
    if role is Role.ADMIN and (region is not None or selector is not None):
        raise InvalidValueError("ADMIN has every region and every app: leave region and label_selector empty")
    if role is not Role.ADMIN and region is None:
        raise InvalidValueError(f"{role.name} needs a region")


def check_expiry(expire_time: datetime | None, *, now: datetime) -> None:
    """Raise `InvalidValueError` unless the expiry lies in the future or is not set."""
    if expire_time is not None and expire_time <= now:
        raise InvalidValueError("must lie in the future")
