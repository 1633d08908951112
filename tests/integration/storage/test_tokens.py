"""The tokens in the database."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings

from doorward_server.domain.roles import Role
from doorward_server.domain.tokens import Token
from doorward_server.services.ports import Position
from doorward_server.storage import SqlStorage, StorageDefectError
from tests.integration.storage import samples

_SECOND = timedelta(seconds=1)

# Examples share one database, and may share an id: each begins by removing what has it.
_sharing = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)


@_sharing
@given(token=samples.tokens())
async def test_reads_back_what_was_added(storage: SqlStorage, token: Token) -> None:
    """Every token that the domain allows is read back as it was stored."""
    async with storage.write() as work:
        await work.tokens.remove(token.token_id)
        await work.tokens.add(token)
    async with storage.read() as work:
        assert await work.tokens.get(token.token_id) == token


@_sharing
@given(before=samples.tokens(), after=samples.tokens())
async def test_reads_back_what_was_saved(storage: SqlStorage, before: Token, after: Token) -> None:
    """Saving replaces everything, the secrets included, except when the token was last used."""
    after = replace(after, token_id=before.token_id)
    expected = replace(after, last_used_time=before.last_used_time)
    async with storage.write() as work:
        await work.tokens.remove(before.token_id)
        await work.tokens.add(before)
    async with storage.write() as work:
        assert await work.tokens.get(before.token_id) == before
        await work.tokens.save(after)
        assert await work.tokens.get(before.token_id) == expected
    async with storage.read() as work:
        assert await work.tokens.get(before.token_id) == expected


async def test_regenerated_token(storage: SqlStorage) -> None:
    """A new secret stands beside the former one while that has a grace period, then in its place."""
    token = samples.token()
    second = token.regenerated(samples.generation(2), grace_period=timedelta(hours=1), now=samples.NOON)
    third = second.regenerated(samples.generation(3), grace_period=timedelta(0), now=samples.NOON)
    async with storage.write() as work:
        await work.tokens.add(token)
    for step in (second, third):
        async with storage.write() as work:
            await work.tokens.save(step)
        async with storage.read() as work:
            assert await work.tokens.get(token.token_id) == step


async def test_unknown_token(storage: SqlStorage) -> None:
    """A token that is not stored is None to read, nothing to remove and a defect to save."""
    token = samples.token()
    async with storage.write() as work:
        assert await work.tokens.get(token.token_id) is None
        await work.tokens.remove(token.token_id)
    with pytest.raises(LookupError, match=token.token_id):
        async with storage.write() as work:
            await work.tokens.save(token)


async def test_removed_token(storage: SqlStorage) -> None:
    """A removed token is gone with its secrets: no replica is told of them any more."""
    token = samples.token()
    async with storage.write() as work:
        await work.tokens.add(token)
        await work.tokens.remove(token.token_id)
    async with storage.read() as work:
        assert await work.tokens.get(token.token_id) is None
        assert [each async for each in work.policy.tokens(None, mac_key_id="key-1")] == []


async def test_pages_newest_first(storage: SqlStorage) -> None:
    """Pages follow each other without a gap or a repeat, newest first, ids deciding between equal times."""
    # Ids of mixed case: a database's locale must not reorder them.
    ids = [f"{letter}{number:011d}" for number in range(4) for letter in "aBcD"]
    stored = [samples.token(token_id=each, generations=(samples.generation(7),)) for each in ids]
    async with storage.write() as work:
        for token in stored:
            await work.tokens.add(token)
    found: list[Token] = []
    after = None
    async with storage.read() as work:
        while page := await work.tokens.page(after=after, limit=5):
            assert len(page) <= 5
            found.extend(page)
            after = Position(page[-1].create_time, page[-1].token_id)
    assert found == sorted(stored, key=lambda token: token.token_id, reverse=True)


async def test_counts_live_admins(storage: SqlStorage) -> None:
    """ADMIN tokens count until the moment they expire; others never do."""
    async with storage.write() as work:
        for token in (
            samples.admin(),
            samples.admin(expire_time=samples.NOON + _SECOND),
            samples.admin(expire_time=samples.NOON),
            samples.token(role=Role.OPERATOR),
        ):
            await work.tokens.add(token)
    for unit in (storage.read, storage.write):
        async with unit() as work:
            assert await work.tokens.live_admins(samples.NOON) == 2


async def test_touched_tokens(storage: SqlStorage) -> None:
    """The time of last use only moves forward, nothing else changes, and unknown ids are passed over."""
    fresh, used = samples.token(), samples.token(last_used_time=samples.NOON)
    async with storage.write() as work:
        await work.tokens.add(fresh)
        await work.tokens.add(used)
    unknown = samples.token().token_id
    async with storage.write() as work:
        await work.tokens.touch({})
        await work.tokens.touch(
            {fresh.token_id: samples.NOON, used.token_id: samples.NOON - _SECOND, unknown: samples.NOON}
        )
    async with storage.read() as work:
        assert await work.tokens.get(fresh.token_id) == replace(fresh, last_used_time=samples.NOON)
        assert await work.tokens.get(used.token_id) == used
        assert (await work.policy.head()).revision == 0
    async with storage.write() as work:
        await work.tokens.touch({used.token_id: samples.NOON + _SECOND})
        assert await work.tokens.get(used.token_id) == replace(used, last_used_time=samples.NOON + _SECOND)


@pytest.mark.parametrize(
    ("token", "constraint"),
    [
        (samples.token(region=None), "ck_tokens_scope"),
        (samples.admin(region=samples.GRA), "ck_tokens_scope"),
        (samples.token(version=0), "ck_tokens_version"),
        (samples.token(generations=(samples.generation(1, mac=b"short"),)), "ck_token_generations_mac"),
        (samples.token(generations=(samples.generation(number=0),)), "ck_token_generations_number"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_invariants(storage: SqlStorage, token: Token, constraint: str) -> None:
    """What the domain never makes, the database refuses, naming the rule and nothing of the row."""
    with pytest.raises(StorageDefectError, match=constraint) as caught:
        async with storage.write() as work:
            await work.tokens.add(token)
    assert "$argon2id$" not in str(caught.value)
