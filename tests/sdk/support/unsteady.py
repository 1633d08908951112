"""An api that fails as it is told, and keeps what it heard: for what a real one does only when it is ill.

What happens is in the token of the call: `unsteady-N-…` answers UNAVAILABLE N times, having sent its headers
as the real one does, and then an answer; `busy-N-…` says N times that it has too much to do, and when to come
again; `later-…` asks to come again in an hour; `halting-…` breaks a stream off after its first answer;
`reason-ERROR_REASON_…-…` fails with that reason.
"""

import re
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import grpc
from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from doorward.v1.error_reason_pb2 import ErrorReason
from tests.e2e.support.api_calls import METHODS
from tests.support.certificates import Certificate, self_signed

ROOT = Path(__file__).resolve().parents[3]
REQUEST_ID_KEY = "doorward-request-id"
RETRY_SECONDS = 0.01
LATER_SECONDS = 3600.0


def codes() -> dict[str, grpc.StatusCode]:
    """Return the status of each reason, as the comments in error_reason.proto say it."""
    text = (ROOT / "protos" / "doorward" / "v1" / "error_reason.proto").read_text(encoding="utf-8")
    plain = re.sub(r"\s*\n\s*//\s*", " ", text)
    found = re.findall(r"Status ([A-Z_]+)\.(?:(?!Status ).)*?(ERROR_REASON_[A-Z_]+) = ", plain, re.DOTALL)
    named = {reason: grpc.StatusCode[code] for code, reason in found}
    assert set(named) == set(ErrorReason.keys()[1:])
    return named


@dataclass(frozen=True, slots=True)
class Heard:
    """A call as it came in."""

    method: str
    request: Mapping[str, Any]
    user_agent: str
    seconds: float | None
    """How long the caller waits; None: for ever."""

    def as_json(self) -> dict[str, Any]:
        """Return what a table can say of it; the time left is rounded to the next ten seconds."""
        limit = None if self.seconds is None or self.seconds > 86400 else round((self.seconds + 4) / 10) * 10
        return {
            "method": self.method,
            "request": self.request,
            "userAgent": self.user_agent,
            "seconds": limit,
        }


class UnsteadyApi(grpc.GenericRpcHandler):
    """Takes every call of the public API."""

    def __init__(self) -> None:
        self._heard: dict[str, list[Heard]] = {}
        self._lock = threading.Lock()
        self._codes = codes()

    def heard(self, token: str) -> list[dict[str, Any]]:
        """Return the calls that came with a token, in their order."""
        with self._lock:
            return [each.as_json() for each in self._heard.get(token, [])]

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """Return what answers a call."""
        name = details.method.rpartition("/")[2]
        method = METHODS[name]
        metadata = {key: str(value) for key, value in details.invocation_metadata}

        def answer(request: Message, context: grpc.ServicerContext) -> Message:
            token = metadata.get("authorization", "").removeprefix("Bearer ")
            heard = Heard(
                method=name,
                request=json_format.MessageToDict(request),
                user_agent=metadata.get("user-agent", ""),
                seconds=context.time_remaining(),
            )
            with self._lock:
                times = self._heard.setdefault(token, [])
                times.append(heard)
            context.send_initial_metadata(((REQUEST_ID_KEY, f"request-{len(times)}"),))
            kind, argument, _ = (*token.split("-", 2), "", "")[:3]
            if kind == "reason":
                self._fail(context, argument)
            if kind == "later":
                self._fail(context, "ERROR_REASON_STORAGE_UNAVAILABLE", retry_seconds=LATER_SECONDS)
            if kind == "unsteady" and len(times) <= int(argument):
                self._fail(context, "ERROR_REASON_STORAGE_UNAVAILABLE")
            if kind == "busy" and len(times) <= int(argument):
                self._fail(context, "ERROR_REASON_HASHING_QUEUE_FULL")
            return GetMessageClass(method.output_type)()

        def stream(request: Message, context: grpc.ServicerContext) -> Iterator[Message]:
            yield answer(request, context)
            if metadata.get("authorization", "").startswith("Bearer halting-"):
                self._fail(context, "ERROR_REASON_STORAGE_UNAVAILABLE")

        reader = GetMessageClass(method.input_type).FromString
        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(stream, reader, lambda m: m.SerializeToString())
        return grpc.unary_unary_rpc_method_handler(answer, reader, lambda m: m.SerializeToString())

    def _fail(
        self, context: grpc.ServicerContext, reason: str, *, retry_seconds: float = RETRY_SECONDS
    ) -> NoReturn:
        code = self._codes[reason]
        status = status_pb2.Status(code=code.value[0], message=f"told to fail with\n{reason}")
        info = error_details_pb2.ErrorInfo(
            reason=reason, domain="doorward.dev", metadata={"app_id": "an-app"}
        )
        violation = error_details_pb2.BadRequest.FieldViolation(field="app.labels", description="a rule")
        retry = Duration()
        retry.FromNanoseconds(int(retry_seconds * 1e9))
        details: list[Message] = [info, error_details_pb2.RetryInfo(retry_delay=retry)]
        if code is grpc.StatusCode.INVALID_ARGUMENT:
            details.append(error_details_pb2.BadRequest(field_violations=[violation]))
        for detail in details:
            status.details.add().Pack(detail)
        context.abort_with_status(rpc_status.to_status(status))
        raise AssertionError  # abort_with_status has raised


@dataclass(frozen=True, slots=True)
class Unsteady:
    """It, and where it listens."""

    api: UnsteadyApi
    address: str
    tls_address: str
    certificate: Certificate


@contextmanager
def unsteady() -> Iterator[Unsteady]:
    """Serve it in plain text, and with a certificate for `api.test`, on free ports of this machine."""
    api = UnsteadyApi()
    certificate = self_signed("api.test")
    server = grpc.server(ThreadPoolExecutor(max_workers=8), handlers=[api])
    pair = [(certificate.private_key, certificate.certificate)]
    plain = server.add_insecure_port("127.0.0.1:0")
    encrypted = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(pair))
    server.start()
    try:
        yield Unsteady(api, f"127.0.0.1:{plain}", f"127.0.0.1:{encrypted}", certificate)
    finally:
        server.stop(grace=None).wait()
