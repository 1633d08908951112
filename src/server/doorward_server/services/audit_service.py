"""Use case of the audit."""

from doorward_server.services.pages import Page, Pager, PageRequest
from doorward_server.services.ports import AuditEvent, AuditFilter, Position, Storage


class AuditService:
    """Answers who did what. Needs ADMIN, which `Call` has established."""

    def __init__(self, *, storage: Storage, pager: Pager) -> None:
        self._storage = storage
        self._pager = pager

    async def list(self, which: AuditFilter, request: PageRequest) -> Page[AuditEvent]:
        """The events, newest first; raises `InvalidFieldsError`."""
        window = self._pager.window(request, "audit", which)
        before = int(window.after.id) if window.after is not None else None
        async with self._storage.read() as work:
            events = await work.audit.page(which, before=before, limit=window.limit)
        return window.page(events, lambda event: Position(event.time, str(event.event_id)))
