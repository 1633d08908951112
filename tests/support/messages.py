"""Protobuf messages as nobody would send them with good intentions."""

from collections.abc import Sequence
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

_INT32 = st.integers(-(2**31), 2**31 - 1) | st.sampled_from((-1, 0, 1, 2, 3))
_INT64 = st.integers(-(2**63), 2**63 - 1) | st.sampled_from((-1, 0, 1, 60, 4_102_444_800))


def messages(descriptor: Descriptor, words: Sequence[str]) -> st.SearchStrategy[Message]:
    """Messages of a type, with *words* that mean something to the server among their texts."""
    texts = st.sampled_from((*words, "", "\0", "a\0b", "\u202e", "'; DROP TABLE apps; --", "%", "é" * 300))
    return _messages(descriptor, texts | st.text(max_size=20))


def _messages(descriptor: Descriptor, texts: st.SearchStrategy[str]) -> st.SearchStrategy[Message]:
    kind = message_factory.GetMessageClass(descriptor)
    # Any subset of the fields, so that what is not set is tried as well.
    fields = st.fixed_dictionaries({}, optional={f.name: _values(f, texts) for f in descriptor.fields})
    return fields.map(lambda chosen: _made(kind, chosen))


def _made(kind: type[Message], chosen: dict[str, Any]) -> Message:
    # Of a oneof the last one that is set wins, as on the wire.
    message = kind()
    for name, value in chosen.items():
        message.MergeFrom(kind(**{name: value}))
    return message


def _values(field: FieldDescriptor, texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        values = _single(kind.fields_by_name["value"], texts)
        return st.dictionaries(_single(kind.fields_by_name["key"], texts), values, max_size=4)
    single = _single(field, texts)
    return st.lists(single, max_size=4) if field.is_repeated else single


def _single(field: FieldDescriptor, texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    match field.type:
        case FieldDescriptor.TYPE_STRING:
            return texts
        case FieldDescriptor.TYPE_BOOL:
            return st.booleans()
        case FieldDescriptor.TYPE_INT64:
            return _INT64
        case FieldDescriptor.TYPE_INT32 | FieldDescriptor.TYPE_ENUM:
            return _INT32
        case FieldDescriptor.TYPE_MESSAGE:
            assert field.message_type is not None
            return _messages(field.message_type, texts)
        case _:
            raise AssertionError(f"{field.full_name}: no values of type {field.type} are made here")
