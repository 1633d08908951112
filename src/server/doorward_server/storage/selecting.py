"""Narrowing a list of apps in SQL. The domain's evaluator decides; this saves it from seeing every app."""

from collections.abc import Iterable, Iterator

from sqlalchemy import ColumnElement, exists

from doorward_server.domain.selectors import Operator, Requirement, Selector
from doorward_server.storage.models import AppLabelRow, AppRow


def narrowing(selectors: Iterable[Selector]) -> Iterator[ColumnElement[bool]]:
    """Conditions that every app which all *selectors* match meets: those of the positive requirements.

    Negative requirements are left to the evaluator: an index does not help to find what is absent.
    """
    for selector in selectors:
        for requirement in selector.requirements:
            if requirement.positive:
                yield _has_label(requirement)


def decides(selectors: Iterable[Selector]) -> bool:
    """Whether `narrowing` leaves nothing for the evaluator to sort out."""
    return all(requirement.positive for each in selectors for requirement in each.requirements)


def _has_label(requirement: Requirement) -> ColumnElement[bool]:
    label = exists().where(AppLabelRow.app_id == AppRow.app_id, AppLabelRow.key == requirement.key)
    if requirement.operator is Operator.IN:
        # Sorted, so that equal selectors give equal statements.
        label = label.where(AppLabelRow.value.in_(sorted(requirement.values)))
    return label
