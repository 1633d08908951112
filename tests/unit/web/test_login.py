"""The login pages over ASGI, before a fake of what they ask api."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html import unescape

import httpx
import pytest

from doorward_server.domain.credentials import mint_secret, mint_token_id
from doorward_server.web.app import make_app
from doorward_server.web.attempts import Attempts
from doorward_server.web.health import HEALTH
from doorward_server.web.hosts import AppHosts
from doorward_server.web.login import LOGIN, LOGOUT, LoginPages
from doorward_server.web.logins import Refusal
from doorward_server.web.pages import Pages
from doorward_server.web.throttle import Limits, Throttle
from tests.unit.web.fake_logins import FakeLogins

APP = "3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11.app.gra.localhost"
ORIGIN = f"http://{APP}:8080"
SESSION = "1." + "A" * 128
SECRET = mint_secret(mint_token_id())


@dataclass
class Browser:
    """One that has read the login page."""

    client: httpx.AsyncClient
    logins: FakeLogins
    key: str = ""

    async def open(self, path: str = LOGIN, **params: str) -> httpx.Response:
        """Open a page, and take its form's text and cookie along from now on."""
        page = await self.client.get(path, params=params, headers=self.cookie())
        self.key = re.findall(r'name="form" value="([^"]*)"', page.text)[0]
        assert f"__Host-doorward-login={self.key};" in page.headers["set-cookie"]
        return page

    def cookie(self) -> dict[str, str]:
        """The form's cookie: the library's own jar keeps none with that prefix over HTTP."""
        return {"cookie": f"__Host-doorward-login={self.key}"} if self.key else {}

    async def send(
        self, path: str = LOGIN, *, headers: dict[str, str | None] | None = None, **fields: str
    ) -> httpx.Response:
        """Send the form as browsers do; a header of None is not sent."""
        sent = {"origin": ORIGIN, "sec-fetch-site": "same-origin", **self.cookie(), **(headers or {})}
        return await self.client.post(
            path,
            data={"form": self.key, **fields},
            headers={name: value for name, value in sent.items() if value is not None},
        )


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A browser, and the pages."""
    logins, pages = FakeLogins(SESSION), Pages()
    login_pages = LoginPages(
        hosts=AppHosts(["app.gra.localhost", "app.bhs.localhost"]),
        attempts=Attempts(
            logins=logins, throttle=Throttle(clock=lambda: 0.0, limits=Limits(address_burst=3))
        ),
        logins=logins,
        pages=pages,
    )

    async def ready() -> bool:
        return logins.ends

    transport = httpx.ASGITransport(make_app(login_pages, pages, ready=ready))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield Browser(client, logins)


async def test_connect_begins_a_session_and_leads_back(browser: Browser) -> None:
    """To the page that was asked for, with its query, by 303: the token is not sent there again."""
    page = await browser.open(next="/x?a=b&c=%2F")
    assert page.status_code == 200
    assert 'name="next" value="/x?a=b&amp;c=%2F"' in page.text
    answer = await browser.send(token=f"  {SECRET.reveal()}\n", next="/x?a=b&c=%2F")
    assert (answer.status_code, answer.headers["location"]) == (303, "/x?a=b&c=%2F")
    ((secret, host),) = browser.logins.begun
    assert (secret.reveal(), host) == (SECRET.reveal(), APP)
    session, form = answer.headers.get_list("set-cookie")
    assert session == f"__Host-doorward={SESSION}; Path=/; Secure; HttpOnly; SameSite=Lax"
    assert form.startswith("__Host-doorward-login=;")
    assert form.endswith("Max-Age=0")
    assert answer.content == b""


async def test_the_page_has_what_people_and_password_managers_need(browser: Browser) -> None:
    """One masked field with its label, one button; the address names the app, and nothing else does."""
    page = (await browser.open()).text
    assert '<label for="token">Login with token</label>' in page
    assert re.search(r'<input id="token" name="token" type="password" autocomplete="current-password"', page)
    assert '<button type="submit">Connect</button>' in page
    assert f'<p class="host">{APP}</p>' in page
    assert page.count("<form") == 1


async def test_a_page_is_kept_and_framed_by_nobody(browser: Browser) -> None:
    """Neither loads it anything from elsewhere, or a script that is not its own file."""
    for path in (LOGIN, LOGOUT, "/.doorward/x"):
        page = await browser.client.get(path)
        policy = dict(
            part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == "'none'"
        assert policy["frame-ancestors"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["img-src"] == "'self'"
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "same-origin"
        assert page.headers["x-content-type-options"] == "nosniff"
        for address in re.findall(r'(?:src|href|action)="([^"]*)"', page.text):
            assert re.match(r"/(\.doorward/|$)", address)
        assert not re.search(r"<script(?![^>]* src=)|<style|\son[a-z]+=|\sstyle=|javascript:", page.text)


@pytest.mark.parametrize("name", ["tokens.css", "style.css", "show.js", "icon.svg"])
async def test_a_pages_files_are_there(browser: Browser, name: str) -> None:
    """With a type that browsers take, and nothing else beside them."""
    answer = await browser.client.get(f"/.doorward/static/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(("text/css", "text/javascript", "image/svg+xml"))
    for other in ("", "x.css", "../pages.py", "..%2fpages.py", "login.html"):
        assert (await browser.client.get(f"/.doorward/static/{other}")).status_code == 404


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (Refusal.WRONG, 403, "It may have expired, or been regenerated or deleted."),
        (Refusal.OUT_OF_SCOPE, 403, "This token does not open this app"),
        (Refusal.SUPERSEDED, 403, "browsers need the new one"),
        (Refusal.TOO_MANY, 429, "Wait a little, then try again."),
        (Refusal.UNAVAILABLE, 503, "Your token was not looked at."),
    ],
)
async def test_a_refusal_is_explained_and_the_token_not_shown(
    browser: Browser, answer: Refusal, status: int, says: str
) -> None:
    """In plain words, and read out; the way back is kept."""
    browser.logins.answer = answer
    await browser.open()
    page = await browser.send(token=SECRET.reveal(), next="/x?y")
    assert page.status_code == status
    assert says in unescape(page.text)
    assert 'role="alert"' in page.text
    assert 'name="next" value="/x?y"' in page.text
    assert SECRET.reveal() not in page.text + str(page.headers)
    assert "__Host-doorward=" not in str(page.headers)


@pytest.mark.parametrize(
    "token",
    ["", "x", SECRET.reveal()[:-1], SECRET.reveal() + "x", "<b>&", "dw_" + "x" * 5000, "\x00", "Bearer dw_"],
)
async def test_what_is_no_token_is_not_even_asked_about(browser: Browser, token: str) -> None:
    """The check sum tells it, and the page does not repeat it."""
    await browser.open()
    page = await browser.send(token=token)
    assert page.status_code == 400
    assert "This is not a whole token" in page.text
    assert browser.logins.begun == []
    assert len(token) < 4 or token not in page.text


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},  # the app next door
        {
            "sec-fetch-site": None,
            "origin": "http://4f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11.app.gra.localhost:8080",
        },
        {"sec-fetch-site": None, "origin": "null"},
        {"sec-fetch-site": None, "origin": f"http://{APP}"},  # another port
        {"cookie": None},
        {"cookie": "__Host-doorward-login=" + "x" * 43},
        {"cookie": "__Host-doorward-login="},
        {"content-type": "text/plain"},
        {"content-type": "multipart/form-data; boundary=x"},
    ],
)
async def test_a_form_of_another_page_logs_nobody_in(
    browser: Browser, headers: dict[str, str | None]
) -> None:
    """Login CSRF: neither by the browser's word on who asks, nor without the text that the page was given."""
    await browser.open()
    for path in (LOGIN, LOGOUT):
        page = await browser.send(path, headers=headers, token=SECRET.reveal())
        assert page.status_code == 403
        assert "The page was too old" in page.text
        assert "__Host-doorward=" not in str(page.headers)
        assert SECRET.reveal() not in page.text
    assert not browser.logins.begun
    assert not browser.logins.ended


