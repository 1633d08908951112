"""AuditService over gRPC."""

from doorward.v1 import audit_service_pb2 as pb
from doorward.v1 import audit_service_pb2_grpc
from doorward_server.rpc.calls import Context
from doorward_server.rpc.conversion.audit import event_message, parse_filter
from doorward_server.rpc.conversion.pages import fetch_page
from doorward_server.services.audit_service import AuditService


class AuditServicer(audit_service_pb2_grpc.AuditServiceServicer):
    """Translates between the wire and `services.audit_service.AuditService`."""

    def __init__(self, *, audit: AuditService) -> None:
        self._audit = audit

    async def ListAuditEvents(
        self, request: pb.ListAuditEventsRequest, _context: Context
    ) -> pb.ListAuditEventsResponse:
        which = parse_filter(request)
        events, next_page_token = await fetch_page(
            lambda page: self._audit.list(which, page),
            event_message,
            size=request.page_size,
            token=request.page_token,
        )
        return pb.ListAuditEventsResponse(audit_events=events, next_page_token=next_page_token)
