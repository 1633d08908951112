"""A message of the API made of a document, by the descriptors of the protos: every fault named by its path.

What the API only answers, such as a status, is passed over, so that an answer can be given back. No fault
shows a value: it may be a secret in the wrong place.
"""

import re
from collections.abc import Callable, MutableMapping, MutableSequence
from datetime import date
from difflib import get_close_matches
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from doorward.cli._params import DURATION

Fault = Callable[[str, str], None]
"""Takes note of a fault: the path of the field, and the rule that it breaks."""

_KINDS: dict[type, str] = {
    bool: "yes or no",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "a mapping",
    date: "a date",
    type(None): "nothing",
}
_BOUNDS_INT32 = (-(2**31), 2**31 - 1)


def fill(message: Message, data: object, fault: Fault, *, path: str = "") -> None:
    """Set the fields of *message* that *data* names, in the names of JSON or of the protos."""
    if not isinstance(data, dict):
        fault(path, f"expected a mapping, not {_kind(data)}")
        return
    fields = {name: each for each in message.DESCRIPTOR.fields for name in (each.name, each.json_name)}
    given: dict[str, str] = {}
    for key, value in data.items():
        place = _join(path, key)
        field = fields.get(key) if isinstance(key, str) else None
        if field is None:
            fault(place, _unknown(key, message))
        elif field.name in given:
            fault(place, f"is {_join(path, given[field.name])} in another spelling: give one of them")
        else:
            given[field.name] = key
            if value is not None and not _only_answered(field):
                _set(message, field, value, fault, place)
    _check_presence(message, {name for name in given if data[given[name]] is not None}, fault, path)


def _set(message: Message, field: Any, value: Any, fault: Fault, path: str) -> None:
    target = getattr(message, field.name)
    if isinstance(target, MutableMapping):
        _set_map(target, value, fault, path)
    elif isinstance(target, MutableSequence):
        _set_list(target, value, fault, path)
    elif isinstance(target, Duration):
        _set_duration(target, value, fault, path)
    elif isinstance(target, Message):
        target.SetInParent()
        fill(target, value, fault, path=path)
    elif field.enum_type is not None:
        number = _enum_number(field.enum_type, value)
        if number is None:
            fault(path, f"expected one of {', '.join(_enum_names(field.enum_type))}")
        else:
            setattr(message, field.name, number)
    elif type(value) is not type(target):
        fault(path, _wrong_type(type(target), value))
    elif isinstance(value, int) and not _BOUNDS_INT32[0] <= value <= _BOUNDS_INT32[1]:
        fault(path, "is too large a number")
    else:
        setattr(message, field.name, value)


def _set_map(target: MutableMapping[str, str], value: Any, fault: Fault, path: str) -> None:
    """Every map of the API has texts for keys and values."""
    if not isinstance(value, dict):
        fault(path, f"expected a mapping, not {_kind(value)}")
        return
    for key, each in value.items():
        if not isinstance(key, str):
            fault(path, f"a key must be text, not {_kind(key)}: put it in quotes")
        elif not isinstance(each, str):
            fault(_join(path, key), _wrong_type(str, each))
        else:
            target[key] = each


def _set_list(target: MutableSequence[str], value: Any, fault: Fault, path: str) -> None:
    """Every list of the API that is written has texts for items."""
    if not isinstance(value, list):
        fault(path, f"expected a list, not {_kind(value)}")
        return
    for index, each in enumerate(value):
        if isinstance(each, str):
            target.append(each)
        else:
            fault(f"{path}[{index}]", _wrong_type(str, each))


def _set_duration(target: Duration, value: Any, fault: Fault, path: str) -> None:
    try:
        target.FromTimedelta(DURATION.convert(value, None, None))
    except Exception:  # noqa: BLE001 - of whatever type it is, it is no duration
        fault(path, "expected a duration such as 2s, 0.5s or 1m30s")


def _check_presence(message: Message, given: set[str], fault: Fault, path: str) -> None:
    """Name what is required and not there, and what contradicts each other."""
    for field in message.DESCRIPTOR.fields:
        if _is(field, field_behavior_pb2.REQUIRED) and field.name not in given:
            fault(_join(path, field.json_name), "is required")
    for oneof in message.DESCRIPTOR.oneofs:
        chosen = [field.json_name for field in oneof.fields if field.name in given]
        if len(chosen) > 1:
            fault(path, f"{' and '.join(chosen)} contradict each other: give one of them")
        elif not chosen:
            names = " or ".join(field.json_name for field in oneof.fields)
            fault(path, f"{oneof.name} is required: give {names}")


def _only_answered(field: Any) -> bool:
    """Whether a field has no meaning in a document: `app_id` has one, it names the app."""
    return field.name == "etag" or (_is(field, field_behavior_pb2.OUTPUT_ONLY) and field.name != "app_id")


def _is(field: Any, behavior: int) -> bool:
    return behavior in field.GetOptions().Extensions[field_behavior_pb2.field_behavior]


def _unknown(key: object, message: Message) -> str:
    known = [field.json_name for field in message.DESCRIPTOR.fields if not _only_answered(field)]
    close = get_close_matches(str(key), known, n=1)
    return f"unknown; did you mean {close[0]}?" if close else f"unknown; known here: {', '.join(known)}"


def _enum_names(enum: EnumDescriptor) -> list[str]:
    prefix = _enum_prefix(enum)
    return [
        value.name.removeprefix(prefix).lower().replace("_", "-") for value in enum.values if value.number
    ]


def _enum_number(enum: EnumDescriptor, value: object) -> int | None:
    """Return the number of a value that is named as on the command line or as in JSON."""
    name = value.upper().replace("-", "_") if isinstance(value, str) else ""
    prefix = _enum_prefix(enum)
    if name in enum.values_by_name:  # an answer may say that it is not set
        return enum.values_by_name[name].number
    found = enum.values_by_name.get(prefix + name)
    return found.number if found is not None and found.number else None


def _enum_prefix(enum: EnumDescriptor) -> str:
    """The prefix of its values, which buf has be the enum's name: `ACCESS_` of `Access`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", enum.name).upper() + "_"


def _wrong_type(expected: type, value: object) -> str:
    text = f"expected {_KINDS[expected]}, not {_kind(value)}"
    return f"{text}: put it in quotes" if expected is str and not isinstance(value, list | dict) else text


def _kind(value: object) -> str:
    return next((name for kind, name in _KINDS.items() if isinstance(value, kind)), type(value).__name__)


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)
