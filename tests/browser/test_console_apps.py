"""AI Apps in a real browser: from the form to a running app, its log, its labels, and its end."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.visits import (
    NARROW,
    WIDE,
    a_process,
    a_site,
    a_visit,
    expect_state,
    fits,
    picture,
    sign_in,
    whole_picture,
)
from tests.e2e.support.platform import Platform, running_platform

RUNNING_MILLISECONDS = 60_000


@pytest.fixture(scope="module")
def stocked(chromium: Browser) -> Iterator[Platform]:
    """A platform with some apps."""
    with running_platform() as platform:
        a_process(platform, "Churn model", "group=A", "team=growth")
        a_process(platform, "Support chat", "group=B", "tier=internal")
        captions = a_process(platform, "Image captions", "group=A", region="BHS")
        assert platform.cli("apps", "stop", captions).returncode == 0
        yield platform


def confirm(page: Page, what: str, *, scripts: bool) -> None:
    """Do what the app's page offers, in a dialog where there are scripts."""
    page.get_by_role("link", name=what, exact=True).click()
    asked = page.get_by_role("dialog") if scripts else page.get_by_role("main")
    expect(asked.get_by_role("heading", name=re.compile(f"^{what} “"))).to_be_visible()
    asked.get_by_role("button", name=what, exact=True).click()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_life_of_an_app(
    chromium: Browser, platform: Platform, size: dict[str, int], scripts: bool
) -> None:
    """Closed by its labels, stopped, started, deleted: asked first, and in force when the page is back."""
    app_id = a_process(platform, "Churn model", "group=A", "team=growth")
    scope = ("--role", "read-only", "--region", "GRA", "--selector", "group=A")
    secret = platform.json("tokens", "create", "demo", *scope)["secret"]
    with a_visit(chromium, size=size, scripts=scripts) as visit:
        page = visit.page
        sign_in(page, platform, f"/apps/{app_id}")
        host = urlsplit(page.locator("#url").get_attribute("href") or "").netloc
        assert platform.visit(host, token=secret).status == 200
        page.get_by_role("link", name="Edit labels").click()
        expect(page.get_by_label("Labels")).to_have_value("group=A\nteam=growth")
        page.get_by_label("Labels").fill("team=growth")
        page.get_by_role("button", name="Save labels").click()
        expect(page.get_by_role("status").first).to_contain_text("The labels are saved")
        assert platform.visit(host, token=secret).status == 403

        confirm(page, "Stop", scripts=scripts)
        expect(page.get_by_role("status").first).to_contain_text("No request reaches it any more")
        assert platform.visit(host, token=platform.admin_token).status == 503
        expect_state(page, "STOPPED")
        confirm(page, "Start", scripts=scripts)
        expect_state(page, "RUNNING")
        assert platform.visit(host, token=platform.admin_token).status == 200
        expect(page.locator(".history .badge").first).to_have_text("RUNNING")

        here = page.url
        confirm(page, "Delete", scripts=scripts)
        expect(page.get_by_role("status").first).to_contain_text("The app is deleted")
        assert urlsplit(page.url).path == "/apps"
        assert page.goto(here).status == 404  # type: ignore[union-attr]
        expect(page.get_by_role("heading", name="This is not here")).to_be_visible()
        assert visit.complaints == []


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_list_is_filtered(
    chromium: Browser, stocked: Platform, screenshots: Path, size: dict[str, int], scripts: bool
) -> None:
    """By selector, region and state; what fits none is said, and what is no selector, at its field."""
    look = "wide" if size is WIDE else "narrow"
    with a_visit(chromium, size=size, scripts=scripts) as visit:
        page, rows = visit.page, visit.page.locator("tbody tr")
        sign_in(page, stocked, "/apps")
        names = rows.locator("td.lead")
        expect(names).to_have_text(["Image captions", "Support chat", "Churn model"])
        expect(rows.first).to_contain_text("STOPPED")
        expect(rows.first).to_contain_text("BHS")
        expect(rows.first).to_contain_text("group=A")
        picture(page, screenshots / f"console-apps-{look}.png", scripts=scripts)
        assert fits(page, scripts=scripts)

        page.get_by_label("Selector").fill("group in (A),!tier")
        page.get_by_role("button", name="Filter").click()
        expect(names).to_have_text(["Image captions", "Churn model"])
        page.get_by_label("State").select_option("RUNNING")
        page.get_by_role("button", name="Filter").click()
        expect(names).to_have_text(["Churn model"])
        expect(page.get_by_label("Selector")).to_have_value("group in (A),!tier")
        page.get_by_label("Region").select_option("BHS")
        page.get_by_role("button", name="Filter").click()
        expect(page.get_by_role("heading", name="No app matches")).to_be_visible()
        page.get_by_role("link", name="Clear").click()
        expect(rows).to_have_count(3)
        page.get_by_label("Selector").fill("group in A")
        page.get_by_role("button", name="Filter").click()
        expect(page.get_by_label("Selector")).to_have_accessible_description(re.compile("Column 10"))
        assert visit.complaints == []


