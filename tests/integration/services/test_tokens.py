"""Use cases of tokens."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from doorward_server.domain.credentials import Secret, mint_secret, mint_token_id
from doorward_server.domain.errors import InvalidFieldsError
from doorward_server.domain.ids import TokenId
from doorward_server.domain.roles import Role
from doorward_server.domain.tokens import Token
from doorward_server.services.authentication import Authenticator
from doorward_server.services.errors import (
    CredentialFault,
    EtagMismatchError,
    HashingQueueFullError,
    LastAdminTokenError,
    RequestIdReusedError,
    TokenNotFoundError,
    UnauthenticatedError,
)
from doorward_server.services.etags import etag_of
from doorward_server.services.hashing import SecretHasher
from doorward_server.services.minting import Mint
from doorward_server.services.pages import PageRequest
from doorward_server.services.propagation import Enforcement
from doorward_server.services.token_service import NewToken, TokenChanges
from tests.integration.services.conftest import CHEAP, GRA, World


async def who(world: World, secret: Secret) -> Token:
    """The token that a secret is of."""
    return (await world.authenticator.authenticate([b"Bearer " + secret.encode()], [])).token


async def is_dead(world: World, secret: Secret) -> bool:
    """Whether a secret opens nothing any more."""
    try:
        await who(world, secret)
    except UnauthenticatedError as error:
        return error.fault is CredentialFault.INVALID
    return False


async def test_a_created_token_works_at_once(world: World) -> None:
    """The secret that is answered is the token's, and replicas were told before the call returned."""
    token, secret = await world.token(selector="group=A")
    assert (await who(world, secret)).token_id == token.token_id == secret.token_id
    assert (token.generation, token.version, token.role, token.region) == (1, 1, Role.READ_ONLY, GRA)
    assert world.propagation.announced == world.propagation.enforced != []


async def test_creating_does_not_wait_for_a_replica_that_hangs(world: World) -> None:
    """A call that widens access is answered although a replica never is."""
    world.propagation.hangs = True
    _, secret = await world.token()
    assert not await is_dead(world, secret)


async def test_a_repeated_create_answers_the_same_token_without_its_secret(world: World) -> None:
    """The same request id and contents make one token; the secret is answered once."""
    new = NewToken(display_name="demo", role=Role.READ_ONLY, region=GRA, selector=None)
    call, request_id = world.call("CreateToken"), str(uuid4())
    first, secret = await world.tokens.create(call, new, request_id=request_id)
    second, none = await world.tokens.create(call, new, request_id=request_id)
    assert second.token_id == first.token_id
    assert secret is not None
    assert none is None


async def test_a_request_id_is_for_one_request(world: World) -> None:
    """The same request id with other contents is refused."""
    new = NewToken(display_name="demo", role=Role.READ_ONLY, region=GRA, selector=None)
    call, request_id = world.call("CreateToken"), str(uuid4())
    await world.tokens.create(call, new, request_id=request_id)
    with pytest.raises(RequestIdReusedError):
        await world.tokens.create(call, replace(new, display_name="other"), request_id=request_id)


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (NewToken(display_name="a", role=Role.ADMIN, region=GRA, selector=None), "token.role"),
        (NewToken(display_name="a", role=Role.OPERATOR, region=None, selector=None), "token.role"),
    ],
)
async def test_a_role_has_its_own_scope(world: World, new: NewToken, field: str) -> None:
    """ADMIN has every region, the others have one."""
    with pytest.raises(InvalidFieldsError) as refused:
        await world.tokens.create(world.call("CreateToken"), new)
    assert [violation.field for violation in refused.value.violations] == [field]


async def test_an_expiry_lies_in_the_future(world: World) -> None:
    """A token cannot be created or updated with an expiry that has passed."""
    with pytest.raises(InvalidFieldsError, match=r"token\.expire_time: must lie in the future"):
        await world.token(expire_time=world.clock.now)
    token, _ = await world.token()
    changes = TokenChanges(expire_time=world.clock.now, set_expire_time=True)
    with pytest.raises(InvalidFieldsError, match=r"token\.expire_time"):
        await world.tokens.update(world.call("UpdateToken"), token.token_id, changes)


