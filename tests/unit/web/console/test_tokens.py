"""The list of tokens and the form of a new one: what they show, and what they ask api for."""

import re
from html import unescape
from typing import Any

import grpc
import pytest

from doorward.v1.role_pb2 import ROLE_ADMIN, ROLE_OPERATOR, ROLE_READ_ONLY
from doorward.v1.token_service_pb2 import (
    CreateTokenResponse,
    ListTokensResponse,
    PreviewSelectorResponse,
)
from tests.unit.web.console.conftest import Console, text_of
from tests.unit.web.console.fake_api import AWAY, NO_SESSION, RefusedError
from tests.unit.web.console.stocked_api import (
    ID,
    SECRET,
    TYPED,
    URL,
    a_token,
    an_app,
    at,
    chosen,
    stock,
    value_of,
)


@pytest.fixture(autouse=True)
def answers(console: Console) -> dict[str, Any]:
    """An api with one token, and an app that it opens."""
    return stock(console)


async def test_the_list_says_what_each_token_is(console: Console, answers: dict[str, Any]) -> None:
    """Name, role, what it opens, when it ends and was used, its generation; nothing of it is markup."""
    answers["ListTokens"] = lambda _: ListTokensResponse(
        tokens=[
            a_token(expire_time=at(days=-3), last_used_time=at(minutes=5), generation=3),
            a_token(token_id="0123456789ab", display_name="old", expire_time=at(days=1)),  # noqa: S106 - an id
            a_token(display_name="root", role=ROLE_ADMIN, region="", all_apps=True),
            a_token(display_name="wide", role=ROLE_OPERATOR, all_apps=True),
        ]
    )
    page = await console.open("/tokens")
    rows = [re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", row)) for row in page.text.split("<tr ")[2:]]
    assert "&lt;i&gt;demo&lt;/i&gt;" in rows[0]
    for words in (ID, "READ_ONLY", "group=A", "in GRA", "5 min ago", " 3 "):
        assert words in rows[0]
    assert "expired" not in rows[0]
    assert "yours" in rows[1]
    assert "expired" in rows[1]
    assert "every app, in every region" in rows[2]
    assert "never" in rows[2]
    assert "every app in GRA" in rows[3].replace("  ", " ")
    for what in ("edit", "regenerate", "delete"):
        assert f'href="/tokens/{ID}/{what}"' in page.text
    assert page.text.count("data-confirm") == 8


async def test_a_former_secret_in_its_grace_period_is_shown(
    console: Console, answers: dict[str, Any]
) -> None:
    """And until when it works."""
    token = a_token(generation=2, previous_generation_expire_time=at(hours=-1))
    answers["ListTokens"] = lambda _: ListTokensResponse(tokens=[token])
    assert "the one before until" in text_of(await console.open("/tokens"))


async def test_the_list_has_pages(console: Console, answers: dict[str, Any]) -> None:
    """By api's own page tokens."""
    answers["ListTokens"] = lambda _: ListTokensResponse(tokens=[a_token()], next_page_token="n+/=")  # noqa: S106
    page = await console.open("/tokens", page="p")
    assert console.api.asked("ListTokens")[0].page_token == "p"  # noqa: S105 - of a page
    assert 'href="/tokens?page=n%2B%2F%3D"' in page.text
    assert 'href="/tokens">First page' in page.text


async def test_an_empty_list_teaches(console: Console, answers: dict[str, Any]) -> None:
    """How to make a token, here and in a terminal."""
    answers["ListTokens"] = lambda _: ListTokensResponse()
    page = await console.open("/tokens")
    assert "There is no token here" in text_of(page)
    assert "doorward tokens create demo" in page.text


@pytest.mark.parametrize("role", [ROLE_READ_ONLY, ROLE_OPERATOR])
async def test_tokens_are_for_admins(console: Console, role: Any) -> None:
    """Others have no way there, are told why at the address itself, and nothing is asked of api."""
    console.api.role = role
    for path in ("/tokens", "/tokens/new", f"/tokens/{ID}/delete", "/explain", "/audit"):
        page = await console.open(path)
        assert page.status_code == 403
        assert "needs the role ADMIN" in text_of(page)
        assert 'href="/tokens"' not in page.text
    assert (await console.send("/tokens/new", **TYPED)).status_code == 403
    assert console.api.calls == []


async def test_a_new_form_has_the_safe_defaults(console: Console) -> None:
    """The least role, labels that are still to be said, and 90 days; each field with its label."""
    page = await console.open("/tokens/new")
    assert chosen(page, "role") == ["READ_ONLY"]
    assert chosen(page, "scope") == ["labels"]
    assert chosen(page, "lifetime") == ["90"]
    assert value_of(page, "selector") == ""
    assert re.findall(r"<option(?: selected)?>(\w+)</option>", page.text) == ["GRA", "BHS"]
    ids = set(re.findall(r'<(?:input|select)[^>]* id="([^"]*)"', page.text))
    assert ids <= set(re.findall(r'<label for="([^"]*)"', page.text))
    assert "autofocus" in page.text


async def test_generate_shows_the_secret_once(console: Console) -> None:
    """At the top of the list, with the command for an app that it opens: in no address and no cookie."""
    page = await console.send("/tokens/new", **TYPED)
    assert page.status_code == 200
    (request,) = console.api.asked("CreateToken")
    assert (request.token.display_name, request.token.label_selector) == ("demo", "group=A")
    assert request.request_id == TYPED["request_id"]
    assert f'id="secret" tabindex="0" aria-label="Secret">{SECRET}</pre>' in page.text
    assert f'curl -H "Authorization: Bearer {SECRET}" {URL}/' in unescape(page.text)
    assert page.text.index(SECRET) < page.text.index("<table")
    assert page.text.count(SECRET) == 2
    assert 'data-address="/tokens"' in page.text
    assert SECRET not in str(page.headers)
    assert page.headers["cache-control"] == "no-store"
    assert SECRET not in (await console.open("/tokens")).text


async def test_sent_again_the_form_makes_no_second_token(console: Console, answers: dict[str, Any]) -> None:
    """Reloading the page gets the list and a word, whatever api says to the repeat."""
    gone = RefusedError(grpc.StatusCode.NOT_FOUND, "TOKEN_NOT_FOUND")
    reused = RefusedError(grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")

    def refuse(error: RefusedError) -> Any:
        raise error

    for answer in (
        lambda _: CreateTokenResponse(token=a_token()),
        lambda _: refuse(gone),
        lambda _: refuse(reused),
    ):
        answers["CreateToken"] = answer
        page = await console.send("/tokens/new", **TYPED)
        assert page.status_code == 200
        assert "No second token was made" in text_of(page)
        assert 'id="secret"' not in page.text
        assert "<table" in page.text


@pytest.mark.parametrize("failing", ["ListTokens", "PreviewSelector"])
@pytest.mark.parametrize("error", [AWAY, NO_SESSION])
async def test_a_secret_that_was_made_is_always_shown(
    console: Console, failing: str, error: RefusedError
) -> None:
    """Whatever goes wrong behind it: nobody could show it later."""
    console.api.refuse(failing, error)
    for page in (
        await console.send("/tokens/new", **TYPED),
        await console.send(f"/tokens/{ID}/regenerate", etag="etag-1", grace="0"),
    ):
        assert page.status_code == 200
        assert page.text.count(SECRET) == 1
        said = "you are signed out" if error is NO_SESSION else "could not be shown"
        assert said in text_of(page)


async def test_a_token_without_an_app_has_no_command(console: Console, answers: dict[str, Any]) -> None:
    """And the page says when it will open something."""
    answers["PreviewSelector"] = lambda _: PreviewSelectorResponse()
    page = await console.send("/tokens/new", **TYPED)
    assert page.text.count(SECRET) == 1
    assert "No app is open to it yet" in text_of(page)


async def test_the_command_is_for_an_app_that_runs(console: Console, answers: dict[str, Any]) -> None:
    """Rather than for the newest one."""
    apps = [an_app("stopped", running=False, url="http://a"), an_app("queued", url=""), an_app("runs")]
    answers["PreviewSelector"] = lambda _: PreviewSelectorResponse(apps=apps)
    assert f'" {URL}/</pre>' in unescape((await console.send("/tokens/new", **TYPED)).text)


@pytest.mark.parametrize(
    ("changed", "field", "says"),
    [
        ({"selector": ""}, "selector", "Say which labels the apps have"),
        ({"scope": "all"}, "selector", "Every app is chosen above"),
        ({"role": "ADMIN"}, "selector", "opens every app"),
        ({"lifetime": "12"}, "lifetime", "Choose when the token expires"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field(
    console: Console, changed: dict[str, str], field: str, says: str
) -> None:
    """What was typed is kept, and api is not asked for a token."""
    page = await console.send("/tokens/new", **(TYPED | {"name": '"><b>'} | changed))
    assert page.status_code == 400
    (error,) = re.findall(rf'<p class="error" id="{field}-error">(.*?)</p>', page.text)
    assert says in error
    assert re.search(
        rf'id="{field}"[^>]*aria-describedby="[^"]*{field}-error" aria-invalid="true"', page.text
    )
    assert value_of(page, "name") == '"><b>'
    assert value_of(page, "request_id") == TYPED["request_id"]
    assert console.api.asked("CreateToken") == []


async def test_what_api_finds_wrong_is_said_at_its_field(console: Console) -> None:
    """In its words; what no field of the form is about gets a page of its own."""
    rules = {"token.display_name": "must have 1 to 63 characters", "token.label_selector": "column 10: no"}
    console.api.refuse(
        "CreateToken", RefusedError(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", fields=rules)
    )
    page = await console.send("/tokens/new", **TYPED)
    assert page.status_code == 400
    assert '<p class="error" id="name-error">Must have 1 to 63 characters.</p>' in page.text
    assert '<p class="error" id="selector-error">Column 10: no.</p>' in page.text
    assert "Some fields need another look" in text_of(page)
    console.api.refuse(
        "CreateToken",
        RefusedError(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", fields={"request_id": "no"}),
    )
    assert "This was not understood" in text_of(await console.send("/tokens/new", **TYPED))


async def test_preview_shows_what_would_be_open(console: Console) -> None:
    """By its button without scripts, which makes nothing; for the form's script, in a part of a page."""
    for page in (
        await console.send("/tokens/new", **TYPED, preview="1"),
        await console.send("/tokens/preview", headers={"doorward-background": "1"}, **TYPED),
    ):
        assert page.status_code == 200
        assert "&lt;i&gt;chat&lt;/i&gt;" in page.text
        assert "Apps that get these labels later" in page.text
    assert console.api.asked("CreateToken") == []
    assert {each.label_selector for each in console.api.asked("PreviewSelector")} == {"group=A"}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"scope": "all", "selector": ""}, "Every app that is created later in this region"),
        ({"role": "ADMIN", "selector": "", "scope": ""}, "so is the whole API"),
        ({"selector": ""}, "Say which labels, and the apps that match are listed here."),
        ({"role": "ADMIN"}, "opens every app"),
    ],
)
async def test_a_preview_says_what_the_choice_means(
    console: Console, changed: dict[str, str], says: str
) -> None:
    """Of later apps, too; and what is still missing."""
    page = await console.send("/tokens/preview", **(TYPED | changed))
    assert says in unescape(page.text)


async def test_a_preview_of_many_says_that_there_are_more(console: Console, answers: dict[str, Any]) -> None:
    """And one of none, that it is none."""
    answers["PreviewSelector"] = lambda _: PreviewSelectorResponse(apps=[an_app("a")], next_page_token="n")  # noqa: S106
    assert "1 and more apps" in (await console.send("/tokens/preview", **TYPED)).text
    answers["PreviewSelector"] = lambda _: PreviewSelectorResponse()
    assert "No app" in (await console.send("/tokens/preview", **TYPED)).text
    refused = RefusedError(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", fields={"label_selector": "no"})
    console.api.refuse("PreviewSelector", refused)
    assert "No." in (await console.send("/tokens/preview", **TYPED)).text


@pytest.mark.parametrize("path", ["new", "ID/edit", "ID/regenerate", "ID/delete", "preview"])
async def test_a_form_of_another_page_does_nothing(console: Console, path: str) -> None:
    """Neither by the browser's word on who asks, nor without the text that the page was given."""
    path = path.replace("ID", ID)
    bad: list[dict[str, str | None]] = [
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": None, "origin": "http://evil.localhost"},
    ]
    for headers in bad:
        assert (await console.send(f"/tokens/{path}", headers=headers, **TYPED)).status_code == 403
    console.cookies["__Host-doorward-form"] = "x" * 42
    assert (await console.send(f"/tokens/{path}", **TYPED)).status_code == 403
    assert console.api.calls == []
