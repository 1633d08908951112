"""`doorward up` as a `Stack`: the attacks go to what users run."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.e2e.support.apps import PROBE
from tests.e2e.support.platform import Platform, running_platform
from tests.e2e.support.raw_http import exchange
from tests.e2e.support.stack import API_HOST, Published
from tests.e2e.support.waiting import wait_for

_REGION = "GRA"


class RealStack:
    """A running platform, and a READ_ONLY token for every app of a region."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        token = {"displayName": "visitor", "role": "ROLE_READ_ONLY", "region": _REGION, "allApps": True}
        self._secret: str = self.call("POST", "/v1/tokens", token)["secret"]

    @property
    def address(self) -> tuple[str, int]:
        """Where Envoy listens."""
        return self._platform.address

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
        published = Published(
            address=self.address,
            host=created["status"]["url"].removeprefix("http://"),
            app_id=app_id,
            secret=self._secret,
        )
        # Check replicas hear of it a moment after the API has said so.
        wait_for(lambda: b"The app is not running" not in published.get(PROBE).body, what="check knows")
        return published

    def call(self, method: str, target: str, body: object = None) -> Any:
        """Call the API over REST, as the holder of the first ADMIN token."""
        answer = exchange(
            self.address,
            method,
            target,
            host=API_HOST,
            headers={"Authorization": f"Bearer {self._platform.admin_token}"},
            body=None if body is None else json.dumps(body).encode(),
        )
        assert answer.status == 200, answer.body
        return json.loads(answer.body)


@contextmanager
def real_stack() -> Iterator[RealStack]:
    """A platform of its own."""
    with running_platform() as platform:
        yield RealStack(platform)
