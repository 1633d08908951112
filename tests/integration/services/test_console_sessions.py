"""Sessions with the console: for every token, for the API alone, and gone when the token is."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from doorward_server.domain.roles import Role
from doorward_server.domain.tokens import Token
from doorward_server.services.authentication import Authenticated
from doorward_server.services.calls import Call, authorize
from doorward_server.services.errors import SupersededSecretError, TooManySessionsError, UnauthenticatedError
from doorward_server.services.session_service import NewSession
from doorward_server.services.token_service import TokenChanges
from tests.integration.services.conftest import SESSION_BURST, World

CONSOLE = "console.localhost"


async def begun(world: World, token: Token, host: str = f"{CONSOLE}:8080") -> NewSession:
    """A session of a token with the console."""
    return await world.sessions.create(world.call("CreateSession", token), host)


async def by_session(world: World, new: NewSession, action: str = "WhoAmI") -> Call:
    """A call that is made with the session."""
    caller = await world.authenticator.authenticate_console(new.credential.encode())
    return called(caller, action)


def called(caller: Authenticated, action: str) -> Call:
    """The call of a caller."""
    return authorize(
        action,
        caller.token,
        generation=caller.generation,
        session_id=caller.session_id,
        request_id="test",
    )


async def is_dead(world: World, new: NewSession) -> bool:
    """Whether the session is not taken any more."""
    try:
        await by_session(world, new)
    except UnauthenticatedError:
        return True
    return False


@pytest.mark.parametrize("host", [CONSOLE, "CONSOLE.localhost.:1"])
async def test_every_token_has_one(world: World, host: str) -> None:
    """Also one that opens no app; it calls in the token's name and with its role."""
    token, secret = await world.token(selector="group=nobody")
    new = await begun(world, token, host)
    assert (new.host, new.record.app_id) == (CONSOLE, None)
    call = await by_session(world, new)
    assert (call.actor, call.caller.role, call.session_id) == (
        token.token_id,
        Role.READ_ONLY,
        new.record.session_id,
    )
    (event,) = await world.audited("CreateSession")
    assert (event.actor, event.resource_id) == (token.token_id, new.record.session_id)
    assert event.details["host"] == CONSOLE
    assert "app_id" not in event.details
    assert secret.reveal() not in new.credential
    assert new.credential not in str(event)


async def test_neither_kind_is_taken_for_the_other(world: World) -> None:
    """The app's does not reach the API, and the console's has not what opens an app."""
    app = await world.app()
    token, _ = await world.token()
    opens_app = await begun(world, token, f"{app.app_id}.app.gra.localhost")
    with pytest.raises(UnauthenticatedError):
        await world.authenticator.authenticate_console(opens_app.credential.encode())
    console = await begun(world, token)
    assert world.seals.open(console.credential.encode()) is None
    assert world.console_seals.open(opens_app.credential.encode()) is None


async def test_it_ends_with_its_secret(world: World) -> None:
    """Regenerated, with a grace period or without, deleted or expired: by the time that the call returns."""
    regenerated, _ = await world.token()
    in_grace, _ = await world.token()
    deleted, _ = await world.token()
    expired, _ = await world.token()
    tokens = (regenerated, in_grace, deleted, expired)
    sessions = [await begun(world, token) for token in tokens]
    assert not any([await is_dead(world, each) for each in sessions])
    call = world.call("RegenerateToken")
    await world.tokens.regenerate(call, regenerated.token_id, grace_period=timedelta())
    await world.tokens.regenerate(call, in_grace.token_id, grace_period=timedelta(days=1))
    await world.tokens.delete(world.call("DeleteToken"), deleted.token_id)
    end = world.clock() + timedelta(seconds=1)
    await world.tokens.update(
        world.call("UpdateToken"), expired.token_id, TokenChanges(expire_time=end, set_expire_time=True)
    )
    world.clock.advance(seconds=1)
    assert all([await is_dead(world, each) for each in sessions])


