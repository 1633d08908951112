"""Requests over HTTP/2 without TLS, as frames. No library on this side that would put anything right."""

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from hpack import Decoder, Encoder
from hyperframe import frame as wire

from tests.e2e.conformance.case import CUT, Answer
from tests.e2e.conformance.target import HTTP2, Target
from tests.e2e.conformance.template import fill, names_in
from tests.e2e.support.raw_http import TIMEOUT

Fields = tuple[tuple[str, str], ...]

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class Frame(Protocol):
    """One frame, or several of a kind."""

    def text(self) -> str:
        """For people to read; a template."""
        ...

    def frames(self, encoder: Encoder, values: Mapping[str, str]) -> Iterator[wire.Frame]:
        """What goes over the wire."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """HEADERS: a request, or the trailers of one."""

    fields: Fields
    stream: int = 1
    end_stream: bool = True
    end_headers: bool = True

    def text(self) -> str:
        flags = [*(["END_STREAM"] if self.end_stream else []), *(["END_HEADERS"] if self.end_headers else [])]
        lines = "".join(f"\n{name}: {value}" for name, value in self.fields)
        return f"HEADERS stream={self.stream} {'+'.join(flags)}{lines}"

    def frames(self, encoder: Encoder, values: Mapping[str, str]) -> Iterator[wire.Frame]:
        made = wire.HeadersFrame(self.stream, data=_block(encoder, self.fields, values))
        made.flags |= {"END_STREAM"} if self.end_stream else set()
        made.flags |= {"END_HEADERS"} if self.end_headers else set()
        yield made


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuations:
    """CONTINUATION frames, none of which ends the headers."""

    fields: Fields
    """Of each of them."""
    count: int
    stream: int = 1

    def text(self) -> str:
        lines = "".join(f"\n{name}: {value}" for name, value in self.fields)
        return f"{self.count} times CONTINUATION stream={self.stream}{lines}"

    def frames(self, encoder: Encoder, values: Mapping[str, str]) -> Iterator[wire.Frame]:
        block = _block(encoder, self.fields, values)
        for _ in range(self.count):
            yield wire.ContinuationFrame(self.stream, data=block)


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """DATA: a body."""

    body: str
    stream: int = 1
    end_stream: bool = True

    def text(self) -> str:
        return f"DATA stream={self.stream}{' END_STREAM' if self.end_stream else ''}\n{self.body}"

    def frames(self, encoder: Encoder, values: Mapping[str, str]) -> Iterator[wire.Frame]:
        made = wire.DataFrame(self.stream, data=fill(self.body, values).encode("latin-1"))
        made.flags |= {"END_STREAM"} if self.end_stream else set()
        yield made


@dataclass(frozen=True, slots=True, kw_only=True)
class RapidResets:
    """Requests that are taken back as soon as they are sent."""

    fields: Fields
    count: int

    def text(self) -> str:
        one = Headers(fields=self.fields).text()
        return f"{self.count} times, on streams 1, 3, 5 and so on:\n{one}\nRST_STREAM CANCEL"

    def frames(self, encoder: Encoder, values: Mapping[str, str]) -> Iterator[wire.Frame]:
        for number in range(self.count):
            stream = 2 * number + 1
            yield from Headers(fields=self.fields, stream=stream).frames(encoder, values)
            yield wire.RstStreamFrame(stream, error_code=8)


@dataclass(frozen=True, slots=True)
class Http2:
    """Frames on one connection, after the preface. Answers are those of the streams that `Headers` opens."""

    frames: tuple[Frame, ...]

    def text(self) -> str:
        return "\n".join(frame.text() for frame in self.frames)

    def needs(self) -> frozenset[str]:
        return names_in(self.text()) | {HTTP2}

    def perform(self, target: Target, *, answers: int) -> list[Answer]:
        encoder, values = Encoder(), target.values()
        to_send = [made for frame in self.frames for made in frame.frames(encoder, values)]
        streams = [frame.stream for frame in self.frames if isinstance(frame, Headers)]
        awaited = list(dict.fromkeys(streams))
        with socket.create_connection(target.address, TIMEOUT) as connection:
            # The gateway may end the connection before it has got everything.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(_PREFACE + wire.SettingsFrame(0).serialize())
                for made in to_send:
                    connection.sendall(made.serialize())
            return _answers(connection, awaited)


def request(*more: tuple[str, str], without: str = "", **pseudo: str) -> Fields:
    """The fields of a good request with the token, changed; pseudo-headers are named without their colon."""
    found = {"method": "GET", "scheme": "http", "authority": "<mine>", "path": "/", **pseudo}
    return (
        *((f":{name}", value) for name, value in found.items() if name != without),
        *(() if without == "authorization" else (("authorization", "Bearer <token>"),)),
        *more,
    )


def _block(encoder: Encoder, fields: Fields, values: Mapping[str, str]) -> bytes:
    def filled(text: str) -> bytes:
        return fill(text, values).encode("latin-1")

    return encoder.encode([(filled(name), filled(value)) for name, value in fields])


def _answers(connection: socket.socket, awaited: Sequence[int]) -> list[Answer]:
    """The answer to each of the streams, or to the connection as a whole when there are none."""
    decoder, found, bodies, open_streams = Decoder(), dict[int, Answer](), dict[int, bytes](), set(awaited)
    for received in _received(connection):
        stream = received.stream_id
        if isinstance(received, wire.HeadersFrame):
            headers = dict(decoder.decode(received.data, raw=True))
            # Trailers have no status, and come second.
            found.setdefault(stream, Answer(int(headers.get(b":status", b"0"))))
        elif isinstance(received, wire.DataFrame):
            bodies[stream] = bodies.get(stream, b"") + received.data
        elif isinstance(received, wire.RstStreamFrame):
            open_streams.discard(stream)
        if "END_STREAM" in received.flags:
            open_streams.discard(stream)
        if awaited and not open_streams:
            break
    if not awaited:
        return [CUT]
    answers = (found.get(stream, CUT) for stream in awaited)
    return [
        Answer(each.status, bodies.get(stream, b"")) for stream, each in zip(awaited, answers, strict=True)
    ]


def _received(connection: socket.socket) -> Iterator[wire.Frame]:
    """The frames that come before the connection ends, or is about to."""
    data = b""
    while True:
        while len(data) >= 9:
            frame, length = wire.Frame.parse_frame_header(memoryview(data)[:9])
            if len(data) < 9 + length:
                break
            frame.parse_body(memoryview(data)[9 : 9 + length])
            data = data[9 + length :]
            if isinstance(frame, wire.GoAwayFrame):
                return
            yield frame
        try:
            more = connection.recv(65536)
        except ConnectionResetError:
            return
        if not more:
            return
        data += more
