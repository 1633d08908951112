"""Changes to protobuf messages, field by field: they stay messages, and reach the code behind the parser."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor as Field
from google.protobuf.message import Message

from tests.fuzz.target import MutateBytes

_LONGEST_TEXT: Final = 256
_NUMBERS: Final = (0, 1, 2, 3, 60, 2**31 - 1)
_SIGNED: Final = frozenset({Field.CPPTYPE_INT32, Field.CPPTYPE_INT64})
_WIDE: Final = frozenset({Field.CPPTYPE_INT64, Field.CPPTYPE_UINT64})


@dataclass(frozen=True)
class MessageMutation:
    """Changes messages at random, by one source of chance."""

    chance: random.Random
    words: Sequence[bytes]
    """Texts that mean something."""
    mutate_bytes: MutateBytes

    def change(self, message: Message) -> None:
        """Change one thing in *message*, however deep."""
        fields: Sequence[Any] = message.DESCRIPTOR.fields
        if (present := message.ListFields()) and self.chance.random() < 0.8:
            fields = [field for field, _ in present]
        if not fields:
            return
        field = self.chance.choice(fields)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            self._change_map(message, field)
        elif field.is_repeated:
            self._change_list(getattr(message, field.name), field)
        elif self.chance.random() < 0.1:
            message.ClearField(field.name)
        elif field.message_type is not None:
            child = getattr(message, field.name)
            child.SetInParent()
            self.change(child)
        else:
            setattr(message, field.name, self._value(field, getattr(message, field.name)))

    def _change_list(self, items: Any, field: Field) -> None:
        action = self.chance.choice(["add", "drop", "double", "swap", "change", "change", "change"])
        at = self.chance.randrange(len(items)) if items else None
        if at is None or action == "add":
            items.append(self._value(field, b"")) if field.message_type is None else self.change(items.add())
        elif action == "drop":
            del items[at]
        elif action == "double":
            items.append(items[at])
        elif action == "swap":
            items.append(items.pop(at))
        elif field.message_type is None:
            items[at] = self._value(field, items[at])
        else:
            self.change(items[at])

    def _change_map(self, message: Message, field: Field) -> None:
        entries = getattr(message, field.name)
        assert field.message_type is not None
        key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
        chosen = self.chance.choice(sorted(entries)) if entries else self._value(key, "")
        if value.message_type is not None:
            self.change(entries[chosen])
        elif entries and self.chance.random() < 0.2:
            del entries[chosen]
        elif entries and self.chance.random() < 0.3:
            entries[self._value(key, chosen)] = entries.pop(chosen)
        else:
            entries[chosen] = self._value(value, entries.get(chosen, ""))

    def _value(self, field: Field, old: Any) -> Any:
        match field.cpp_type:
            case Field.CPPTYPE_STRING if field.type == Field.TYPE_BYTES:
                return self._text(old)
            case Field.CPPTYPE_STRING:
                return self._text(old.encode() if isinstance(old, str) else old).decode("utf-8", "replace")
            case Field.CPPTYPE_BOOL:
                return not old
            case Field.CPPTYPE_DOUBLE | Field.CPPTYPE_FLOAT:
                return self.chance.choice([0.0, 1.5, -1.0, float("inf"), float("nan")])
            case Field.CPPTYPE_ENUM:
                assert field.enum_type is not None
                return self.chance.choice(field.enum_type.values).number
            case kind:
                number = self.chance.choice([*_NUMBERS, old or 0, (old or 0) + 1])
                number = self.chance.choice([number, 2**62 if kind in _WIDE else number])
                most = 2**62 if kind in _WIDE else 2**31 - 1
                return min(most, -number if kind in _SIGNED and self.chance.random() < 0.2 else number)

    def _text(self, old: bytes) -> bytes:
        word = self.chance.choice(self.words)
        at = self.chance.randint(0, len(old))
        match self.chance.choice(["word", "insert", "mutate", "mutate", "case"]):
            case "word":
                return word
            case "insert":
                return old[:at] + word + old[at:]
            case "case":
                return old.swapcase()
            case _:
                return self.mutate_bytes(old, _LONGEST_TEXT) if old else word
