"""Turns: few at once, so many a second, and in a fair order."""

import asyncio
from collections.abc import Iterator

import pytest

from doorward_server.runtimes.turns import Turns
from tests.support.hand_moved_loop import HandMovedLoop

NO_BOUND = 1_000_000


class Visitors:
    """Some who want turns. Each one stays until it is let out."""

    def __init__(self, loop: HandMovedLoop) -> None:
        self.turns = Turns(at_once=NO_BOUND, per_second=NO_BOUND)
        self.inside: list[str] = []
        """Who has a turn."""
        self.came_in: list[str] = []
        """Who has or had a turn, in order."""
        self.times: list[float] = []
        """When turns began."""
        self._loop = loop
        self._doors: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failing: set[str] = set()
        self._cancelled_by: dict[str, str] = {}

    def come(self, *names: str, hurry: bool = False) -> None:
        """Have them want a turn."""
        for name in names:
            self._doors[name] = asyncio.Event()
            self._tasks[name] = self._loop.create_task(self._visit(name, hurry=hurry))
        self._loop.settle()

    def let_out(self, *names: str) -> None:
        """End their turns; so much time passes that the next ones can begin."""
        for name in names:
            self._doors[name].set()
        self._loop.advance(0.001)

    def send_away(self, *names: str) -> None:
        """Cancel them, whether they wait or have their turn."""
        for name in names:
            self._tasks[name].cancel()
        self._loop.settle()

    def send_away_by(self, leaver: str, other: str) -> None:
        """End the turn of *leaver*, who cancels *other* in the same step of the event loop."""
        self._cancelled_by[leaver] = other
        self.let_out(leaver)

    def fail(self, name: str) -> None:
        """End a turn with an error."""
        self._failing.add(name)
        self.let_out(name)
        with pytest.raises(OSError, match="a defect"):
            self._tasks[name].result()

    async def _visit(self, name: str, *, hurry: bool) -> None:
        async with self.turns.turn(hurry=hurry):
            self.inside.append(name)
            self.came_in.append(name)
            self.times.append(self._loop.time())
            try:
                await self._doors[name].wait()
                if name in self._failing:
                    raise OSError("a defect")
            finally:
                self.inside.remove(name)
        if name in self._cancelled_by:
            self._tasks[self._cancelled_by[name]].cancel()


@pytest.fixture
def loop() -> Iterator[HandMovedLoop]:
    """Time that stands still. Whoever still waits at the end of a test is sent away."""
    loop = HandMovedLoop()
    yield loop
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.settle()
    assert not asyncio.all_tasks(loop)
    loop.close()


@pytest.fixture
def visitors(loop: HandMovedLoop) -> Visitors:
    """Visitors with no bounds yet."""
    return Visitors(loop)


def test_no_more_than_so_many_at_once(visitors: Visitors) -> None:
    """One more has its turn when one has ended, and none before."""
    visitors.turns = Turns(at_once=2, per_second=NO_BOUND)
    visitors.come("a", "b", "c", "d")
    visitors.let_out()
    assert visitors.inside == ["a", "b"]
    visitors.let_out("b")
    assert visitors.inside == ["a", "c"]
    visitors.let_out("a", "c")
    assert visitors.inside == ["d"]


def test_no_more_than_so_many_a_second(loop: HandMovedLoop, visitors: Visitors) -> None:
    """Turns begin at the rate that was set, whatever crowd waits and however long nobody came before."""
    visitors.turns = Turns(at_once=NO_BOUND, per_second=10)
    loop.advance(1_000.0)
    visitors.come(*(f"{number}" for number in range(50)))
    assert len(visitors.inside) <= 2
    for _ in range(600):
        loop.advance(0.01)
    assert len(visitors.inside) == 50
    for first in visitors.times:
        assert sum(first <= each < first + 1.0 for each in visitors.times) <= 12


