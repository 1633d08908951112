"""A real Streamlit app behind Doorward, used in a browser."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, WebSocket, expect

from tests.browser.visits import a_visit
from tests.e2e.support.platform import Platform, running_platform

APP = Path(__file__).with_name("streamlit_app.py")
NO_STREAMLIT = "Streamlit is not installed: `make apps` does it"
SOCKET_SECONDS = 8


@pytest.fixture
def streamlit() -> None:
    """Skips without Streamlit, but not in CI."""
    if find_spec("streamlit") is None:
        if os.environ.get("CI"):
            pytest.fail(NO_STREAMLIT)
        pytest.skip(NO_STREAMLIT)


def publish(platform: Platform) -> str:
    """Run the app as a process of the platform; its URL."""
    command = (sys.executable, "-m", "streamlit", "run", str(APP), "--server.address=127.0.0.1")
    options = ("--server.port={port}", "--server.headless=true", "--browser.gatherUsageStats=false")
    create = ("apps", "create", "streamlit", "--region", "GRA", "--label", "group=streamlit")
    made = platform.json(*create, "--wait", "--process", "--", *command, *options)
    url: str = made["status"]["url"]
    return url


def test_a_streamlit_app_is_used(chromium: Browser, streamlit: None) -> None:
    """Its WebSocket opens by the session, and ends within the documented time once the token is revoked."""
    with running_platform(websocket_max_duration=str(SOCKET_SECONDS)) as platform, a_visit(chromium) as visit:
        url = publish(platform)
        scope = ("--role", "read-only", "--region", "GRA", "--selector", "group=streamlit")
        token = platform.json("tokens", "create", "visitor", *scope)
        page = visit.page
        sockets: list[WebSocket] = []

        def note(socket: WebSocket) -> None:
            sockets.append(socket)

        page.on("websocket", note)
        page.goto(url)
        page.get_by_label("Login with token").fill(token["secret"])
        page.get_by_role("button", name="Connect").click()
        expect(page.get_by_role("heading", name="Counting")).to_be_visible(timeout=60_000)
        page.get_by_role("button", name="Count").click()
        expect(page.get_by_text("Counted to 1")).to_be_visible()
        (first, *_) = sockets
        assert urlsplit(first.url).netloc == urlsplit(url).netloc
        assert visit.hosts == {urlsplit(url).netloc}

        # It is cut off at its end, and comes back by itself while the token lives.
        reconnected = len(sockets)
        page.wait_for_event("websocket", timeout=60_000)
        assert len(sockets) > reconnected
        page.get_by_role("button", name="Count").click()
        expect(page.get_by_text("Counted to")).to_be_visible()

        assert platform.cli("tokens", "delete", token["token"]["tokenId"], "--yes").returncode == 0
        for socket in sockets:
            if not socket.is_closed():
                socket.wait_for_event("close", timeout=1000 * (SOCKET_SECONDS + 30))
        page.reload()
        expect(page).to_have_title("Login")
