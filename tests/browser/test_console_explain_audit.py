"""Explain and Audit in a real browser."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.visits import NARROW, WIDE, a_site, a_visit, fits, picture, sign_in, whole_picture
from tests.e2e.support.platform import Platform


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_access_is_explained(
    chromium: Browser, platform: Platform, screenshots: Path, size: dict[str, int], scripts: bool
) -> None:
    """By the rule that decides, with what the client would get; for names and for addresses."""
    look = "wide" if size is WIDE else "narrow"
    with (
        a_site(platform) as site,
        a_site(platform) as next_door,
        a_visit(chromium, size=size, scripts=scripts) as visit,
    ):
        page = visit.page
        sign_in(page, platform, "/explain")
        page.get_by_label("Token", exact=True).fill(site.token_id)
        page.get_by_label("App", exact=True).fill(f"{site.url}/v1")
        page.get_by_label("Path").fill("/v1/models")
        page.get_by_role("button", name="Explain").click()
        expect(page.get_by_role("heading", name="Allowed")).to_contain_text("The token opens the app.")
        expect(page.get_by_label("Path")).to_have_value("/v1/models")
        page.get_by_label("App", exact=True).fill(next_door.url)
        page.get_by_role("button", name="Explain").click()
        expect(page.get_by_role("heading", name="Denied")).to_contain_text("selector does not match")
        expect(page.get_by_text("403 Forbidden")).to_be_visible()
        expect(page.get_by_text("no: this rule decides")).to_be_visible()
        whole_picture(page, screenshots / f"console-explain-{look}.png", scripts=scripts)
        assert fits(page, scripts=scripts)
        page.get_by_label("Token", exact=True).fill("nobody")
        page.get_by_role("button", name="Explain").click()
        field = page.get_by_label("Token", exact=True)
        expect(field).to_have_accessible_description(re.compile("No token has this id or name"))
        assert visit.complaints == []


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_audit_is_filtered(
    chromium: Browser, platform: Platform, screenshots: Path, size: dict[str, int], scripts: bool
) -> None:
    """By what was done to what, and by when, in the reader's own time."""
    look = "wide" if size is WIDE else "narrow"
    with a_site(platform) as site, a_visit(chromium, size=size, scripts=scripts) as visit:
        page = visit.page
        sign_in(page, platform, "/audit")
        expect(page.locator("tbody tr").first).to_contain_text("logged in with a browser")
        picture(page, screenshots / f"console-audit-{look}.png", scripts=scripts)
        assert fits(page, scripts=scripts)
        page.get_by_label("Did what").select_option("CreateToken")
        page.get_by_label("To what").fill(site.token_id)
        page.get_by_role("button", name="Filter").click()
        expect(page.locator("tbody tr")).to_have_count(1)
        expect(page.locator("tbody tr")).to_contain_text(site.token_id)
        expect(page.get_by_label("Did what")).to_have_value("CreateToken")
        page.get_by_label("From").fill("2020-01-01T00:00")
        page.get_by_label("Before").fill("2020-01-02T00:00")
        page.get_by_role("button", name="Filter").click()
        expect(page.get_by_role("heading", name="Nothing of that kind was done")).to_be_visible()
        expect(page.get_by_label("Before")).to_have_value("2020-01-02T00:00")
        page.get_by_role("link", name="Clear").click()
        expect(page.locator("tbody tr").first).to_be_visible()
        assert visit.complaints == []


def test_times_are_typed_in_the_readers_zone(chromium: Browser, platform: Platform) -> None:
    """Which a script says; midnight in Auckland is noon of the day before, or an hour earlier in summer."""
    context = chromium.new_context(timezone_id="Pacific/Auckland")
    try:
        page = context.new_page()
        page.set_default_timeout(20_000)
        sign_in(page, platform, "/audit")
        expect(page.get_by_text("(Pacific/Auckland)").first).to_be_visible()
        page.get_by_label("From").fill("2030-07-01T00:00")
        page.get_by_role("button", name="Filter").click()
        expect(page.get_by_label("From")).to_have_value("2030-07-01T00:00")
        assert "zone=Pacific%2FAuckland" in page.url
    finally:
        context.close()
