"""The audit: what `client.audit` offers."""

from datetime import datetime

from doorward import _token_requests as requests
from doorward._described import call, whole
from doorward._operations import Awaiting, Blocking, Listing, Operation, Part, listing
from doorward._timeouts import Timeout
from doorward.v1.audit_service_pb2 import AuditEvent, ListAuditEventsResponse
from doorward.v1.audit_service_pb2_grpc import AuditServiceStub


class AuditMethods(Part):
    """Who did what. Needs ADMIN."""

    @listing
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
    ) -> Listing[AuditEvent, ListAuditEventsResponse]:
        """Return what was done, newest first: at or after *start*, before *end*.

        *timeout* is for each page.
        """

        def page(page_token: str) -> Operation[ListAuditEventsResponse]:
            request = requests.list_audit_events(
                actor_token_id=actor_token_id,
                action=action,
                resource_id=resource_id,
                start=start,
                end=end,
                page_size=page_size,
                page_token=page_token,
            )
            stub = self._calls.stub(AuditServiceStub)
            return call(stub.ListAuditEvents, request, timeout, answer=whole)

        return Listing(page=page, items=lambda page: page.audit_events)


class Audit(Blocking, AuditMethods):
    __doc__ = AuditMethods.__doc__


class AsyncAudit(Awaiting, AuditMethods):
    __doc__ = AuditMethods.__doc__
