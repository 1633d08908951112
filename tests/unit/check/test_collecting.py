"""Garbage collection in a replica."""

import subprocess
import sys

_PROGRAM = """
import gc
from doorward_server.check.collecting import collect_briefly

class Node:
    pass

collect_briefly()
collect_briefly()
assert len(gc.callbacks) == 1

looked_at = []
gc.callbacks.append(lambda phase, info: looked_at.append(len(gc.get_objects())) if phase == "start" else None)
kept = [[Node()] for _ in range(200_000)]
assert max(looked_at) < 60_000, max(looked_at)

# What is new is still collected.
class Cycle:
    freed = 0

    def __init__(self):
        self.itself = self

    def __del__(self):
        Cycle.freed += 1

for _ in range(1_000):
    Cycle()
gc.collect()
assert Cycle.freed == 1_000, Cycle.freed
"""

_RENEWING = """
import gc
from doorward_server.check.bounded import Bounded
from doorward_server.check.collecting import collect_briefly

class Node:
    __slots__ = ("value",)

collect_briefly()
kept = Bounded(10_000)
for number in range(10_000):
    kept[number] = Node()
gc.collect()

looked_at = []
gc.callbacks.append(lambda phase, info: looked_at.append(len(gc.get_objects())) if phase == "start" else None)
# One for another of its key, then each for the oldest.
for number in (*range(10_000), *range(10_000), *range(10_000, 30_000)):
    kept[number] = Node()
gc.collect()
assert len(kept) == 10_000
assert max(looked_at) < 2_000, max(looked_at)
"""


def test_what_is_kept_in_the_place_of_others_is_looked_at_little_by_little() -> None:
    """A cache that is renewed grows by nothing: it must not wait for one collection of all that is new."""
    ended = subprocess.run([sys.executable, "-c", _RENEWING], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_collection_looks_at_what_is_new_alone() -> None:
    """However much a process keeps, a collection has few objects to look at, and still frees new cycles."""
    ended = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
