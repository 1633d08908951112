"""Tokens: their secrets over time, and what replicas learn of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.ids import RegionName, TokenId
from doorward_server.domain.policy import LiveSecret, PolicyToken
from doorward_server.domain.roles import Role
from doorward_server.domain.selectors import Selector, parse_selector
from doorward_server.domain.tokens import Generation, Token, check_expiry, check_role_scope

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SELECTOR = parse_selector("group=A")


def generation(number: int, *, key_id: str = "k1") -> Generation:
    """The record of a secret, whose MAC tells its number."""
    return Generation(
        number=number, argon2_hash=f"$argon2id${number}", mac=bytes([number]), mac_key_id=key_id
    )


def token(*generations: Generation, expire_time: datetime | None = None) -> Token:
    """A token with these secrets."""
    return Token(
        token_id=TokenId("abcdefghijkl"),
        display_name="ci",
        role=Role.READ_ONLY,
        region=RegionName("GRA"),
        selector=SELECTOR,
        generations=generations or (generation(1),),
        expire_time=expire_time,
        create_time=NOW,
        update_time=NOW,
    )


def working(subject: Token, now: datetime) -> list[int]:
    """The numbers of the secrets that replicas accept at *now*."""
    entry = subject.policy_entry(mac_key_id="k1")
    return [secret.generation for secret in entry.secrets if secret.live(now.timestamp())]


def test_the_old_secret_ends_at_once() -> None:
    """Without a grace period the former secret is gone, from the record too."""
    old = token()
    new = old.regenerated(generation(2), grace_period=timedelta(0), now=NOW)
    assert working(new, NOW) == [2]
    assert new.generations == (generation(2),)
    assert new == replace(old, generations=(generation(2),), update_time=NOW, version=2)


def test_both_secrets_work_until_the_grace_period_ends() -> None:
    """The former secret works up to the last microsecond, and not at the end itself."""
    new = token().regenerated(generation(2), grace_period=HOUR, now=NOW)
    assert new.generation == 2
    assert working(new, NOW) == [2, 1]
    assert working(new, NOW + HOUR - TICK) == [2, 1]
    assert working(new, NOW + HOUR) == [2]
    assert new.previous_generation_expire_time(NOW) == NOW + HOUR
    assert new.previous_generation_expire_time(NOW + HOUR - TICK) == NOW + HOUR
    assert new.previous_generation_expire_time(NOW + HOUR) is None


@pytest.mark.parametrize("grace_period", [timedelta(0), TICK, HOUR, 7 * DAY])
def test_at_most_two_secrets_work(grace_period: timedelta) -> None:
    """Regenerating within a grace period ends the oldest secret now; only the newest gets a grace."""
    twice = (
        token()
        .regenerated(generation(2), grace_period=7 * DAY, now=NOW)
        .regenerated(generation(3), grace_period=grace_period, now=NOW + HOUR)
    )
    assert working(twice, NOW + HOUR) == ([3, 2] if grace_period else [3])
    assert 1 not in working(twice, NOW)
    assert working(twice, NOW + HOUR + grace_period) == [3]


def test_a_grace_period_does_not_outlive_the_token() -> None:
    """The former secret ends with the old expiry, also when the token is prolonged afterwards."""
    old = token(expire_time=NOW + HOUR)
    new = old.regenerated(generation(2), grace_period=DAY, now=NOW)
    assert new.previous_generation_expire_time(NOW) == NOW + HOUR
    prolonged = replace(new, expire_time=None)
    assert working(prolonged, NOW + HOUR - TICK) == [2, 1]
    assert working(prolonged, NOW + HOUR) == [2]


def test_an_earlier_expiry_ends_every_secret() -> None:
    """A token that is cut short takes the secret in its grace period with it."""
    new = token().regenerated(generation(2), grace_period=DAY, now=NOW)
    cut = replace(new, expire_time=NOW + HOUR)
    assert cut.previous_generation_expire_time(NOW) == NOW + HOUR
    assert working(cut, NOW + HOUR - TICK) == [2, 1]
    assert working(cut, NOW + HOUR) == []


def test_an_expired_token_is_not_revived() -> None:
    """A new secret for an expired token works as little as the old one."""
    old = token(expire_time=NOW)
    assert working(old.regenerated(generation(2), grace_period=HOUR, now=NOW), NOW) == []


@pytest.mark.parametrize("grace_period", [-TICK, 7 * DAY + TICK, timedelta.max, timedelta.min])
def test_a_grace_period_has_bounds(grace_period: timedelta) -> None:
    """Between nothing and 7 days, both included."""
    longest = token().regenerated(generation(2), grace_period=7 * DAY, now=NOW)
    assert longest.previous_generation_expire_time(NOW) == NOW + 7 * DAY
    with pytest.raises(InvalidValueError, match="between 0 and 7 days"):
        token().regenerated(generation(2), grace_period=grace_period, now=NOW)


@pytest.mark.parametrize(
    ("expire_time", "expired"), [(None, False), (NOW + TICK, False), (NOW, True), (NOW - TICK, True)]
)
def test_a_token_has_expired_at_its_expiry(expire_time: datetime | None, expired: bool) -> None:
    """The moment of expiry is the first at which a token does not work, for api and replicas alike."""
    subject = token(expire_time=expire_time)
    assert subject.expired(NOW) is expired
    assert working(subject, NOW) == ([] if expired else [1])


@pytest.mark.parametrize("expire_time", [None, NOW + TICK])
def test_an_expiry_lies_in_the_future(expire_time: datetime | None) -> None:
    """No expiry is fine; now and the past are not."""
    check_expiry(expire_time, now=NOW)
    for past in (NOW, NOW - DAY):
        with pytest.raises(InvalidValueError, match="future"):
            check_expiry(past, now=NOW)


def test_replicas_learn_macs_alone() -> None:
    """What goes over the policy stream holds scope and MACs, and no Argon2 hash."""
    new = token(expire_time=NOW + DAY).regenerated(generation(2), grace_period=HOUR, now=NOW)
    entry = new.policy_entry(mac_key_id="k1")
    assert entry == PolicyToken(
        token_id=TokenId("abcdefghijkl"),
        role=Role.READ_ONLY,
        region=RegionName("GRA"),
        selector=SELECTOR,
        secrets=(
            LiveSecret(generation=2, mac=b"\x02", expire_time=(NOW + DAY).timestamp()),
            LiveSecret(generation=1, mac=b"\x01", expire_time=(NOW + HOUR).timestamp()),
        ),
    )
    assert "argon2" not in repr(entry)


def test_secrets_under_a_former_platform_key_are_left_out() -> None:
    """Replicas cannot recognise them, and must not try."""
    subject = token(generation(2, key_id="k2"), generation(1, key_id="k1"))
    assert [secret.generation for secret in subject.policy_entry(mac_key_id="k2").secrets] == [2]
    assert subject.policy_entry(mac_key_id="k3").secrets == ()


@pytest.mark.parametrize(
    ("role", "region", "selector", "fault"),
    [
        (Role.ADMIN, None, None, None),
        (Role.ADMIN, "GRA", None, "leave region and label_selector empty"),
        (Role.ADMIN, None, SELECTOR, "leave region and label_selector empty"),
        (Role.OPERATOR, "GRA", SELECTOR, None),
        (Role.OPERATOR, "GRA", None, None),
        (Role.OPERATOR, None, SELECTOR, "OPERATOR needs a region"),
        (Role.READ_ONLY, "GRA", SELECTOR, None),
        (Role.READ_ONLY, "GRA", None, None),
        (Role.READ_ONLY, None, None, "READ_ONLY needs a region"),
    ],
)
def test_a_role_has_the_scope_it_can_have(
    role: Role, region: str | None, selector: Selector | None, fault: str | None
) -> None:
    """ADMIN has everything and cannot be narrowed; the others are bound to one region."""
    named = None if region is None else RegionName(region)
    if fault is None:
        check_role_scope(role, region=named, selector=selector)
    else:
        with pytest.raises(InvalidValueError, match=fault):
            check_role_scope(role, region=named, selector=selector)


def test_roles_include_the_ones_before() -> None:
    """READ_ONLY, OPERATOR, ADMIN: each may do what the one before may."""
    assert sorted(Role) == [Role.READ_ONLY, Role.OPERATOR, Role.ADMIN]
