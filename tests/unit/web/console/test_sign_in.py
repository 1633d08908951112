"""Signing in with a token, and out again."""

import re

import pytest

from doorward_server.domain.credentials import mint_secret, mint_token_id
from doorward_server.web.logins import Refusal
from tests.unit.web.console.conftest import HOST, ORIGIN, Console
from tests.unit.web.console.fake_api import SESSION

SECRET = mint_secret(mint_token_id())


async def test_a_token_signs_in_and_leads_back(stranger: Console) -> None:
    """To the page that was asked for; the browser has a session and never the token."""
    page = await stranger.open("/sign-in", next="/apps?selector=a%3Db")
    assert page.status_code == 200
    assert 'name="next" value="/apps?selector=a%3Db"' in page.text
    answer = await stranger.send("/sign-in", token=f" {SECRET.reveal()}\n", next="/apps?selector=a%3Db")
    assert (answer.status_code, answer.headers["location"]) == (303, "/apps?selector=a%3Db")
    ((secret, host),) = stranger.logins.begun
    assert (secret.reveal(), host) == (SECRET.reveal(), HOST)
    assert stranger.cookies["__Host-doorward-console"] == SESSION
    assert SECRET.reveal() not in str(answer.headers)


async def test_who_is_signed_in_is_not_asked_again(console: Console) -> None:
    """A bookmark of the sign-in leads on."""
    answer = await console.open("/sign-in", next="/apps")
    assert (answer.status_code, answer.headers["location"]) == (303, "/apps")
    console.cookies["__Host-doorward-console"] = "c1.ended"
    assert (await console.open("/sign-in")).status_code == 200


async def test_the_page_has_what_people_and_password_managers_need(stranger: Console) -> None:
    """One masked field with its label, one button, in the style of the apps' login."""
    page = (await stranger.open("/sign-in")).text
    assert '<label for="token">Sign in with token</label>' in page
    assert re.search(r'<input id="token" name="token" type="password" autocomplete="current-password"', page)
    assert '<button type="submit">Sign in</button>' in page
    assert page.count("<form") == 1
    assert "style.css" in page


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (Refusal.WRONG, 403, "It may have expired, or been regenerated or deleted."),
        (Refusal.SUPERSEDED, 403, "browsers need the new one"),
        (Refusal.UNAVAILABLE, 503, "Your token was not looked at."),
    ],
)
async def test_a_refusal_is_explained_and_the_token_not_shown(
    stranger: Console, answer: Refusal, status: int, says: str
) -> None:
    """In plain words, read out; the way back is kept."""
    stranger.logins.answer = answer
    await stranger.open("/sign-in")
    page = await stranger.send("/sign-in", token=SECRET.reveal(), next="/apps?region=GRA")
    assert page.status_code == status
    assert says in page.text
    assert 'role="alert"' in page.text
    assert 'name="next" value="/apps?region=GRA"' in page.text
    assert SECRET.reveal() not in page.text + str(page.headers)
    assert "__Host-doorward-console" not in stranger.cookies


async def test_what_is_no_token_is_not_even_asked_about(stranger: Console) -> None:
    """A session's credential among it."""
    await stranger.open("/sign-in")
    for token in ("", SECRET.reveal()[:-1], SESSION):
        assert (await stranger.send("/sign-in", token=token)).status_code == 400
    assert stranger.logins.begun == []


async def test_wrong_tokens_are_throttled_by_address(stranger: Console) -> None:
    """As on the apps' login, and nobody else waits."""
    stranger.logins.answer = Refusal.WRONG
    await stranger.open("/sign-in")
    here: dict[str, str | None] = {"x-envoy-external-address": "192.0.2.1"}
    for _ in range(3):
        assert (await stranger.send("/sign-in", headers=here, token=SECRET.reveal())).status_code == 403
    page = await stranger.send("/sign-in", headers=here, token=SECRET.reveal())
    assert page.status_code == 429
    assert int(page.headers["retry-after"]) > 0
    stranger.logins.answer = SESSION
    elsewhere: dict[str, str | None] = {"x-envoy-external-address": "192.0.2.2"}
    assert (await stranger.send("/sign-in", headers=elsewhere, token=SECRET.reveal())).status_code == 303


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "/\\evil.example", "https://evil.example", "/%2f/evil.example", "/a\r\nb"]
)
async def test_nobody_is_led_elsewhere(stranger: Console, wanted: str) -> None:
    """Whether the address comes with the link to the page or with the form."""
    page = await stranger.open("/sign-in", next=wanted)
    assert 'name="next" value="/"' in page.text
    answer = await stranger.send("/sign-in", token=SECRET.reveal(), next=wanted)
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": None, "origin": "http://evil.example"},
        {"cookie": None},
        {"content-type": "text/plain"},
    ],
)
async def test_a_form_of_another_page_signs_nobody_in(
    stranger: Console, headers: dict[str, str | None]
) -> None:
    """Else a stranger could have somebody work under the stranger's token."""
    await stranger.open("/sign-in")
    page = await stranger.send("/sign-in", headers=headers, token=SECRET.reveal())
    assert page.status_code == 403
    assert "The page was too old" in page.text
    assert stranger.logins.begun == []


async def test_signing_out_ends_the_session(console: Console) -> None:
    """Everywhere, and in this browser; asked for by a form, and not by a link."""
    assert (await console.open("/sign-out")).status_code == 303
    assert console.logins.ended == []
    page = await console.send("/sign-out")
    assert (page.status_code, console.logins.ended) == (200, [SESSION.encode()])
    assert "You are signed out" in page.text
    assert console.cookies == {}


async def test_a_sign_out_that_did_not_work_says_so(console: Console) -> None:
    """The cookie stays, so that trying again can work."""
    console.logins.ends = False
    page = await console.send("/sign-out")
    assert page.status_code == 503
    assert "You are still signed in" in page.text
    assert "__Host-doorward-console" in console.cookies


async def test_signing_out_twice_is_no_error(stranger: Console) -> None:
    """Without a session there is nothing to end."""
    await stranger.open("/sign-in")
    assert (await stranger.send("/sign-out")).status_code == 200
    assert stranger.logins.ended == []


async def test_the_first_page_leads_to_the_apps(stranger: Console) -> None:
    """An address without a path is what people type."""
    answer = await stranger.client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/apps")


@pytest.mark.parametrize(
    "name", ["tokens.css", "console.css", "console.js", "style.css", "show.js", "icon.svg"]
)
async def test_its_files_are_there_for_strangers(stranger: Console, name: str) -> None:
    """The sign-in needs some of them, and none tells anything."""
    answer = await stranger.client.get(f"/.doorward/static/{name}", headers={"origin": ORIGIN})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(("text/css", "text/javascript", "image/svg+xml"))
