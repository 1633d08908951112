"""Changes to the policy, as the services make them."""

from dataclasses import replace

from doorward_server.domain.apps import App, AppState, AppStatus
from doorward_server.domain.credentials import PlatformKey, Secret, mint_secret
from doorward_server.domain.ids import Revision
from doorward_server.domain.policy import Address
from doorward_server.domain.tokens import Token
from doorward_server.services.ports import SessionRecord, Storage
from tests.integration.storage.samples import NOON, generation


async def put_app(storage: Storage, entry: App) -> Revision:
    """Store a new app."""
    async with storage.write() as unit:
        await unit.apps.add(entry)
        return await unit.policy.app_changed(entry.app_id)


async def put_token(storage: Storage, entry: Token) -> Revision:
    """Store a new token."""
    async with storage.write() as unit:
        await unit.tokens.add(entry)
        return await unit.policy.token_changed(entry.token_id)


async def remove_token(storage: Storage, entry: Token) -> Revision:
    """Remove a token."""
    async with storage.write() as unit:
        await unit.tokens.remove(entry.token_id)
        return await unit.policy.token_changed(entry.token_id)


async def end_session(storage: Storage, entry: SessionRecord) -> Revision:
    """End a session that was stored."""
    async with storage.write() as unit:
        await unit.sessions.end(entry.session_id, NOON)
        return await unit.policy.session_ended(entry.session_id)


def with_secret(key: PlatformKey, entry: Token) -> tuple[Token, Secret]:
    """A token that has a real secret."""
    secret = mint_secret(entry.token_id)
    mac = key.token_macs().mac(secret)
    return replace(entry, generations=(generation(mac=mac, mac_key_id=key.key_id),)), secret


def serving(entry: App) -> App:
    """The app, running."""
    status = AppStatus(state=AppState.RUNNING, address=Address(host="127.0.0.1", port=9000))
    return replace(entry, status=status)
