"""All the cases."""

from typing import Final

from tests.e2e.conformance import (
    bearer,
    credentials,
    floods,
    framing,
    hosts,
    identity,
    outage,
    paths,
    plain_paths,
    upgrades,
)
from tests.e2e.conformance.case import Case

CASES: Final[tuple[Case, ...]] = (
    *identity.CASES,
    *credentials.CASES,
    *bearer.CASES,
    *hosts.CASES,
    *paths.CASES,
    *plain_paths.CASES,
    *framing.CASES,
    *upgrades.CASES,
    *floods.CASES,
    *outage.CASES,
)
