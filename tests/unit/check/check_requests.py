"""CheckRequests as the real Envoy makes them."""

from collections.abc import Iterable

from envoy.service.auth.v3 import attribute_context_pb2, external_auth_pb2

Headers = Iterable[tuple[str, bytes]]


def check_request(
    *,
    host: str,
    method: str = "GET",
    path: str = "/",
    headers: Headers = (),
    joined_headers: dict[str, str] | None = None,
    app_id: str | None = None,
) -> bytes:
    """A serialized CheckRequest; *joined_headers* are those of an Envoy without `encode_raw_headers`."""
    context = attribute_context_pb2.AttributeContext
    http = context.HttpRequest(
        id="7553192152093692819", method=method, host=host, path=path, protocol="HTTP/1.1"
    )
    for key, value in headers:
        http.header_map.headers.add(key=key, raw_value=value)
    http.headers.update(joined_headers or {})
    attributes = context(request=context.Request(http=http))
    if app_id is not None:
        attributes.context_extensions["app_id"] = app_id
    serialized: bytes = external_auth_pb2.CheckRequest(attributes=attributes).SerializeToString()
    return serialized
