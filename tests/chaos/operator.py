"""The operator: calls the API through Envoy, and learns of each call whether it took effect, or does not."""

import json
from typing import Any

from tests.chaos.http1 import NO_ANSWER, KeptConnection, Reply
from tests.e2e.support.platform import Platform
from tests.e2e.support.raw_http import request_bytes
from tests.e2e.support.stack import API_HOST


class UnknownOutcomeError(Exception):
    """The call was not answered by a success: it may have taken effect, or not."""


class GoneError(Exception):
    """What the call is about does not exist, which the API says once no replica knows it."""


class Operator:
    """Holds the first ADMIN token. Close it when done."""

    def __init__(self, platform: Platform) -> None:
        self._secret = platform.admin_token
        self._connection = KeptConnection(platform.address)

    async def call(self, method: str, target: str, body: object = None) -> Any:
        """Call the API over REST; raises `UnknownOutcomeError`, `GoneError`."""
        headers = [("Authorization", f"Bearer {self._secret}"), ("Content-Type", "application/json")]
        content = None if body is None else json.dumps(body).encode()
        request = request_bytes(method, target, host=API_HOST, headers=headers, body=content)
        try:
            reply = await self._connection.exchange(request)
        except NO_ANSWER as error:
            raise UnknownOutcomeError(f"{method} {target}: {type(error).__name__}") from None
        return _answer(method, target, reply)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    async def create_app(self, name: str, address: str, *, labels: dict[str, str], **spec: Any) -> str:
        """Create an app that listens at an address, and answer its id."""
        source = {"external": {"address": address}, "readiness": {"period": "60s"}}
        app = {"displayName": name, "region": "GRA", "labels": labels, "spec": source | spec}
        return str((await self.call("POST", "/v1/apps", app))["appId"])

    async def app_etag(self, app_id: str) -> str:
        """The version of an app."""
        return str((await self.call("GET", f"/v1/apps/{app_id}"))["etag"])

    async def label_app(self, app_id: str, labels: dict[str, str], *, etag: str) -> None:
        """Change the labels of an app that still has this version."""
        body = {"labels": labels, "etag": etag}
        await self.call("PATCH", f"/v1/apps/{app_id}?updateMask=labels", body)

    async def create_token(self, name: str, **fields: Any) -> tuple[str, str]:
        """Create a token of a region, and answer its id and its secret."""
        token = {"displayName": name, "role": "ROLE_READ_ONLY", "region": "GRA", **fields}
        created = await self.call("POST", "/v1/tokens", token)
        return created["token"]["tokenId"], created["secret"]

    async def regenerate(self, token_id: str) -> str:
        """Give a token a new secret, and answer it."""
        return str((await self.call("POST", f"/v1/tokens/{token_id}:regenerate", {}))["secret"])

    async def delete_token(self, token_id: str) -> None:
        """Delete a token. One that is gone already is as good."""
        try:
            await self.call("DELETE", f"/v1/tokens/{token_id}")
        except GoneError:
            return


def _answer(method: str, target: str, reply: Reply) -> Any:
    if reply.status == 404:
        raise GoneError(f"{method} {target}")
    if reply.status != 200:
        raise UnknownOutcomeError(f"{method} {target}: {reply.status} {reply.body[:200]!r}")
    return json.loads(reply.body)
