"""The README's first journey in the console: a token is made, used, regenerated and deleted."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.visits import (
    NARROW,
    SECRET,
    WIDE,
    Site,
    a_site,
    a_visit,
    choose,
    console_of,
    fits,
    log_in,
    picture,
    row,
    shown_secret,
    sign_in,
    whole_picture,
)
from tests.e2e.support.platform import Platform


def curl(site: Site, secret: str) -> int:
    """The status that a program gets with a token."""
    host = urlsplit(site.url).netloc
    return site.platform.visit(host, token=secret).status


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_journey_of_a_token(
    chromium: Browser, platform: Platform, screenshots: Path, size: dict[str, int], scripts: bool
) -> None:
    """Its secret is shown once, opens the app, dies when it is regenerated, and the token with a deletion."""
    look = "wide" if size is WIDE else "narrow"
    name = "demo"
    with a_site(platform) as site, a_visit(chromium, size=size, scripts=scripts) as visit:
        page = visit.page
        sign_in(page, platform, "/tokens")
        fill_in(page, name, f"port=p{site.app.port}", scripts=scripts)
        whole_picture(page, screenshots / f"console-new-token-{look}.png", scripts=scripts)
        assert fits(page, scripts=scripts)

        page.get_by_role("button", name="Generate").click()
        first = shown_secret(page)
        assert page.locator("#curl").text_content() == f'curl -H "Authorization: Bearer {first}" {site.url}/'
        assert curl(site, first) == 200
        assert fits(page, scripts=scripts)
        picture_without_secret(page, first, screenshots / f"console-tokens-{look}.png", scripts=scripts)
        page.reload()
        expect_no_secret(page, "No second token was made", scripts=scripts)
        assert page.locator(row(name)).count() == 1

        with a_visit(chromium, size=size, scripts=scripts) as elsewhere:
            log_in(elsewhere.page, site, token=first)
            choose(page, name, "Regenerate")
            expect(page.get_by_role("heading", name=f"Give “{name}” a new secret?")).to_be_visible()
            page.get_by_role("button", name="Regenerate").click()
            second = shown_secret(page)
            assert [curl(site, each) for each in (first, second)] == [401, 200]
            elsewhere.page.reload()
            expect(elsewhere.page).to_have_title("Login")
        if scripts:
            page.goto(f"{console_of(platform)}/audit")
            page.go_back()
        else:
            page.reload()
        expect_no_secret(page, "No new secret was made", scripts=scripts)
        assert curl(site, second) == 200

        page.goto(f"{console_of(platform)}/tokens")
        choose(page, name, "Delete")
        expect(page.get_by_role("heading", name=f"Delete “{name}”?")).to_be_visible()
        picture(page, screenshots / f"console-delete-token-{look}.png", scripts=scripts)
        page.get_by_role("button", name="Delete").click()
        expect(page.get_by_role("status")).to_contain_text("The token was deleted.")
        assert curl(site, second) == 401
        expect(page.locator(row(name))).to_have_count(0)

        log = platform.log.read_text()
        assert first not in log
        assert second not in log
        assert visit.hosts == {urlsplit(console_of(platform)).netloc}
        assert visit.complaints == []


def fill_in(page: Page, name: str, selector: str, *, scripts: bool) -> None:
    """Come to the form of a new token, fill it in, and see which app it would open."""
    page.get_by_role("link", name="New Token").click()
    expect(page.get_by_role("heading", name="New Token")).to_be_visible()
    expect(page.get_by_label("Read only")).to_be_checked()
    expect(page.get_by_label("Expires")).to_have_value("90")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Label selector").fill(selector)
    if not scripts:
        page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview")).to_contain_text("1 app right now")
    expect(page.get_by_label("Name")).to_have_value(name)


def expect_no_secret(page: Page, word: str, *, scripts: bool) -> None:
    """After a reload: the list. Without scripts it has sent the form once more, and says what came of it."""
    expect(page.get_by_role("heading", name="Tokens", exact=True)).to_be_visible()
    assert not SECRET.search(page.content())
    if scripts:
        assert urlsplit(page.url).path == "/tokens"
    else:
        expect(page.get_by_role("alert")).to_contain_text(word)


def picture_without_secret(page: Page, secret: str, path: Path, *, scripts: bool) -> None:
    """A picture for the documentation, in which dots stand for the secret."""
    if scripts:
        page.evaluate(
            """(secret) => { for (const id of ["secret", "curl"]) {
              const text = document.getElementById(id);
              text.textContent = text.textContent.replace(secret, "dw_" + "•".repeat(62));
            } }""",
            secret,
        )
        whole_picture(page, path, scripts=scripts)


def test_a_mistake_is_shown_at_its_field(chromium: Browser, platform: Platform) -> None:
    """The field is marked, has its error read out with it, and keeps what was typed."""
    with a_visit(chromium) as visit:
        page = visit.page
        sign_in(page, platform, "/tokens/new")
        page.get_by_label("Name").fill("mistaken")
        page.get_by_label("Label selector").fill("group in A")
        expect(page.locator("#preview")).to_contain_text("Column 10")
        page.get_by_role("button", name="Generate").click()
        field = page.get_by_label("Label selector")
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(re.compile("expected '\\('"))
        expect(field).to_have_value("group in A")
        expect(page.get_by_label("Name")).to_have_value("mistaken")


def test_what_a_token_would_open_is_shown_as_one_types(chromium: Browser, platform: Platform) -> None:
    """Labels, every app, or an ADMIN's everything, whose form has no labels to type."""
    with a_site(platform) as site, a_visit(chromium) as visit:
        page, preview = visit.page, visit.page.locator("#preview")
        sign_in(page, platform, "/tokens/new")
        expect(preview).to_have_attribute("aria-live", "polite")
        expect(preview).to_contain_text("Say which labels")
        page.get_by_label("Label selector").press_sequentially(f"port=p{site.app.port}")
        expect(preview).to_contain_text("1 app right now")
        page.get_by_label("Label selector").fill("nobody=has")
        expect(preview).to_contain_text("No app right now")
        page.get_by_label("Label selector").fill("")
        page.get_by_label("Every app of the region").check()
        expect(preview).to_contain_text("Every app that is created later")
        page.get_by_label("Label selector").fill("a=b")
        expect(page.get_by_label("Those with these labels")).to_be_checked()
        page.get_by_label("Admin").check()
        expect(preview).to_contain_text("the whole API")
        expect(page.get_by_label("Label selector")).to_be_hidden()
        assert visit.complaints == []


