"""Explain: whether a token may make a request, and which rule decides."""

from typing import Final

from doorward.v1.role_pb2 import ROLE_ADMIN
from doorward_server.web.console.explain.page import EXPLAIN, explain
from doorward_server.web.console.sections import Page, Section

SECTION: Final = Section(
    title="Explain", path=EXPLAIN, least_role=ROLE_ADMIN, pages=(Page(path=EXPLAIN, get=explain),)
)
