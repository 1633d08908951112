"""The README's journey in a browser: an app and a token from the console, and the app opened with it."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.visits import (
    NARROW,
    SERVER,
    WIDE,
    a_visit,
    choose,
    console_of,
    expect_state,
    fits,
    shown_secret,
    sign_in,
    whole_picture,
)
from tests.e2e.support.platform import Platform


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_journey(
    chromium: Browser, platform: Platform, screenshots: Path, size: dict[str, int], scripts: bool
) -> None:
    """Submit an app, make a token, open the app with it, and regenerate it: the way in is closed."""
    look = "wide" if size is WIDE else "narrow"
    name = f"demo {look}{'' if scripts else ' plain'}"
    with (
        a_visit(chromium, size=size, scripts=scripts) as visit,
        a_visit(chromium, size=size, scripts=scripts) as elsewhere,
    ):
        page = visit.page
        sign_in(page, platform, "/apps")
        fill_in_the_app(page)
        whole_picture(page, screenshots / f"console-new-app-{look}.png", scripts=scripts)
        assert fits(page, scripts=scripts)
        page.get_by_role("button", name="Submit").click()
        expect(page.get_by_role("status").first).to_contain_text("The app is submitted")
        expect_state(page, "RUNNING")
        here = page.url
        url = page.locator("#url").get_attribute("href") or ""
        assert url.startswith(f"http://{urlsplit(here).path.rpartition('/')[2]}.app.gra.localhost")

        if size is NARROW:
            page.get_by_text("Menu").click()
        page.get_by_role("link", name="Tokens").click()
        secret = made_token(page, name)
        connect(elsewhere.page, url, secret)
        expect(elsewhere.page.get_by_role("heading", name="Directory listing")).to_be_visible()

        choose(page, name, "Regenerate")
        page.get_by_role("button", name="Regenerate").click()
        assert shown_secret(page) != secret
        elsewhere.page.reload()
        expect(elsewhere.page).to_have_title("Login")

        page.goto(here)
        if scripts:
            expect(page.locator("#log-state")).to_have_text("Following")
        expect(page.get_by_role("log")).to_contain_text("GET / HTTP/1.1")
        whole_picture(page, screenshots / f"console-app-{look}.png", scripts=scripts)
        assert fits(page, scripts=scripts)
        assert visit.hosts == {urlsplit(console_of(platform)).netloc}
        assert visit.complaints == []


def fill_in_the_app(page: Page) -> None:
    """Come to the form, whose defaults are the safe ones, and fill it in."""
    page.get_by_role("link", name="New app").click()
    expect(page.get_by_label("A service that runs already")).to_be_checked()
    expect(page.get_by_label("Who has a token whose region and selector match")).to_be_checked()
    page.get_by_label("Name").fill("Churn model")
    page.get_by_label("Labels").fill("group=A\nteam=growth")
    page.get_by_label("A process that Doorward starts").check()
    page.get_by_label("Command").fill(SERVER)


def made_token(page: Page, name: str) -> str:
    """The secret of a token that is made with the form."""
    page.get_by_role("link", name="New Token").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Label selector").fill("group=A")
    page.get_by_role("button", name="Generate").click()
    return shown_secret(page)


def connect(page: Page, url: str, secret: str) -> None:
    """Go to an app's address, and in by its login page."""
    page.goto(url)
    page.get_by_label("Login with token").fill(secret)
    page.get_by_role("button", name="Connect").click()
