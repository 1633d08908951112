"""SessionService over gRPC."""

from typing import NoReturn

from doorward.v1 import session_service_pb2 as pb
from doorward.v1 import session_service_pb2_grpc
from doorward_server.rpc.calls import Context
from doorward_server.rpc.failures import NotOfferedError

_SERVICE = pb.DESCRIPTOR.services_by_name["SessionService"].full_name


class SessionServicer(session_service_pb2_grpc.SessionServiceServicer):
    """Browsers' sessions, which this version does not offer."""

    async def CreateSession(self, _request: pb.CreateSessionRequest, _context: Context) -> NoReturn:
        raise NotOfferedError(f"/{_SERVICE}/CreateSession")

    async def DeleteSession(self, _request: pb.DeleteSessionRequest, _context: Context) -> NoReturn:
        raise NotOfferedError(f"/{_SERVICE}/DeleteSession")