def test_a_late_event_loop_catches_up(loop: HandMovedLoop, visitors: Visitors) -> None:
    """An event loop that comes a little late each time lowers the rate of turns by nothing."""
    visitors.turns = Turns(at_once=NO_BOUND, per_second=100)
    visitors.come(*(f"{number}" for number in range(300)))
    for _ in range(40):
        loop.advance(0.05)
    assert 199 <= len(visitors.inside) <= 211


def test_first_come_first_served(visitors: Visitors) -> None:
    """Each waits for those who came before it, and for nobody who came later."""
    visitors.turns = Turns(at_once=1, per_second=NO_BOUND)
    names = [f"{number}" for number in range(20)]
    visitors.come(*names)
    for name in names:
        visitors.come(f"later than {name}")
        visitors.let_out(name)
    assert visitors.came_in[:20] == names


def test_hurry(visitors: Visitors) -> None:
    """Whoever is in a hurry does not wait for the crowd that came before."""
    visitors.turns = Turns(at_once=1, per_second=NO_BOUND)
    visitors.come("a", "b", "c", "d")
    visitors.come("x", hurry=True)
    visitors.let_out("a")
    assert visitors.inside == ["x"]


def test_hurry_while_the_rate_is_waited_for(loop: HandMovedLoop, visitors: Visitors) -> None:
    """Who is next is decided when the turn begins, not before."""
    visitors.turns = Turns(at_once=NO_BOUND, per_second=1)
    visitors.come("a", "b", "c")
    assert visitors.inside == ["a"]
    visitors.come("x", hurry=True)
    loop.advance(1.0)
    assert visitors.inside == ["a", "x"]


def test_nobody_is_left_out(visitors: Visitors) -> None:
    """While some are always in a hurry, every other turn is for the others."""
    visitors.turns = Turns(at_once=1, per_second=NO_BOUND)
    visitors.come("x0", "x1", "x2", hurry=True)
    visitors.come("a", "b")
    for number in range(3, 8):
        visitors.come(f"x{number}", hurry=True)
        visitors.let_out(*visitors.inside)
    assert visitors.came_in == ["x0", "a", "x1", "b", "x2", "x3"]


def test_sent_away_while_waiting(visitors: Visitors) -> None:
    """Whoever leaves before its turn takes none, and holds up nobody."""
    visitors.turns = Turns(at_once=1, per_second=NO_BOUND)
    visitors.come("a", "b", "c", "d")
    visitors.send_away("b", "c")
    visitors.let_out("a")
    assert visitors.came_in == ["a", "d"]


def test_sent_away_in_its_turn(loop: HandMovedLoop, visitors: Visitors) -> None:
    """Whoever leaves in the middle of its turn makes room."""
    visitors.turns = Turns(at_once=1, per_second=NO_BOUND)
    visitors.come("a", "b")
    visitors.send_away("a")
    loop.advance(0.001)
    assert visitors.inside == ["b"]


def test_sent_away_just_when_its_turn_comes(loop: HandMovedLoop, visitors: Visitors) -> None:
    """Whoever leaves when its turn has come, and it does not know yet, makes room."""
    visitors.turns = Turns(at_once=1, per_second=NO_BOUND)
    visitors.come("a", "b", "c")
    loop.advance(0.001)
    visitors.send_away_by("a", "b")
    assert visitors.came_in == ["a", "c"]


def test_a_turn_that_fails(visitors: Visitors) -> None:
    """A turn that ends with an error ends nothing else."""
    visitors.turns = Turns(at_once=1, per_second=NO_BOUND)
    visitors.come("a", "b")
    visitors.fail("a")
    assert visitors.inside == ["b"]


def test_all_are_sent_away(loop: HandMovedLoop, visitors: Visitors) -> None:
    """After everybody has gone nothing is left that runs, and who comes later has its turn."""
    visitors.turns = Turns(at_once=1, per_second=1)
    visitors.come("a", "b", "c")
    visitors.send_away("a", "b", "c")
    assert not asyncio.all_tasks(loop)
    loop.advance(10.0)
    visitors.come("d")
    assert visitors.inside == ["d"]
