"""The console over ASGI, before a fake api."""

import re
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from doorward_server.web.attempts import Attempts
from doorward_server.web.console.app import make_console
from doorward_server.web.console.visit import Platform
from doorward_server.web.throttle import Limits, Throttle
from tests.unit.web.console.fake_api import SESSION, FakeApi, serving
from tests.unit.web.fake_logins import FakeLogins

HOST = "console.localhost"
ORIGIN = f"http://{HOST}:8080"


@dataclass
class Console:
    """A browser at the console, and what stands behind it."""

    client: httpx.AsyncClient
    api: FakeApi
    logins: FakeLogins
    cookies: dict[str, str] = field(default_factory=dict)

    async def open(
        self, path: str, *, headers: dict[str, str] | None = None, **params: str
    ) -> httpx.Response:
        """Follow a link within the console."""
        own = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate"}
        query = {"params": params} if params else {}
        return self._keep(
            await self.client.get(path, headers={**own, **self._cookie(), **(headers or {})}, **query)  # type: ignore[arg-type]
        )

    async def send(
        self, path: str, *, headers: dict[str, str | None] | None = None, **fields: str
    ) -> httpx.Response:
        """Send a form as browsers do; a header of None is not sent."""
        return await self.send_fields(path, fields, headers=headers)

    async def send_fields(
        self, path: str, fields: dict[str, str], *, headers: dict[str, str | None] | None = None
    ) -> httpx.Response:
        """The same, for fields that are not known by name."""
        own = {"origin": ORIGIN, "sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate"}
        sent = {**own, **self._cookie(), **(headers or {})}
        return self._keep(
            await self.client.post(
                path,
                data={"form": self.key, **fields},
                headers={name: value for name, value in sent.items() if value is not None},
            )
        )

    @property
    def key(self) -> str:
        """What forms have in their hidden field."""
        return self.cookies.get("__Host-doorward-form", "")

    def _cookie(self) -> dict[str, str]:
        # The library's own jar keeps no cookie with that prefix over HTTP.
        return {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}

    def _keep(self, answer: httpx.Response) -> httpx.Response:
        for each in answer.headers.get_list("set-cookie"):
            pair, _, attributes = each.partition(";")
            name, _, value = pair.partition("=")
            assert {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"} <= {
                part.strip() for part in attributes.split(";")
            }
            if "Max-Age=0" in attributes:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer


def text_of(page: httpx.Response) -> str:
    """What a page says, without its tags."""
    main = page.text.partition("<main")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", main))


@pytest.fixture
async def stranger() -> AsyncIterator[Console]:
    """Somebody who is not signed in."""
    with tempfile.TemporaryDirectory(prefix="dw-") as folder:
        api, logins = FakeApi(), FakeLogins(SESSION)
        async with serving(api, Path(folder) / "api.sock") as channel:
            throttle = Throttle(clock=lambda: 0.0, limits=Limits(address_burst=3))
            app = make_console(
                host=HOST,
                platform=Platform(regions=("GRA", "BHS"), reserved_prefix="ovh/"),
                channel=channel,
                attempts=Attempts(logins=logins, throttle=throttle),
                logins=logins,
            )
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
                yield Console(client, api, logins)


@pytest.fixture
def console(stranger: Console) -> Console:
    """Somebody who is signed in, with a form's cookie."""
    stranger.cookies = {"__Host-doorward-console": SESSION, "__Host-doorward-form": "k" * 43}
    return stranger
