"""What the control plane sends to a replica, against a model of what a replica may know.

An input is messages, each behind its length as a varint.
"""

import random
from collections.abc import Callable, Iterable
from contextlib import suppress
from io import BytesIO
from typing import Final

from envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse
from google.protobuf.message import DecodeError
from google.protobuf.proto import parse_length_prefixed, serialize_length_prefixed

from doorward_server.check.follower import PolicyFollower, StreamBrokenError
from doorward_server.check.handler import CheckHandler
from doorward_server.check.index import PolicyIndex
from doorward_server.check.lease import Lease
from doorward_server.check.uses import TokenUses
from doorward_server.domain.cookies import SESSION_COOKIE
from doorward_server.domain.credentials import Secret
from doorward_server.domain.ids import TokenId
from doorward_server.domain.sessions import Session
from doorward_server.policy.v1 import policy_pb2
from tests.fuzz.mutation import MessageMutation
from tests.fuzz.replica_model import BrokenError, ReplicaModel
from tests.fuzz.stand_ins import NAMES, filled_in, mac_stand_in, session_facts
from tests.fuzz.target import MutateBytes, Target
from tests.unit.domain.decision_oracle import APP_IDS, ENDED, LIVE, NOW, SECRETS
from tests.unit.domain.policies import MACS, SEALS

MakeIndex = Callable[[], PolicyIndex]
Message = policy_pb2.StreamPolicyResponse

_MOST_MESSAGES: Final = 12
_MOST_APPS: Final = 3
_SESSIONS: Final = tuple(session_facts(number, ended=False).session() for number in range(2))
_PRESENTED: Final = (None, *SECRETS[:2], *_SESSIONS)
_PATHS: Final = ("/", "/admin/x")


def read_messages(data: bytes) -> list[Message]:
    """The messages up to the first that is none: gRPC ends the stream there."""
    source, messages = BytesIO(data), list[Message]()
    with suppress(DecodeError, ValueError, EOFError):
        while len(messages) < _MOST_MESSAGES and source.tell() < len(data):
            messages.append(parse_length_prefixed(Message, source))
    return messages


def write_messages(messages: Iterable[Message]) -> bytes:
    """The other way round."""
    written = BytesIO()
    for message in messages:
        serialize_length_prefixed(message, written)
    return written.getvalue()


def check(data: bytes, *, make_index: MakeIndex = lambda: PolicyIndex(MACS, SEALS)) -> None:
    """The replica follows or breaks the stream, and opens what the messages opened, nothing more."""
    time = 100.0
    index, lease = make_index(), Lease(lambda: time)
    follower = PolicyFollower(index=index, lease=lease, region=None, clock=lambda: time)
    handle = CheckHandler(policy=index, lease=lease, uses=TokenUses(), login_enabled=False, now=lambda: NOW)
    model = ReplicaModel(lambda: time)
    follower.hello()
    received = 0
    for message in read_messages(filled_in(data)):
        time += 1.0
        # By chance hardly any stream would come to its second message.
        message.sequence = received = received + 1
        followed = _receive(follower, message)
        if followed != _receive(model, message):
            raise AssertionError("one of the two breaks the stream")
        if not followed:
            received = 0
        _check_access(handle, model)
        if follower.welcomed:
            follower.report()
            model.send()


def _receive(end: PolicyFollower | ReplicaModel, message: Message) -> bool:
    """Whether the message could be followed. If not, a new stream begins."""
    try:
        end.receive(message)
    except (StreamBrokenError, BrokenError):
        end.hello() if isinstance(end, PolicyFollower) else end.begin()
        return False
    return True


def _check_access(handle: CheckHandler, model: ReplicaModel) -> None:
    known = list(model.apps)[:_MOST_APPS]
    for app_id in dict.fromkeys([*known, *APP_IDS[:2]]):
        if app_id != app_id.lower():
            continue  # the handler asks for ids in their canonical form alone
        for secret in _PRESENTED:
            for path in _PATHS:
                if _opens(handle, app_id, secret, path):
                    assert model.opens(app_id, secret, path=path, now=NOW), "access was widened"


def _opens(handle: CheckHandler, app_id: str, secret: Secret | Session | None, path: str) -> bool:
    match secret:
        case None:
            headers = {}
        case Session():
            headers = {"cookie": f"{SESSION_COOKIE}={SEALS.seal(secret)}"}
        case _:
            headers = {"doorward-token": secret.reveal()}
    http = {"method": "GET", "host": "x", "path": path, "headers": headers}
    request = CheckRequest(attributes={"request": {"http": http}, "context_extensions": {"app_id": app_id}})
    response = CheckResponse.FromString(handle(request.SerializeToString()))
    return bool(response.HasField("ok_response"))


_WORDS: Final = (
    *(app_id.encode() for app_id in APP_IDS),
    *(ENDED.encode(), LIVE.encode()),
    *(secret.token_id.encode() for secret in SECRETS),
    *(mac_stand_in(name) for name in NAMES),
    *(b"READ_ONLY", b"OPERATOR", b"ADMIN", b"GRA", b"BHS", b"group", b"A", b"B", b"/admin", b"policy-1"),
    *(
        b"group=A",
        b"group in (A,B)",
        b"!group",
        b"group!=A",
        b",",
        b"app.gra.localhost",
        b"127.0.0.1",
        b"\xff",
    ),
)


def mutate(data: bytes, longest: int, chance: random.Random, mutate_bytes: MutateBytes) -> bytes:
    """Mostly other messages, or the same in another order; now and then other bytes."""
    messages = read_messages(data)
    if not messages or chance.random() < 0.1:
        return mutate_bytes(data, longest)
    mutation = MessageMutation(chance, _WORDS, mutate_bytes)
    for _ in range(chance.choice([1, 1, 2, 4])):
        at = chance.randrange(len(messages))
        match chance.choice(["change", "change", "change", "change", "double", "drop", "swap"]):
            case "double":
                messages.insert(chance.randint(0, len(messages)), messages[at])
            case "drop" if len(messages) > 1:
                del messages[at]
            case "swap":
                messages.append(messages.pop(at))
            case _:
                changed = Message()
                changed.CopyFrom(messages[at])
                mutation.change(changed)
                messages[at] = changed
    written = write_messages(messages)
    return written if len(written) <= longest else mutate_bytes(data, longest)


class _IndexThatForgetsNothing(PolicyIndex):
    def remove_token(self, token_id: TokenId) -> None:
        """Leave it in force."""


TARGET = Target(
    name="stream",
    check=check,
    planted=lambda data: check(data, make_index=lambda: _IndexThatForgetsNothing(MACS, SEALS)),
    words=_WORDS,
    mutate=mutate,
    max_length=4096,
)
