"""What holds for every page of the console."""

import re
from html import unescape

import grpc
import pytest

from doorward.v1.app_service_pb2 import ListAppsResponse
from doorward.v1.role_pb2 import ROLE_ADMIN, ROLE_OPERATOR, ROLE_READ_ONLY, Role
from doorward_server.web.console.app import SECTIONS
from tests.unit.web.console.conftest import Console, text_of
from tests.unit.web.console.fake_api import AWAY, NO_SESSION, SESSION, RefusedError

PATHS = [
    re.sub(r"\{[^}]*\}", "3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11", page.path)
    for section in SECTIONS
    for page in section.pages
]


@pytest.fixture(autouse=True)
def _no_apps(console: Console) -> None:
    console.api.answers["ListApps"] = lambda _: ListAppsResponse()


@pytest.mark.parametrize("path", [*PATHS, "/nowhere", "/.doorward/static/nothing"])
async def test_strangers_are_led_to_the_sign_in(stranger: Console, path: str) -> None:
    """Whatever address they open, and back to it; api is not even asked."""
    stranger.cookies.clear()
    answer = await stranger.open(f"{path}?a=b&c=%2F")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=%2F")
    assert "a%3Db%26c%3D%252F" in answer.headers["location"]
    assert stranger.api.credentials == []


@pytest.mark.parametrize(
    "session", ["", "x", "dw_", SESSION + "x", "1." + "A" * 128, "\u00e4", SESSION[:-1], "a\tb"]
)
async def test_what_is_no_session_leads_to_the_sign_in(stranger: Console, session: str) -> None:
    """An app's among them: api is asked about what has the form of a session, and says no."""
    cookie = f"__Host-doorward-console={session}".encode("latin-1")
    answer = await stranger.client.get("/apps", headers=[(b"cookie", cookie)])
    assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/sign-in")
    assert stranger.api.calls == []


@pytest.mark.parametrize(
    "cookies",
    [
        f"__Host-doorward={SESSION}",
        f"doorward-console={SESSION}",
        f"__host-doorward-console={SESSION}",
        f"__Host-doorward-console={SESSION}; __Host-doorward-console={SESSION}",
    ],
)
async def test_the_session_has_one_cookie(stranger: Console, cookies: str) -> None:
    """No other name is looked at, and of two of that name neither is taken."""
    answer = await stranger.client.get("/apps", headers={"cookie": cookies})
    assert answer.status_code == 303
    assert stranger.api.credentials == []


async def test_a_session_that_has_ended_is_taken_away(console: Console) -> None:
    """At whichever call api says so, and the sign-in tells it."""
    console.api.refuse("ListApps", NO_SESSION)
    answer = await console.open("/apps")
    assert answer.headers["location"] == "/sign-in?next=%2Fapps&ended=1"
    assert "__Host-doorward-console" not in console.cookies
    page = await console.open(answer.headers["location"])
    assert "Your session has ended." in page.text


async def test_a_renewed_session_is_kept(console: Console) -> None:
    """By what a person opens, and not by what a page loads by itself: that is no use."""
    console.api.renewed = "c1." + "B" * 108
    await console.open("/apps", headers={"doorward-background": "1"})
    assert console.cookies["__Host-doorward-console"] == SESSION
    await console.open("/apps")
    assert console.cookies["__Host-doorward-console"] == console.api.renewed


@pytest.mark.parametrize("path", [*PATHS, "/nowhere", "/sign-in", "/sign-out"])
async def test_a_page_is_kept_framed_and_extended_by_nobody(console: Console, path: str) -> None:
    """Neither loads it anything from elsewhere, or has a script or style that is not a file of its own."""
    page = await console.open(path)
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    for kind in ("script-src", "style-src", "img-src"):
        assert policy[kind] == "'self'"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["x-content-type-options"] == "nosniff"
    for address in re.findall(r'(?:src|href|action)="([^"]*)"', page.text):
        assert re.match(r"/(?!/)|#", address)
    assert not re.search(r"<script(?![^>]* src=)|<style|\son[a-z]+=|\sstyle=|javascript:", page.text)


@pytest.mark.parametrize("path", [path for path in PATHS if path == "/apps"])
async def test_a_page_says_who_is_there_and_where(console: Console, path: str) -> None:
    """Landmarks, a link past the navigation, the token's name, its role, its region, and the way out."""
    console.api.role = ROLE_OPERATOR
    console.api.token.region = "GRA"
    page = (await console.open(path)).text
    assert '<a class="skip" href="#main">' in page
    assert '<main id="main"' in page
    assert re.search(r"<nav[^>]* aria-label=", page)
    assert 'aria-current="page"' in page
    assert "&lt;b&gt;first&lt;/b&gt; admin" in page
    assert "<b>first" not in page
    assert "OPERATOR" in page
    assert "GRA" in page
    assert page.count('action="/sign-out"') == 2


