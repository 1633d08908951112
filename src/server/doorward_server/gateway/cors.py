"""What pages of other origins may do with the API, in a browser (Fetch §3.2)."""

from typing import Any

_METHODS = ("DELETE", "GET", "PATCH", "POST")

_SENT = (
    "authorization",
    "content-type",
    "doorward-session",
    # gRPC-Web's own.
    "grpc-timeout",
    "x-grpc-web",
    "x-user-agent",
)
"""What a page may send besides what every page may."""

_SHOWN = (
    "doorward-enforcement",
    "doorward-policy-revision",
    "doorward-request-id",
    # An error in the headers of an answer that has no body.
    "grpc-message",
    "grpc-status",
    "grpc-status-details-bin",
)
"""What a page gets to see of an answer besides its body."""

_MAX_AGE_SECONDS = 600


def cors_policy(origins: tuple[str, ...]) -> dict[str, Any]:
    """Envoy's policy that lets pages of *origins* call the API.

    Without credentials of the browser's own: the API takes no cookie, and a token is in a header that the
    page sets.
    """
    return {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
        "allow_origin_string_match": [{"exact": origin} for origin in origins],
        "allow_methods": ", ".join(_METHODS),
        "allow_headers": ", ".join(_SENT),
        "expose_headers": ", ".join(_SHOWN),
        "max_age": str(_MAX_AGE_SECONDS),
    }
