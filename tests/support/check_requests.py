"""CheckRequests as Envoy sends them."""

from envoy.service.auth.v3 import attribute_context_pb2, external_auth_pb2


def check_request(
    host: str, path: str = "/", *, method: str = "GET", headers: tuple[tuple[str, str], ...] = ()
) -> bytes:
    """A serialized CheckRequest of an HTTP request with these headers."""
    attributes = attribute_context_pb2.AttributeContext
    http = attributes.HttpRequest(method=method, host=host, path=path, scheme="http")
    for key, value in headers:
        http.header_map.headers.add(key=key, raw_value=value.encode())
    check = external_auth_pb2.CheckRequest(attributes=attributes(request=attributes.Request(http=http)))
    serialized: bytes = check.SerializeToString()
    return serialized
