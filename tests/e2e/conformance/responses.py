"""The responses on a connection of HTTP/1.1, one after the other: `http.client` reads past the end of one."""

import socket
from types import TracebackType
from typing import Self

from tests.e2e.conformance.case import CUT, Answer


class Responses:
    """Reads them."""

    def __init__(self, connection: socket.socket) -> None:
        self._file = connection.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def next(self) -> Answer:
        """The next one; `CUT` when the connection ends before it does. Raises `TimeoutError`."""
        try:
            head = self.head()
            return CUT if head is None else Answer(head[0], self._body(*head))
        except (ConnectionError, EOFError):
            return CUT

    def head(self) -> tuple[int, dict[str, str]] | None:
        """Status and headers of the next one, if there is one."""
        line = self._file.readline()
        if not line:
            return None
        headers = {}
        while field := self._file.readline().strip():
            name, _, value = field.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return int(line.split()[1]), headers

    def exactly(self, length: int) -> bytes:
        """That much of a body; raises `EOFError` when there is less."""
        data = self._file.read(length)
        if len(data) < length:
            raise EOFError
        return data

    def _body(self, status: int, headers: dict[str, str]) -> bytes:
        if status < 200 or status == 204:
            return b""
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self._file.readline(), 16):
                body += self.exactly(size + len("\r\n"))[:-2]
            self._file.readline()
            return body
        if "content-length" in headers:
            return self.exactly(int(headers["content-length"]))
        return self._file.read()
