"""Errors: one answer that names every field at fault."""

import pytest

from doorward_server.domain.errors import InvalidFieldsError, Violation, Violations
from doorward_server.domain.labels import parse_labels


def test_all_faults_are_told_at_once() -> None:
    """Each faulty field is recorded with its path, in order, and the work goes on after it."""
    found = Violations()
    region = ""
    with found.field("app.labels"):
        parse_labels({str(number): "" for number in range(65)})
    with found.field("app.region"):
        region = "GRA"
    found.add("page_size", "must not be negative")
    with pytest.raises(InvalidFieldsError) as refused:
        found.raise_if_any()
    assert region == "GRA"
    assert refused.value.violations == (
        Violation("app.labels", "must have at most 64 labels, has 65"),
        Violation("page_size", "must not be negative"),
    )
    assert str(refused.value) == (
        "app.labels: must have at most 64 labels, has 65; page_size: must not be negative"
    )


def test_nothing_is_raised_when_nothing_is_wrong() -> None:
    """A request without a fault passes."""
    found = Violations()
    with found.field("app.region"):
        pass
    found.raise_if_any()


def test_a_defect_is_not_taken_for_bad_input() -> None:
    """Only `InvalidValueError` is a caller's fault; whatever else is raised comes through."""
    with pytest.raises(ZeroDivisionError), Violations().field("app.region"):
        raise ZeroDivisionError
