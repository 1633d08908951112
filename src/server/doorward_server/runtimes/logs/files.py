"""A log on disk, of bounded size."""

import io
import os
from contextlib import ExitStack
from pathlib import Path

from doorward_server.runtimes.folders import open_regular, private_folder


class RotatedFile:
    """Records in two files: `log`, and `log.1` with those before. Neither is larger than the limit."""

    def __init__(self, directory: Path, *, limit: int) -> None:
        """*limit*: bytes of one file, more than a record has. Nothing is touched before the first record."""
        self._path = directory / "log"
        self._former = directory / "log.1"
        self._limit = limit
        self._file: io.FileIO | None = None
        self._size = 0

    def append(self, records: bytes) -> None:
        """Add whole records. Raises OSError."""
        while len(records) > self._limit:
            end = records.rindex(b"\n", 0, self._limit) + 1
            self._append(records[:end])
            records = records[end:]
        self._append(records)

    def _append(self, records: bytes) -> None:
        if self._file is None:
            self._open()
        if self._size and self._size + len(records) > self._limit:
            self.close()
            self._path.replace(self._former)
            self._open()
        if self._file is not None:
            self._size += self._file.write(records)

    def close(self) -> None:
        """Close the file; the next record opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def snapshot(self) -> "Snapshot":
        """What is stored now, oldest first. Raises OSError."""
        return Snapshot(self._former, self._path)

    def _open(self) -> None:
        private_folder(self._path.parent)
        self._file = io.FileIO(self._path, "a+", opener=open_regular)
        self._size = os.fstat(self._file.fileno()).st_size
        if self._size and os.pread(self._file.fileno(), 1, self._size - 1) != b"\n":
            # The machine went down in the middle of a record.
            self._size += self._file.write(b"\n")


class Snapshot:
    """What a log holds at one moment, whatever is written to it or rotated away afterwards."""

    def __init__(self, *paths: Path) -> None:
        self._stack = ExitStack()
        self._parts: list[tuple[io.FileIO, int]] = []
        for path in paths:
            try:
                file = self._stack.enter_context(io.FileIO(path, opener=open_regular))
            except FileNotFoundError:
                continue
            except OSError:
                self._stack.close()
                raise
            self._parts.append((file, os.fstat(file.fileno()).st_size))

    def records(self) -> list[bytes]:
        """All records, without their newlines. Reads from disk, and closes."""
        with self._stack:
            data = b"".join(os.pread(file.fileno(), size, 0) for file, size in self._parts)
        return data.split(b"\n")[:-1]

    def close(self) -> None:
        """Close without having read. Idempotent."""
        self._stack.close()
