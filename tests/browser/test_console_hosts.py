"""What a real browser keeps apart: the console's host, and those of the apps beside it."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.visits import Visit, a_visit, console_of, sign_in
from tests.e2e.support.apps import Received, RecordingApp
from tests.e2e.support.console_site import Site, a_site
from tests.e2e.support.platform import Platform, running_platform

PAGE = b"<!doctype html><title>the app</title><h1>The app</h1>"

FETCH = """async (address) => {
  try {
    const answer = await fetch(address, {credentials: "include"});
    return await answer.text();
  } catch {
    return "refused";
  }
}"""

SEND = """([address, fields]) => {
  const form = Object.assign(document.createElement("form"), {method: "post", action: address});
  for (const [name, value] of Object.entries(fields)) {
    form.append(Object.assign(document.createElement("input"), {name, value}));
  }
  document.body.append(form);
  form.submit();
}"""

PLANT = """() => {
  const name = "__Host-doorward-console";
  for (const domain of ["", "; Domain=gra.localhost", "; Domain=console.gra.localhost"]) {
    document.cookie = `${name}=planted; Secure; Path=/${domain}`;
  }
  document.cookie = "tossed=1; Domain=gra.localhost";
}"""

FRAME = """(address) => new Promise((resolve) => {
  const frame = Object.assign(document.createElement("iframe"), {src: address});
  frame.addEventListener("load", () => {
    try { resolve(frame.contentDocument.body.textContent); } catch { resolve("out of reach"); }
  });
  document.body.append(frame);
})"""


@pytest.fixture(scope="module")
def platform(chromium: Browser) -> Iterator[Platform]:
    """One whose console is, to browsers, of the same site as the apps of a region: their cookies are sent."""
    with running_platform(console_host="console.gra.localhost") as running:
        yield running


def page_of_the_app(_: Received) -> bytes:
    """Answer every request with a page."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(PAGE)}\r\n\r\n"
    return head.encode() + PAGE


def go_to_the_app(visit: Visit, site: Site) -> None:
    """Log in to it in the window that is signed in to the console."""
    visit.page.goto(f"http://{site.host}/")
    visit.page.get_by_label("Login with token").fill(site.token)
    visit.page.get_by_role("button", name="Connect").click()
    expect(visit.page.get_by_role("heading", name="The app")).to_be_visible()


def test_an_app_has_nothing_of_the_console(chromium: Browser, platform: Platform) -> None:
    """It is sent no cookie of it, plants none there, reads none of its pages, and frames none."""
    with RecordingApp(page_of_the_app) as app, a_visit(chromium) as visit:
        site, page, console = a_site(platform, app), visit.page, console_of(platform)
        sign_in(page, platform, "/apps")
        go_to_the_app(visit, site)
        page.evaluate("document.cookie = 'own=1'")
        page.evaluate(PLANT)
        page.reload()
        secrets = [each["value"] for each in page.context.cookies(console) if "doorward" in each["name"]]
        assert len(secrets) == 2
        sent = " ".join(value for each in app.requests for value in each.all("cookie"))
        assert "own=1" in sent
        assert "tossed=1" in sent
        assert not any(secret in sent for secret in secrets)
        assert page.evaluate(FETCH, f"{console}/apps") == "refused"
        with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
            assert page.evaluate(FRAME, f"{console}/apps") == "out of reach"
        for frame in page.frames[1:]:
            assert "Sign out" not in frame.content()

        page.goto(f"{console}/apps")
        expect(page.get_by_role("link", name="app", exact=True).first).to_be_visible()


def test_a_form_of_an_apps_page_does_nothing_in_the_console(chromium: Browser, platform: Platform) -> None:
    """Although the browser sends the session along: to it, all these hosts are one site."""
    with RecordingApp(page_of_the_app) as app, a_visit(chromium) as visit:
        site, page, console = a_site(platform, app), visit.page, console_of(platform)
        sign_in(page, platform, "/apps")
        go_to_the_app(visit, site)
        elsewhere = "Another website asked for this page"
        for address, fields, said in (
            (f"/apps/{site.app_id}/delete", {"form": "x" * 43}, elsewhere),
            (f"/tokens/{site.token_id}/delete", {}, elsewhere),
            ("/sign-out", {}, "You are still signed in"),
        ):
            page.goto(f"http://{site.host}/")
            with page.expect_navigation():
                page.evaluate(SEND, [console + address, fields])
            assert urlsplit(page.url).path == address
            expect(page.get_by_role("heading")).to_have_text(said)
        assert site.app_now()["status"]["state"] == "APP_STATE_RUNNING"
        assert site.token_now()["generation"] == 1
        page.goto(f"{console}/apps")
        expect(page.get_by_role("heading", name="AI Apps")).to_be_visible()


def test_signing_out_of_one_leaves_the_other(chromium: Browser, platform: Platform) -> None:
    """They are two sessions, although of one browser."""
    with RecordingApp(page_of_the_app) as app, a_visit(chromium) as visit:
        site, page = a_site(platform, app), visit.page
        sign_in(page, platform, "/apps", token=site.token)
        go_to_the_app(visit, site)
        page.goto(console_of(platform))
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
        page.goto(f"{console_of(platform)}/apps")
        expect(page.get_by_label("Sign in with token")).to_be_visible()
        page.goto(f"http://{site.host}/")
        expect(page.get_by_role("heading", name="The app")).to_be_visible()
