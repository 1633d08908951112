"""Waking those in this process who wait for a resource to change."""

import asyncio
from collections import defaultdict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class Signals:
    """Wakes the subscribers of a key. A subscriber that was not waiting finds the event set."""

    def __init__(self) -> None:
        self._events: defaultdict[Hashable, set[asyncio.Event]] = defaultdict(set)

    def notify(self, key: Hashable) -> None:
        """Wake all subscribers of *key*."""
        for event in self._events.get(key, ()):
            event.set()

    @contextmanager
    def subscribe(self, *keys: Hashable) -> Iterator[asyncio.Event]:
        """An event that is set at each change of any of them; clear it before looking at them again."""
        event = asyncio.Event()
        for key in keys:
            self._events[key].add(event)
        try:
            yield event
        finally:
            for key in keys:
                self._events[key].discard(event)
                if not self._events[key]:
                    del self._events[key]
