"""Several programs as one: started together, restarted one by one, stopped in order, never left behind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from doorward_server.runtimes import RestartPolicy
from doorward_server.supervisor import Child, Output, Timing, named, supervise
from tests.integration.runtimes.support import DEADLINE, eventually, runs, wait_until

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


@pytest.fixture(autouse=True)
async def nothing_left_behind() -> AsyncIterator[None]:
    """Fail a test that leaves a process, a zombie or a task."""
    me = psutil.Process()
    tasks, children = asyncio.all_tasks(), set(me.children(recursive=True))
    yield
    await eventually(lambda: asyncio.all_tasks() - tasks == {asyncio.current_task()})
    assert set(me.children(recursive=True)) <= children


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    """Nobody yet."""
    written = tmp_path / "written"
    with written.open("wb") as file:
        output = Output(file.fileno(), line_format=named)
        yield Family(tmp_path, output, written)
        output.close()


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_stops_in_reverse(family: Family, number: signal.Signals) -> None:
    """At a signal the children stop one after the other, the last one first; the exit status is 0."""
    names = ["api", "check", "envoy"]
    async with supervised(family, *map(family.child, names)) as task:
        interrupt(number)
        assert await task == 0
    ends = [note.split()[1] for note in family.notes() if note.startswith("ends")]
    assert ends == ["envoy", "check", "api"]


async def test_side_by_side(family: Family) -> None:
    """Children are started side by side: each can wait until the others run."""
    wait = """
    while len({line.split()[1] for line in open(os.environ["NOTES"]) if line.startswith("begins")}) < 3:
        time.sleep(0.01)
    """
    children = [family.child(name, 'note("begins")', wait) for name in ("api", "check", "envoy")]
    async with supervised(family, *children) as task:
        interrupt()
        assert await task == 0


async def test_after(family: Family) -> None:
    """A child that comes after another is started when that is ready, whatever their order in the list."""
    later = family.child("later", 'note("begins")', after=("first", "second"))
    slow = "time.sleep(0.3)"
    async with supervised(family, later, family.child("first", slow), family.child("second")) as task:
        interrupt()
        assert await task == 0
    order = [" ".join(note.split()[:2]) for note in family.notes()]
    assert order.index("begins later") > max(order.index("ready first"), order.index("ready second"))


async def test_crash(family: Family) -> None:
    """A child that crashes is started again, the others go on, and one line says its name, end and delay."""
    async with supervised(family, family.child("api"), family.child("check")) as task:
        (first,) = family.pids("api")
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: len(family.pids("api")) == 2)
        assert runs(family.pids("check")[0])
        interrupt()
        assert await task == 0
    assert len(family.pids("check")) == 1
    family.output.close()
    assert "doorward: api was killed by SIGKILL; restarting in 0.05 s" in family.lines()


async def test_crash_loop(family: Family) -> None:
    """A child that crashes again and again is started again and again, each time after a longer delay."""
    crashing = 'if os.path.exists(os.environ["NOTES"]): note("crashes"); sys.exit(3)'
    async with supervised(family, family.child("api", crashing)) as task:
        os.kill(family.pids("api")[0], signal.SIGKILL)
        await eventually(lambda: len(family.notes()) >= 5)
        interrupt()
        assert await task == 0
    family.output.close()
    assert family.lines()[:4] == [
        "doorward: api was killed by SIGKILL; restarting in 0.05 s",
        "doorward: api exited with status 3; restarting in 0.06 s",
        "doorward: api exited with status 3; restarting in 0.072 s",
        "doorward: api exited with status 3; restarting in 0.0864 s",
    ]


async def test_crash_takes_its_own_along(family: Family) -> None:
    """What a crashed child had started is gone before the child is started again."""
    starting = """
    import subprocess
    other = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
    note(f"other {other.pid}")
    """
    async with supervised(family, family.child("api", starting)) as task:
        other = int(family.notes()[0].split()[1])
        os.kill(family.pids("api")[0], signal.SIGKILL)
        await eventually(lambda: len(family.pids("api")) == 2)
        assert not runs(other)
        interrupt()
        assert await task == 0


async def test_program_that_went(family: Family, tmp_path: Path) -> None:
    """A child whose program is away when it is to be restarted is tried until the program is back."""
    script = tmp_path / "program"
    child = family.child("api")
    quoted = child.argv[3].replace("'", "'\\''")
    script.write_text(f"#!/bin/sh\nexec '{sys.executable}' -S -c '{quoted}'\n")
    script.chmod(0o755)
    async with supervised(family, replace(child, argv=[str(script)])) as task:
        script.rename(tmp_path / "away")
        os.kill(family.pids("api")[0], signal.SIGKILL)
        await eventually(lambda: any("cannot be started" in line for line in family.lines()))
        (tmp_path / "away").rename(script)
        await eventually(lambda: len(family.pids("api")) == 2)
        interrupt()
        assert await task == 0


async def test_stop_between_restarts(family: Family) -> None:
    """A supervisor that waits to restart a child stops at once all the same."""
    timing = replace(QUICK, restarts=RestartPolicy(crashes=None, first_delay=600.0, longest_delay=600.0))
    async with supervised(family, family.child("api"), timing=timing) as task:
        os.kill(family.pids("api")[0], signal.SIGKILL)
        await eventually(lambda: any("restarting in 600 s" in line for line in family.lines()))
        interrupt()
        assert await task == 0


async def test_never_ready(family: Family) -> None:
    """A child that does not become ready in time stops all; its name and last lines are told; status 1."""
    hanging = family.child("check", "print('waiting for the api', flush=True)", "time.sleep(600)")
    timing = replace(QUICK, ready_timeout=1.0)
    assert await refused(family, family.child("api"), hanging, timing=timing) == 1
    family.output.close()
    told = family.lines()
    assert told[-2:] == ["doorward: check was not ready within 1 s", "doorward:     waiting for the api"]
    assert not any(runs(pid) for pid in family.pids("api"))


async def test_ends_before_it_is_ready(family: Family) -> None:
    """A child that ends before it was ready is not waited for: all stop at once, with what it said last."""
    failing = family.child("api", "print('the port is in use', end='', file=sys.stderr)", "sys.exit(2)")
    assert await refused(family, family.child("check"), failing, family.child("envoy", after=("api",))) == 1
    family.output.close()
    told = family.lines()
    assert told[-2:] == [
        "doorward: api exited with status 2 before it was ready",
        "doorward:     the port is in use",
    ]
    assert not family.pids("envoy")


async def test_check_that_fails(family: Family) -> None:
    """When a child's own check says that it will never be ready, that stops all, with the reason."""

    async def fail() -> None:
        raise OSError("Envoy has no listener")

    child = replace(family.child("envoy"), ready=fail)
    assert await refused(family, family.child("api"), child) == 1
    family.output.close()
    assert family.lines()[-1] == "doorward: envoy is not ready: Envoy has no listener"


