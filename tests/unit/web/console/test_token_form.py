"""The form of a new token."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from doorward.v1 import role_pb2
from doorward_server.web.console.tokens.form import FIELDS, LIFETIMES, TokenForm

NOW = 1_900_000_000
TYPED = {
    "name": " demo ",
    "role": "READ_ONLY",
    "region": "GRA",
    "scope": "labels",
    "selector": " group=A ",
    "lifetime": "90",
    "request_id": "b5d0e0c5-3c0e-4a0a-8f9b-6f0f6a1d9a57",
    "opened": str(NOW - 60),
}


def read(**changed: str) -> TokenForm:
    """A form that was sent."""
    return TokenForm.read(TYPED | changed, now=NOW)


def test_the_defaults_are_the_safe_ones() -> None:
    """The least role, no app by itself, an expiry; and what is typed is what is still missing."""
    form = TokenForm.fresh(region="GRA", now=NOW)
    assert (form.role, form.scope, form.selector, form.lifetime) == ("READ_ONLY", "labels", "", "90")
    assert list(form.problems) == ["selector"]
    assert UUID(form.request_id).version == 4
    assert form.request_id != TokenForm.fresh(region="GRA").request_id


def test_it_asks_for_what_was_typed() -> None:
    """Without the space around it."""
    request = read().create_request()
    token = request.token
    assert (token.display_name, token.role, token.region) == ("demo", role_pb2.ROLE_READ_ONLY, "GRA")
    assert (token.WhichOneof("scope"), token.label_selector) == ("label_selector", "group=A")
    assert token.expire_time.ToDatetime(UTC) == datetime.fromtimestamp(NOW - 60 + 90 * 86_400, UTC)
    assert request.request_id == TYPED["request_id"]


def test_sent_again_it_asks_for_the_same() -> None:
    """However much later: so api knows it for the same request, and makes no second token."""
    assert (
        TokenForm.read(TYPED, now=NOW).create_request()
        == TokenForm.read(TYPED, now=NOW + 3600).create_request()
    )


def test_every_app_is_chosen_and_never_meant_by_leaving_out() -> None:
    """An empty selector is none."""
    assert read(scope="all", selector="").create_request().token.all_apps
    assert not read(scope="all", selector="").problems
    for changed in ({"selector": ""}, {"scope": ""}, {"scope": "all"}, {"scope": "both"}):
        assert list(read(**changed).problems) == ["selector"]


def test_an_admin_is_given_neither_region_nor_scope() -> None:
    """And who typed a selector all the same, is told that it would not hold."""
    form = read(role="ADMIN", selector="")
    assert not form.problems
    token = form.create_request().token
    assert (token.role, token.region, token.WhichOneof("scope")) == (role_pb2.ROLE_ADMIN, "", None)
    preview = form.preview_request(page_size=5)
    assert (preview.region, preview.all_apps) == ("", True)
    assert "opens every app" in read(role="ADMIN").problems["selector"]


@pytest.mark.parametrize("lifetime", LIFETIMES)
def test_every_lifetime_can_be_chosen(lifetime: str) -> None:
    """Counted from when the form was opened."""
    token = read(lifetime=lifetime).create_request().token
    if lifetime == "never":
        assert not token.HasField("expire_time")
    else:
        assert token.expire_time.seconds == NOW - 60 + int(lifetime) * 86_400


@pytest.mark.parametrize(
    "opened", ["", "x", "-1", "٣", str(NOW + 1), str(NOW - 8 * 86_400), "9" * 400, "1e9"]
)
def test_a_form_was_opened_lately(opened: str) -> None:
    """Whatever it says itself."""
    assert read(opened=opened).opened == NOW


@pytest.mark.parametrize("request_id", ["", "x", "{b5d0e0c5"])
def test_a_request_has_an_id(request_id: str) -> None:
    """Also where the form has lost it."""
    assert UUID(read(request_id=request_id).request_id).version == 4


def test_what_no_form_sends_is_not_taken_for_something() -> None:
    """Api refuses the role, and the form the rest."""
    form = TokenForm.read({}, now=NOW)
    assert set(form.problems) == {"lifetime", "selector"}
    assert read(role="ROOT").create_request().token.role == role_pb2.ROLE_UNSPECIFIED


def test_a_preview_is_of_the_same_scope() -> None:
    """Region and selector, or every app of the region."""
    preview = read().preview_request(page_size=5)
    assert (preview.region, preview.label_selector, preview.page_size) == ("GRA", "group=A", 5)
    assert read(scope="all", selector="").preview_request(page_size=5).all_apps


def test_every_field_of_the_request_has_a_field_of_the_form() -> None:
    """Where its problem is shown."""
    names = {name.removeprefix("token.") for name in FIELDS if name.startswith("token.")}
    assert names == {"display_name", "role", "region", "label_selector", "all_apps", "expire_time"}
