"""One child of the supervisor."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from doorward_server.runtimes.children.groups import ProcessGroup
from doorward_server.runtimes.children.pipes import OutputPipe
from doorward_server.runtimes.children.restarts import RestartPolicy, Restarts
from doorward_server.runtimes.children.warden import Warden
from doorward_server.runtimes.logs.lines import LineSplitter, Piece
from doorward_server.supervisor.output import Output

_LONGEST_LINE: Final = 1024 * 1024
_LAST_LINES: Final = 20
_DRAIN_PATIENCE: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A program to keep running."""

    name: str
    """For people."""
    argv: Sequence[str]
    env: Mapping[str, str] = field(repr=False)
    """Its whole environment."""
    ready: Callable[[], Awaitable[None]]
    """Returns when the child is ready, however often it has to ask; raises when it never will be.

    Cancelled when the child has ended or takes too long.
    """
    after: tuple[str, ...] = ()
    """The names of those who must be ready before this one is started."""


class StartError(Exception):
    """A child did not become ready the first time. The text names it and says why."""

    def __init__(self, message: str, last_lines: Sequence[bytes]) -> None:
        super().__init__(message)
        self.last_lines = last_lines


class Keeper:
    """Starts one child, and starts it again when it crashes."""

    def __init__(self, child: Child, *, output: Output, warden: Warden, grace: float) -> None:
        """*grace*: seconds between SIGTERM and SIGKILL."""
        self._child = child
        self._output = output
        self._warden = warden
        self._grace = grace
        self._group: ProcessGroup | None = None
        self._pipes: list[tuple[OutputPipe, LineSplitter]] = []
        self._last_lines: deque[bytes] = deque(maxlen=_LAST_LINES)
        self._ready = asyncio.Event()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(
        self, *, after: Iterable["Keeper"], ready_timeout: float, restarts: RestartPolicy
    ) -> None:
        """Start the child once those *after* which it comes are ready; returns when it is ready itself.

        Raises `StartError` when it has ended, or is not ready within *ready_timeout* seconds of its start.
        """
        for other in after:
            await other._ready.wait()  # noqa: SLF001 - one of us
        try:
            group = self._launch()
        except (OSError, ValueError) as error:
            raise self._start_error(f"cannot be started: {error}") from error
        ready = asyncio.ensure_future(self._child.ready())
        exited = asyncio.ensure_future(group.exited())
        try:
            await asyncio.wait({ready, exited}, timeout=ready_timeout, return_when=asyncio.FIRST_COMPLETED)
            if exited.done():
                # What it said last may still be in the pipe.
                await self._end()
                raise self._start_error(f"{exited.result()} before it was ready")
            if not ready.done():
                raise self._start_error(f"was not ready within {ready_timeout:g} s")
            try:
                await ready
            except Exception as error:
                raise self._start_error(f"is not ready: {error}") from error
        finally:
            await _cancel(ready, exited)
        self._ready.set()
        self._task = asyncio.create_task(self._keep(restarts), name=f"keep {self._child.name}")

    async def stop(self, hurry: asyncio.Event) -> None:
        """End the child with all that it started. Once *hurry* is set, with SIGKILL."""
        self._stopping.set()
        if self._task is not None:
            await self._task
        killing = asyncio.create_task(self._kill_when(hurry))
        try:
            await self._end()
        finally:
            await _cancel(killing)

    async def _keep(self, policy: RestartPolicy) -> None:
        restarts = Restarts(policy, asyncio.get_running_loop().time)
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            while True:
                how = await self._crashed(stopping)
                if how is None:
                    return
                delay = restarts.delay() or policy.longest_delay
                self._output.say(f"{self._child.name} {how}; restarting in {delay:g} s")
                await self._end()
                await asyncio.wait({stopping}, timeout=delay)
        finally:
            await _cancel(stopping)

    async def _crashed(self, stopping: "asyncio.Task[Any]") -> str | None:
        """How the child has ended, after a new start if need be; None when it is to be stopped."""
        if stopping.done():
            return None
        try:
            group = self._group or self._launch()
        except OSError as error:
            return f"cannot be started: {error}"
        exited = asyncio.ensure_future(group.exited())
        try:
            await asyncio.wait({stopping, exited}, return_when=asyncio.FIRST_COMPLETED)
            return None if stopping.done() else str(exited.result())
        finally:
            await _cancel(exited)

    def _launch(self) -> ProcessGroup:
        try:
            for _ in ("stdout", "stderr"):
                splitter = LineSplitter(_LONGEST_LINE)
                self._pipes.append((OutputPipe(self._receiver(splitter)), splitter))
            self._group = ProcessGroup.spawn(
                self._child.argv,
                env=self._child.env,
                stdout=self._pipes[0][0].write_end,
                stderr=self._pipes[1][0].write_end,
                warden=self._warden,
            )
        except (OSError, ValueError):
            for pipe, _ in self._pipes:
                pipe.close()
            self._pipes.clear()
            raise
        for pipe, _ in self._pipes:
            pipe.close_write_end()
        return self._group

    def _receiver(self, splitter: LineSplitter) -> Callable[[bytes], None]:
        return lambda data: self._pass_on(splitter.feed(data))

    def _pass_on(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            self._last_lines.append(piece.data)
            self._output.line(self._child.name, piece.data)

    async def _end(self) -> None:
        """End what runs. Whoever was cut short here can begin again."""
        if self._group is not None:
            await self._group.end(self._grace)
            self._group = None
        while self._pipes:
            pipe, splitter = self._pipes[0]
            await pipe.drained(_DRAIN_PATIENCE)
            self._pass_on(splitter.flush())
            del self._pipes[0]

    async def _kill_when(self, hurry: asyncio.Event) -> None:
        await hurry.wait()
        if self._group is not None:
            self._group.kill()

    def _start_error(self, what: str) -> StartError:
        return StartError(f"{self._child.name} {what}", list(self._last_lines))


async def _cancel(*tasks: "asyncio.Future[Any]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