async def test_it_is_not_begun_with_a_former_secret(world: World) -> None:
    """Whose grace period is for programs."""
    token, _ = await world.token()
    call = world.call("CreateSession", token)
    await world.tokens.regenerate(
        world.call("RegenerateToken"), token.token_id, grace_period=timedelta(days=1)
    )
    with pytest.raises(SupersededSecretError):
        await world.sessions.create(call, CONSOLE)


async def test_it_ends_when_idle_and_is_renewed_by_use(world: World) -> None:
    """In the second half of the idle time an answer has a new credential, up to the end of all."""
    token, _ = await world.token()
    new = await begun(world, token)
    credential = new.credential.encode()
    world.clock.advance(minutes=14)
    assert (await world.authenticator.authenticate_console(credential)).renewed is None
    world.clock.advance(minutes=2)
    renewed = (await world.authenticator.authenticate_console(credential)).renewed
    assert renewed is not None
    world.clock.advance(minutes=15)
    with pytest.raises(UnauthenticatedError):
        await world.authenticator.authenticate_console(credential)
    while world.clock() < new.record.expire_time:
        found = await world.authenticator.authenticate_console(renewed.encode())
        assert found.session_id == new.record.session_id
        renewed = found.renewed or renewed
        world.clock.advance(minutes=20)
    with pytest.raises(UnauthenticatedError):
        await world.authenticator.authenticate_console(renewed.encode())


async def test_it_never_outlives_its_token(world: World) -> None:
    """Neither when idle nor at its end."""
    token, _ = await world.token(expire_time=world.clock() + timedelta(minutes=10))
    new = await begun(world, token)
    assert new.record.expire_time <= world.clock() + timedelta(minutes=10)
    world.clock.advance(minutes=10)
    assert await is_dead(world, new)


async def test_signing_out_ends_every_copy_at_once(world: World) -> None:
    """No replica is asked, for none knows it; the other sessions of the token go on."""
    token, _ = await world.token()
    new, other = await begun(world, token), await begun(world, token)
    ending = called(await world.authenticator.authenticate_session(new.credential.encode()), "DeleteSession")
    enforced = list(world.propagation.enforced)
    assert await world.sessions.end(ending, new.record.session_id) is None
    assert world.propagation.enforced == enforced
    assert await is_dead(world, new)
    assert not await is_dead(world, other)
    (event,) = await world.audited("DeleteSession")
    assert (event.actor, event.resource_id, event.revision) == (token.token_id, new.record.session_id, None)
    assert await world.sessions.end(ending, new.record.session_id) is None
    assert len(await world.audited("DeleteSession")) == 1


async def nothing() -> AsyncGenerator[None, None]:
    """A stream that stays open."""
    await asyncio.Event().wait()
    yield


@pytest.mark.parametrize("by", ["sign-out", "regenerate", "end"])
async def test_streams_end_with_it(world: World, by: str) -> None:
    """What it follows, such as an app's log, goes on no longer than itself."""
    token, _ = await world.token()
    new = await begun(world, token)
    call = await by_session(world, new, "WatchApp")

    async def follow() -> None:
        async for _ in world.liveness.while_live(call, nothing()):
            pass

    following = asyncio.create_task(follow())
    done, _ = await asyncio.wait({following}, timeout=0.3)
    assert not done
    match by:
        case "sign-out":
            await world.sessions.end(world.call("DeleteSession", token), new.record.session_id)
        case "regenerate":
            await world.tokens.regenerate(
                world.call("RegenerateToken"), token.token_id, grace_period=timedelta(days=1)
            )
        case _:
            world.clock.advance(hours=12)
            world.signals.notify(token.token_id)
    with pytest.raises(UnauthenticatedError):
        await asyncio.wait_for(following, 10)


async def test_signing_in_counts_among_the_sessions_of_a_token(world: World) -> None:
    """Those with apps among them: the limit is the token's."""
    app = await world.app()
    token, _ = await world.token()
    await begun(world, token, f"{app.app_id}.app.gra.localhost")
    for _ in range(SESSION_BURST - 1):
        await begun(world, token)
    for host in (CONSOLE, f"{app.app_id}.app.gra.localhost"):
        with pytest.raises(TooManySessionsError):
            await begun(world, token, host)
