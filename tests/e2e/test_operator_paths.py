"""An app with paths that need OPERATOR, behind the real check: the journey of two tokens."""

import pytest

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.raw_http import Answer, exchange
from tests.e2e.support.real_stack import RealStack
from tests.e2e.support.stack import Published


@pytest.fixture
def guarded(stack: RealStack, app: RecordingApp) -> Published:
    """The app, with a part for operators; its token is READ_ONLY."""
    return stack.publish("127.0.0.1", app.port, operator_paths=["/admin"])


def test_readers_use_the_app_and_operators_all_of_it(
    stack: RealStack, guarded: Published, app: RecordingApp
) -> None:
    """A READ_ONLY token opens what is not for operators; an OPERATOR token opens that as well."""

    def operate(target: str) -> Answer:
        headers = {"Authorization": f"Bearer {operator}"}
        return exchange(guarded.address, "POST", target, host=guarded.host, headers=headers)

    operator = stack.secret(role="ROLE_OPERATOR")
    assert guarded.send("POST", "/").status == 200
    assert guarded.get("/administrator?next=/admin").status == 200
    assert [each.target for each in app.requests] == ["/", "/administrator?next=/admin"]
    for target in ("/admin", "/admin/", "/admin?x=1", "/admin/users", "/ADMIN", "/%61dmin", "/x/../admin"):
        denied = guarded.get(target)
        assert denied.status == 403, target
        assert b"needs a token with the role OPERATOR" in denied.body
        assert 'error="insufficient_scope"' in denied.all("www-authenticate")[0]
    assert len(app.requests) == 2
    assert operate("/admin/users").status == 200
    assert (app.last.target, app.last.all("x-doorward-role")) == ("/admin/users", ["OPERATOR"])
    assert operate("/").status == 200


def test_a_path_with_two_readings_is_nobodys(stack: RealStack, guarded: Published, app: RecordingApp) -> None:
    """What one parser might read as the operators' part is refused, and the app is left alone."""
    for target in ("/x%2f..%2fadmin", "//admin", "/x;/admin", "/admin%5c"):
        assert guarded.get(target).status == 400, target
    assert app.requests == []


def test_a_new_operator_path_counts_at_once(
    stack: RealStack, published: Published, app: RecordingApp
) -> None:
    """When the call that adds it returns, readers are kept out of it."""
    assert published.get("/admin").status == 200
    change = {"spec": {"operatorPaths": ["/admin"]}}
    stack.call("PATCH", f"/v1/apps/{published.app_id}?updateMask=spec.operator_paths", change)
    assert published.get("/admin").status == 403
    assert published.get("/").status == 200
