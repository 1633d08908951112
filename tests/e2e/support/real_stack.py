"""`doorward up` as a `Stack`: the attacks go to what users run."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.e2e.support.platform import Platform, running_platform
from tests.e2e.support.raw_http import exchange
from tests.e2e.support.stack import API_HOST, Published
from tests.support.waiting import wait_for

_REGION = "GRA"


class RealStack:
    """A running platform, and a READ_ONLY token for every app of a region."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._secret = self.secret(role="ROLE_READ_ONLY")

    @property
    def address(self) -> tuple[str, int]:
        """Where Envoy listens."""
        return self.platform.address

    def publish(
        self, host: str, port: int, *, labels: Mapping[str, str] | None = None, **spec: Any
    ) -> Published:
        """Put what listens at an address behind Envoy, as an app of its own, and wait until it is reached."""
        spec |= {"external": {"address": f"{host}:{port}"}, "readiness": {"period": "60s"}}
        app = {"displayName": "app", "region": _REGION, "labels": labels or {}, "spec": spec}
        created = self.call("POST", "/v1/apps", app)
        app_id = created["appId"]

        def running() -> bool:
            state: str = self.call("GET", f"/v1/apps/{app_id}")["status"]["state"]
            return state == "APP_STATE_RUNNING"

        wait_for(running, what=f"the app at {host}:{port} runs")
        return Published(
            address=self.address,
            host=created["status"]["url"].removeprefix("http://"),
            app_id=app_id,
            secret=self._secret,
        )

    def secret(self, *, role: str, selector: str | None = None) -> str:
        """The secret of a new token for the apps of the region that match, by default all of them."""
        scope = {"allApps": True} if selector is None else {"labelSelector": selector}
        token = {"displayName": "visitor", "role": role, "region": _REGION, **scope}
        made: str = self.call("POST", "/v1/tokens", token)["secret"]
        return made

    def logged(self, path: str) -> dict[str, Any]:
        """The entry of Envoy's access log of the request with that path, which a test uses once."""

        def look() -> dict[str, Any] | None:
            lines = (line.partition(" | ") for line in self.platform.log.read_text().splitlines())
            entries = [
                json.loads(text) for name, _, text in lines if name.strip() == "envoy" and _is_json(text)
            ]
            return next((entry for entry in entries if entry.get("path") == path), None)

        return wait_for(look, what=f"{path} in the access log")

    def call(self, method: str, target: str, body: object = None) -> Any:
        """Call the API over REST, as the holder of the first ADMIN token."""
        answer = exchange(
            self.address,
            method,
            target,
            host=API_HOST,
            headers={"Authorization": f"Bearer {self.platform.admin_token}"},
            body=None if body is None else json.dumps(body).encode(),
        )
        assert answer.status == 200, answer.body
        return json.loads(answer.body)


def _is_json(text: str) -> bool:
    return text.startswith("{") and text.endswith("}")


@contextmanager
def real_stack(**settings: str) -> Iterator[RealStack]:
    """A platform of its own, with *settings* as for `Platform`."""
    with running_platform(**settings) as platform:
        yield RealStack(platform)