def test_the_own_token_shows_its_new_secret_although_it_signs_out(
    chromium: Browser, platform: Platform
) -> None:
    """Nobody else has it: the page shows it, and says where to go with it."""
    made = platform.json("tokens", "create", "second admin", "--role", "admin")
    with a_visit(chromium) as visit:
        page = visit.page
        sign_in(page, platform, "/tokens", token=made["secret"])
        choose(page, "second admin", "Regenerate")
        expect(page.get_by_text("So does yours")).to_be_visible()
        page.get_by_role("button", name="Regenerate").click()
        expect(page.get_by_text("you are signed out")).to_be_visible()
        secret = shown_secret(page)
        page.get_by_role("link", name="Sign in with the new one").click()
        page.get_by_label("Sign in with token").fill(secret)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Tokens", exact=True)).to_be_visible()
    assert platform.cli("tokens", "delete", made["token"]["tokenId"], "--yes").returncode == 0


def test_a_question_of_a_session_that_has_ended_leads_to_the_sign_in(
    chromium: Browser, platform: Platform
) -> None:
    """Which says so, and leads on to the question."""
    made = platform.json("tokens", "create", "brief admin", "--role", "admin")
    with a_visit(chromium) as visit:
        page = visit.page
        sign_in(page, platform, "/tokens", token=made["secret"])
        assert platform.cli("tokens", "delete", made["token"]["tokenId"], "--yes").returncode == 0
        choose(page, "brief admin", "Delete")
        expect(page.get_by_role("status")).to_contain_text("Your session has ended")
        page.get_by_label("Sign in with token").fill(platform.admin_token)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="This is not here")).to_be_visible()


def test_a_token_is_renamed_with_the_keyboard(chromium: Browser, platform: Platform) -> None:
    """The menu of its row opens and closes by keys, and leads to the form."""
    scope = ("--role", "read-only", "--region", "GRA", "--selector", "a=b")
    platform.json("tokens", "create", "misnamed", *scope)
    with a_visit(chromium) as visit:
        page = visit.page
        sign_in(page, platform, "/tokens")
        menu = page.get_by_label("Actions for misnamed")
        menu.focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_text("Edit")
        page.keyboard.press("Escape")
        expect(page.get_by_role("link", name="Edit")).to_have_count(0)
        expect(menu).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        field = page.get_by_label("Name", exact=True)
        expect(field).to_have_value("misnamed")
        field.fill("well named")
        field.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("The token was changed.")
        expect(page.locator(row("well named"))).to_have_count(1)


def test_tokens_of_lower_roles_do_not_see_these_pages(chromium: Browser, platform: Platform) -> None:
    """Neither in the navigation nor at their addresses, which say whom they are for."""
    with a_site(platform) as site, a_visit(chromium) as visit:
        page = visit.page
        sign_in(page, platform, "/apps", token=site.token)
        for title, path in (("Tokens", "/tokens"), ("Explain", "/explain"), ("Audit", "/audit")):
            expect(page.get_by_role("link", name=title)).to_have_count(0)
            answer = page.goto(console_of(platform) + path)
            assert answer is not None
            assert answer.status == 403
            expect(page.get_by_role("heading")).to_contain_text(f"{title} needs the role ADMIN")