@pytest.mark.parametrize(
    "headers", [{"origin": None}, {"sec-fetch-site": None}, {"origin": None, "sec-fetch-site": None}]
)
async def test_browsers_that_say_less_log_in_too(browser: Browser, headers: dict[str, str | None]) -> None:
    """Fetch Metadata is for hosts that a browser trusts; the form's text is always there."""
    await browser.open()
    assert (await browser.send(headers=headers, token=SECRET.reveal())).status_code == 303


async def test_a_form_without_its_text_is_refused(browser: Browser) -> None:
    """Also where cookie and field are both empty, or the field is there twice."""
    await browser.open()
    for body in (
        b"token=x",
        b"form=&token=x",
        b"form=%s&form=%s" % ((browser.key.encode(),) * 2),
        b"\xff",
        b"a" * 20_000,
    ):
        headers = {"content-type": "application/x-www-form-urlencoded", "origin": ORIGIN, **browser.cookie()}
        assert (await browser.client.post(LOGIN, content=body, headers=headers)).status_code == 403


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "/\\evil.example", "https://evil.example", "/%2f/evil.example"]
)
async def test_nobody_is_led_elsewhere(browser: Browser, wanted: str) -> None:
    """Whether the address comes with the link to the page or with the form."""
    page = await browser.open(next=wanted)
    assert 'name="next" value="/"' in page.text
    answer = await browser.send(token=SECRET.reveal(), next=wanted)
    assert answer.headers["location"] == "/"


