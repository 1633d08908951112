"""Keyset pages: a page begins where the one before ended, however many entries came and went meanwhile."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, literal, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from doorward_server.services.ports import Position


def newest_first(
    time: InstrumentedAttribute[datetime], key: InstrumentedAttribute[Any]
) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The order of a list: latest time, then highest key."""
    return time.desc(), key.desc()


def beyond(
    position: Position, time: InstrumentedAttribute[datetime], key: InstrumentedAttribute[Any]
) -> ColumnElement[bool]:
    """What comes after *position* in that order."""
    return tuple_(time, key) < tuple_(literal(position.time, time.type), literal(position.id, key.type))
