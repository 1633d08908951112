"""What the console consists of."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from starlette.responses import Response

from doorward.v1.role_pb2 import ROLE_READ_ONLY, Role
from doorward_server.web.console.visit import Visit

Handler = Callable[[Visit], Awaitable[Response]]
"""Answers a request. Raises `ApiError` for what it cannot deal with: the shell makes a page of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An address, and what is done there."""

    path: str
    """As Starlette has it, such as `/apps/{app_id}`."""
    get: Handler
    """Shows something, and changes nothing."""
    post: Handler | None = None
    """Does what the page's form asks for. The form is read, and known to be of our own page."""
    least_role: Role.ValueType = ROLE_READ_ONLY
    """Whom it is shown to. Whether its form is obeyed is api's to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the console, with a place in its navigation."""

    title: str
    path: str
    """Where the navigation leads."""
    least_role: Role.ValueType = ROLE_READ_ONLY
    """Who sees it there. That is a courtesy: api decides on every call."""
    pages: tuple[Page, ...]
    notices: Mapping[str, str] = field(default_factory=dict)
    """What `Visit.done` may have the next page say, by name."""
