"""Sessions: who may begin one, how long it lasts, and how it ends."""

from datetime import timedelta
from uuid import uuid4

import pytest

from doorward_server.domain.apps import App
from doorward_server.domain.credentials import Secret
from doorward_server.domain.errors import InvalidFieldsError
from doorward_server.domain.ids import SessionId
from doorward_server.domain.roles import Role
from doorward_server.domain.tokens import Token
from doorward_server.services.calls import Call, authorize
from doorward_server.services.errors import (
    AppNotFoundError,
    SessionNotFoundError,
    SupersededSecretError,
    TooManySessionsError,
    UnauthenticatedError,
)
from doorward_server.services.propagation import Enforcement
from doorward_server.services.session_service import NewSession
from tests.integration.services.conftest import BHS, SESSION_BURST, World


async def begun(world: World, app: App, token: Token, *, generation: int | None = None) -> NewSession:
    """A session of a token with an app."""
    call = authorize("CreateSession", token, generation=generation or token.generation, request_id="test")
    return await world.sessions.create(call, f"{app.app_id}.app.gra.localhost:8080")


async def by_session(world: World, new: NewSession) -> Call:
    """A call that is made with the session itself."""
    caller = await world.authenticator.authenticate_session(new.credential.encode())
    return authorize(
        "DeleteSession",
        caller.token,
        request_id="test",
        generation=caller.generation,
        session_id=caller.session_id,
    )


async def test_a_session_is_of_token_generation_and_app(world: World) -> None:
    """Its credential says so, is no older than it may be, and is not kept."""
    app = await world.app()
    token, secret = await world.token()
    new = await begun(world, app, token)
    session = world.seals.open(new.credential.encode())
    assert session is not None
    assert (session.token_id, session.generation, session.app_id) == (token.token_id, 1, app.app_id)
    assert session.session_id == new.record.session_id
    assert session.end == new.record.expire_time.timestamp()
    began = new.record.create_time.timestamp()
    assert 0 <= began + 1800 - session.idle_end < 0.002
    assert 0 <= began + 12 * 3600 - session.end < 0.002
    assert secret.reveal() not in new.credential
    (event,) = await world.audited("CreateSession")
    assert (event.actor, event.resource_type, event.resource_id) == (
        token.token_id,
        "session",
        session.session_id,
    )
    assert event.details["app_id"] == app.app_id
    assert new.credential not in str(event)


async def test_every_login_is_another_session(world: World) -> None:
    """No id is ever taken over from what a browser brings along."""
    app = await world.app()
    token, _ = await world.token()
    ids = {(await begun(world, app, token)).record.session_id for _ in range(3)}
    assert len(ids) == 3


async def test_a_session_never_outlives_its_token(world: World) -> None:
    """Neither when idle nor at its end."""
    app = await world.app()
    token, _ = await world.token(expire_time=world.clock() + timedelta(minutes=10))
    session = world.seals.open((await begun(world, app, token)).credential.encode())
    assert session is not None
    assert token.expire_time is not None
    assert session.idle_end == session.end <= token.expire_time.timestamp()
    world.clock.advance(minutes=11)
    with pytest.raises(UnauthenticatedError):
        await begun(world, app, token)


@pytest.mark.parametrize(
    "host", ["", "x", "localhost", "{app}.app.gra.localhost,x", "user@{app}.app.gra.localhost"]
)
async def test_a_host_that_is_no_apps_is_refused(world: World, host: str) -> None:
    """The error names the field, and repeats nothing."""
    app = await world.app()
    with pytest.raises(InvalidFieldsError, match="host: must be an app's host name") as refused:
        await world.sessions.create(world.call("CreateSession"), host.format(app=app.app_id))
    assert app.app_id not in str(refused.value)


async def test_what_is_out_of_scope_cannot_be_told_from_what_is_not_there(world: World) -> None:
    """An app of another group, of another region, at another region's domain, on its way out, or none."""
    token, _ = await world.token(selector="group=A")
    mine = await world.app(labels={"group": "A"})
    other = await world.app(labels={"group": "B"})
    elsewhere = await world.app(labels={"group": "A"}, region=BHS)
    leaving = await world.app_without_lifecycle()
    call = world.call("CreateSession", token)
    for host in (
        f"{other.app_id}.app.gra.localhost",
        f"{elsewhere.app_id}.app.bhs.localhost",
        f"{mine.app_id}.app.bhs.localhost",
        f"{mine.app_id}.app.gra.localhost.evil.example",
        f"{leaving}.app.gra.localhost",
        f"{uuid4()}.app.gra.localhost",
    ):
        with pytest.raises(AppNotFoundError) as refused:
            await world.sessions.create(call, host)
        assert str(refused.value) == f"no app {host[:36]} in the token's scope"
    assert (await begun(world, mine, token)).record.app_id == mine.app_id


async def test_a_former_secret_begins_no_session(world: World) -> None:
    """Not even while its grace period runs: its sessions have ended."""
    app = await world.app()
    token, old = await world.token()
    await world.tokens.regenerate(
        world.call("RegenerateToken"), token.token_id, grace_period=timedelta(days=1)
    )
    caller = await world.authenticator.authenticate([b"Bearer " + old.encode()], [])
    assert caller.generation == 1
    with pytest.raises(SupersededSecretError):
        await begun(world, app, caller.token, generation=caller.generation)
    assert (await begun(world, app, caller.token)).record.token_id == token.token_id


