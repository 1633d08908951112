"""Login in a real browser: wide and narrow, with and without JavaScript, light and dark."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.visits import NARROW, WIDE, Site, a_site, a_visit, fits, log_in, picture
from tests.e2e.support.platform import Platform, running_platform
from tests.support.waiting import wait_for


@pytest.fixture
def site(platform: Platform) -> Iterator[Site]:
    """One."""
    with a_site(platform) as site:
        yield site


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_journey(
    chromium: Browser, site: Site, screenshots: Path, size: dict[str, int], scripts: bool
) -> None:
    """From an app's URL by the login page to that page of the app, and out again."""
    name = f"login-{'wide' if size is WIDE else 'narrow'}"
    with a_visit(chromium, size=size, scripts=scripts) as visit:
        page = visit.page
        page.goto(f"{site.url}/x/y?a=b&c=d")
        expect(page).to_have_title("Login")
        assert urlsplit(page.url).path == "/.doorward/login"
        field = page.get_by_label("Login with token")
        expect(field).to_be_focused()
        expect(field).to_have_attribute("type", "password")
        expect(page.get_by_text(urlsplit(site.url).hostname or "")).to_be_visible()
        picture(page, screenshots / f"{name}.png", scripts=scripts)
        assert fits(page, scripts=scripts)

        field.fill(site.token[:-1])
        page.get_by_role("button", name="Connect").click()
        expect(page.get_by_role("alert")).to_contain_text("This is not a whole token")
        expect(field).to_have_value("")
        picture(page, screenshots / f"{name}-problem.png", scripts=scripts)
        assert fits(page, scripts=scripts)

        field.fill(site.token)
        field.press("Enter")
        expect(page.get_by_role("heading", name="The app")).to_be_visible()
        assert page.url == f"{site.url}/x/y?a=b&c=d"
        page.reload()
        expect(page.get_by_role("heading", name="The app")).to_be_visible()

        page.goto(f"{site.url}/.doorward/logout")
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("heading", name="You are logged out")).to_be_visible()
        page.goto(f"{site.url}/z")
        expect(page).to_have_title("Login")
        assert visit.hosts == {urlsplit(site.url).netloc}
        assert visit.complaints == []


def test_the_token_can_be_shown(chromium: Browser, site: Site, screenshots: Path) -> None:
    """By a switch, which says what it does; without scripts there is none."""
    with a_visit(chromium, scheme="dark") as visit:
        page = visit.page
        page.goto(site.url)
        field = page.get_by_label("Login with token")
        field.fill("what is typed")
        show = page.get_by_role("button", name="Show")
        expect(show).to_have_attribute("aria-pressed", "false")
        show.click()
        expect(field).to_have_attribute("type", "text")
        expect(field).to_be_focused()
        hide = page.get_by_role("button", name="Hide")
        expect(hide).to_have_attribute("aria-pressed", "true")
        hide.click()
        expect(field).to_have_attribute("type", "password")
        expect(field).to_have_value("what is typed")
        picture(page, screenshots / "login-dark.png", scripts=True)
    with a_visit(chromium, scripts=False) as visit:
        visit.page.goto(site.url)
        expect(visit.page.get_by_label("Login with token")).to_be_visible()
        expect(visit.page.get_by_role("button", name="Show")).to_have_count(0)


def test_it_can_be_used_with_the_keyboard(chromium: Browser, site: Site) -> None:
    """Field, switch, button, in that order, and nothing hidden in between."""
    with a_visit(chromium) as visit:
        page = visit.page
        page.goto(site.url)
        focused = "document.activeElement.id || document.activeElement.textContent.trim()"
        order = []
        for _ in range(3):
            order.append(page.evaluate(focused))
            page.keyboard.press("Tab")
        assert order == ["token", "show", "Connect"]


def test_the_cookie_is_out_of_reach_of_the_apps_scripts(chromium: Browser, site: Site) -> None:
    """It neither reads nor overwrites the session, nor frames the login page."""
    with a_visit(chromium) as visit:
        page = visit.page
        log_in(page, site)
        assert page.evaluate("document.cookie") == ""
        page.evaluate("document.cookie = '__Host-doorward=planted; Path=/; Secure'")
        page.reload()
        expect(page.get_by_role("heading", name="The app")).to_be_visible()
        (cookie,) = page.context.cookies()
        assert cookie["httpOnly"]
        assert cookie["secure"]
        assert cookie["sameSite"] == "Lax"
        assert cookie["expires"] == -1
        frame = "Object.assign(document.createElement('iframe'), {src: '/.doorward/login'})"
        with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
            page.evaluate(f"document.body.append({frame})")


SPEAK = """(address) => new Promise((resolve) => {
  const socket = new WebSocket(address);
  socket.onopen = () => socket.send("hello");
  socket.onmessage = (event) => resolve(event.data);
  socket.onerror = () => resolve("refused");
})"""


def test_a_websocket_is_the_apps_own(chromium: Browser, site: Site, platform: Platform) -> None:
    """The app's page speaks over it by the session; a page of another app does not, for all its cookies."""
    socket = site.url.replace("http://", "ws://")
    with a_visit(chromium) as visit, a_site(platform) as next_door:
        page = visit.page
        log_in(page, site)
        assert page.evaluate(SPEAK, f"{socket}/socket") == "hello"
        assert site.app.opened == 1
        log_in(page, next_door)
        assert page.evaluate(SPEAK, f"{socket}/socket") == "refused"
        assert site.app.opened == 1
        page.evaluate(
            "(url) => fetch(url, {method: 'POST', mode: 'no-cors', credentials: 'include'})", site.url
        )
        page.goto(site.url)
        expect(page.get_by_role("heading", name="The app")).to_be_visible()


STAY_CONNECTED = """(address) => {
  const open = () => { new WebSocket(address).onclose = () => setTimeout(open, 100); };
  setTimeout(open, 4000);
}"""


def test_a_page_that_stays_connected_is_not_idle(chromium: Browser) -> None:
    """Its WebSocket renews the session as it opens, is cut off, and comes back before the session is idle.

    It opens in the first half of the idle time, in which no other request renews anything.
    """
    with (
        running_platform(session_idle_timeout="12", websocket_max_duration="8") as platform,
        a_site(platform) as site,
        a_visit(chromium) as busy,
        a_visit(chromium) as idle,
    ):
        log_in(busy.page, site)
        log_in(idle.page, site)
        busy.page.evaluate(STAY_CONNECTED, site.url.replace("http://", "ws://"))
        wait_for(lambda: site.app.opened == 3, what="a third WebSocket", within=90)
        busy.page.reload()
        expect(busy.page.get_by_role("heading", name="The app")).to_be_visible()
        idle.page.reload()
        expect(idle.page).to_have_title("Login")


def test_a_revoked_token_shows_the_login_page(chromium: Browser, site: Site) -> None:
    """At the next click, when the call that deleted it has returned."""
    with a_visit(chromium) as visit:
        page = visit.page
        log_in(page, site)
        assert site.platform.cli("tokens", "delete", site.token_id, "--yes").returncode == 0
        page.reload()
        expect(page).to_have_title("Login")
        page.get_by_label("Login with token").fill(site.token)
        page.get_by_role("button", name="Connect").click()
        expect(page.get_by_role("alert")).to_contain_text("This token does not work")