async def test_two_tabs_have_one_text(browser: Browser) -> None:
    """Opening a second page does not make the first one's form worthless."""
    await browser.open()
    first = browser.key
    await browser.open()
    assert browser.key == first


async def test_wrong_tokens_are_throttled_by_address(browser: Browser) -> None:
    """As Envoy knows it, and nobody else waits; who waits is not looked at."""
    browser.logins.answer = Refusal.WRONG
    await browser.open()
    here, elsewhere = {"x-envoy-external-address": "192.0.2.1"}, {"x-envoy-external-address": "192.0.2.2"}
    for _ in range(3):
        assert (await browser.send(headers={**here}, token=SECRET.reveal())).status_code == 403
    page = await browser.send(headers={**here, "x-forwarded-for": "192.0.2.9"}, token=SECRET.reveal())
    assert page.status_code == 429
    assert int(page.headers["retry-after"]) > 0
    assert len(browser.logins.begun) == 3
    browser.logins.answer = SESSION
    assert (await browser.send(headers={**elsewhere}, token=SECRET.reveal())).status_code == 303


async def test_right_tokens_are_never_throttled(browser: Browser) -> None:
    """However many people log in from one address."""
    await browser.open()
    for _ in range(20):
        assert (await browser.send(token=SECRET.reveal())).status_code == 303


@pytest.mark.parametrize(
    "host", ["localhost", "x.app.gra.localhost", APP.replace("gra", "par"), f"{APP}.evil.example", "[::1]"]
)
async def test_a_host_that_is_no_apps_has_no_login(browser: Browser, host: str) -> None:
    """Nothing is there, and nothing is asked."""
    for path in (LOGIN, LOGOUT):
        for method in ("GET", "POST"):
            answer = await browser.client.request(method, path, headers={"host": host})
            assert answer.status_code == 404
    assert browser.logins.begun == []


async def test_whether_there_is_an_app_is_not_told(browser: Browser) -> None:
    """Every host of that form has the same page, but for its own name."""
    other = APP.replace("3f0c", "4f0c")
    pages = [(await browser.client.get(LOGIN, headers={"host": host})).text for host in (APP, other.upper())]
    same = [re.sub(r'name="form" value="[^"]*"', "", page) for page in pages]
    assert same[0].replace(APP, other) == same[1]


async def test_logging_out_ends_the_session(browser: Browser) -> None:
    """Everywhere, and in this browser; asked for by a form, not by a link."""
    page = await browser.open(LOGOUT)
    assert "Your session with this app ends everywhere." in page.text
    assert browser.logins.ended == []
    cookie = f"{browser.cookie()['cookie']}; __Host-doorward={SESSION}; a=1"
    answer = await browser.send(LOGOUT, headers={"cookie": cookie})
    assert (answer.status_code, browser.logins.ended) == (200, [SESSION.encode()])
    assert "You are logged out" in answer.text
    assert "__Host-doorward=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0" in answer.headers.get_list(
        "set-cookie"
    )


async def test_a_logout_that_did_not_work_says_so(browser: Browser) -> None:
    """The cookie stays, so that trying again can work."""
    browser.logins.ends = False
    await browser.open(LOGOUT)
    cookie = f"{browser.cookie()['cookie']}; __Host-doorward={SESSION}"
    answer = await browser.send(LOGOUT, headers={"cookie": cookie})
    assert answer.status_code == 503
    assert "You are still logged in" in answer.text
    assert "__Host-doorward=;" not in str(answer.headers)


async def test_health_is_apis(browser: Browser) -> None:
    """For who starts the process; without api, nobody can log in."""
    assert (await browser.client.get(HEALTH)).status_code == 200
    browser.logins.ends = False
    assert (await browser.client.get(HEALTH)).status_code == 503
