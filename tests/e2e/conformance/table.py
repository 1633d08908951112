"""All the cases."""

from typing import Final

from tests.e2e.conformance import credentials, framing, hosts, identity, paths, upgrades
from tests.e2e.conformance.case import Case

CASES: Final[tuple[Case, ...]] = (
    *identity.CASES,
    *credentials.CASES,
    *hosts.CASES,
    *paths.CASES,
    *framing.CASES,
    *upgrades.CASES,
)
