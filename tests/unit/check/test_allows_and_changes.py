"""One thread decides while another changes the policy: a change is in force from when it is made."""

import itertools
from collections.abc import Callable
from functools import partial

import pytest

from doorward_server.check import allows, handler, index
from doorward_server.check.handler import CheckHandler
from doorward_server.check.index import PolicyIndex
from tests.unit.check.check_requests import check_request
from tests.unit.check.narrowing import APP_ID, CHANGES, allowed, app, replica
from tests.unit.check.stepping import interrupted

Prepare = Callable[[PolicyIndex, CheckHandler, bytes], None]
Change = Callable[[PolicyIndex], None]


def nobody_asked(_policy: PolicyIndex, _check: CheckHandler, _request: bytes) -> None:
    """The request is the first of its kind."""


def remembered(_policy: PolicyIndex, check: CheckHandler, request: bytes) -> None:
    """The allow is remembered, and holds by the policy as it was last looked up."""
    assert allowed(check, request)
    assert allowed(check, request)


def something_changed(policy: PolicyIndex, check: CheckHandler, request: bytes) -> None:
    """The allow is remembered, and must be looked up again: some other app has changed."""
    remembered(policy, check, request)
    policy.put_app(app(app_id="00000000-0000-4000-8000-000000000002"))


@pytest.mark.parametrize(("request_", "change"), CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("prepare", [nobody_asked, remembered, something_changed])
def test_a_change_in_the_middle_of_a_check_is_in_force_for_the_next(
    prepare: Prepare, request_: bytes, change: Change
) -> None:
    """Wherever in deciding, looking up and remembering it comes."""
    for at in itertools.count():
        policy, check = replica()
        prepare(policy, check, request_)
        check_once, narrow = partial(check, request_), partial(change, policy)
        if not interrupted(check_once, narrow, at=at, inside=(handler, allows, index)):
            break
        # Twice: the first answer must not have been remembered as one by the new policy either.
        assert not allowed(check, request_), f"after a change at instruction {at}"
        assert not allowed(check, request_), f"after a change at instruction {at}"
    assert at > 50


@pytest.mark.parametrize(("request_", "change"), CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("prepare", [remembered, something_changed])
def test_a_check_in_the_middle_of_a_change_hides_nothing_of_it(
    prepare: Prepare, request_: bytes, change: Change
) -> None:
    """Wherever in the change it comes, and whatever it is answered: the next Check sees the change."""
    for at in itertools.count():
        policy, check = replica()
        prepare(policy, check, request_)
        check_once, narrow = partial(check, request_), partial(change, policy)
        if not interrupted(narrow, check_once, at=at, inside=(index,)):
            break
        assert not allowed(check, request_), f"after a Check at instruction {at}"
    assert at > 10


def test_who_has_no_token_has_nothing_remembered() -> None:
    """Anonymous visitors of public apps, however many, push no client with a token out of memory."""
    policy, check = replica()
    policy.put_app(app(public=True))
    assert allowed(check, check_request(host=f"{APP_ID}.app.gra.localhost", headers=[("cookie", b"a=1")]))
    assert len(check._allows._kept) == 0
