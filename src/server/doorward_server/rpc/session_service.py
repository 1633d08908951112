"""SessionService over gRPC."""

from doorward.v1 import session_service_pb2 as pb
from doorward.v1 import session_service_pb2_grpc
from doorward_server.domain.ids import SessionId, parse_session_id
from doorward_server.rpc.calls import Context, current_call
from doorward_server.rpc.conversion.fields import Fields
from doorward_server.rpc.conversion.times import timestamp
from doorward_server.rpc.conversion.updates import answered
from doorward_server.services.session_service import NewSession, SessionService


class SessionServicer(session_service_pb2_grpc.SessionServiceServicer):
    """Translates between the wire and `services.session_service`."""

    def __init__(self, *, sessions: SessionService) -> None:
        self._sessions = sessions

    async def CreateSession(
        self, request: pb.CreateSessionRequest, _context: Context
    ) -> pb.CreateSessionResponse:
        new = await self._sessions.create(current_call(), request.host)
        return pb.CreateSessionResponse(session=_message(new), credential=new.credential)

    async def DeleteSession(
        self, request: pb.DeleteSessionRequest, _context: Context
    ) -> pb.DeleteSessionResponse:
        update = await self._sessions.end(current_call(), _session_id(request))
        return pb.DeleteSessionResponse(policy_update=answered(update))


def _session_id(request: pb.DeleteSessionRequest) -> SessionId:
    """Raises `InvalidFieldsError`."""
    fields = Fields()
    session_id = fields.take("session_id", parse_session_id, request.session_id)
    fields.check()
    return session_id


def _message(new: NewSession) -> pb.Session:
    return pb.Session(
        session_id=new.record.session_id,
        host=new.host,
        token_id=new.record.token_id,
        expire_time=timestamp(new.record.expire_time),
    )
