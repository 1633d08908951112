"""Sessions, as the client begins and ends them."""

import doorward
from tests.unit.client.fake_api import ADMIN_ID, FakeApi


def test_a_session_is_begun_and_ended(client: doorward.Client, api: FakeApi) -> None:
    """With the app at a host; ending it says how far that has come."""
    begun = client.sessions.create("app.example:8080")
    assert (begun.session.host, begun.session.token_id) == ("app.example:8080", ADMIN_ID)
    assert begun.credential == "1.sealed"
    ended = client.sessions.delete(begun.session.session_id)
    assert ended.policy_update.enforcement == doorward.Enforcement.ENFORCEMENT_EVERYWHERE
    assert ended.policy_update.revision == 7


def test_a_credential_does_not_show_itself(client: doorward.Client) -> None:
    """Whoever prints or logs what was answered shows the session alone."""
    begun = client.sessions.create("app.example")
    assert "sealed" not in repr(begun)
    assert "sealed" not in str(begun)
