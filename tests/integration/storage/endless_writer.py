"""Commits one app after another, and says so, until it is killed: run by `test_durability`."""

import asyncio
import sys

from doorward_server.storage import open_storage
from tests.integration.storage import samples


async def main(database_url: str) -> None:
    """Write without end."""
    async with await open_storage(database_url) as storage:
        while True:
            app = samples.app()
            async with storage.write() as work:
                await work.apps.add(app)
                revision = await work.policy.app_changed(app.app_id)
            sys.stdout.write(f"{revision}\n")
            sys.stdout.flush()


asyncio.run(main(sys.argv[1]))
