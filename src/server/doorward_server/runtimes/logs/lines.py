"""Cutting a stream of bytes into lines."""

from typing import Final, NamedTuple

LONGEST_LINE: Final = 16 * 1024
"""Bytes; what is longer is split."""


class Piece(NamedTuple):
    """A line, or a part of one that is too long. A tuple: floods make many of them."""

    data: bytes
    """Without the end of the line."""
    ends_line: bool = True


class LineSplitter:
    """Cuts what comes in arbitrary chunks into lines. Holds at most one unfinished piece."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        """*longest*: the most bytes of a piece, at least 4."""
        self._longest = longest
        self._rest = b""
        self._skipping = False

    def feed(self, chunk: bytes) -> list[Piece]:
        """The pieces that *chunk* completes."""
        if self._skipping:
            _, newline, chunk = chunk.partition(b"\n")
            self._skipping = not newline
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        pieces = []
        for line in lines:
            if len(line) <= self._longest:
                pieces.append(Piece(line.removesuffix(b"\r")))
                continue
            parts, last = self._cut(line)
            pieces += parts
            pieces.append(Piece(last.removesuffix(b"\r")))
        parts, self._rest = self._cut(self._rest)
        return pieces + parts

    def skip(self, chunk: bytes) -> int:
        """Leave out what is unfinished and all of *chunk*, to go on with the next line; how many were cut."""
        self._rest = b""
        self._skipping = not chunk.endswith(b"\n")
        return chunk.count(b"\n") + self._skipping

    def flush(self) -> list[Piece]:
        """What is left at the end of the stream."""
        rest, self._rest = self._rest, b""
        return [Piece(rest)] if rest else []

    def _cut(self, line: bytes) -> tuple[list[Piece], bytes]:
        """Cut whole pieces off a line, never inside a UTF-8 character; what is left fits in one."""
        parts = []
        start = 0
        while len(line) - start > self._longest:
            end = start + self._longest
            while end > start + self._longest - 4 and line[end] & 0xC0 == 0x80:
                end -= 1
            parts.append(Piece(line[start:end], ends_line=False))
            start = end
        return parts, line[start:]