async def test_an_expired_token_is_dead(world: World) -> None:
    """A token works until its expiry, and not at it."""
    _, secret = await world.token(expire_time=world.clock.now + timedelta(hours=1))
    world.clock.advance(minutes=59)
    assert not await is_dead(world, secret)
    world.clock.advance(minutes=1)
    assert await is_dead(world, secret)


async def test_regenerate_ends_the_old_secret(world: World) -> None:
    """Id, name and scope stay, the generation is two, the old secret is dead on every replica."""
    token, old = await world.token(selector="group=A")
    world.propagation.enforced.clear()
    fresh, secret, update = await world.tokens.regenerate(
        world.call("RegenerateToken"), token.token_id, grace_period=timedelta(0)
    )
    assert await is_dead(world, old)
    assert (await who(world, secret)).token_id == token.token_id
    assert (fresh.display_name, fresh.selector, fresh.generation) == (token.display_name, token.selector, 2)
    assert world.propagation.enforced == [update.revision]
    assert update.enforcement is Enforcement.EVERYWHERE


async def test_a_grace_period_keeps_the_old_secret_for_a_while(world: World) -> None:
    """Both secrets work until the grace period ends; then the new one alone."""
    token, old = await world.token()
    call = world.call("RegenerateToken")
    fresh, secret, _ = await world.tokens.regenerate(call, token.token_id, grace_period=timedelta(hours=1))
    assert fresh.previous_generation_expire_time(world.clock.now) is not None
    assert not await is_dead(world, old)
    world.clock.advance(hours=1)
    assert await is_dead(world, old)
    assert not await is_dead(world, secret)


async def test_a_second_regenerate_ends_a_running_grace_period(world: World) -> None:
    """At most two secrets of a token work at a time."""
    token, first = await world.token()
    call = world.call("RegenerateToken")
    _, second, _ = await world.tokens.regenerate(call, token.token_id, grace_period=timedelta(days=7))
    _, third, _ = await world.tokens.regenerate(call, token.token_id, grace_period=timedelta(days=7))
    assert [await is_dead(world, each) for each in (first, second, third)] == [True, False, False]


@pytest.mark.parametrize("grace", [timedelta(days=7, microseconds=1), timedelta(seconds=-1)])
async def test_a_grace_period_has_bounds(world: World, grace: timedelta) -> None:
    """More than seven days and less than nothing are refused, and the secret goes on working."""
    token, secret = await world.token()
    with pytest.raises(InvalidFieldsError, match="grace_period: must be between 0 and 7 days"):
        await world.tokens.regenerate(world.call("RegenerateToken"), token.token_id, grace_period=grace)
    assert not await is_dead(world, secret)


async def test_a_deleted_token_is_dead(world: World) -> None:
    """Delete waits for the replicas, and nothing is left to find."""
    token, secret = await world.token()
    update = await world.tokens.delete(world.call("DeleteToken"), token.token_id)
    assert await is_dead(world, secret)
    assert update.revision in world.propagation.enforced
    with pytest.raises(TokenNotFoundError):
        await world.tokens.get(token.token_id)


async def test_the_last_admin_stays(world: World) -> None:
    """The platform is never left without somebody who may enter; two administrators may lose one."""
    with pytest.raises(LastAdminTokenError):
        await world.tokens.delete(world.call("DeleteToken"), world.admin.token_id)
    other, _ = await world.token(role=Role.ADMIN)
    await world.tokens.delete(world.call("DeleteToken"), world.admin.token_id)
    with pytest.raises(LastAdminTokenError):
        await world.tokens.delete(world.call("DeleteToken"), other.token_id)


