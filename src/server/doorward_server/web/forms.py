"""Forms that only their own page can send: against login CSRF, from whatever site.

A page is given a cookie and, in its form, the same random text; both must come back. A page of another host
can neither have our cookie sent (`SameSite=Strict`, or not knowing the text) nor set one (`__Host-`), and the
browser's own word on who asks counts before that.
"""

import hmac
import re
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from doorward_server.domain.origins import is_foreign

FORM_COOKIE: Final = "__Host-doorward-login"
FIELD: Final = "form"

_ATTRIBUTES: Final = "; Path=/; Secure; HttpOnly; SameSite=Strict"
_TEXT: Final = re.compile(r"[0-9A-Za-z_-]{43}")
_LONGEST: Final = 16 * 1024
_MOST_FIELDS: Final = 8


class BadFormError(Exception):
    """What was sent is not a form of ours, sent by its own page."""


def form_key(request: Request) -> str:
    """The text for a form, the same for all tabs of a browser."""
    brought = _brought(request)
    return secrets.token_urlsafe(32) if brought is None else brought


def form_cookie(key: str) -> str:
    """The header `Set-Cookie` that goes with the form."""
    return f"{FORM_COOKIE}={key}{_ATTRIBUTES}"


def no_form_cookie() -> str:
    """The header `Set-Cookie` that takes it away."""
    return f"{FORM_COOKIE}={_ATTRIBUTES}; Max-Age=0"


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a form that its own page has sent; raises `BadFormError`."""
    _refuse_foreign(request)
    fields = _parse(await _body(request))
    brought = _brought(request)
    if brought is None or not hmac.compare_digest(brought.encode(), fields.get(FIELD, "").encode()):
        raise BadFormError
    return fields


def _refuse_foreign(request: Request) -> None:
    headers = {name: [value.encode("latin-1") for value in request.headers.getlist(name)] for name in _SEEN}
    site, mode, origin = headers.values()
    if is_foreign(request.method, request.headers.get("host", ""), site=site, mode=mode, origin=origin):
        raise BadFormError


_SEEN: Final = ("sec-fetch-site", "sec-fetch-mode", "origin")


async def _body(request: Request) -> bytes:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/x-www-form-urlencoded":
        raise BadFormError
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _LONGEST:
            raise BadFormError
    return body


def _parse(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise BadFormError from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BadFormError
    return fields


def _brought(request: Request) -> str | None:
    pairs = [pair.partition("=") for each in request.headers.getlist("cookie") for pair in each.split(";")]
    values = [value.strip() for name, _, value in pairs if name.strip() == FORM_COOKIE]
    return values[0] if len(values) == 1 and _TEXT.fullmatch(values[0]) else None
