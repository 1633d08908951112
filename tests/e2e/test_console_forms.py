"""What the console's forms may do, through the real Envoy: for whom, and from which pages."""

from urllib.parse import urlencode
from uuid import uuid4

import pytest

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.console_site import Site, a_site
from tests.e2e.support.console_visitor import CONSOLE_SESSION, ConsoleVisitor
from tests.e2e.support.platform import Platform
from tests.e2e.support.raw_http import exchange
from tests.e2e.support.visitor import NAVIGATION
from tests.support.waiting import wait_for

FORM = "__Host-doorward-form"
NOTICE = "__Host-doorward-notice"
ATTRIBUTES = ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]


@pytest.fixture
def site(platform: Platform, app: RecordingApp) -> Site:
    """That platform with an app and a READ_ONLY token of the test's own."""
    return a_site(platform, app, role="read-only")


def forms(site: Site) -> dict[str, dict[str, str]]:
    """What each form that changes something sends, by its address."""
    app, token = f"/apps/{site.app_id}", f"/tokens/{site.token_id}"
    scope = {"role": "READ_ONLY", "region": "GRA", "scope": "labels", "selector": "a=b", "lifetime": "90"}
    return {
        "/apps/new": {"name": "made", "region": "GRA", "source": "external", "address": "127.0.0.1:9"},
        f"{app}/labels": {"labels": "a=b"},
        f"{app}/start": {},
        f"{app}/stop": {},
        f"{app}/delete": {},
        "/tokens/new": {"name": "made", "request_id": str(uuid4()), **scope},
        f"{token}/edit": {"name": "renamed", "lifetime": "90"},
        f"{token}/regenerate": {"grace": "0"},
        f"{token}/delete": {},
    }


def everything(site: Site) -> object:
    """All that a form could change."""
    return site.app_now(), site.token_now(), len(site.platform.json("tokens", "list"))


@pytest.mark.parametrize(
    "sent",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://app"},
        {"Origin": "http://app"},
        {"Origin": "http://console.localhost:1"},
        {"Origin": "null"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"text": ""},
        {"text": "x" * 43},
        {"cookie": "none"},
    ],
    ids=lambda sent: "-".join(f"{name}-{value[:26]}" for name, value in sent.items()),
)
def test_a_form_needs_its_own_page(site: Site, sent: dict[str, str]) -> None:
    """Not the app's next door, not another port's, not one without the text that goes with the cookie."""
    visitor = site.signed_in(site.platform.admin_token)
    visitor.go("/apps")
    before, key = everything(site), visitor.cookies[FORM]
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    headers |= {
        name: value.replace("http://app", f"http://{site.host}")
        for name, value in sent.items()
        if name.istitle()
    }
    for address, fields in {**forms(site), "/sign-out": {}}.items():
        visitor.cookies[FORM] = key
        if "cookie" in sent:
            del visitor.cookies[FORM]
        body = urlencode({"form": sent.get("text", key), **fields}).encode()
        answer = visitor.send("POST", address, headers=list(headers.items()), body=body)
        assert answer.status == 403, address
    assert everything(site) == before
    assert visitor.go("/apps").status == 200


def test_its_own_page_is_obeyed(site: Site) -> None:
    """The same forms, sent as they are meant to be: each would have changed something."""
    visitor = site.signed_in(site.platform.admin_token)
    visitor.go("/apps")
    statuses = {}
    for address, fields in forms(site).items():
        etag = {"etag": site.token_now()["etag"]} if address.endswith("/regenerate") else {}
        statuses[address] = visitor.post(address, **fields, **etag).status
    refused = {address for address, status in statuses.items() if status not in {200, 303}}
    # A running app is running already.
    assert refused <= {f"/apps/{site.app_id}/start"}
    gone = site.platform.cli("apps", "get", site.app_id), site.platform.cli("tokens", "get", site.token_id)
    assert [done.returncode != 0 for done in gone] == [True, True]


def test_read_only_sees_and_cannot_change(site: Site) -> None:
    """Its app, and no form; a form that is sent all the same is refused by api, and changes nothing."""
    visitor = site.signed_in()
    page = visitor.go(f"/apps/{site.app_id}")
    assert page.status == 200
    assert b"RUNNING" in page.body
    assert page.body.count(b'method="post"') == page.body.count(b'action="/sign-out"')
    before = everything(site)
    for address, fields in forms(site).items():
        assert visitor.post(address, **fields).status == 403, address
        assert visitor.go(address).status == 403, address
    assert everything(site) == before
    for address in ("/tokens", "/explain", "/audit", f"/explain?token={site.token_id}&app={site.app_id}"):
        assert visitor.go(address).status == 403, address
    logs = visitor.fetch(f"/apps/{site.app_id}/logs", headers=[("Accept", "text/event-stream")])
    assert b"event: problem" in logs.body
    assert b"\ndata: {" not in logs.body


