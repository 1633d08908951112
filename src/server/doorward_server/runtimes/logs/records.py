"""One line of a log as it is stored: the format of the Kubernetes Container Runtime Interface.

`2016-10-06T00:17:09.669794+00:00 stdout F The log entry`: time, stream, and F for a full line or P for a part
of a long one, so that the usual collectors can read the files. Notes have a stream of their own, `platform`.
"""

from collections.abc import Iterable
from datetime import datetime

from doorward_server.runtimes.logs.lines import Piece
from doorward_server.services.runtime import LogLine, LogStream


def encode(time: datetime, stream: LogStream, pieces: Iterable[Piece]) -> bytes:
    """The records of lines that were printed at one time."""
    full, part = (f"{time.isoformat()} {stream.value} {tag} ".encode("ascii") for tag in "FP")
    return b"".join([(full if each.ends_line else part) + each.data + b"\n" for each in pieces])


def decode(record: bytes) -> LogLine | None:
    """One record, without its newline. None when it is none: the end of a file after a power cut, say."""
    fields = record.split(b" ", 3)
    if len(fields) != 4 or fields[2] not in {b"F", b"P"}:
        return None
    try:
        time = datetime.fromisoformat(fields[0].decode("ascii"))
        stream = LogStream(fields[1].decode("ascii"))
    except ValueError:
        return None
    return LogLine(time, stream, text_of(fields[3]))


def text_of(data: bytes) -> str:
    """What was printed, as text; bytes that are not UTF-8 become U+FFFD."""
    return data.decode("utf-8", "replace")
