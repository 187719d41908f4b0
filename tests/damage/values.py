"""Messages that can be parsed and contradict themselves: any field of any of them may get a value that nobody means."""

import random
from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from tests.damage.files import damaged_file

_MEGABYTE = 2**20
_FLOATS = (0.0, -1.0, 1.0, 1e-45, 3e38, float("nan"), float("inf"), float("-inf"))
_STRINGS = (
    *("", "\0", "a\0b", "../../etc/passwd", "%s%n", "\u2028\ufeff", "9" * 40, "-1", "nan", "x" * 9_000, "\n" * 300),
    *("BYTES", "FP32", "INT64", "FP8", "image", "pictures", "logits", "label", "rows", "serving_default", "ten"),
)
_BYTES = (b"", b"\xff" * 4, b"\xff\xff\xff\x7f" + bytes(8), b"\x01\0\0\0", bytes(100), b"\0" * 4096)
_MANY = 1_500
"""Elements put into a list at once: more than any of ours may have."""

Place = tuple[Message, FieldDescriptor]


def contradict(message: Message, chance: random.Random) -> None:
    """Changes one to four fields of `message`, or of messages in it; none where it has none."""
    for _ in range(chance.randint(1, 4)):
        places = list(_places(message))
        if not places:
            return
        owner, field = chance.choice(places)
        if _is_map(field):
            _change_map(getattr(owner, field.name), field, chance)
        elif field.is_repeated:
            _change_list(getattr(owner, field.name), field, chance)
        elif field.message_type is None:
            setattr(owner, field.name, _value(field, chance))
        elif owner.HasField(field.name) and chance.random() < 0.5:
            owner.ClearField(field.name)
        else:
            getattr(owner, field.name).SetInParent()


def _places(message: Message) -> Iterator[Place]:
    """Every field of `message`, and of all messages that it holds."""
    yield from ((message, field) for field in message.DESCRIPTOR.fields)
    for field, held in message.ListFields():
        if field.message_type is None:
            continue
        if _is_map(field):
            messages = list(held.values()) if field.message_type.fields_by_name["value"].message_type else []
        else:
            messages = list(held) if field.is_repeated else [held]
        for each in messages[:4]:
            yield from _places(each)


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _change_map(held: Any, field: FieldDescriptor, chance: random.Random) -> None:
    key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
    how = chance.choice(("clear", "lose", "add", "rename"))
    known = list(held)
    new = _value(key, chance)
    if how == "clear":
        held.clear()
    elif how == "lose" and known:
        del held[chance.choice(known)]
    elif value.message_type is None:
        held[new] = _value(value, chance)
    elif how == "rename" and known:
        held[new].CopyFrom(held[chance.choice(known)])
    else:
        held[new].SetInParent()


def _change_list(held: Any, field: FieldDescriptor, chance: random.Random) -> None:
    how = chance.choice(("clear", "lose", "change", "double", "add", "add many"))
    if how == "clear":
        del held[:]
    elif how == "lose":
        del held[-1:]
    elif how == "double":
        held.extend(list(held[:_MANY]))
    elif field.message_type is not None:
        for _ in range(_MANY if how == "add many" else 1):
            held.add()
    elif how == "change" and held:
        held[chance.randrange(len(held))] = _value(field, chance)
    else:
        held.extend([_value(field, chance)] * (_MANY if how == "add many" else 1))


def _value(field: FieldDescriptor, chance: random.Random) -> Any:
    """One that `field` can hold."""
    kind = field.cpp_type
    if kind == FieldDescriptor.CPPTYPE_STRING:
        if field.type == FieldDescriptor.TYPE_BYTES:
            return damaged_file(chance) if chance.random() < 0.5 else chance.choice(_BYTES)
        return "x" * _MEGABYTE if chance.random() < 0.01 else chance.choice(_STRINGS)
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return chance.random() < 0.5
    if kind in (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE):
        return chance.choice(_FLOATS)
    if kind == FieldDescriptor.CPPTYPE_ENUM:
        return chance.choice((*field.enum_type.values_by_number, -1, 99, 2**31 - 1))
    return chance.choice(_whole_numbers(kind))


def _whole_numbers(kind: int) -> list[int]:
    """Those at the edges of the type, and small ones; lists of them multiply to what overflows."""
    bits = 32 if kind in (FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_UINT32) else 64
    unsigned = kind in (FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64)
    most = 2**bits if unsigned else 2 ** (bits - 1)
    least = 0 if unsigned else -most
    return [least, most - 1, least + 1, most // 2, 2**16, 1_000, 28, 3, 2, 1, 0, *([] if unsigned else [-1, -2])]
