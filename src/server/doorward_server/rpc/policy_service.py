"""Streams the policy to the replicas."""

import asyncio
import hmac
import logging
from collections.abc import AsyncIterator
from typing import Final, TypeVar, cast

import grpc

from doorward_server.domain.errors import InvalidFieldsError, Violations
from doorward_server.domain.ids import RegionName, parse_display_name, parse_request_id
from doorward_server.domain.quoting import quoted
from doorward_server.policy.v1 import policy_pb2, policy_pb2_grpc
from doorward_server.rpc.policy_feed import PolicyFeed
from doorward_server.rpc.policy_stream import Context, PolicyStream, StreamEndedError, Terms, refuse
from doorward_server.services.leases import ReplicaIdentity
from doorward_server.services.ports import Storage, StorageUnavailableError
from doorward_server.services.propagation import Propagation
from doorward_server.services.usage import TokenUsage

_log = logging.getLogger(__name__)
_Error = TypeVar("_Error", bound=Exception)

STREAM_KEY: Final = "doorward-stream-key"
"""The metadata that authenticates a replica: `PlatformKey.stream_key` in hexadecimal digits."""


class PolicyServicer(policy_pb2_grpc.PolicyServiceServicer):
    """The api's end of the policy stream."""

    def __init__(
        self,
        *,
        storage: Storage,
        propagation: Propagation,
        usage: TokenUsage,
        stream_key: bytes,
        mac_key_id: str,
        terms: Terms,
    ) -> None:
        """*mac_key_id* names the platform key whose MACs the replicas are told."""
        if terms.lease != propagation.lease:
            raise ValueError("replicas must be told the lease that is waited for")
        self._storage = storage
        self._propagation = propagation
        self._usage = usage
        self._stream_key = stream_key.hex().encode()
        self._mac_key_id = mac_key_id
        self._terms = terms

    async def StreamPolicy(  # type: ignore[override]  # the stub allows for synchronous servers, too
        self, request_iterator: AsyncIterator[policy_pb2.StreamPolicyRequest], context: Context
    ) -> None:
        ended: StreamEndedError | None = None
        try:
            self._authenticate(context)
            await self._serve(request_iterator, context)
        except* StreamEndedError as group:
            ended = _first(group)
        except* StorageUnavailableError as group:
            ended = StreamEndedError(grpc.StatusCode.UNAVAILABLE, str(_first(group)))
        if ended is not None:
            await context.abort(ended.code, str(ended))

    def _authenticate(self, context: Context) -> None:
        keys = [value for key, value in context.invocation_metadata() or () if key == STREAM_KEY]
        presented = keys[0] if len(keys) == 1 else b""
        raw = presented.encode() if isinstance(presented, str) else presented
        if not hmac.compare_digest(raw, self._stream_key):
            raise StreamEndedError(
                grpc.StatusCode.UNAUTHENTICATED,
                f"{STREAM_KEY}: not the key of this platform; api and check must use the same platform key",
            )

    async def _serve(self, messages: AsyncIterator[policy_pb2.StreamPolicyRequest], context: Context) -> None:
        first = await anext(aiter(messages), None)
        if first is None or not first.HasField("hello"):
            refuse("hello: the first message of a stream must have one")
        replica = self._parse(first.hello)
        news = asyncio.Event()
        async with self._propagation.stream(replica, news=news) as stream:
            _log.info("Replica %s has connected", replica)
            feed = PolicyFeed(self._storage, region=replica.region, mac_key_id=self._mac_key_id)
            try:
                await PolicyStream(
                    context=context, feed=feed, stream=stream, news=news, usage=self._usage
                ).run(first, messages, self._terms)
            finally:
                _log.info("Replica %s has %s", replica, "left" if stream.left else "disconnected")

    def _parse(self, hello: policy_pb2.Hello) -> ReplicaIdentity:
        found = Violations()
        replica_id = ""
        with found.field("hello.replica_id"):
            replica_id = parse_request_id(hello.replica_id)
        if hello.display_name:
            with found.field("hello.display_name"):
                parse_display_name(hello.display_name)
        if hello.region and hello.region not in self._terms.region_domains:
            known = ", ".join(sorted(self._terms.region_domains))
            found.add("hello.region", f"{quoted(hello.region)} is not one of {known}")
        try:
            found.raise_if_any()
        except InvalidFieldsError as error:
            refuse(str(error))
        return ReplicaIdentity(
            replica_id=replica_id,
            display_name=hello.display_name,
            region=RegionName(hello.region) if hello.region else None,
        )


def _first(group: ExceptionGroup[_Error]) -> _Error:
    """One of the errors in a group, however deep."""
    error: Exception = group
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return cast(_Error, error)
