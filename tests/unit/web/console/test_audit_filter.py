"""Which events of the audit are asked for."""

from datetime import UTC, datetime

import pytest

from doorward_server.services.calls import REQUIRED_ROLES
from doorward_server.web.console.audit.filter import DEEDS, AuditFilter


def asked(**params: str) -> tuple[datetime, datetime]:
    """From when to when events are asked for."""
    request = AuditFilter.read(params).request(page_size=10, page_token="")
    return request.start_time.ToDatetime(UTC), request.end_time.ToDatetime(UTC)


def test_every_word_of_the_address_is_asked_for() -> None:
    """And kept for the next page, what is empty aside."""
    params = {"actor": "1B2m9cQk0XyZ", "action": "DeleteToken", "resource": "2B2m9cQk0XyZ"}
    which = AuditFilter.read({**params, "since": " ", "page": "x"})
    request = which.request(page_size=10, page_token="next")  # noqa: S106 - of a page
    assert (request.actor_token_id, request.action, request.resource_id) == tuple(params.values())
    assert (request.page_size, request.page_token) == (10, "next")
    assert not request.HasField("start_time")
    assert not request.HasField("end_time")
    assert which.params() == params
    assert which.is_set
    assert not AuditFilter.read({"zone": "Europe/Paris"}).is_set


def test_times_are_in_the_readers_zone() -> None:
    """In winter and in summer; UTC where it is not known."""
    times = {"since": "2030-01-31T14:00", "until": "2030-07-31"}
    assert asked(**times) == (datetime(2030, 1, 31, 14, tzinfo=UTC), datetime(2030, 7, 31, tzinfo=UTC))
    assert asked(**times, zone="Europe/Paris") == (
        datetime(2030, 1, 31, 13, tzinfo=UTC),
        datetime(2030, 7, 30, 22, tzinfo=UTC),
    )


@pytest.mark.parametrize("zone", ["", "Nowhere/Else", "../../etc/passwd", "/etc/passwd", "Europe", "a\0b"])
def test_a_zone_that_is_none_is_utc(zone: str) -> None:
    """And no file is looked at for it."""
    assert AuditFilter.read({"zone": zone}).zone_name == "UTC"


@pytest.mark.parametrize("text", ["yesterday", "31.1.2030", "9999-12-31T23:59:59-23:00", "2030-01-31T25:00"])
def test_what_is_no_time_is_said_at_its_field(text: str) -> None:
    """And does not count."""
    for name in ("since", "until"):
        which = AuditFilter.read({name: text})
        assert list(which.problems) == [name]
        request = which.request(page_size=1, page_token="")
        assert not request.HasField("start_time")
        assert not request.HasField("end_time")


def test_the_end_comes_after_the_begin() -> None:
    """Otherwise there would be nothing to see, for a reason that is not seen."""
    assert list(AuditFilter.read({"since": "2030-01-02", "until": "2030-01-01"}).problems) == ["until"]
    assert not AuditFilter.read({"since": "2030-01-01", "until": "2030-01-02"}).problems


def test_every_deed_has_words() -> None:
    """All that api lets people do and writes down."""
    changing = {
        action for action in REQUIRED_ROLES if not action.startswith(("Get", "List", "Watch", "Read", "Who"))
    }
    assert changing - {"PreviewSelector", "ExplainAccess"} == set(DEEDS) - {"Bootstrap"}
