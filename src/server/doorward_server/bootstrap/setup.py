"""What is made once, before anything runs."""

from contextlib import AsyncExitStack

from doorward_server.bootstrap.secrets import make_hasher
from doorward_server.domain.credentials import Secret
from doorward_server.home import admin_token_file, make_home
from doorward_server.platform_key import PlatformKeyError, ensure_platform_key, load_platform_key
from doorward_server.services.clock import utc_now
from doorward_server.services.minting import Mint
from doorward_server.services.ports import Storage
from doorward_server.services.setup import ensure_admin_token
from doorward_server.settings import Settings
from doorward_server.storage import current, head, open_storage, upgrade


async def prepare(settings: Settings, *, may_replace_key: bool = False) -> Secret | None:
    """Make what a platform needs where it is missing: home, platform key, schema, first ADMIN token.

    Answers the token's secret when it was made now. A key that is missing while there are tokens is made anew
    only when *may_replace_key*: no app would be open to them until each was used with the API. Raises
    `PlatformKeyError`, among others.
    """
    make_home(settings.home)
    # Before the database is touched, in case it cannot be used.
    key = load_platform_key(settings.key_file) if settings.key_file.exists() else None
    await upgrade(settings.database)
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(await open_storage(settings.database))
        if key is None:
            if not may_replace_key:
                await _refuse_to_part_with_tokens(storage, settings)
            key = ensure_platform_key(settings.key_file)
        hasher = make_hasher(settings)
        stack.callback(hasher.close)
        return await ensure_admin_token(
            storage=storage, mint=Mint(key, hasher), clock=utc_now, path=admin_token_file(settings)
        )


async def _refuse_to_part_with_tokens(storage: Storage, settings: Settings) -> None:
    async with storage.read() as work:
        if await work.tokens.page(after=None, limit=1):
            raise PlatformKeyError(
                f"{settings.key_file} is missing, and the database has tokens that were made with it: put it "
                "back, or make a new one with `doorward init --replace-key`"
            )


async def upgrade_database(settings: Settings) -> str:
    """Bring the schema to this version; answers what was done, for people."""
    done = await upgrade(settings.database)
    if done.before == done.after:
        return f"The schema is {done.after} already."
    return f"The schema went from {done.before or 'nothing'} to {done.after}."


async def describe_database(settings: Settings) -> str:
    """Which schema the database has, and which one this version needs, for people."""
    return f"The schema is {await current(settings.database) or 'missing'}; this version needs {head()}."
