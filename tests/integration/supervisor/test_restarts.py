"""Programs that crash are started again, one by one."""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from tests.integration.runtimes.support import eventually, runs
from tests.integration.supervisor.family import Family, interrupt, supervised


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