def test_an_operator_stops_and_starts_and_changes_no_scope(platform: Platform, app: RecordingApp) -> None:
    """Of what its token covers; labels, tokens and new apps are an ADMIN's."""
    site = a_site(platform, app, role="operator")
    visitor = site.signed_in()
    visitor.go("/apps")
    own = {f"/apps/{site.app_id}/{what}" for what in ("start", "stop", "delete")}
    before = everything(site)
    for address, fields in forms(site).items():
        if address not in own:
            assert visitor.post(address, **fields).status == 403, address
    assert everything(site) == before
    assert visitor.post(f"/apps/{site.app_id}/stop").status == 303
    assert platform.visit(site.host, token=platform.admin_token).status == 503
    wait_for(lambda: site.app_now()["status"]["state"] == "APP_STATE_STOPPED", what="it is stopped")
    assert visitor.post(f"/apps/{site.app_id}/start").status == 303
    wait_for(lambda: site.app_now()["status"]["state"] == "APP_STATE_RUNNING", what="it runs again")
    assert platform.visit(site.host, token=platform.admin_token).status == 200
    assert visitor.post(f"/apps/{site.app_id}/delete").status == 303
    assert site.platform.cli("apps", "get", site.app_id).returncode != 0


def test_an_app_out_of_scope_is_one_that_does_not_exist(platform: Platform, app: RecordingApp) -> None:
    """Byte for byte, whatever is asked of it."""
    site = a_site(platform, app, role="operator")
    with RecordingApp() as other:
        next_door = a_site(platform, other)
        visitor = site.signed_in()
        visitor.go("/apps")
        for what in ("", "/stop", "/delete"):
            there, nowhere = (visitor.go(f"/apps/{each}{what}") for each in (next_door.app_id, uuid4()))
            assert there.status == nowhere.status == 404
            assert there.body == nowhere.body
        there, nowhere = (visitor.post(f"/apps/{each}/stop") for each in (next_door.app_id, uuid4()))
        assert there.status == nowhere.status == 404
        assert there.body == nowhere.body
        assert next_door.app_id.encode() not in visitor.go("/apps").body
        assert next_door.app_now()["status"]["state"] == "APP_STATE_RUNNING"


def test_cookies_are_of_this_host_and_out_of_reach_of_scripts(site: Site) -> None:
    """Each with the prefix that browsers hold it to; the session's ends with the browser."""
    visitor = ConsoleVisitor.of(site.platform)
    found = {}
    page = visitor.go("/sign-in")
    answers = [page, visitor.submit(page, token=site.platform.admin_token)]
    answers.append(visitor.post(f"/apps/{site.app_id}/stop"))
    for answer in answers:
        for each in answer.all("set-cookie"):
            pair, *attributes = each.split("; ")
            found[pair.partition("=")[0]] = sorted(attributes)
    assert found == {
        FORM: ATTRIBUTES,
        CONSOLE_SESSION: ATTRIBUTES,
        NOTICE: sorted([*ATTRIBUTES, "Max-Age=60"]),
    }


def test_a_session_that_was_planted_is_not_signed_in_to(site: Site) -> None:
    """Each sign-in makes a session of its own, whatever cookie was there before."""
    planted = site.signed_in().console_session
    visitor = ConsoleVisitor.of(site.platform)
    page = visitor.go("/sign-in")
    visitor.cookies[CONSOLE_SESSION] = planted
    assert visitor.submit(page, token=site.platform.admin_token).status == 303
    assert visitor.console_session != planted
    assert b"ADMIN" in visitor.go("/apps").body
    visitor.cookies = {CONSOLE_SESSION: planted}
    assert b"ADMIN" not in visitor.go("/apps").body.partition(b"<main")[0]


def test_pages_are_framed_cached_and_read_by_nobody(site: Site) -> None:
    """Also behind Envoy; a page of the app next door is shown nothing."""
    visitor = site.signed_in()
    pages = [visitor.go(target) for target in ("/apps", f"/apps/{site.app_id}", "/nothing")]
    for page in (*pages, ConsoleVisitor.of(site.platform).go("/sign-in")):
        assert page.all("cache-control") == ["no-store"]
        assert page.all("x-frame-options") == ["DENY"]
        (policy,) = page.all("content-security-policy")
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self'" in policy
        assert page.all("access-control-allow-origin") == []
    for mode in ("cors", "no-cors"):
        headers = [
            ("Sec-Fetch-Site", "same-site"),
            ("Sec-Fetch-Mode", mode),
            ("Origin", f"http://{site.host}"),
        ]
        page = visitor.send("GET", f"/apps/{site.app_id}", headers=headers)
        assert page.status == 403
        assert site.app_id.encode() not in page.body


def test_the_console_answers_on_its_host_alone(site: Site) -> None:
    """Its pages are at no other, session or not; what stands at an app's host is the app's login."""
    session = site.signed_in(site.platform.admin_token).console_session
    for target in ("/apps", "/tokens", "/sign-out", f"/apps/{site.app_id}/logs"):
        for host in (site.host, "api.localhost", "other.localhost"):
            cookie = ("Cookie", f"{CONSOLE_SESSION}={session}")
            answer = exchange(site.platform.address, "GET", target, host=host, headers=[cookie, *NAVIGATION])
            assert answer.status in {303, 401, 403, 404}
            assert all("/.doorward/login" in location for location in answer.all("location"))
            assert b"Sign out" not in answer.body
    assert site.app.requests == []
