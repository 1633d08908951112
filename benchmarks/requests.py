"""The requests of the load: who opens what, and how Envoy asks about it."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from envoy.config.core.v3 import address_pb2, base_pb2
from envoy.service.auth.v3 import attribute_context_pb2, external_auth_pb2
from google.protobuf.timestamp_pb2 import Timestamp

PATH: Final = "/v1/models/llama/predict?stream=false"


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


def check_request(pair: Pair) -> bytes:
    """A serialized ``CheckRequest``, field by field what Envoy 1.40 sends for a GET by curl.

    As envoy/doorward.yaml has it: raw headers, and only those that are allowed.
    """
    attributes = attribute_context_pb2.AttributeContext
    http = attributes.HttpRequest(
        id="1907495513109235014",
        method="GET",
        path=PATH,
        host=pair.host,
        scheme="http",
        protocol="HTTP/1.1",
    )
    headers = {":authority": pair.host, "authorization": f"Bearer {pair.secret}", "accept": "*/*"}
    for key, value in headers.items():
        http.header_map.headers.add(key=key, raw_value=value.encode())
    request = attributes.Request(time=Timestamp(seconds=1_795_590_723, nanos=960_295_000), http=http)
    check = external_auth_pb2.CheckRequest(
        attributes=attributes(
            source=_peer(52_866),
            destination=_peer(8_080),
            request=request,
            metadata_context=base_pb2.Metadata(),
            route_metadata_context=base_pb2.Metadata(),
        )
    )
    serialized: bytes = check.SerializeToString()
    return serialized


def _peer(port: int) -> attribute_context_pb2.AttributeContext.Peer:
    address = address_pb2.SocketAddress(address="127.0.0.1", port_value=port)
    return attribute_context_pb2.AttributeContext.Peer(address=address_pb2.Address(socket_address=address))