@pytest.mark.parametrize("role", [ROLE_READ_ONLY, ROLE_OPERATOR, ROLE_ADMIN])
async def test_the_navigation_follows_the_role(console: Console, role: Role.ValueType) -> None:
    """As api says it is."""
    console.api.role = role
    page = (await console.open("/apps")).text
    wide = page.partition('<nav class="wide"')[2].partition("</nav>")[0]
    assert re.findall(r">([^<>]+)</a>", wide) == [each.title for each in SECTIONS if each.least_role <= role]


@pytest.mark.parametrize(
    ("refused", "status", "says"),
    [
        (RefusedError(grpc.StatusCode.NOT_FOUND, "APP_NOT_FOUND"), 404, "your token does not cover it"),
        (
            RefusedError(grpc.StatusCode.PERMISSION_DENIED, "ROLE_TOO_LOW", "x needs <i>y</i>"),
            403,
            "X needs <i>y</i>.",
        ),
        (RefusedError(grpc.StatusCode.ABORTED, "ETAG_MISMATCH"), 409, "Somebody else was faster"),
        (
            RefusedError(grpc.StatusCode.FAILED_PRECONDITION, "APP_STATE_CONFLICT", "it stops"),
            409,
            "It stops.",
        ),
        (
            RefusedError(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", fields={"a.b": "must"}),
            400,
            "a.b: must",
        ),
        (RefusedError(grpc.StatusCode.RESOURCE_EXHAUSTED, "HASHING_QUEUE_FULL"), 503, "too much to do"),
        (AWAY, 503, "does not answer"),
        (RefusedError(grpc.StatusCode.INTERNAL), 500, "its log has it as request-1"),
        (RefusedError(grpc.StatusCode.UNKNOWN), 500, "Something went wrong"),
    ],
    ids=lambda value: value.code.name if isinstance(value, RefusedError) else "",
)
async def test_errors_say_what_to_do(console: Console, refused: RefusedError, status: int, says: str) -> None:
    """As a page within the console, its text escaped."""
    console.api.refuse("ListApps", refused)
    page = await console.open("/apps")
    assert page.status_code == status
    assert says in unescape(text_of(page))
    assert "<i>" not in page.text
    assert 'action="/sign-out"' in page.text


async def test_without_api_there_is_a_page_all_the_same(console: Console) -> None:
    """Also when nobody can say who is there; the session's cookie stays."""
    console.api.refuse("WhoAmI", AWAY)
    page = await console.open("/apps")
    assert page.status_code == 503
    assert page.headers["retry-after"]
    assert "does not answer" in page.text
    assert "__Host-doorward-console" in console.cookies


async def test_what_is_not_there_is_said_within_the_console(console: Console) -> None:
    """And what takes no form says that."""
    page = await console.open("/nowhere")
    assert page.status_code == 404
    assert "There is nothing at this address" in page.text
    page = await console.send("/apps")
    assert page.status_code == 405
    assert console.api.calls == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
async def test_other_methods_do_nothing(console: Console, method: str) -> None:
    """Nor do they tell anything."""
    for path in ("/apps", "/sign-in", "/"):
        answer = await console.client.request(method, path, headers=console._cookie())
        assert answer.status_code == 405
        assert "content-security-policy" in answer.headers
    assert console.api.credentials == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_another_sites_page_is_shown_nothing(console: Console, site: str) -> None:
    """Not by a script, an image or a frame; a link that somebody follows is let through."""
    for mode in ("cors", "no-cors", "websocket"):
        page = await console.open("/apps", headers={"sec-fetch-site": site, "sec-fetch-mode": mode})
        assert page.status_code == 403
        assert console.api.credentials == []
    page = await console.open("/apps", headers={"sec-fetch-site": site})
    assert page.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": None, "origin": "http://evil.example"},
        {"sec-fetch-site": None, "origin": "null"},
        {"sec-fetch-site": None, "origin": "http://console.localhost"},  # another port
        {"cookie": f"__Host-doorward-console={SESSION}"},
        {"cookie": f"__Host-doorward-console={SESSION}; __Host-doorward-form={'x' * 43}"},
        {"content-type": "text/plain"},
        {"content-type": "application/json"},
    ],
)
@pytest.mark.parametrize("path", [*PATHS, "/sign-out"])
async def test_a_form_of_another_page_does_nothing(
    console: Console, path: str, headers: dict[str, str | None]
) -> None:
    """Neither by the browser's word on who asks, nor without the text that the page was given."""
    page = await console.send(path, headers=headers)
    assert page.status_code in {403, 405}
    assert console.api.calls == []
    assert console.logins.ended == []


async def test_a_notice_is_told_once(console: Console) -> None:
    """By the page that a person opens next; what is no notice of ours is told never."""
    name = next(iter({name for each in SECTIONS for name in each.notices}), None)
    for cookie in ("<b>", "x" * 4000):
        console.cookies["__Host-doorward-notice"] = cookie
        page = await console.open("/apps")
        assert 'class="notice"' not in page.text
        assert "__Host-doorward-notice" not in console.cookies
    if name is not None:
        console.cookies["__Host-doorward-notice"] = name
        assert (
            'class="notice"' not in (await console.open("/apps", headers={"doorward-background": "1"})).text
        )
        assert 'class="notice"' in (await console.open("/apps")).text
        assert 'class="notice"' not in (await console.open("/apps")).text
