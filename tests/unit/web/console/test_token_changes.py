"""Changing, regenerating and deleting a token: what is asked first, and what api is asked for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest

from doorward.v1.token_service_pb2 import GetTokenResponse
from tests.unit.web.console.conftest import Console, text_of
from tests.unit.web.console.fake_api import RefusedError
from tests.unit.web.console.stocked_api import ID, SECRET, a_token, at, chosen, stock, value_of


@pytest.fixture(autouse=True)
def answers(console: Console) -> dict[str, Any]:
    """An api with one token, and an app that it opens."""
    return stock(console)


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
