"""Random damage to bytes, whatever they are: a request of HTTP, a message of gRPC, frames of HTTP/2."""

import random
from collections.abc import Callable, Sequence

Damage = Callable[[bytearray, random.Random, Sequence[bytes]], None]


def damage(message: bytearray, chance: random.Random, tokens: Sequence[bytes]) -> None:
    """Does one to four kinds of damage to `message`. `tokens` are what is put in, beside random bytes."""
    for _ in range(chance.randint(1, 4)):
        chance.choice(_DAMAGES)(message, chance, tokens)


def _change(message: bytearray, chance: random.Random, tokens: Sequence[bytes]) -> None:
    for _ in range(chance.randint(1, 8)):
        if message:
            message[chance.randrange(len(message))] = chance.randrange(256)


def _cut(message: bytearray, chance: random.Random, tokens: Sequence[bytes]) -> None:
    del message[chance.randint(0, len(message)) :]


def _lose(message: bytearray, chance: random.Random, tokens: Sequence[bytes]) -> None:
    start = chance.randint(0, len(message))
    del message[start : start + chance.randint(1, 60)]


def _repeat(message: bytearray, chance: random.Random, tokens: Sequence[bytes]) -> None:
    start = chance.randint(0, len(message))
    message[start:start] = message[start : start + chance.randint(1, 200)]


def _insert(message: bytearray, chance: random.Random, tokens: Sequence[bytes]) -> None:
    at = chance.randint(0, len(message))
    message[at:at] = chance.choice((chance.randbytes(chance.randint(1, 30)), *tokens))


_DAMAGES: tuple[Damage, ...] = (_change, _cut, _lose, _repeat, _insert, _insert)
