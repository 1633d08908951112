"""The list of apps, filtered."""

from http import HTTPStatus
from typing import Final

from starlette.responses import Response

from doorward.v1.app_pb2 import AppState
from doorward.v1.app_service_pb2 import ListAppsRequest, ListAppsResponse
from doorward_server.web.console.apps.addresses import APPS
from doorward_server.web.console.apps.states import STATES, changes_by_itself
from doorward_server.web.console.failures import ApiError
from doorward_server.web.console.field_errors import field_errors
from doorward_server.web.console.paging import PAGE_SIZE, pager
from doorward_server.web.console.visit import Visit

_FIELDS: Final = {"label_selector": "selector", "region": "region", "page_token": "page"}
"""The field of the page for each of the request's."""


async def list_apps(visit: Visit) -> Response:
    """The apps in the token's scope, newest first."""
    query = visit.request.query_params
    selector, region, page = (query.get(name, "").strip() for name in ("selector", "region", "page"))
    wanted = [state for state in query.getlist("state") if state in STATES]
    errors: dict[str, str] = {}
    answer = ListAppsResponse()
    try:
        answer = await visit.api.call(
            visit.api.apps.ListApps,
            ListAppsRequest(
                label_selector=selector,
                region=region,
                states=[AppState.Value(f"APP_STATE_{state}") for state in wanted],
                page_size=PAGE_SIZE,
                page_token=page,
            ),
        )
    except ApiError as error:
        errors = field_errors(error, _FIELDS)
    filters = [("selector", selector), ("region", region), *(("state", state) for state in wanted)]
    return visit.page(
        "apps/list.html",
        status=HTTPStatus.BAD_REQUEST if errors else HTTPStatus.OK,
        apps=answer.apps,
        errors=errors,
        filtered=any(value for _, value in filters),
        live=any(changes_by_itself(app.status.state) for app in answer.apps),
        pager=pager(APPS, filters, page=page, next_page=answer.next_page_token),
        region=region,
        selector=selector,
        states=STATES,
        wanted=wanted,
    )
