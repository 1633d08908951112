"""Running several programs as one."""

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from doorward_server.runtimes.children.restarts import RestartPolicy
from doorward_server.runtimes.children.warden import Warden
from doorward_server.supervisor.children import Child, Keeper, StartError
from doorward_server.supervisor.output import Output


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How patient the supervisor is. Times are in seconds."""

    ready_timeout: float = 30.0
    """How long a child may take to become ready the first time."""
    stop_grace: float = 10.0
    """How long a child has between SIGTERM and SIGKILL."""
    restarts: RestartPolicy = field(default_factory=lambda: RestartPolicy(crashes=None, window=60.0))
    """When a child that has crashed is started again."""


async def supervise(
    children: Sequence[Child], *, on_ready: Callable[[], None], output: Output, timing: Timing | None = None
) -> int:
    """Run *children* until SIGINT, SIGTERM or SIGHUP; the exit status for the whole.

    They are started side by side, but for what `Child.after` says. When all are ready, *on_ready* is called.
    From then on, a child that ends is started again, after a delay that grows, and *output* says so. At a
    signal they are stopped in the reverse of their order, each one gone before the next is told: 0. A second
    signal kills them. When a child does not become ready the first time, all are stopped and the reason is
    said with what it printed last: 1.

    Children lead process groups of their own, so that a terminal's Ctrl-C reaches the supervisor alone. If
    the supervisor is killed, its warden ends them. Must run in the main thread, where signals arrive.
    """
    timing = timing or Timing()
    warden = Warden(grace=timing.stop_grace)
    keepers = {
        child.name: Keeper(child, output=output, warden=warden, grace=timing.stop_grace) for child in children
    }
    if len(keepers) != len(children):
        raise ValueError("two children have one name")
    with _signals() as (stop, hurry):
        try:
            starting = asyncio.create_task(_start_all(children, keepers, timing))
            if not await _ends_before(starting, stop):
                return 0
            try:
                await starting
            except StartError as error:
                _explain(error, output)
                return 1
            on_ready()
            await stop.wait()
            return 0
        finally:
            for keeper in reversed(keepers.values()):
                await keeper.stop(hurry)
            warden.close()


async def _start_all(children: Sequence[Child], keepers: dict[str, Keeper], timing: Timing) -> None:
    """Start all; raises the `StartError` of the first that fails, and gives up on the others."""
    tasks = {
        asyncio.create_task(
            keepers[child.name].start(
                after=[keepers[name] for name in child.after],
                ready_timeout=timing.ready_timeout,
                restarts=timing.restarts,
            ),
            name=f"start {child.name}",
        )
        for child in children
    }
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ends_before(task: "asyncio.Task[Any]", event: asyncio.Event) -> bool:
    """Whether *task* ends before *event* is set; otherwise it is cancelled."""
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        return task.done()
    finally:
        waiting.cancel()
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _explain(error: StartError, output: Output) -> None:
    output.say(str(error))
    for line in error.last_lines:
        output.say(f"    {line.decode(errors='replace')}")


@contextmanager
def _signals() -> Iterator[tuple[asyncio.Event, asyncio.Event]]:
    """Two events: the first signal has come, the second has."""
    stop, hurry = asyncio.Event(), asyncio.Event()

    def received() -> None:
        (hurry if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    numbers = [signal.SIGINT, signal.SIGTERM]
    # nohup has it ignored, and means it.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, received)
    try:
        yield stop, hurry
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
