"""A dictionary of bounded size."""

from collections import OrderedDict
from typing import TypeVar

from doorward_server.check.collecting import count_renewal

K = TypeVar("K")
V = TypeVar("V")


class Bounded(OrderedDict[K, V]):
    """Forgets its oldest entry for a new one when it is full: a little work each time, never much at once."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def __setitem__(self, key: K, value: V) -> None:
        former_size = len(self)
        super().__setitem__(key, value)
        if len(self) > self._size:
            self.popitem(last=False)
        if len(self) == former_size:
            count_renewal()
