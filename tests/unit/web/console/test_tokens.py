"""The pages of tokens: what they show, and what they ask api for."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from doorward.v1.app_pb2 import APP_STATE_RUNNING, APP_STATE_STOPPED, App
from doorward.v1.role_pb2 import ROLE_ADMIN, ROLE_OPERATOR, ROLE_READ_ONLY
from doorward.v1.token_pb2 import Token
from doorward.v1.token_service_pb2 import (
    CreateTokenResponse,
    DeleteTokenResponse,
    GetTokenResponse,
    ListTokensResponse,
    PreviewSelectorResponse,
    RegenerateTokenResponse,
    UpdateTokenResponse,
)
from doorward_server.domain.credentials import mint_secret, mint_token_id
from tests.unit.web.console.conftest import Console, text_of
from tests.unit.web.console.fake_api import AWAY, NO_SESSION, RefusedError

ID = mint_token_id()
SECRET = mint_secret(ID).reveal()
URL = "http://3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11.app.gra.localhost:8080"


def at(**ago: float) -> Timestamp:
    """A time so long ago."""
    stamp = Timestamp()
    stamp.FromDatetime(datetime.now(UTC) - timedelta(**ago))
    return stamp


def a_token(**given: Any) -> Token:
    """A READ_ONLY token of a group."""
    fields: dict[str, Any] = {
        "token_id": ID,
        "display_name": "<i>demo</i>",
        "role": ROLE_READ_ONLY,
        "region": "GRA",
        "label_selector": "group=A",
        "generation": 1,
        "create_time": at(hours=1),
        "etag": "etag-1",
    }
    return Token(**(fields | given))


def an_app(name: str, *, running: bool = True, url: str = URL) -> App:
    """An app that it opens."""
    app = App(app_id="3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11", display_name=name, region="GRA")
    app.status.state = APP_STATE_RUNNING if running else APP_STATE_STOPPED
    app.status.url = url
    return app


TYPED: dict[str, Any] = {
    "name": "demo",
    "role": "READ_ONLY",
    "region": "GRA",
    "scope": "labels",
    "selector": "group=A",
    "lifetime": "90",
    "request_id": "b5d0e0c5-3c0e-4a0a-8f9b-6f0f6a1d9a57",
    "opened": "1",
}


@pytest.fixture(autouse=True)
def answers(console: Console) -> dict[str, Any]:
    """An api with one token, and an app that it opens."""
    console.api.answers |= {
        "ListTokens": lambda _: ListTokensResponse(tokens=[a_token()]),
        "GetToken": lambda _: GetTokenResponse(token=a_token()),
        "PreviewSelector": lambda _: PreviewSelectorResponse(apps=[an_app("<i>chat</i>")]),
        "CreateToken": lambda _: CreateTokenResponse(token=a_token(), secret=SECRET),
        "RegenerateToken": lambda _: RegenerateTokenResponse(token=a_token(generation=2), secret=SECRET),
        "UpdateToken": lambda _: UpdateTokenResponse(token=a_token()),
        "DeleteToken": lambda _: DeleteTokenResponse(),
    }
    return console.api.answers


def value_of(page: httpx.Response, name: str) -> str:
    """What stands in a field of the page's form."""
    (found,) = re.findall(rf'<input[^>]* name="{name}"[^>]* value="([^"]*)"', page.text)
    return unescape(found)


def chosen(page: httpx.Response, name: str) -> list[str]:
    """What is chosen of a field's radio buttons, or of its list."""
    radios = re.findall(rf'name="{name}" value="([^"]*)" checked', page.text)
    (options,) = re.findall(rf'<select[^>]* name="{name}".*?</select>', page.text, re.DOTALL) or [""]
    return radios + re.findall(r'value="([^"]*)" selected', options)


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


@pytest.mark.parametrize("what", ["regenerate", "delete"])
async def test_what_ends_something_is_asked_first(console: Console, what: str) -> None:
    """With the apps that are open to the token now, and when it was used last."""
    page = await console.open(f"/tokens/{ID}/{what}")
    said = text_of(page)
    for words in ("&lt;i&gt;demo&lt;/i&gt;", "&lt;i&gt;chat&lt;/i&gt;", "group=A", "never used", "Cancel"):
        assert words in said
    assert value_of(page, "etag") == "etag-1"
    assert "sessions" in said.lower()
    assert {name for name, _ in console.api.calls} == {"GetToken", "PreviewSelector"}


@pytest.mark.parametrize("what", ["regenerate", "delete"])
async def test_who_ends_the_own_token_is_told(console: Console, answers: dict[str, Any], what: str) -> None:
    """That the session goes with it."""
    own = console.api.token.token_id
    answers["GetToken"] = lambda _: GetTokenResponse(
        token=a_token(token_id=own, last_used_time=at(minutes=1))
    )
    page = await console.open(f"/tokens/{own}/{what}")
    assert "the token that you are signed in with" in text_of(page)
    assert "last used" in text_of(page)


@pytest.mark.parametrize(("grace", "seconds"), [("0", 0), ("3600", 3600), ("", 0), ("1e9", 0), ("-1", 0)])
async def test_regenerating_shows_the_new_secret(console: Console, grace: str, seconds: int) -> None:
    """With the grace period that was chosen from the list, and none by default."""
    page = await console.send(f"/tokens/{ID}/regenerate", etag="etag-1", grace=grace)
    (request,) = console.api.asked("RegenerateToken")
    assert (request.token_id, request.etag, request.grace_period.seconds) == (ID, "etag-1", seconds)
    assert page.text.count(SECRET) == 2
    assert SECRET not in str(page.headers)


