"""The app that an address names."""

from doorward.v1.app_pb2 import App
from doorward.v1.app_service_pb2 import GetAppRequest
from doorward_server.web.console.apps.addresses import app_id_of
from doorward_server.web.console.visit import Visit


async def app_of(visit: Visit) -> App:
    """As it is now; raises `ApiError`."""
    answer = await visit.api.call(visit.api.apps.GetApp, GetAppRequest(app_id=app_id_of(visit)))
    return answer.app
