"""Runs a use case in processes that are killed on the way: `... statement_victim DATABASE-URL USE-CASE`.

For each number that it reads, a child prepares what the use case needs and then kills itself at that step of
it (`hooks.kill_at`). If it comes so far, it says `answered` and what. Then this says `killed` or `done`.
"""

import asyncio
import json
import os
import secrets
import sys

from doorward_server.domain.credentials import PlatformKey
from doorward_server.services.hashing import SecretHasher
from doorward_server.services.signals import Signals
from doorward_server.storage import open_storage
from tests.chaos.hooks import kill_at
from tests.chaos.hooks.switches import own_switch
from tests.chaos.use_cases import USE_CASES, UseCase
from tests.integration.services.conftest import CHEAP, World
from tests.integration.storage.samples import admin
from tests.support.fakes import FakeClock, FakePropagation, FakeRuntime


async def victim(database_url: str, use_case: UseCase, kill_at_step: int) -> None:
    """Do it once, and live if there are fewer steps."""
    hasher = SecretHasher(CHEAP, queue_length=32)
    async with await open_storage(database_url) as storage:
        world = World(
            storage=storage,
            clock=FakeClock(),
            propagation=FakePropagation(),
            runtime=FakeRuntime(),
            signals=Signals(),
            hasher=hasher,
            key=PlatformKey("key-1", secrets.token_bytes(32)),
            admin=admin(),
        )
        await world.lifecycle.start(world.runtime)
        target = await use_case.prepare(world)
        # Else the steps of apps that are there already would be counted, and each round would have more.
        await settled(world)
        own_switch(kill_at.SWITCH).write_text(str(kill_at_step))
        answer = await use_case.act(world, target)
        _say(f"answered {json.dumps(answer)}")
        await settled(world)
        await world.lifecycle.close()
    hasher.close()


async def settled(world: World) -> None:
    """Wait until the lifecycle has nothing left to do."""
    while busy := [task for task in world.lifecycle._tasks.values() if not task.done()]:
        await asyncio.wait(busy)


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def main(database_url: str, use_case: str) -> None:
    """One child for each line of the input."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            asyncio.run(victim(database_url, USE_CASES[use_case], int(line)))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status == 0:
            _say("done")
        elif os.WIFSIGNALED(status):
            _say("killed")
        else:
            sys.exit("the use case has failed")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
