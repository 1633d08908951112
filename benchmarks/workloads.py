"""What the measured servers do: a handler, and requests that it allows. Made in the server's own process."""

import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from envoy.service.auth.v3 import attribute_context_pb2, external_auth_pb2

from doorward_server.check.handler import CheckHandler
from doorward_server.check.index import PolicyIndex
from doorward_server.check.lease import Lease
from doorward_server.check.transports import Handler
from doorward_server.check.uses import TokenUses
from doorward_server.domain.credentials import PlatformKey, mint_secret, mint_token_id
from doorward_server.domain.hosts import app_host
from doorward_server.domain.ids import AppId, RegionName
from doorward_server.policy.v1 import policy_pb2
from doorward_server.services.boottime import boottime

_REGION: Final = RegionName("GRA")
_DOMAIN: Final = "app.gra.localhost"
_APPS: Final = 1000
_GROUPS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A handler and serialized ``CheckRequest``s to send it, each of which it allows."""

    handler: Handler
    requests: Sequence[bytes]


def check_request(*, host: str, path: str, credential: str) -> bytes:
    """A ``CheckRequest`` with what Envoy sends to Doorward of a request by curl."""
    attributes = attribute_context_pb2.AttributeContext
    headers = {
        ":authority": host,
        ":method": "GET",
        ":path": path,
        ":scheme": "http",
        "accept": "*/*",
        "authorization": f"Bearer {credential}",
    }
    http = attributes.HttpRequest(id="1234567890123456789", method="GET", host=host, path=path, scheme="http")
    for key, value in headers.items():
        http.header_map.headers.add(key=key, raw_value=value.encode())
    check = external_auth_pb2.CheckRequest(attributes=attributes(request=attributes.Request(http=http)))
    serialized: bytes = check.SerializeToString()
    return serialized


def noop() -> Workload:
    """The floor: a handler that looks at nothing and always says the same."""
    answer = external_auth_pb2.CheckResponse()
    answer.ok_response.headers.add().header.key = "x-doorward-app-id"
    encoded = answer.SerializeToString()
    requests = [
        check_request(host=f"{number:08}.app.gra.localhost", path="/predict", credential="x" * 65)
        for number in range(100)
    ]
    return Workload(handler=lambda _: encoded, requests=requests)


def doorward() -> Workload:
    """A replica with 1,000 apps in 100 groups and a token for each app's group, all of them in use."""
    macs = PlatformKey(key_id="benchmark", material=secrets.token_bytes(32)).token_macs()
    index = PolicyIndex(macs)
    index.set_domains({_REGION: _DOMAIN})
    requests = []
    for number in range(_APPS):
        app_id, group = AppId(str(uuid.uuid4())), f"g{number % _GROUPS}"
        secret = mint_secret(mint_token_id())
        index.put_app(
            policy_pb2.App(
                app_id=app_id,
                region=_REGION,
                labels={"group": group, "ovh/id": app_id, "ovh/type": "app"},
                upstream=policy_pb2.Upstream(host="127.0.0.1", port=8000),
            )
        )
        index.put_token(
            policy_pb2.Token(
                token_id=secret.token_id,
                role="READ_ONLY",
                region=_REGION,
                label_selector=f"group={group}",
                generations=[policy_pb2.Generation(generation=1, mac=macs.mac(secret))],
            )
        )
        host = app_host(app_id, _DOMAIN)
        requests.append(check_request(host=host, path="/predict", credential=secret.reveal()))
    # A lease for ever: every decision still looks at the clock.
    lease = Lease(boottime)
    lease.renew(boottime(), 0)
    handler = CheckHandler(policy=index, lease=lease, uses=TokenUses(), login_enabled=False)
    return Workload(handler=handler, requests=requests)


WORKLOADS: dict[str, Callable[[], Workload]] = {"doorward": doorward, "noop": noop}