async def test_the_last_admin_is_given_no_end(world: World) -> None:
    """An expiry is refused where no other ADMIN token lives beyond it; one that is put off is not."""
    call = world.call("UpdateToken")

    def ending(**after: float) -> TokenChanges:
        return TokenChanges(expire_time=world.clock.now + timedelta(**after), set_expire_time=True)

    with pytest.raises(LastAdminTokenError):
        await world.tokens.update(call, world.admin.token_id, ending(days=1))
    assert (await world.tokens.get(world.admin.token_id)).expire_time is None
    await world.tokens.update(call, world.admin.token_id, TokenChanges(display_name="renamed"))

    other, _ = await world.token(role=Role.ADMIN, expire_time=world.clock.now + timedelta(days=2))
    with pytest.raises(LastAdminTokenError):
        await world.tokens.update(call, world.admin.token_id, ending(days=3))
    await world.tokens.update(call, world.admin.token_id, ending(days=1))
    with pytest.raises(LastAdminTokenError):
        await world.tokens.update(call, other.token_id, ending(days=1, hours=1))
    await world.tokens.update(call, other.token_id, ending(days=3))
    await world.tokens.update(call, other.token_id, TokenChanges(expire_time=None, set_expire_time=True))


async def test_an_etag_of_an_earlier_version_is_refused(world: World) -> None:
    """Update, regenerate and delete change nothing when somebody else was faster."""
    token, secret = await world.token()
    stale = etag_of(token.token_id, token.version)
    changed, _ = await world.tokens.update(
        world.call("UpdateToken"), token.token_id, TokenChanges(display_name="renamed"), etag=stale
    )
    with pytest.raises(EtagMismatchError):
        await world.tokens.update(
            world.call("UpdateToken"), token.token_id, TokenChanges(display_name="x"), etag=stale
        )
    with pytest.raises(EtagMismatchError):
        await world.tokens.regenerate(
            world.call("RegenerateToken"), token.token_id, grace_period=timedelta(0), etag=stale
        )
    with pytest.raises(EtagMismatchError):
        await world.tokens.delete(world.call("DeleteToken"), token.token_id, etag=stale)
    assert (await who(world, secret)).display_name == changed.display_name == "renamed"


async def test_an_expiry_can_be_taken_away(world: World) -> None:
    """An update with the expiry named and not set makes a token that never expires."""
    token, secret = await world.token(expire_time=world.clock.now + timedelta(hours=1))
    changed, update = await world.tokens.update(
        world.call("UpdateToken"), token.token_id, TokenChanges(set_expire_time=True)
    )
    assert changed.expire_time is None
    assert update is not None
    world.clock.advance(days=1000)
    assert not await is_dead(world, secret)


async def test_a_name_alone_is_no_matter_of_the_policy(world: World) -> None:
    """Renaming makes no revision and waits for nobody."""
    token, _ = await world.token()
    world.propagation.announced.clear()
    _, update = await world.tokens.update(
        world.call("UpdateToken"), token.token_id, TokenChanges(display_name="renamed")
    )
    assert update is None
    assert world.propagation.announced == []


async def test_a_list_goes_from_new_to_old_through_its_pages(world: World) -> None:
    """Each token is on one page, newest first, and a page token is good for its own list alone."""
    made = [(await world.token(f"t{number}"))[0].token_id for number in range(5)]
    seen: list[TokenId] = []
    request = PageRequest(size=2)
    while True:
        page = await world.tokens.list(request)
        seen += [token.token_id for token in page.entries]
        if not page.next_page_token:
            break
        request = PageRequest(size=2, token=page.next_page_token)
    assert seen == [*reversed(made), world.admin.token_id]


@pytest.mark.parametrize("token", ["x", "AAAA", "é", "A" * 5000])
async def test_a_page_token_of_nobody_is_refused(world: World, token: str) -> None:
    """What is no page token is told so, with its field."""
    with pytest.raises(InvalidFieldsError, match="page_token"):
        await world.tokens.list(PageRequest(token=token))


