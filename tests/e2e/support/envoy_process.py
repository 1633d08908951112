"""A real Envoy for a test, and what it wrote."""

import asyncio
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from doorward_server.gateway.config import GatewayConfig
from doorward_server.gateway.render import render_gateway
from doorward_server.gateway.run import await_ready, envoy_argv
from tests.e2e.support.tether import tethered
from tests.support.waiting import wait_for

_ROOT = Path(__file__).resolve().parents[3]


Edit = Callable[[Any], None]
"""A change by hand to a rendered configuration."""


class EnvoyProcess:
    """Envoy as `doorward up` runs it, with its logs in files."""

    def __init__(self, config: GatewayConfig, home: Path, *, edit: Edit | None = None) -> None:
        assert config.admin_socket is not None
        path = render_gateway(config, home / "envoy")
        if edit is not None:
            rendered = yaml.safe_load(path.read_text())
            edit(rendered)
            path.write_text(json.dumps(rendered))
        self.log = home / "envoy.log"
        self._access_log = home / "access.log"
        with self._access_log.open("wb") as out, self.log.open("wb") as err:
            self.process = subprocess.Popen(
                tethered(envoy_argv(path, concurrency=2)),
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        try:
            self.port = asyncio.run(
                await_ready(config.admin_socket, timeout=30, returncode=self.process.poll)
            )
        except BaseException:
            self.close()
            print(self.log.read_text())  # noqa: T201 - what pytest shows of a failed test
            raise

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def close(self) -> None:
        """Stop it."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)

    def access_log(self) -> str:
        """The access log so far."""
        return self._access_log.read_text()

    def logged(self, path: str) -> dict[str, Any]:
        """The entry of the request with that path, which a test uses once."""

        def look() -> dict[str, Any] | None:
            complete = self.access_log().rpartition("\n")[0]
            entries = [json.loads(line) for line in complete.splitlines()]
            return next((entry for entry in entries if entry.get("path") == path), None)

        return wait_for(look, what=f"{path} in the access log")
