"""Api and one check replica in the running process, for the tests of programs: nothing else, and no Envoy."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc
from envoy.service.auth.v3 import attribute_context_pb2, external_auth_pb2
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from doorward.testing._platform import Decision
from doorward_server.bootstrap.control_plane import control_plane
from doorward_server.bootstrap.setup import prepare
from doorward_server.check.follower import PolicyFollower
from doorward_server.check.handler import CheckHandler
from doorward_server.check.index import PolicyIndex
from doorward_server.check.lease import Lease
from doorward_server.check.replica import Replica
from doorward_server.check.sessions import SessionRenewal
from doorward_server.check.uses import TokenUses
from doorward_server.domain.sessions import SessionSeals
from doorward_server.platform_key import load_platform_key
from doorward_server.rpc.listening import Listening
from doorward_server.services.boottime import boottime
from doorward_server.settings import Settings

_GOODBYE_SECONDS: Final = 1.0
_OK: Final = 200


class _GivenSettings(Settings):
    """Settings of which the environment says nothing: it may be that of a platform which is real."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given, alone."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


@dataclass(frozen=True, slots=True, kw_only=True)
class InProcess:
    """A platform that runs on this event loop."""

    address: str
    admin_token: str = field(repr=False)
    handler: CheckHandler

    def decide(self, *, host: str, method: str, path: str, headers: Sequence[tuple[str, str]]) -> Decision:
        """Decide as the replica does for Envoy, from the bytes of a CheckRequest to those of the answer."""
        context = attribute_context_pb2.AttributeContext
        http = context.HttpRequest(method=method, host=host, path=path, scheme="http")
        for key, value in headers:
            http.header_map.headers.add(key=key, raw_value=value.encode())
        asked = external_auth_pb2.CheckRequest(attributes=context(request=context.Request(http=http)))
        return _decision(external_auth_pb2.CheckResponse.FromString(self.handler(asked.SerializeToString())))


@asynccontextmanager
async def in_process(home: Path, *, regions: Mapping[str, str]) -> AsyncIterator[InProcess]:
    """Run a platform that keeps everything in *home*, an empty folder, and is ready for calls and Checks."""
    given: dict[str, Any] = {
        "home": home,
        "regions": regions,
        "process_runtime": True,
        # Its secrets do not outlive it, so that hashes which are cheap to make lose nothing.
        "argon2_memory_kib": 8,
        "argon2_time_cost": 1,
        "shutdown_grace": 0,
    }
    settings = _GivenSettings(**given)
    secret = await prepare(settings)
    if secret is None:
        raise ValueError(f"{home} is not empty")
    async with control_plane(settings, listening=Listening(port=0)) as server:
        await server.start()
        address = f"127.0.0.1:{server.port}"
        async with _replica(settings, address) as handler:
            yield InProcess(address=address, admin_token=secret.reveal(), handler=handler)


@asynccontextmanager
async def _replica(settings: Settings, api: str) -> AsyncIterator[CheckHandler]:
    """A replica that has the policy, and follows it until the block ends."""
    key = load_platform_key(settings.key_file)
    seals = SessionSeals(key.session_key())
    lease, index, uses = Lease(boottime), PolicyIndex(key.token_macs(), seals), TokenUses()
    handler = CheckHandler(
        policy=index,
        lease=lease,
        uses=uses,
        login_enabled=settings.login_enabled,
        renewal=SessionRenewal(seals, idle=settings.session_idle_timeout),
    )
    ready = asyncio.Event()
    replica = Replica(
        follower=PolicyFollower(
            index=index,
            lease=lease,
            region=None,
            clock=boottime,
            display_name="in-process",
        ),
        uses=uses,
        open_channel=lambda: grpc.aio.insecure_channel(
            api, options=(("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0))
        ),
        stream_key=key.stream_key(),
        on_message=lambda: ready.set() if lease.fresh else None,
    )
    following = asyncio.create_task(replica.follow())
    waiting = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait({following, waiting}, return_when=asyncio.FIRST_COMPLETED)
        yield handler
    finally:
        waiting.cancel()
        replica.leave()
        await asyncio.wait({following}, timeout=_GOODBYE_SECONDS)
        following.cancel()
        await asyncio.wait({following})
    if not following.cancelled():
        # It never ends by itself, but by a defect, which is raised here.
        following.result()


def _decision(answer: external_auth_pb2.CheckResponse) -> Decision:
    allowed = answer.HasField("ok_response")
    given = answer.ok_response if allowed else answer.denied_response
    return Decision(
        allowed=allowed,
        status=_OK if allowed else given.status.code,
        reason=answer.dynamic_metadata.fields["reason"].string_value,
        headers={each.header.key: each.header.value for each in given.headers},
        removed=tuple(answer.ok_response.headers_to_remove),
        body=answer.denied_response.body,
    )
