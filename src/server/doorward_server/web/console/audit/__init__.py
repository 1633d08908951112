"""Audit: who did what."""

from typing import Final

from doorward.v1.role_pb2 import ROLE_ADMIN
from doorward_server.web.console.audit.list import AUDIT, list_events
from doorward_server.web.console.sections import Page, Section

SECTION: Final = Section(
    title="Audit", path=AUDIT, least_role=ROLE_ADMIN, pages=(Page(path=AUDIT, get=list_events),)
)