async def test_a_reload_does_not_regenerate_again(console: Console) -> None:
    """The token has another etag by then; a form without one has none that could be right."""
    console.api.refuse("RegenerateToken", RefusedError(grpc.StatusCode.ABORTED, "ETAG_MISMATCH"))
    page = await console.send(f"/tokens/{ID}/regenerate", grace="0")
    assert page.status_code == 409
    assert "No new secret was made" in text_of(page)
    assert "<table" in page.text
    assert console.api.asked("RegenerateToken")[0].etag


async def test_deleting_leads_to_the_list(console: Console) -> None:
    """Which says that it was done, once."""
    answer = await console.send(f"/tokens/{ID}/delete", etag="etag-1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/tokens")
    (request,) = console.api.asked("DeleteToken")
    assert (request.token_id, request.etag) == (ID, "etag-1")
    assert "The token was deleted." in text_of(await console.open("/tokens"))
    assert "The token was deleted." not in text_of(await console.open("/tokens"))


async def test_the_last_admin_is_not_deleted(console: Console) -> None:
    """Which is explained."""
    error = RefusedError(grpc.StatusCode.FAILED_PRECONDITION, "LAST_ADMIN_TOKEN", "create another one first")
    console.api.refuse("DeleteToken", error)
    page = await console.send(f"/tokens/{ID}/delete", etag="etag-1")
    assert page.status_code == 409
    assert "Create another one first." in text_of(page)


async def test_name_and_expiry_are_changed(console: Console) -> None:
    """What is left as it is, is not asked for."""
    page = await console.open(f"/tokens/{ID}/edit")
    assert value_of(page, "name") == "<i>demo</i>"
    assert chosen(page, "lifetime") == ["keep"]
    answer = await console.send(f"/tokens/{ID}/edit", name=" new ", lifetime="keep", etag="etag-1")
    assert answer.headers["location"] == "/tokens"
    assert "The token was changed." in text_of(await console.open("/tokens"))
    await console.send(f"/tokens/{ID}/edit", name="new", lifetime="never", etag="etag-1")
    await console.send(f"/tokens/{ID}/edit", name="new", lifetime="7", etag="etag-1")
    kept, never, week = console.api.asked("UpdateToken")
    assert (kept.token.token_id, kept.token.display_name, kept.token.etag) == (ID, "new", "etag-1")
    assert list(kept.update_mask.paths) == ["display_name"]
    assert list(never.update_mask.paths) == ["display_name", "expire_time"]
    assert not never.token.HasField("expire_time")
    left = week.token.expire_time.ToDatetime(UTC) - datetime.now(UTC)
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (RefusedError(grpc.StatusCode.ABORTED, "ETAG_MISMATCH"), 409, "Somebody else was faster"),
        (
            RefusedError(grpc.StatusCode.FAILED_PRECONDITION, "LAST_ADMIN_TOKEN", "make another one first"),
            409,
            "Make another one first.",
        ),
        (
            RefusedError(
                grpc.StatusCode.INVALID_ARGUMENT,
                "INVALID_FIELD",
                fields={"token.display_name": "is too long"},
            ),
            400,
            "Is too long.",
        ),
    ],
)
async def test_a_change_that_is_refused_keeps_what_was_typed(
    console: Console, answers: dict[str, Any], error: RefusedError, status: int, says: str
) -> None:
    """And has the token's present etag, so that sending it again means it."""
    console.api.refuse("UpdateToken", error)
    answers["GetToken"] = lambda _: GetTokenResponse(token=a_token(etag="etag-2"))
    page = await console.send(f"/tokens/{ID}/edit", name="typed", lifetime="30", etag="etag-1")
    assert page.status_code == status
    assert says in text_of(page)
    assert value_of(page, "name") == "typed"
    assert chosen(page, "lifetime") == ["30"]
    assert value_of(page, "etag") == "etag-2"


async def test_a_lifetime_that_is_none_is_refused(console: Console) -> None:
    """Before api is asked."""
    page = await console.send(f"/tokens/{ID}/edit", name="typed", lifetime="12", etag="etag-1")
    assert page.status_code == 400
    assert "Choose when the token expires." in text_of(page)
    assert console.api.asked("UpdateToken") == []


async def test_a_token_that_is_gone_is_not_here(console: Console) -> None:
    """At each of its addresses."""
    console.api.refuse("GetToken", RefusedError(grpc.StatusCode.NOT_FOUND, "TOKEN_NOT_FOUND"))
    for what in ("edit", "regenerate", "delete"):
        page = await console.open(f"/tokens/{ID}/{what}")
        assert page.status_code == 404
        assert "There is no such token." in text_of(page)


@pytest.mark.parametrize("path", ["new", f"{ID}/edit", f"{ID}/regenerate", f"{ID}/delete", "preview"])
async def test_a_form_of_another_page_does_nothing(console: Console, path: str) -> None:
    """Neither by the browser's word on who asks, nor without the text that the page was given."""
    bad: list[dict[str, str | None]] = [
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": None, "origin": "http://evil.localhost"},
    ]
    for headers in bad:
        assert (await console.send(f"/tokens/{path}", headers=headers, **TYPED)).status_code == 403
    console.cookies["__Host-doorward-form"] = "x" * 42
    assert (await console.send(f"/tokens/{path}", **TYPED)).status_code == 403
    assert console.api.calls == []
