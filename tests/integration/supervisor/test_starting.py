"""Several programs are started together, or not at all."""

from dataclasses import replace

import pytest

from doorward_server.supervisor import supervise
from tests.integration.runtimes.support import runs
from tests.integration.supervisor.family import QUICK, Family, interrupt, refused, supervised


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
    # Time for a supervisor that does not wait to go wrong.
    slow = "time.sleep(0.3)"
    async with supervised(family, later, family.child("first", slow), family.child("second")) as task:
        interrupt()
        assert await task == 0
    order = [" ".join(note.split()[:2]) for note in family.notes()]
    assert order.index("begins later") > max(order.index("ready first"), order.index("ready second"))


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


async def test_secrets_in_the_environment(family: Family) -> None:
    """What a child gets in its environment is in nothing that shows the child."""
    child = replace(family.child("api"), env={"KEY": "hush"})
    assert "hush" not in repr(child)
