"""The audit: what `client.audit` offers."""

from datetime import datetime

from doorward import _token_requests as requests
from doorward._calls import Calls
from doorward._pages import Pages
from doorward._timeouts import Timeout
from doorward.v1.audit_service_pb2 import AuditEvent, ListAuditEventsResponse
from doorward.v1.audit_service_pb2_grpc import AuditServiceStub


class Audit:
    """Who did what. Needs ADMIN."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._stub = AuditServiceStub(calls.channel)

    def list(
        self,
        *,
        actor_token_id: str = "",
        action: str = "",
        resource_id: str = "",
        start: datetime | None = None,
        end: datetime | None = None,
        page_size: int = 0,
        timeout: Timeout = None,
    ) -> Pages[AuditEvent, ListAuditEventsResponse]:
        """Return what was done, newest first: at or after *start*, before *end*.

        *timeout* is for each page.
        """

        def fetch(page_token: str) -> ListAuditEventsResponse:
            request = requests.list_audit_events(
                actor_token_id=actor_token_id,
                action=action,
                resource_id=resource_id,
                start=start,
                end=end,
                page_size=page_size,
                page_token=page_token,
            )
            return self._calls.unary(self._stub.ListAuditEvents, request, timeout)

        return Pages(fetch, lambda page: page.audit_events)
