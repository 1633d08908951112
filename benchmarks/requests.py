"""The requests of the load: who opens what, and how Envoy asks about it."""

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from envoy.config.core.v3 import address_pb2, base_pb2
from envoy.service.auth.v3 import attribute_context_pb2, external_auth_pb2
from google.protobuf.timestamp_pb2 import Timestamp

PATH: Final = "/v1/models/llama/predict?stream=false"
"""What is asked for through Envoy."""

_HOLE: Final = "0" * 19


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A token and an app that it opens."""

    host: str
    secret: str = field(repr=False)


def write_pairs(path: Path, pairs: Iterable[Pair]) -> None:
    """Write them for `read_pairs`, in a file that its owner alone can read."""
    path.touch(mode=0o600)
    with path.open("w") as file:
        file.writelines(json.dumps(asdict(pair)) + "\n" for pair in pairs)


def read_pairs(path: Path) -> Iterator[Pair]:
    """Read what `write_pairs` wrote."""
    with path.open() as file:
        for line in file:
            yield Pair(**json.loads(line))


@dataclass(frozen=True, slots=True)
class Template:
    """A serialized ``CheckRequest`` with a hole for a number, so that no two requests are the same."""

    before: bytes
    after: bytes

    def filled(self, number: int) -> bytes:
        """A request of its own."""
        return b"%b%019d%b" % (self.before, number, self.after)


def requests_of(templates: Sequence[Template]) -> Iterator[bytes]:
    """Requests without end: all templates in turns, each time with another number."""
    for number, template in enumerate(itertools.cycle(templates)):
        yield template.filled(number)


def known_client(pair: Pair, *, number: int) -> Template:
    """A client that sends the same headers each time: of its requests, only Envoy's request id differs."""
    return _template(_check(pair, number=number, request_id=_HOLE))


def changing_client(pair: Pair, *, number: int) -> Template:
    """A client that sends another cookie each time, so that every request is the first of its kind."""
    return _template(_check(pair, number=number, cookie=f"session={_HOLE}"))


def _template(check: external_auth_pb2.CheckRequest) -> Template:
    before, hole, after = check.SerializeToString().partition(_HOLE.encode())
    if not hole:
        raise ValueError("the request has no hole")
    return Template(before, after)


def _check(
    pair: Pair, *, number: int, request_id: str = "1907495513109235014", cookie: str | None = None
) -> external_auth_pb2.CheckRequest:
    """What Envoy 1.40 sends for a GET by curl, field by field.

    As envoy/doorward.yaml has it: raw headers, and only those that are allowed. Each client has its own port
    and asks its own model.
    """
    attributes = attribute_context_pb2.AttributeContext
    http = attributes.HttpRequest(
        id=request_id,
        method="GET",
        path=f"/v1/models/{number % 40}/predict?stream=false",
        host=pair.host,
        scheme="http",
        protocol="HTTP/1.1",
    )
    headers = {":authority": pair.host, "authorization": f"Bearer {pair.secret}", "accept": "*/*"}
    if cookie is not None:
        headers["cookie"] = cookie
    for key, value in headers.items():
        http.header_map.headers.add(key=key, raw_value=value.encode())
    time = Timestamp(seconds=1_795_590_723, nanos=number * 7_919_000 % 1_000_000_000)
    return external_auth_pb2.CheckRequest(
        attributes=attributes(
            source=_peer(32_768 + number % 28_000),
            destination=_peer(8_080),
            request=attributes.Request(time=time, http=http),
            metadata_context=base_pb2.Metadata(),
            route_metadata_context=base_pb2.Metadata(),
        )
    )


def _peer(port: int) -> attribute_context_pb2.AttributeContext.Peer:
    address = address_pb2.SocketAddress(address="127.0.0.1", port_value=port)
    return attribute_context_pb2.AttributeContext.Peer(address=address_pb2.Address(socket_address=address))
