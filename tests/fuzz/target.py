"""What is fuzzed: a function that takes any bytes, and fails when the product does what it must not."""

import random
from collections.abc import Callable
from dataclasses import dataclass

MutateBytes = Callable[[bytes, int], bytes]
"""libFuzzer's own mutation: bytes, and how many there may be."""

Mutate = Callable[[bytes, int, random.Random, MutateBytes], bytes]


@dataclass(frozen=True, kw_only=True)
class Target:
    """One thing that is fuzzed."""

    name: str
    check: Callable[[bytes], None]
    """Raises whatever it likes when there is a finding."""
    planted: Callable[[bytes], None]
    """The same with a bug planted in what is fuzzed: it has to be found."""
    words: tuple[bytes, ...] = ()
    """What the fuzzer would take long to come upon."""
    mutate: Mutate | None = None
    """Changes an input by its structure. None: its bytes are changed."""
    max_length: int = 512
    """How many bytes an input may have."""
