"""HTML pages, each with the headers that keep others from framing, caching or extending it."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

_HERE: Final = Path(__file__).parent

_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)

_HEADERS: Final = MappingProxyType(
    {
        "cache-control": "no-store",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        # With "no-referrer", browsers would send the forms with the origin "null".
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "x-robots-tag": "noindex",
    }
)

# Without `form-action`, which would also stop an app that sends its visitors on to another host right after
# the login. There is no form but ours, and nothing that a stranger writes gets into a page.
LOGIN_HEADERS: Final = MappingProxyType({**_HEADERS, "content-security-policy": _POLICY})
"""Of the pages on apps' hosts."""

CONSOLE_HEADERS: Final = MappingProxyType(
    {**_HEADERS, "content-security-policy": f"{_POLICY}; connect-src 'self'; form-action 'self'"}
)
"""Of the console's pages, which show what others have written, such as names of apps."""

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Pages:
    """Renders the templates. They cannot be told to print anything unescaped."""

    def __init__(
        self,
        headers: Mapping[str, str] = LOGIN_HEADERS,
        *,
        filters: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """*filters*: those of the templates, beside Jinja's own."""
        self._headers = headers
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(filters)
        self._static = {
            file.name: file.read_bytes() for file in (_HERE / "static").iterdir() if file.suffix in _TYPES
        }

    def page(
        self,
        template: str,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        cookies: Iterable[str] = (),
        retry_after: int | None = None,
        **values: Any,
    ) -> Response:
        """A page; *cookies* are whole `Set-Cookie` headers, *retry_after* is in seconds."""
        text = self._templates.get_template(template).render(status=status.value, **values)
        response = Response(text, status, self._headers, media_type="text/html")
        if retry_after is not None:
            response.headers["retry-after"] = str(retry_after)
        return with_cookies(response, cookies)

    def static(self, name: str) -> Response | None:
        """A file of the pages; None: there is no such one."""
        if name not in self._static:
            return None
        # What a host serves under this name never changes but with Doorward: not for long.
        headers = {**self._headers, "cache-control": "max-age=300"}
        return Response(self._static[name], headers=headers, media_type=_TYPES[Path(name).suffix])


def see_other(location: str, cookies: Iterable[str]) -> Response:
    """Send the browser on to a path of the same host."""
    headers = {**LOGIN_HEADERS, "location": location}
    return with_cookies(Response(status_code=HTTPStatus.SEE_OTHER, headers=headers), cookies)


def with_cookies(response: Response, cookies: Iterable[str]) -> Response:
    """The response with `Set-Cookie` headers."""
    for cookie in cookies:
        response.headers.append("set-cookie", cookie)
    return response
