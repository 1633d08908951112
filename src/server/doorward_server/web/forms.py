"""Forms that only their own page can send: against login CSRF, from whatever site.

A page is given a cookie and, in its form, the same random text; both must come back. A page of another host
can neither have our cookie sent along with the text, which it does not know, nor set one (`__Host-`), and the
browser's own word on who asks counts before that.
"""

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import parse_qsl

from starlette.requests import Request

from doorward_server.domain.origins import is_foreign

FIELD: Final = "form"
"""The name of the field that has the text."""

_TEXT: Final = re.compile(r"[0-9A-Za-z_-]{43}")


class BadFormError(Exception):
    """What was sent is not a form of ours, sent by its own page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """The forms of one host."""

    cookie: str
    """The name of the cookie."""
    same_site: Literal["Strict", "Lax"]
    """Strict: a link from elsewhere to the page makes a new text, and open forms become worthless."""
    longest: int
    """Bytes of a whole form."""
    most_fields: int

    def key(self, request: Request) -> str:
        """The text for a form, the same for all tabs of a browser."""
        brought = self._brought(request)
        return secrets.token_urlsafe(32) if brought is None else brought

    def set_cookie(self, key: str) -> str:
        """The header `Set-Cookie` that goes with the form."""
        return f"{self.cookie}={key}{self._attributes}"

    def no_cookie(self) -> str:
        """The header `Set-Cookie` that takes it away."""
        return f"{self.cookie}={self._attributes}; Max-Age=0"

    async def read(self, request: Request) -> Mapping[str, str]:
        """The fields of a form that its own page has sent; raises `BadFormError`."""
        if asked_by_another_page(request):
            raise BadFormError
        fields = self._parse(await self._body(request))
        brought = self._brought(request)
        if brought is None or not hmac.compare_digest(brought.encode(), fields.get(FIELD, "").encode()):
            raise BadFormError
        return fields

    @property
    def _attributes(self) -> str:
        return f"; Path=/; Secure; HttpOnly; SameSite={self.same_site}"

    async def _body(self, request: Request) -> bytes:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/x-www-form-urlencoded":
            raise BadFormError
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > self.longest:
                raise BadFormError
        return body

    def _parse(self, body: bytes) -> dict[str, str]:
        try:
            pairs = parse_qsl(
                body.decode("ascii"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=self.most_fields,
            )
        except ValueError:
            raise BadFormError from None
        fields = dict(pairs)
        if len(fields) != len(pairs):
            raise BadFormError
        return fields

    def _brought(self, request: Request) -> str | None:
        value = cookie_of(request, self.cookie)
        return value if value is not None and _TEXT.fullmatch(value) else None


def asked_by_another_page(request: Request) -> bool:
    """Whether another origin's page made the request, other than by a link that somebody follows."""
    headers = {name: [value.encode("latin-1") for value in request.headers.getlist(name)] for name in _SEEN}
    site, mode, origin = headers.values()
    return is_foreign(request.method, request.headers.get("host", ""), site=site, mode=mode, origin=origin)


_SEEN: Final = ("sec-fetch-site", "sec-fetch-mode", "origin")


def cookie_of(request: Request, name: str) -> str | None:
    """The value of a cookie; None when there is none, or more than one."""
    pairs = [pair.partition("=") for each in request.headers.getlist("cookie") for pair in each.split(";")]
    values = [value.strip() for key, _, value in pairs if key.strip() == name]
    return values[0] if len(values) == 1 else None
