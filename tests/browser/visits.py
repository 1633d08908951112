"""Visits of a browser: an app to go to, a window that notes what happens in it, and the ways in."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.browser.socket_app import SocketApp
from tests.e2e.support.platform import Platform

WIDE, NARROW = {"width": 1100, "height": 800}, {"width": 320, "height": 640}

SERVER = "python3 -u -m http.server --bind 127.0.0.1 {port}"
"""The command of an app that prints each request."""

SECRET = re.compile(r"dw_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}")
"""What a secret looks like."""


@dataclass
class Site:
    """An app behind a platform, and a token that opens it."""

    platform: Platform
    app: SocketApp
    app_id: str
    url: str
    token_id: str
    token: str


@contextmanager
def a_site(platform: Platform) -> Iterator[Site]:
    """Publish an app of its own, under a label of its own."""
    with SocketApp() as app:
        label = f"port=p{app.port}"
        made = platform.publish(app.port, label=label, name="Support chat")
        scope = ("--role", "read-only", "--region", "GRA", "--selector", label)
        token = platform.json("tokens", "create", "visitor", *scope)
        yield Site(
            platform,
            app,
            made["appId"],
            made["status"]["url"],
            token["token"]["tokenId"],
            token["secret"],
        )


def a_process(platform: Platform, name: str, *labels: str, region: str = "GRA") -> str:
    """The id of an app that a process runs, which prints each request."""
    given = [part for label in labels for part in ("--label", label)]
    process = ("--wait", "--process", "--", *SERVER.split())
    app_id: str = platform.json("apps", "create", name, "--region", region, *given, *process)["appId"]
    return app_id


@dataclass
class Visit:
    """A browser window that notes what it loads and complains of."""

    page: Page
    hosts: set[str]
    complaints: list[str]


@contextmanager
def a_visit(
    chromium: Browser,
    *,
    size: dict[str, int] = WIDE,
    scripts: bool = True,
    scheme: Literal["light", "dark"] = "light",
) -> Iterator[Visit]:
    """A window of somebody who was never here."""
    viewport: Any = size
    context = chromium.new_context(viewport=viewport, java_script_enabled=scripts, color_scheme=scheme)
    context.set_default_timeout(20_000)
    page = context.new_page()
    visit = Visit(page, set(), [])

    def note(message: ConsoleMessage) -> None:
        # A status that was to be expected is not what is looked for.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            visit.complaints.append(message.text)

    page.on("request", lambda request: visit.hosts.add(urlsplit(request.url).netloc))
    page.on("console", note)
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    try:
        yield visit
    finally:
        context.close()


def log_in(page: Page, site: Site, target: str = "/", *, token: str | None = None) -> None:
    """From the address to the app, by default with the site's own token."""
    page.goto(site.url + target)
    page.get_by_label("Login with token").fill(site.token if token is None else token)
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("heading", name="The app")).to_be_visible()


def console_of(platform: Platform) -> str:
    """The console's address."""
    host = platform.environment.get("DOORWARD_CONSOLE_HOST", "console.localhost")
    return f"http://{host}:{platform.address[1]}"


def sign_in(page: Page, platform: Platform, target: str, *, token: str | None = None) -> None:
    """From an address of the console to its page."""
    page.goto(console_of(platform) + target)
    page.get_by_label("Sign in with token").fill(platform.admin_token if token is None else token)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**{target}")


def picture(page: Page, path: Path, *, scripts: bool) -> None:
    """Keep what the page looks like, as most people see it: with scripts."""
    if scripts:
        path.parent.mkdir(exist_ok=True)
        page.screenshot(path=path)


def fits(page: Page, *, scripts: bool) -> bool:
    """Whether nothing is wider than the window. Without scripts a page cannot be asked."""
    return not scripts or page.evaluate("document.documentElement.scrollWidth <= innerWidth") is True


def whole_picture(page: Page, path: Path, *, scripts: bool) -> None:
    """A picture of all of a page, from its top."""
    if scripts:
        page.evaluate("scrollTo(0, 0)")
        path.parent.mkdir(exist_ok=True)
        page.screenshot(path=path, full_page=True)


def row(name: str) -> str:
    """The selector of a token's row."""
    return f'tr:has(td.lead:text("{name}"))'


def choose(page: Page, name: str, what: str) -> None:
    """Choose from the menu of a token's row."""
    page.locator(row(name)).get_by_label(f"Actions for {name}").click()
    page.locator(row(name)).get_by_role("link", name=what).click()


def shown_secret(page: Page) -> str:
    """The secret that the page shows, which is in no address."""
    expect(page.get_by_role("heading", name="The secret of")).to_be_visible()
    secret = page.locator("#secret").text_content() or ""
    assert SECRET.fullmatch(secret)
    assert secret not in page.url
    return secret


def expect_state(page: Page, name: str) -> None:
    """Expect the app of a page in a state, whether or not the page refreshes itself."""
    badge = page.get_by_role("main").get_by_role("status").locator(".badge")
    refresh = page.get_by_role("link", name="Refresh").first
    for _ in range(120):
        with suppress(AssertionError):
            expect(badge).to_have_text(name, timeout=500)
            return
        if refresh.count():
            refresh.click()
    expect(badge).to_have_text(name)
