"""The policy's entries as messages of the policy stream."""

from google.protobuf.timestamp_pb2 import Timestamp

from doorward_server.domain.policy import EndedSession, LiveSecret, PolicyApp, PolicyToken
from doorward_server.policy.v1 import policy_pb2


def app_message(app: PolicyApp) -> policy_pb2.App:
    """An app's entry."""
    message = policy_pb2.App(
        app_id=app.app_id,
        region=app.region,
        labels=app.labels,
        public=app.public,
        operator_paths=app.operator_paths,
        cors_preflight=app.cors_preflight,
    )
    if app.upstream is not None:
        message.upstream.host = app.upstream.host
        message.upstream.port = app.upstream.port
    return message


def token_message(token: PolicyToken) -> policy_pb2.Token:
    """A token's entry."""
    return policy_pb2.Token(
        token_id=token.token_id,
        role=token.role.name,
        region=token.region or "",
        label_selector="" if token.selector is None else str(token.selector),
        generations=map(generation_message, token.secrets),
    )


def generation_message(secret: LiveSecret) -> policy_pb2.Generation:
    """One secret of a token's entry."""
    message = policy_pb2.Generation(generation=secret.generation, mac=secret.mac)
    if secret.expire_time is not None:
        message.expire_time.CopyFrom(_timestamp(secret.expire_time))
    return message


def ended_session_message(session: EndedSession) -> policy_pb2.EndedSession:
    """A session that was ended."""
    return policy_pb2.EndedSession(session_id=session.session_id, expire_time=_timestamp(session.expire_time))


def _timestamp(seconds: float) -> Timestamp:
    # To the microsecond, as it is stored. The end may be rounded down, never up.
    micros = int(seconds * 1_000_000)
    return Timestamp(seconds=micros // 1_000_000, nanos=micros % 1_000_000 * 1_000)