async def test_no_such_program(family: Family) -> None:
    """A child whose program does not exist stops all, and is named."""
    missing = replace(family.child("envoy"), argv=["/nowhere/envoy"])
    assert await refused(family, family.child("api"), missing) == 1
    family.output.close()
    assert family.lines()[-1].startswith("doorward: envoy cannot be started: [Errno 2]")


async def test_signal_while_starting(family: Family) -> None:
    """A signal before all are ready stops what was started; that is no failure."""
    waiting = family.child("check", 'note("begins")', "time.sleep(600)")
    task = asyncio.create_task(
        supervise([waiting], on_ready=lambda: None, output=family.output, timing=QUICK)
    )
    await family.noted("begins")()
    interrupt()
    async with asyncio.timeout(DEADLINE):
        assert await task == 0


async def test_killed_after_the_grace(family: Family) -> None:
    """A child that ignores SIGTERM is killed after the grace, with what it has started."""
    starting = """
    import subprocess
    other = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
    note(f"other {other.pid}")
    """
    timing = replace(QUICK, stop_grace=0.3)
    async with supervised(family, family.child("api", IGNORING, starting), timing=timing) as task:
        other = int(family.notes()[0].split()[1])
        interrupt()
        assert await task == 0
    assert not runs(other)


async def test_second_signal(family: Family) -> None:
    """Whoever presses Ctrl-C twice does not want to wait: the second signal kills."""
    async with supervised(family, family.child("api", IGNORING), family.child("check", IGNORING)) as task:
        interrupt(signal.SIGINT)
        await asyncio.sleep(0)
        interrupt(signal.SIGINT)
        async with asyncio.timeout(DEADLINE / 2):
            assert await task == 0


async def test_failing_announcement(family: Family) -> None:
    """When what is to be done at the start fails, all children are stopped, and the error is raised."""

    def fail() -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk is full"):
        await supervise([family.child("api")], on_ready=fail, output=family.output, timing=QUICK)
    assert not runs(family.pids("api")[0])


async def test_two_of_one_name(family: Family) -> None:
    """Two children of one name are a mistake that is found before anything is started."""
    with pytest.raises(ValueError, match="one name"):
        await supervise(
            [family.child("api"), family.child("api")], on_ready=lambda: None, output=family.output
        )
    assert not family.notes()