async def test_every_change_is_in_the_audit(world: World) -> None:
    """Create, update, regenerate and delete each leave one event, none of which holds a secret."""
    token, secret = await world.token()
    await world.tokens.update(world.call("UpdateToken"), token.token_id, TokenChanges(display_name="b"))
    _, second, _ = await world.tokens.regenerate(
        world.call("RegenerateToken"), token.token_id, grace_period=timedelta(0)
    )
    await world.tokens.delete(world.call("DeleteToken"), token.token_id)
    for action in ("CreateToken", "UpdateToken", "RegenerateToken", "DeleteToken"):
        (event,) = await world.audited(action)
        assert (event.actor, event.resource_id) == (world.admin.token_id, token.token_id)
        assert secret.reveal()[16:] not in repr(event)
        assert second.reveal()[16:] not in repr(event)


@pytest.mark.parametrize(
    ("authorization", "fault"),
    [
        ([], CredentialFault.MISSING),
        ([b"Bearer"], CredentialFault.MALFORMED),
        ([b"Bearer something-else"], CredentialFault.MALFORMED),
        ([b"Bearer dw_short"], CredentialFault.MALFORMED),
        ([b"Bearer a", b"Bearer b"], CredentialFault.MALFORMED),
    ],
)
async def test_what_is_no_credential_is_told_apart_from_a_dead_one(
    world: World, authorization: list[bytes], fault: CredentialFault
) -> None:
    """A missing, a malformed and an unknown credential are three errors."""
    with pytest.raises(UnauthenticatedError) as refused:
        await world.authenticator.authenticate(authorization, [])
    assert refused.value.fault is fault


async def test_a_secret_that_nobody_minted_is_refused_without_argon2(world: World) -> None:
    """A well-formed guess costs a look-up and a MAC, never an Argon2 hash."""
    world.hasher.close()  # any hash would fail from here on
    token, _ = world.admin, None
    assert await is_dead(world, mint_secret(mint_token_id()))
    assert await is_dead(world, mint_secret(token.token_id))


async def test_a_new_platform_key_adopts_each_secret_once(world: World) -> None:
    """After the key was replaced a secret works by its Argon2 record, and then by a MAC under the new key."""
    token, secret = await world.token()
    rotated = replace(world.key, key_id="k2", material=bytes(32))
    mint = Mint(rotated, world.hasher)
    authenticator = Authenticator(
        storage=world.storage,
        mint=mint,
        seals=world.seals,
        console_seals=world.console_seals,
        session_idle=timedelta(minutes=30),
        propagation=world.propagation,
        clock=world.clock,
    )
    bearer = [b"Bearer " + secret.encode()]
    assert token.policy_entry(mac_key_id="k2").secrets == ()
    await authenticator.authenticate(bearer, [])
    adopted = await world.tokens.get(token.token_id)
    assert len(adopted.policy_entry(mac_key_id="k2").secrets) == 1
    world.hasher.close()  # by MAC alone from here on
    assert (await authenticator.authenticate(bearer, [])).token.token_id == token.token_id


async def test_a_full_queue_of_hashes_refuses_and_recovers(world: World) -> None:
    """More secrets at once than the queue holds are refused with a time to come back; nothing is lost."""
    hasher = SecretHasher(CHEAP, queue_length=0)
    places = 0
    try:
        while hasher._places.acquire(blocking=False):
            places += 1
        with pytest.raises(HashingQueueFullError) as refused:
            await hasher.hash(mint_secret(mint_token_id()))
        assert refused.value.retry_after > timedelta(0)
        for _ in range(places):
            hasher._places.release()
        secret = mint_secret(mint_token_id())
        assert await hasher.verify(await hasher.hash(secret), secret)
    finally:
        hasher.close()


async def test_a_use_is_noted_to_within_a_minute(world: World) -> None:
    """`last_used_time` follows the uses, and is not written with each of them."""
    token, secret = await world.token()
    await who(world, secret)
    first = (await world.tokens.get(token.token_id)).last_used_time
    assert first is not None
    world.clock.advance(seconds=30)
    await who(world, secret)
    assert (await world.tokens.get(token.token_id)).last_used_time == first
    world.clock.advance(seconds=31)
    await who(world, secret)
    assert (await world.tokens.get(token.token_id)).last_used_time > first  # type: ignore[operator]
