"""Apps that everybody may use, behind the real check."""

import pytest

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.raw_http import Headers, exchange
from tests.e2e.support.real_stack import RealStack
from tests.e2e.support.stack import Published


@pytest.fixture
def public(stack: RealStack, app: RecordingApp) -> Published:
    """The app, public."""
    return stack.publish("127.0.0.1", app.port, access="ACCESS_PUBLIC")


def visit(public: Published, *, headers: Headers = (), method: str = "GET") -> int:
    """A request without a credential of its own; its status."""
    return exchange(public.address, method, "/", host=public.host, headers=headers).status


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_everybody_may_use_it(public: Published, app: RecordingApp, method: str) -> None:
    """No token is asked for, and the app is told its own id and of nobody else."""
    assert visit(public, method=method) == 200
    assert app.last.all("x-doorward-app-id") == [public.app_id]
    assert not {"x-doorward-token-id", "x-doorward-role"} & app.last.names()


def test_nobody_can_pretend_to_be_somebody(public: Published, app: RecordingApp) -> None:
    """Identity headers of a client are gone, as at any other app."""
    forged = [("X-Doorward-Role", "OPERATOR"), ("x_doorward_token_id", "x"), ("X-Doorward-App-Id", "x")]
    assert visit(public, headers=forged) == 200
    assert app.last.all("x-doorward-app-id") == [public.app_id]
    assert not {"x-doorward-role", "x_doorward_token_id"} & app.last.names()


@pytest.mark.parametrize("name", ["Authorization", "Doorward-Token"])
def test_it_sees_no_token_that_is_sent_all_the_same(public: Published, app: RecordingApp, name: str) -> None:
    """A working token that nobody asked for does not reach the app, in whichever header it comes."""
    value = f"Bearer {public.secret}" if name == "Authorization" else public.secret
    assert visit(public, headers=[(name, value), ("Cookie", "own=1")]) == 200
    assert name.lower() not in app.last.names()
    assert public.secret not in str(app.last.headers)
    assert app.last.all("cookie") == ["own=1"]


def test_its_own_credentials_are_its_own(public: Published, app: RecordingApp) -> None:
    """An Authorization that is not ours passes."""
    assert visit(public, headers=[("Authorization", "Bearer the-apps-own")]) == 200
    assert app.last.all("authorization") == ["Bearer the-apps-own"]


def test_once_it_is_public_no_more_a_token_is_needed(
    stack: RealStack, public: Published, app: RecordingApp
) -> None:
    """When the call that changes it returns, it is closed."""
    assert visit(public) == 200
    change = {"spec": {"access": "ACCESS_TOKEN_REQUIRED"}}
    stack.call("PATCH", f"/v1/apps/{public.app_id}?updateMask=spec.access", change)
    assert visit(public) == 401
    assert len(app.requests) == 1
    assert public.get().status == 200
