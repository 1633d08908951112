"""An api with tokens, and what stands in the forms of its pages."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import httpx
from google.protobuf.timestamp_pb2 import Timestamp

from doorward.v1.app_pb2 import APP_STATE_RUNNING, APP_STATE_STOPPED, App
from doorward.v1.role_pb2 import ROLE_READ_ONLY
from doorward.v1.token_pb2 import Token
from doorward.v1.token_service_pb2 import (
    CreateTokenResponse,
    DeleteTokenResponse,
    GetTokenResponse,
    ListTokensResponse,
    PreviewSelectorResponse,
    RegenerateTokenResponse,
    UpdateTokenResponse,
)
from doorward_server.domain.credentials import mint_secret, mint_token_id
from tests.unit.web.console.conftest import Console

ID = mint_token_id()
SECRET = mint_secret(ID).reveal()
URL = "http://3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11.app.gra.localhost:8080"


def at(**ago: float) -> Timestamp:
    """A time so long ago."""
    stamp = Timestamp()
    stamp.FromDatetime(datetime.now(UTC) - timedelta(**ago))
    return stamp


def a_token(**given: Any) -> Token:
    """A READ_ONLY token of a group."""
    fields: dict[str, Any] = {
        "token_id": ID,
        "display_name": "<i>demo</i>",
        "role": ROLE_READ_ONLY,
        "region": "GRA",
        "label_selector": "group=A",
        "generation": 1,
        "create_time": at(hours=1),
        "etag": "etag-1",
    }
    return Token(**(fields | given))


def an_app(name: str, *, running: bool = True, url: str = URL) -> App:
    """An app that it opens."""
    app = App(app_id="3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11", display_name=name, region="GRA")
    app.status.state = APP_STATE_RUNNING if running else APP_STATE_STOPPED
    app.status.url = url
    return app


TYPED: dict[str, Any] = {
    "name": "demo",
    "role": "READ_ONLY",
    "region": "GRA",
    "scope": "labels",
    "selector": "group=A",
    "lifetime": "90",
    "request_id": "b5d0e0c5-3c0e-4a0a-8f9b-6f0f6a1d9a57",
    "opened": "1",
}


def stock(console: Console) -> dict[str, Any]:
    """An api with one token, and an app that it opens: its answers by the name of the RPC."""
    console.api.answers |= {
        "ListTokens": lambda _: ListTokensResponse(tokens=[a_token()]),
        "GetToken": lambda _: GetTokenResponse(token=a_token()),
        "PreviewSelector": lambda _: PreviewSelectorResponse(apps=[an_app("<i>chat</i>")]),
        "CreateToken": lambda _: CreateTokenResponse(token=a_token(), secret=SECRET),
        "RegenerateToken": lambda _: RegenerateTokenResponse(token=a_token(generation=2), secret=SECRET),
        "UpdateToken": lambda _: UpdateTokenResponse(token=a_token()),
        "DeleteToken": lambda _: DeleteTokenResponse(),
    }
    return console.api.answers


def value_of(page: httpx.Response, name: str) -> str:
    """What stands in a field of the page's form."""
    (found,) = re.findall(rf'<input[^>]* name="{name}"[^>]* value="([^"]*)"', page.text)
    return unescape(found)


def chosen(page: httpx.Response, name: str) -> list[str]:
    """What is chosen of a field's radio buttons, or of its list."""
    radios = re.findall(rf'name="{name}" value="([^"]*)" checked', page.text)
    (options,) = re.findall(rf'<select[^>]* name="{name}".*?</select>', page.text, re.DOTALL) or [""]
    return radios + re.findall(r'value="([^"]*)" selected', options)
