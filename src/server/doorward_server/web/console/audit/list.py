"""The list of what was done, filtered."""

from http import HTTPStatus
from typing import Final

from starlette.responses import Response

from doorward.v1.audit_service_pb2 import ListAuditEventsResponse
from doorward_server.web.console.audit.filter import DEEDS, AuditFilter
from doorward_server.web.console.failures import ApiError
from doorward_server.web.console.field_errors import field_errors
from doorward_server.web.console.names import known
from doorward_server.web.console.paging import PAGE_SIZE, pager
from doorward_server.web.console.visit import Visit

AUDIT: Final = "/audit"

_FIELDS: Final = {
    "actor_token_id": "actor",
    "action": "action",
    "resource_id": "resource",
    "start_time": "since",
    "end_time": "until",
}
"""The field of the page for each of the request's."""


async def list_events(visit: Visit) -> Response:
    """The events, newest first."""
    which, page = AuditFilter.read(visit.query), visit.query.get("page", "")
    errors, answer = which.problems, ListAuditEventsResponse()
    if not errors:
        try:
            request = which.request(page_size=PAGE_SIZE, page_token=page)
            answer = await visit.api.call(visit.api.audit.ListAuditEvents, request)
        except ApiError as error:
            errors = field_errors(error, _FIELDS)
    everything = await known(visit)
    return visit.page(
        "audit/list.html",
        status=HTTPStatus.BAD_REQUEST if errors else HTTPStatus.OK,
        deeds=DEEDS,
        errors=errors,
        events=answer.audit_events,
        known=everything,
        names=everything.names(),
        pager=pager(AUDIT, which.params().items(), page=page, next_page=answer.next_page_token),
        which=which,
    )
