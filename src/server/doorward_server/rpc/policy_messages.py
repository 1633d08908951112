"""The policy's entries as messages of the policy stream."""

from google.protobuf.timestamp_pb2 import Timestamp

from doorward_server.domain.policy import EndedSession, PolicyApp, PolicyToken
from doorward_server.policy.v1 import policy_pb2


def app_message(app: PolicyApp) -> policy_pb2.App:
    """An app's entry."""
    message = policy_pb2.App()
    write_app(message, app)
    return message


def token_message(token: PolicyToken) -> policy_pb2.Token:
    """A token's entry."""
    message = policy_pb2.Token()
    write_token(message, token)
    return message


def ended_session_message(session: EndedSession) -> policy_pb2.EndedSession:
    """A session that was ended."""
    message = policy_pb2.EndedSession()
    write_ended_session(message, session)
    return message


def write_app(message: policy_pb2.App, app: PolicyApp) -> None:
    """Write an app's entry into an empty message."""
    message.app_id = app.app_id
    message.region = app.region
    message.labels.update(app.labels)
    message.public = app.public
    message.operator_paths.extend(app.operator_paths)
    message.cors_preflight = app.cors_preflight
    if app.upstream is not None:
        message.upstream.host = app.upstream.host
        message.upstream.port = app.upstream.port


def write_token(message: policy_pb2.Token, token: PolicyToken) -> None:
    """Write a token's entry into an empty message."""
    message.token_id = token.token_id
    message.role = token.role.name
    message.region = token.region or ""
    message.label_selector = "" if token.selector is None else str(token.selector)
    for secret in token.secrets:
        generation = message.generations.add(generation=secret.generation, mac=secret.mac)
        if secret.expire_time is not None:
            generation.expire_time.CopyFrom(_timestamp(secret.expire_time))


def write_ended_session(message: policy_pb2.EndedSession, session: EndedSession) -> None:
    """Write a session that was ended into an empty message."""
    message.session_id = session.session_id
    message.expire_time.CopyFrom(_timestamp(session.expire_time))


def _timestamp(seconds: float) -> Timestamp:
    # To the microsecond, as it is stored. The end may be rounded down, never up.
    micros = int(seconds * 1_000_000)
    return Timestamp(seconds=micros // 1_000_000, nanos=micros % 1_000_000 * 1_000)