def test_the_dark_scheme_has_pictures(chromium: Browser, stocked: Platform, screenshots: Path) -> None:
    """The list and an app's page, as who prefers dark sees them."""
    with a_visit(chromium, scheme="dark") as visit:
        page = visit.page
        sign_in(page, stocked, "/apps")
        ground = "getComputedStyle(document.body).backgroundColor"
        assert page.evaluate(ground) == "rgb(18, 21, 27)"
        page.get_by_role("link", name="Support chat").click()
        expect(page.locator("#log-state")).to_have_text("Following")
        expect(page.get_by_role("log")).to_contain_text("Serving HTTP")
        whole_picture(page, screenshots / "console-app-dark.png", scripts=True)


def test_a_log_is_followed(chromium: Browser, stocked: Platform) -> None:
    """Each line comes by itself, the end stays in view, and who has scrolled back is left there."""
    with a_visit(chromium) as visit:
        page = visit.page
        sign_in(page, stocked, "/apps")
        page.get_by_role("link", name="Churn model").click()
        log = page.get_by_role("log")
        expect(page.locator("#log-state")).to_have_text("Following")
        expect(log).to_contain_text("Serving HTTP")
        host = urlsplit(page.locator("#url").get_attribute("href") or "").netloc

        def call(path: str) -> None:
            stocked.visit(host, path, token=stocked.admin_token)
            expect(log).to_contain_text(path)

        for number in range(30):
            call(f"/call-{number}")
        at_end = "log => log.scrollHeight - log.scrollTop - log.clientHeight < 40"
        assert log.evaluate(at_end)
        assert log.evaluate("log => log.scrollHeight > log.clientHeight")
        log.evaluate("log => { log.scrollTop = 0; }")
        call("/one-more")
        assert log.evaluate("log => log.scrollTop") == 0
        expect(log.locator("time").first).to_have_attribute("title", re.compile("UTC$"))
        assert visit.complaints == []


def test_a_log_says_when_the_app_is_gone(chromium: Browser, platform: Platform) -> None:
    """And is not asked for again."""
    with a_visit(chromium) as visit:
        page = visit.page
        app_id = a_process(platform, "brief")
        sign_in(page, platform, f"/apps/{app_id}")
        expect(page.locator("#log-state")).to_have_text("Following")
        assert platform.cli("apps", "delete", app_id, "--yes").returncode == 0
        expect(page.locator("#log-state")).to_have_text("The log has ended: the app is gone.")


def test_an_open_page_ends_with_its_session(chromium: Browser, platform: Platform) -> None:
    """Its log is not followed any longer, and it leads to the sign-in by itself, and from there back."""
    app_id = a_process(platform, "watched", "group=watched")
    scope = ("--role", "operator", "--region", "GRA", "--selector", "group=watched")
    token = platform.json("tokens", "create", "watcher", *scope)
    with a_visit(chromium) as visit:
        page = visit.page
        sign_in(page, platform, f"/apps/{app_id}", token=token["secret"])
        expect(page.locator("#log-state")).to_have_text("Following")
        new = platform.json("tokens", "regenerate", token["token"]["tokenId"])["secret"]
        page.wait_for_url("**/sign-in?**")
        expect(page.get_by_role("status")).to_contain_text("Your session has ended")
        page.get_by_label("Sign in with token").fill(new)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"**/apps/{app_id}")


