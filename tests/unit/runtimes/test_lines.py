"""Cutting what a program prints into lines."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from doorward_server.runtimes.logs.lines import LineSplitter, Piece

LONGEST = 8

chunks = st.lists(st.binary(max_size=30) | st.text("aé𝄞\n\r", max_size=20).map(str.encode))


def split(parts: list[bytes]) -> list[Piece]:
    """All the pieces of a stream that comes in *parts*."""
    splitter = LineSplitter(LONGEST)
    return [piece for part in parts for piece in splitter.feed(part)] + splitter.flush()


@given(chunks)
def test_nothing_is_lost(parts: list[bytes]) -> None:
    """The pieces, put together again, are what was printed, but for a carriage return at a line's end."""
    *lines, unfinished = b"".join(parts).split(b"\n")
    expected = [line.removesuffix(b"\r") for line in lines] + [unfinished] * bool(unfinished)
    assert b"".join(piece.data + b"\n" * piece.ends_line for piece in split(parts)) == b"".join(
        line + b"\n" for line in expected
    )


@given(chunks)
def test_chunks_do_not_matter(parts: list[bytes]) -> None:
    """How a stream was cut on its way decides nothing."""
    assert split(parts) == split([b"".join(parts)])


@given(chunks)
def test_bounded(parts: list[bytes]) -> None:
    """No piece is longer than the limit."""
    assert all(len(piece.data) <= LONGEST for piece in split(parts))


@given(st.text("aé𝄞", max_size=40))
def test_characters_stay_whole(line: str) -> None:
    """A character is never cut in two."""
    assert "".join(piece.data.decode() for piece in split([line.encode()])) == line


@given(chunks, st.binary(max_size=30), chunks)
def test_skip(before: list[bytes], flood: bytes, after: list[bytes]) -> None:
    """After what was skipped, the next piece is the beginning of a line, and nothing of the flood appears."""
    splitter = LineSplitter(LONGEST)
    for part in before:
        splitter.feed(part)
    splitter.skip(flood)
    rest = [piece for part in after for piece in splitter.feed(part)] + splitter.flush()
    stream = b"".join(after)
    if not flood.endswith(b"\n"):
        stream = stream.partition(b"\n")[2]
    assert rest == split([stream])


def test_skip_counts() -> None:
    """What was skipped is counted in lines, an unfinished one included."""
    assert LineSplitter().skip(b"a\nb\nc") == 3
    assert LineSplitter().skip(b"a\nb\n") == 2
    assert LineSplitter().skip(b"") == 1


def test_ends() -> None:
    """Only the last piece of a long line says that the line ends there."""
    pieces = split([b"x" * (2 * LONGEST + 1) + b"\n"])
    assert [(len(piece.data), piece.ends_line) for piece in pieces] == [(8, False), (8, False), (1, True)]
    assert all(not before.ends_line for before, _ in pairwise(pieces))
