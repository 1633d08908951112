"""The policy: scope and expiry, as decisions ask for them."""

import math

import pytest

from doorward_server.domain.ids import RegionName, TokenId
from doorward_server.domain.policy import LiveSecret, PolicyToken
from doorward_server.domain.roles import Role
from doorward_server.domain.selectors import parse_selector

GRA, BHS = RegionName("GRA"), RegionName("BHS")


@pytest.mark.parametrize(
    ("expire_time", "now", "live"),
    [
        (None, 0.0, True),
        (None, math.inf, True),
        (100.0, math.nextafter(100.0, 0), True),
        (100.0, 100.0, False),
        (100.0, 101.0, False),
        (100.0, math.nan, False),  # a clock that has no answer opens nothing that ends
    ],
)
def test_a_secret_lives_up_to_its_expiry(expire_time: float | None, now: float, live: bool) -> None:
    """At the expiry itself a secret is dead."""
    assert LiveSecret(generation=1, mac=b"", expire_time=expire_time).live(now) is live


@pytest.mark.parametrize(
    ("region", "selector", "app_region", "labels", "in_scope"),
    [
        (GRA, "group=A", GRA, {"group": "A"}, True),
        (GRA, "group=A", GRA, {"group": "B"}, False),
        (GRA, "group=A", GRA, {}, False),
        (GRA, "group=A", BHS, {"group": "A"}, False),
        (GRA, None, GRA, {}, True),  # all_apps: of its region
        (GRA, None, BHS, {}, False),
        (None, None, BHS, {}, True),  # ADMIN
        (GRA, "group=A", RegionName("gra"), {"group": "A"}, False),  # regions have one spelling
    ],
)
def test_a_scope_is_a_region_and_a_selector(
    region: RegionName | None,
    selector: str | None,
    app_region: RegionName,
    labels: dict[str, str],
    in_scope: bool,
) -> None:
    """An app is in scope when both its region and its labels are."""
    token = PolicyToken(
        token_id=TokenId("abcdefghijkl"),
        role=Role.READ_ONLY,
        region=region,
        selector=None if selector is None else parse_selector(selector),
    )
    assert token.in_scope(app_region, labels) is in_scope
    assert (token.opens_region(app_region) and token.selects(labels)) is in_scope