def test_a_list_shows_what_changes_by_itself(chromium: Browser, stocked: Platform) -> None:
    """Without a reload, and without taking the focus away."""
    (captions,) = [each for each in stocked.json("apps", "list") if each["displayName"] == "Image captions"]
    with a_visit(chromium) as visit:
        page = visit.page
        sign_in(page, stocked, "/apps")
        row = page.locator("tbody tr").first
        expect(row).to_contain_text("STOPPED")
        row.get_by_role("link").focus()
        assert stocked.cli("apps", "start", captions["appId"], "--wait").returncode == 0
        expect(row).to_contain_text("RUNNING", timeout=RUNNING_MILLISECONDS)
        expect(row.get_by_role("link")).to_be_focused()
        assert stocked.cli("apps", "stop", captions["appId"]).returncode == 0
        expect(row).to_contain_text("STOPPED", timeout=RUNNING_MILLISECONDS)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_nobody_overwrites_anothers_labels(chromium: Browser, platform: Platform, scripts: bool) -> None:
    """Who saves second sees what the first has saved, beside what was typed, and may then replace it."""
    with a_site(platform) as site, a_visit(chromium, scripts=scripts) as one, a_visit(chromium) as two:
        app_id = site.app_id
        for visit in (one, two):
            sign_in(visit.page, platform, f"/apps/{app_id}/labels")
        two.page.get_by_label("Labels").fill("group=theirs")
        two.page.get_by_role("button", name="Save labels").click()
        expect(two.page.get_by_role("status").first).to_contain_text("The labels are saved")
        page = one.page
        page.get_by_label("Labels").fill("group=mine")
        page.get_by_role("button", name="Save labels").click()
        expect(page.get_by_role("alert")).to_contain_text("Somebody else has changed this app meanwhile")
        expect(page.get_by_role("main")).to_contain_text("group=theirs")
        expect(page.get_by_label("Labels")).to_have_value("group=mine")
        assert platform.json("apps", "get", app_id)["labels"]["group"] == "theirs"
        page.get_by_role("button", name="Save labels").click()
        expect(page.get_by_role("status").first).to_contain_text("The labels are saved")
        assert platform.json("apps", "get", app_id)["labels"]["group"] == "mine"


@pytest.mark.parametrize("role", ["operator", "read-only"])
def test_the_page_follows_the_role(chromium: Browser, stocked: Platform, role: str) -> None:
    """An operator stops and reads the log, and changes no labels; READ_ONLY looks."""
    scope = ("--role", role, "--region", "GRA", "--selector", "group=B")
    token = stocked.json("tokens", "create", role, *scope)["secret"]
    with a_visit(chromium) as visit:
        page = visit.page
        sign_in(page, stocked, "/apps", token=token)
        expect(page.locator("tbody tr")).to_have_count(1)
        expect(page.get_by_role("link", name="New app")).to_have_count(0)
        page.get_by_role("link", name="Support chat").click()
        expect(page.get_by_role("heading", name="Support chat")).to_be_visible()
        operates = int(role == "operator")
        for what in ("Stop", "Delete"):
            expect(page.get_by_role("link", name=what, exact=True)).to_have_count(operates)
        expect(page.get_by_role("log")).to_have_count(operates)
        for what in ("Edit labels", "Explain access", "Who did what"):
            expect(page.get_by_role("link", name=what)).to_have_count(0)
        here = page.url
        for where, needs in (("labels", "ADMIN"), ("stop", None if operates else "OPERATOR")):
            answer = page.goto(f"{here}/{where}")
            assert answer is not None
            assert answer.status == (200 if needs is None else 403)
            if needs is not None:
                expect(page.get_by_role("heading")).to_contain_text(f"needs the role {needs}")


SEND_STOP_SEND = """async (button) => {
  const until = async (look) => { while (!look()) await new Promise((go) => setTimeout(go, 20)); };
  const says = () => button.form.querySelector("[role=status]")?.textContent.startsWith("Working");
  button.click();
  await until(says);
  button.click();
  stop();
  await until(() => !button.form.querySelector("[role=status]"));
  button.click();
  await until(says);
}"""


def test_what_takes_long_says_so(chromium: Browser, platform: Platform) -> None:
    """A form that waits cannot be sent twice; one that was stopped can be sent again."""
    with a_site(platform) as site, a_visit(chromium) as visit:
        page = visit.page
        held: list[Route] = []
        sign_in(page, platform, f"/apps/{site.app_id}")
        page.get_by_role("link", name="Stop", exact=True).click()

        def hold(route: Route) -> None:
            if route.request.method == "POST":
                held.append(route)
            else:
                route.continue_()

        page.route("**/stop", hold)
        button = page.get_by_role("dialog").get_by_role("button", name="Stop")
        button.evaluate(SEND_STOP_SEND)
        for _ in range(200):
            if len(held) >= 2:
                break
            page.wait_for_timeout(50)
        assert len(held) == 2
        held[1].continue_()
        expect(page.get_by_role("status").first).to_contain_text("The app is stopping")
