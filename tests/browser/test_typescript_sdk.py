"""The TypeScript SDK on a page of another origin than the API's, in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.e2e.support.apps import Received, RecordingApp
from tests.e2e.support.platform import Platform, running_platform
from tests.sdk.support.building import BUILD_SECONDS, CLIENTS, require, succeed
from tools.toolchains import TOOLCHAINS

TYPESCRIPT = CLIENTS / "typescript"
HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n<!doctype html>"
SCRIPT = """async ([address, token, missing]) => {
  const client = new sdk.Client(address, { token });
  const { role } = await client.whoAmI();
  const names = [];
  for await (const app of client.apps.all({ pageSize: 1 })) names.push(app.displayName);
  const states = [];
  const [first] = (await client.apps.listApps({})).apps;
  for await (const { status } of client.apps.watchApp({ appId: first.appId })) {
    states.push(sdk.AppState[status.state]);
    break;
  }
  const error = await client.apps.getApp({ appId: missing }).catch((each) => each);
  return { role: sdk.Role[role], names, states, reason: error.reason, id: error.requestId, text: `${error}` };
}"""
MISSING = "00000000-0000-4000-8000-000000000000"

pytestmark = pytest.mark.timeout(BUILD_SECONDS)


def page(_: Received) -> bytes:
    """Answer an empty page."""
    return HTML


@pytest.fixture(scope="module")
def bundle(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SDK for browsers in one file, as a page has it."""
    require("typescript")
    TOOLCHAINS["typescript"].prepare()
    file = tmp_path_factory.mktemp("bundle") / "sdk.js"
    options = ["--bundle", "--format=iife", "--global-name=sdk", f"--outfile={file}", "--log-level=warning"]
    succeed(["node_modules/.bin/esbuild", "src/web.ts", *options], folder=TYPESCRIPT)
    return file


@pytest.fixture(scope="module")
def origin(chromium: Browser) -> Iterator[str]:
    """Where the page is from."""
    with RecordingApp(page) as app:
        yield f"http://127.0.0.1:{app.port}"


def test_a_page_calls_the_api(chromium: Browser, bundle: Path, origin: str) -> None:
    """Calls, lists over pages, streams and typed errors all work from a page whose origin is allowed."""
    with running_platform(api_cors_origins=f'["{origin}"]') as platform:
        for name in ("first", "second"):
            platform.json("apps", "create", name, "--region", "GRA", "--external", "127.0.0.1:1")
        found = run(chromium, bundle, origin, platform)
    assert (found["role"], sorted(found["names"])) == ("ADMIN", ["first", "second"])
    assert len(found["states"]) == 1
    assert found["reason"] == "ERROR_REASON_APP_NOT_FOUND"
    assert found["id"]


def test_a_page_of_another_origin_is_kept_out(chromium: Browser, bundle: Path, origin: str) -> None:
    """The browser itself refuses, and the client says that the api cannot be reached."""
    with running_platform() as platform, pytest.raises(Exception, match="cannot be reached"):
        run(chromium, bundle, origin, platform)


def run(chromium: Browser, bundle: Path, origin: str, platform: Platform) -> dict[str, Any]:
    """What the script on a page of *origin* finds out."""
    opened = chromium.new_page()
    try:
        opened.goto(origin)
        opened.add_script_tag(path=bundle)
        address = "{}:{}".format(*platform.address)
        found: dict[str, Any] = opened.evaluate(SCRIPT, [address, platform.admin_token, MISSING])
        return found
    finally:
        opened.close()