async def test_a_token_that_was_deleted_meanwhile_begins_no_session(world: World) -> None:
    """Between the guard and the use case, everything may happen."""
    app = await world.app()
    token, _ = await world.token()
    await world.tokens.delete(world.call("DeleteToken"), token.token_id)
    with pytest.raises(UnauthenticatedError):
        await begun(world, app, token)


async def test_a_logout_is_enforced_once(world: World) -> None:
    """It is a change of the policy, audited; to say it again changes nothing, and waits just as well."""
    app = await world.app()
    token, _ = await world.token()
    new = await begun(world, app, token)
    call = await by_session(world, new)
    update = await world.sessions.end(call, new.record.session_id)
    assert update is not None
    assert update.enforcement is Enforcement.EVERYWHERE
    assert world.propagation.enforced[-1] == update.revision
    (event,) = await world.audited("DeleteSession")
    assert (event.actor, event.resource_id, event.revision) == (
        token.token_id,
        new.record.session_id,
        update.revision,
    )
    assert await world.sessions.end(call, new.record.session_id) is None
    assert world.propagation.enforced[-2:] == [update.revision] * 2
    assert len(await world.audited("DeleteSession")) == 1
    async with world.storage.read() as work:
        assert [each.session_id async for some in work.policy.ended_sessions() for each in some] == [
            new.record.session_id
        ]


async def test_a_session_that_was_idle_can_still_be_ended(world: World) -> None:
    """Somebody may have kept a copy of its cookie in use; one at its end needs no ending."""
    app = await world.app()
    token, _ = await world.token()
    new = await begun(world, app, token)
    world.clock.advance(hours=11)
    call = await by_session(world, new)
    assert await world.sessions.end(call, new.record.session_id) is not None
    world.clock.advance(hours=1)
    assert await world.sessions.end(call, new.record.session_id) is None
    with pytest.raises(UnauthenticatedError):
        await by_session(world, new)


async def test_nobody_ends_anothers_session(world: World) -> None:
    """Neither another token, ADMIN included, nor another session of the same token."""
    app = await world.app()
    token, _ = await world.token()
    other, _ = await world.token(role=Role.OPERATOR)
    new, second = await begun(world, app, token), await begun(world, app, token)
    for call in (
        world.call("DeleteSession", other),
        world.call("DeleteSession"),
        await by_session(world, second),
    ):
        with pytest.raises(SessionNotFoundError):
            await world.sessions.end(call, new.record.session_id)
    with pytest.raises(SessionNotFoundError):
        await world.sessions.end(world.call("DeleteSession", token), SessionId(str(uuid4())))
    assert await world.sessions.end(world.call("DeleteSession", token), new.record.session_id) is not None


async def test_a_session_is_a_credential_for_as_long_as_its_secret(world: World) -> None:
    """Not with another seal, after the secret was replaced, or when the token is gone."""
    app = await world.app()
    token, _ = await world.token()
    new = await begun(world, app, token)
    with pytest.raises(UnauthenticatedError):
        await world.authenticator.authenticate_session(new.credential[:-1].encode() + b"!")
    await world.tokens.regenerate(
        world.call("RegenerateToken"), token.token_id, grace_period=timedelta(days=1)
    )
    with pytest.raises(UnauthenticatedError):
        await by_session(world, new)
    caller, _ = await world.token()
    later = await begun(world, app, caller)
    await world.tokens.delete(world.call("DeleteToken"), caller.token_id)
    with pytest.raises(UnauthenticatedError):
        await by_session(world, later)


async def test_no_secret_is_stored(world: World) -> None:
    """What is kept of a session does not make its cookie."""
    app = await world.app()
    token, secret = await world.token()
    new = await begun(world, app, token)
    async with world.storage.read() as work:
        record = await work.sessions.get(new.record.session_id)
    assert isinstance(secret, Secret)
    assert record == new.record
    assert new.credential not in repr(record)


async def test_a_token_begins_so_many_sessions(world: World) -> None:
    """Then it waits, and nobody else does; what is refused leaves neither a row nor a line of the audit."""
    app = await world.app()
    token, _ = await world.token()
    other, _ = await world.token()
    for _ in range(SESSION_BURST):
        await begun(world, app, token)
    with pytest.raises(TooManySessionsError) as refused:
        await begun(world, app, token)
    assert len(await world.audited("CreateSession")) == SESSION_BURST
    assert (await begun(world, app, other)).record.token_id == other.token_id
    world.clock.advance(seconds=refused.value.retry_after.total_seconds())
    await begun(world, app, token)
    with pytest.raises(TooManySessionsError):
        await begun(world, app, token)


async def test_a_call_that_finds_no_app_counts_as_well(world: World) -> None:
    """It costs as much."""
    token, _ = await world.token()
    call = world.call("CreateSession", token)
    for _ in range(SESSION_BURST):
        with pytest.raises(AppNotFoundError):
            await world.sessions.create(call, f"{uuid4()}.app.gra.localhost")
    with pytest.raises(TooManySessionsError):
        await world.sessions.create(call, f"{uuid4()}.app.gra.localhost")
