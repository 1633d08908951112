"""The console's pages as axe-core judges them, in what a person may meet there."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import complaints_of
from tests.browser.visits import (
    NARROW,
    WIDE,
    Site,
    a_process,
    a_site,
    a_visit,
    choose,
    console_of,
    fits,
    shown_secret,
    sign_in,
)
from tests.e2e.support.platform import Platform, running_platform


@pytest.fixture(scope="module")
def stocked(platform: Platform) -> Iterator[Site]:
    """A platform with apps and a token."""
    with a_site(platform) as site:
        yield site


def look_at_apps(page: Page, site: Site, name: str) -> Iterator[str]:
    """Go through the pages of apps; yields what each shows, while it does.

    *name*: of the app that is made on the way.
    """
    at = console_of(site.platform)
    sign_in(page, site.platform, "/apps")
    expect(page.locator("tbody tr").first).to_be_visible()
    yield "the list"
    page.goto(f"{at}/apps?selector=group+in+A")
    yield "a filter with a mistake"
    page.goto(f"{at}/apps?selector=nobody%3Dhas")
    yield "no app that matches"
    page.goto(f"{at}/apps/new")
    yield "an empty form"
    page.get_by_label("Name").fill(name)
    page.get_by_label("Labels").fill("group")
    page.get_by_label("A process that Doorward starts").check()
    page.get_by_text("Operators' paths, readiness, CORS").click()
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield "a form with a mistake"
    page.goto(f"{at}/apps/{site.app_id}")
    yield "an app that runs elsewhere"
    page.get_by_role("link", name="Delete").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    yield "a dialog"
    for what in ("labels", "stop", "delete"):
        page.goto(f"{at}/apps/{site.app_id}/{what}")
        yield f"the page for {what}"
    page.goto(f"{at}/apps/{a_process(site.platform, name)}")
    expect(page.locator("#log-state")).to_have_text("Following")
    yield "an app with a log"
    page.goto(f"{at}/apps/00000000-0000-0000-0000-000000000000")
    yield "no app"


def look_at_tokens(page: Page, site: Site, name: str) -> Iterator[str]:
    """Go through the pages of tokens, Explain and Audit; yields what each shows, while it does.

    *name*: of the token that is made on the way.
    """
    at = console_of(site.platform)
    sign_in(page, site.platform, "/tokens")
    yield "the list"
    page.get_by_label("Actions for visitor").first.click()
    yield "the menu of a row"
    page.goto(f"{at}/tokens/new")
    yield "an empty form"
    page.get_by_label("Name").fill(name)
    page.get_by_label("Label selector").fill("group in A")
    page.get_by_role("button", name="Generate").click()
    yield "a form with a mistake"
    page.get_by_label("Label selector").fill(f"port=p{site.app.port}")
    expect(page.locator("#preview")).to_contain_text("1 app right now")
    yield "a form with a preview"
    page.get_by_label("Admin").check()
    expect(page.get_by_label("Label selector")).to_be_hidden()
    yield "a form of an ADMIN token"
    page.get_by_label("Read only").check()
    page.get_by_role("button", name="Generate").click()
    shown_secret(page)
    yield "a secret"
    choose(page, name, "Regenerate")
    expect(page.get_by_role("dialog")).to_be_visible()
    yield "a dialog"
    page.get_by_role("link", name="Cancel").click()
    for what in ("edit", "regenerate", "delete"):
        page.goto(f"{at}/tokens/{site.token_id}/{what}")
        yield f"the page to {what}"
    page.goto(f"{at}/explain")
    yield "an empty question"
    page.goto(f"{at}/explain?token={site.token_id}&app={site.url}")
    yield "an answer"
    page.goto(f"{at}/explain?token=nobody&path=/")
    yield "a question with mistakes"
    page.goto(f"{at}/audit")
    yield "what was done"
    page.goto(f"{at}/audit?action=StopApp&since=2020-01-01T00:00&until=2020-01-02T00:00")
    yield "nothing that was done"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("look_around", [look_at_apps, look_at_tokens], ids=["apps", "tokens"])
def test_axe_finds_nothing(
    chromium: Browser,
    stocked: Site,
    look_around: Callable[[Page, Site, str], Iterator[str]],
    size: dict[str, int],
    scheme: str,
) -> None:
    """Neither serious nor small, in light and dark, wide and narrow."""
    with a_visit(chromium, size=size, scheme="dark" if scheme == "dark" else "light") as visit:
        name = f"judged {size['width']} {scheme}"
        for shown in look_around(visit.page, stocked, name):
            assert complaints_of(visit.page) == [], shown


def test_the_first_page_teaches(chromium: Browser) -> None:
    """Where there is no app yet: how to make one, here and in a terminal."""
    with running_platform() as platform, a_visit(chromium, size=NARROW) as visit:
        page = visit.page
        sign_in(page, platform, "/apps")
        expect(page.get_by_role("heading", name="There is no app yet")).to_be_visible()
        expect(page.locator("#first")).to_contain_text("doorward apps create")
        assert complaints_of(page) == []
        assert fits(page, scripts=True)
        page.get_by_role("link", name="Submit an app").click()
        expect(page.get_by_role("heading", name="Submit an app")).to_be_visible()


def test_axe_would_find_something(chromium: Browser) -> None:
    """On a page that has a fault."""
    with a_visit(chromium) as visit:
        visit.page.set_content("<html lang=en><title>x</title><main><h1>x</h1><input></main>")
        (fault,) = complaints_of(visit.page)
        assert "label" in fault