async def test_output(family: Family) -> None:
    """Lines that children print arrive whole, also long ones of many at once, with the name before them."""
    chatty = """
    import json
    for number in range(200):
        os.write(1 + number % 2, (json.dumps([os.environ["NAME"], number, "x" * 5000]) + "\\n").encode())
    """
    async with supervised(family, family.child("api", chatty), family.child("check", chatty)) as task:
        interrupt()
        assert await task == 0
    family.output.close()
    seen: dict[str, list[int]] = {"api": [], "check": []}
    for line in family.lines():
        prefix, _, text = line.partition(" | ")
        name, number, filling = json.loads(text)
        assert (prefix.rstrip(), filling) == (name, "x" * 5000)
        seen[name].append(number)
    assert sorted(seen["api"]) == sorted(seen["check"]) == list(range(200))


async def test_secrets_in_the_environment(family: Family) -> None:
    """What a child gets in its environment is in nothing that shows the child."""
    child = replace(family.child("api"), env={"KEY": "hush"})
    assert "hush" not in repr(child)


async def test_held_terminal(family: Family) -> None:
    """A terminal that takes no output for a while holds up neither the children nor their stop."""
    reading, writing = os.pipe()
    output = Output(writing)
    child = family.child("api", "for _ in range(400): os.write(1, b'x' * 999 + b'\\n')")
    try:
        async with asyncio.timeout(DEADLINE):
            assert await supervise([child], on_ready=interrupt, output=output, timing=QUICK) == 0
    finally:
        os.close(reading)
        output.close()
        os.close(writing)


def test_left_out() -> None:
    """What a held terminal could not take is left out, and how much that was is told when it goes on."""
    reading, writing = os.pipe()
    output = Output(writing)
    # More than a pipe holds: from here on the writer waits.
    output.line("api", b"x" * 1_000_000)
    wait_until(output._lines.empty)
    for number in range(12_000):
        output.line("api", b"%d" % number)
    taken = bytearray()

    def read() -> None:
        while data := os.read(reading, 65536):
            taken.extend(data)

    reader = threading.Thread(target=read)
    reader.start()
    # Then the writer is through with what has waited.
    wait_until(output._lines.empty)
    output.say("goes on")
    output.close()
    os.close(writing)
    reader.join(DEADLINE)
    os.close(reading)
    assert taken.decode().splitlines()[1:] == [
        *map(str, range(10_000)),
        "doorward: 2000 lines were left out: nobody took them",
        "doorward: goes on",
    ]


PROGRAM = """
import asyncio, os, sys
from doorward_server.supervisor import Child, Output, Timing, supervise

async def ready():
    while not os.path.exists(os.environ["NOTES"]):
        await asyncio.sleep(0.01)

code = '''
import os, subprocess, sys, time
other = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
with open(os.environ["NOTES"] + ".new", "w") as file:
    file.write(f"{os.getpid()} {other.pid}")
os.rename(os.environ["NOTES"] + ".new", os.environ["NOTES"])
time.sleep(600)
'''
child = Child(name="api", argv=[sys.executable, "-S", "-c", code], env=dict(os.environ), ready=ready)
announce = lambda: print("ready", flush=True)
sys.exit(asyncio.run(supervise([child], on_ready=announce, output=Output(), timing=Timing(stop_grace=2.0))))
"""


@pytest.fixture
def program(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A supervisor as a program of its own, leading a process group as under a shell, ready."""
    environment = {**os.environ, "NOTES": str(tmp_path / "notes")}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process
        process.kill()


def all_of(program: subprocess.Popen[bytes]) -> list[int]:
    """The numbers of all that the supervisor has started, directly or not."""
    found = [each.pid for each in psutil.Process(program.pid).children(recursive=True)]
    assert len(found) == 3, "the child, what that has started, and the warden"
    return found


def test_killed(program: subprocess.Popen[bytes]) -> None:
    """When the supervisor is killed with SIGKILL, its children end with all that they have started."""
    family = all_of(program)
    program.kill()
    wait_until(lambda: not any(runs(pid) for pid in family))


def test_control_c(program: subprocess.Popen[bytes]) -> None:
    """A terminal's Ctrl-C, which goes to a whole group, reaches the supervisor alone: it stops the others."""
    family = all_of(program)
    assert {os.getpgid(pid) for pid in family}.isdisjoint({program.pid})
    os.killpg(program.pid, signal.SIGINT)
    assert program.wait(DEADLINE) == 0
    assert not any(runs(pid) for pid in family)


def test_nobody_reads(program: subprocess.Popen[bytes]) -> None:
    """The supervisor stops its children also when nobody reads its output any more."""
    family = all_of(program)
    assert program.stdout is not None
    assert program.stderr is not None
    program.stdout.close()
    program.stderr.close()
    program.terminate()
    assert program.wait(DEADLINE) == 0
    wait_until(lambda: not any(runs(pid) for pid in family))
