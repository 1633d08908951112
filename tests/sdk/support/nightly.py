"""What the programs in docs/how-to/ci.md do, in whatever language."""

from datetime import UTC, datetime, timedelta

import doorward
from doorward.v1.role_pb2 import Role


def assert_nightly(admin: doorward.Client, printed: str) -> None:
    """Find the token whose id a program printed as the page has it, and delete it."""
    token = admin.tokens.get(printed.strip())
    assert (token.display_name, token.role, token.region) == ("nightly", Role.ROLE_READ_ONLY, "GRA")
    assert token.label_selector == "group=nightly"
    left = token.expire_time.ToDatetime(tzinfo=UTC) - datetime.now(UTC)
    assert timedelta(hours=23) < left <= timedelta(days=1)
    admin.tokens.delete(token.token_id)
