"""Update masks."""

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from doorward_server.domain.errors import InvalidValueError
from doorward_server.rpc.conversion.masks import parse_mask

ALLOWED = ("display_name", "spec", "spec.access")


@pytest.mark.parametrize(
    ("paths", "named"),
    [
        ([], {"display_name"}),
        (["spec.access"], {"spec.access"}),
        (["spec", "spec.access", "spec"], {"spec", "spec.access"}),
        (["*"], set(ALLOWED)),
        (["display_name", "*"], set(ALLOWED)),
    ],
)
def test_a_mask_names_the_fields_to_change(paths: list[str], named: set[str]) -> None:
    """Without paths those that have a value, with `*` all of them."""
    assert parse_mask(FieldMask(paths=paths), ALLOWED, ["display_name"]) == named


@pytest.mark.parametrize("path", ["", "app_id", "Display_name", "spec.", "spec.access.x", "spec.*", " *"])
def test_a_path_that_cannot_be_changed_is_refused(path: str) -> None:
    """Also beside `*`; the error names what can be changed."""
    for paths in ([path], ["*", path]):
        with pytest.raises(InvalidValueError, match=r"name display_name, spec, spec\.access or \*"):
            parse_mask(FieldMask(paths=paths), ALLOWED, [])
