"""The log of one app."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from doorward_server.runtimes.logs.budget import Budget
from doorward_server.runtimes.logs.files import RotatedFile, Snapshot
from doorward_server.runtimes.logs.followers import Follower
from doorward_server.runtimes.logs.lines import LineSplitter, Piece
from doorward_server.runtimes.logs.records import decode, encode, text_of
from doorward_server.services.clock import Clock
from doorward_server.services.runtime import LogLine, LogStream

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLimits:
    """How much is kept of what an app prints."""

    file_bytes: int = 1024 * 1024
    """The size at which a file is rotated; two are kept."""
    rate: float = 1024.0 * 1024
    """Bytes a second that are kept of an app that prints for long; each line counts 64 more."""
    burst: float = 4.0 * 1024 * 1024
    """Bytes that are kept at once."""
    follower_lines: int = 10_000
    """How many lines may wait for a reader who follows."""


class LogBook:
    """What an app printed, and the platform's notes about it. Used in the event loop alone."""

    def __init__(
        self,
        directory: Path,
        *,
        clock: Clock,
        limits: LogLimits,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = RotatedFile(directory, limit=limits.file_bytes)
        self._clock = clock
        self._limits = limits
        self._budget = Budget(rate=limits.rate, burst=limits.burst, clock=monotonic)
        self._followers: set[Follower] = set()
        self._dropped = 0
        self._broken = False

    def stream(self, stream: LogStream) -> "StreamWriter":
        """Where one run of the app writes what it prints to *stream*."""
        return StreamWriter(self, stream)

    def note(self, text: str) -> None:
        """Write a note of the platform."""
        self._tell_dropped()
        self._write(LogStream.PLATFORM, [Piece(text.encode())])

    async def read(self, *, tail: int | None, follow: bool) -> AsyncGenerator[LogLine, None]:
        """The last *tail* lines (None: all that are kept), then new ones until the book is closed."""
        follower = Follower(self._limits.follower_lines)
        # Nothing is awaited between the two, so no line is missed and none comes twice.
        snapshot = self._snapshot()
        if follow:
            self._followers.add(follower)
        try:
            for line in await asyncio.to_thread(_last, snapshot, tail):
                yield line
            while follow and (arrived := await follower.next()) is not None:
                lines, lost = arrived
                if lost:
                    yield LogLine(
                        lines[0].time, LogStream.PLATFORM, f"{lost} lines left out: they came too fast"
                    )
                for line in lines:
                    yield line
        finally:
            snapshot.close()
            self._followers.discard(follower)

    def release(self) -> None:
        """Close the file until the next line comes: the app does not run."""
        self._tell_dropped()
        self._file.close()

    def close(self) -> None:
        """Close the file and end those who follow."""
        self.release()
        for follower in self._followers:
            follower.end()

    def append(self, stream: LogStream, pieces: Sequence[Piece]) -> None:
        """Keep what was printed."""
        if not pieces:
            return
        self._tell_dropped()
        self._budget.spend(bytes_=sum(len(each.data) for each in pieces), lines=len(pieces))
        self._write(stream, pieces)

    def full(self) -> bool:
        """Whether what is printed now is not kept."""
        return not self._budget.open()

    def drop(self, lines: int) -> None:
        """Count lines that were not kept."""
        self._dropped += lines

    def _tell_dropped(self) -> None:
        if self._dropped:
            text = f"{self._dropped} lines left out: the app prints faster than is kept"
            self._dropped = 0
            self._write(LogStream.PLATFORM, [Piece(text.encode())])

    def _write(self, stream: LogStream, pieces: Sequence[Piece]) -> None:
        now = self._clock()
        try:
            self._file.append(encode(now, stream, pieces))
        except OSError as error:
            # A full disk must not stop the app, nor fill our own log with one line for each of its own.
            if not self._broken:
                _log.warning("an app's log cannot be written: %s", error)
            self._broken = True
        else:
            self._broken = False
        if self._followers:
            lines = [LogLine(now, stream, text_of(each.data)) for each in pieces]
            for follower in self._followers:
                follower.push(lines)

    def _snapshot(self) -> Snapshot:
        try:
            return self._file.snapshot()
        except OSError as error:
            _log.warning("an app's log cannot be read: %s", error)
            return Snapshot()


class StreamWriter:
    """One stream of one run of an app, on its way into the book."""

    def __init__(self, book: LogBook, stream: LogStream) -> None:
        self._book = book
        self._stream = stream
        self._splitter = LineSplitter()

    def feed(self, chunk: bytes) -> None:
        """Take what was read."""
        if self._book.full():
            self._book.drop(self._splitter.skip(chunk))
        else:
            self._book.append(self._stream, self._splitter.feed(chunk))

    def flush(self) -> None:
        """Keep an unfinished line: the app has ended."""
        self._book.append(self._stream, self._splitter.flush())


def _last(snapshot: Snapshot, tail: int | None) -> list[LogLine]:
    records = snapshot.records()
    if tail is not None:
        records = records[max(0, len(records) - tail) :]
    return [line for line in map(decode, records) if line is not None]
