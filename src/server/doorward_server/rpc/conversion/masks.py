"""Update masks (AIP-134)."""

from collections.abc import Collection, Iterable

from google.protobuf.field_mask_pb2 import FieldMask

from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.quoting import quoted

EVERYTHING = "*"
"""Names every field that can be changed."""


def parse_mask(mask: FieldMask, allowed: Collection[str], populated: Iterable[str]) -> frozenset[str]:
    """The fields that an update changes: those it names, all of them for `*`, else those *populated*.

    Raises `InvalidValueError` for a path that is not *allowed*.
    """
    if not mask.paths:
        return frozenset(populated)
    for path in mask.paths:
        if path != EVERYTHING and path not in allowed:
            raise InvalidValueError(f"{quoted(path)} cannot be changed: name {', '.join(allowed)} or *")
    if EVERYTHING in mask.paths:
        return frozenset(allowed)
    return frozenset(mask.paths)
