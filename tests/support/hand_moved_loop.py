"""An event loop for tests in which time passes when they say so."""

import asyncio


class HandMovedLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still until it is told to move."""

    def __init__(self) -> None:
        self.now = 1_000.0
        super().__init__()

    def time(self) -> float:
        return self.now

    def settle(self) -> None:
        """Run whatever can run at this moment."""
        idle = 0
        while idle < 2:
            self.call_soon(self.stop)
            self.run_forever()
            idle = 0 if getattr(self, "_ready", ()) else idle + 1

    def advance(self, seconds: float) -> None:
        """Move on, and run what was due."""
        self.now += seconds
        self.settle()
