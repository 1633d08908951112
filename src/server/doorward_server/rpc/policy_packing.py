"""The policy's entries as serialized messages, for snapshots.

There may be a million tokens, so each is put together from pieces that many of them share: two serialized
messages in a row are one message with the fields of both, and a message less its last value is the beginning
of one with any other value of that length.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from google.protobuf.message import Message

from doorward_server.domain.ids import RegionName
from doorward_server.domain.policy import EndedSession, LiveSecret, PolicyApp
from doorward_server.policy.v1 import policy_pb2
from doorward_server.rpc.policy_messages import app_message, ended_session_message, generation_message
from doorward_server.services.ports import SecretRow


def pack_apps(apps: Iterable[PolicyApp]) -> list[bytes]:
    """Each app as a serialized `policy_pb2.App`."""
    return [_packed(app_message(app)) for app in apps]


def pack_tokens(rows: Iterable[SecretRow]) -> list[bytes]:
    """Each token as a serialized `policy_pb2.Token`, of its rows, which follow each other."""
    packed: list[bytes] = []
    former = None
    for token_id, role, region, selector, token_end, number, mac, own_end in rows:
        secret = b""
        if number is not None and mac is not None:
            if token_end is None is own_end:
                secret = _secret_start(number, len(mac)) + mac
            else:
                secret = _ending_secret(number, mac, token_end, own_end)
        if token_id == former:
            packed[-1] += secret
        else:
            packed.append(
                b"%b%b%b%b"
                % (_id_start(len(token_id)), token_id.encode(), _scope(role, region, selector), secret)
            )
            former = token_id
    return packed


def pack_ended_sessions(sessions: Iterable[EndedSession]) -> list[bytes]:
    """Each session as a serialized `policy_pb2.EndedSession`."""
    return [_packed(ended_session_message(session)) for session in sessions]


@lru_cache(maxsize=16)
def _id_start(length: int) -> bytes:
    placeholder = "-" * length
    return _before(placeholder.encode(), policy_pb2.Token(token_id=placeholder))


@lru_cache(maxsize=32_768)
def _scope(role: str, region: RegionName | None, selector: str | None) -> bytes:
    return _packed(policy_pb2.Token(role=role, region=region or "", label_selector=selector or ""))


@lru_cache(maxsize=1024)
def _secret_start(number: int, length: int) -> bytes:
    placeholder = b"-" * length
    return _before(placeholder, _token_of(LiveSecret(generation=number, mac=placeholder)))


def _ending_secret(number: int, mac: bytes, *ends: datetime | None) -> bytes:
    sooner = min(end.timestamp() for end in ends if end is not None)
    return _packed(_token_of(LiveSecret(generation=number, mac=mac, expire_time=sooner)))


def _token_of(secret: LiveSecret) -> policy_pb2.Token:
    return policy_pb2.Token(generations=[generation_message(secret)])


def _before(value: bytes, message: Message) -> bytes:
    whole = _packed(message)
    if not whole.endswith(value):
        raise RuntimeError(f"protobuf does not write the last field of {type(message).__name__} last")
    return whole.removesuffix(value)


def _packed(message: Message) -> bytes:
    packed: bytes = message.SerializeToString()
    return packed
