"""Children for a supervisor that runs in the process of the test."""

import asyncio
import os
import signal
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from doorward_server.runtimes import RestartPolicy
from doorward_server.supervisor import Child, Output, Timing, supervise
from tests.integration.runtimes.support import DEADLINE, eventually

QUICK = Timing(
    ready_timeout=DEADLINE,
    stop_grace=DEADLINE,
    restarts=RestartPolicy(first_delay=0.05, factor=1.2, crashes=None),
)

IGNORING = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
"""Part of a program that does not stop when it is asked to."""


class Family:
    """Children for a supervisor, which leave notes of what they do, and what the supervisor wrote."""

    def __init__(self, folder: Path, output: Output, written: Path) -> None:
        self.folder = folder
        self.output = output
        self.written = written

    def child(self, name: str, *parts: str, after: tuple[str, ...] = ()) -> Child:
        """A child that runs *parts*, notes that it is ready, and waits; at SIGTERM it notes that it ends."""
        code = [
            """
            import os, signal, sys, time
            def note(text):
                with open(os.environ["NOTES"], "a") as file:
                    file.write(f"{text} {os.environ['NAME']} {os.getpid()}\\n")
            def bye(*_):
                note("ends")
                sys.exit(0)
            signal.signal(signal.SIGTERM, bye)
            """,
            *parts,
            'note("ready")',
            "while True: time.sleep(600)",
        ]
        return Child(
            name=name,
            argv=[sys.executable, "-S", "-c", "\n".join(textwrap.dedent(part) for part in code)],
            env={"NAME": name, "NOTES": str(self.folder / "notes")},
            ready=self.noted(f"ready {name} "),
            after=after,
        )

    def notes(self) -> list[str]:
        """What the children have noted, in order."""
        path = self.folder / "notes"
        return path.read_text().splitlines() if path.exists() else []

    def pids(self, name: str) -> list[int]:
        """The numbers that the child *name* has had so far."""
        return [int(note.split()[2]) for note in self.notes() if note.startswith(f"ready {name} ")]

    def noted(self, start: str) -> Callable[[], Awaitable[None]]:
        """Waits for a note."""
        return lambda: eventually(lambda: any(note.startswith(start) for note in self.notes()))

    def lines(self) -> list[str]:
        """What the supervisor has written for people."""
        return self.written.read_text().splitlines()


@asynccontextmanager
async def supervised(
    family: Family, *children: Child, timing: Timing = QUICK
) -> AsyncIterator["asyncio.Task[int]"]:
    """A supervisor whose children are all ready; it must have ended by itself when the block is left."""
    ready = asyncio.Event()
    task = asyncio.create_task(supervise(children, on_ready=ready.set, output=family.output, timing=timing))
    try:
        await asyncio.wait_for(ready.wait(), DEADLINE)
        yield task
        await asyncio.wait_for(asyncio.shield(task), DEADLINE)
    finally:
        task.cancel()
        await asyncio.wait({task})


async def refused(family: Family, *children: Child, timing: Timing = QUICK) -> int:
    """The exit status of a supervisor whose children never become ready."""
    called: list[None] = []
    async with asyncio.timeout(DEADLINE):
        status = await supervise(
            children, on_ready=lambda: called.append(None), output=family.output, timing=timing
        )
    assert not called
    return status


def interrupt(number: signal.Signals = signal.SIGTERM) -> None:
    """Send the supervisor, which runs in this process, a signal."""
    os.kill(os.getpid(), number)
