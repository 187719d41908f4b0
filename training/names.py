"""Names that a user types, and the nearest one that exists."""

from collections.abc import Iterable
from difflib import get_close_matches

from training.errors import UnknownName


def unknown(kind: str, name: str, known: Iterable[str]) -> UnknownName:
    """The error for a `name` that is not among the `known` names of a `kind`, to be raised by the caller."""
    known = sorted(known)
    nearest = get_close_matches(name, known, n=1)
    hint = f"Did you mean {nearest[0]!r}?" if nearest else "Take one of them."
    return UnknownName(f"{kind.capitalize()} is one of {', '.join(known)}; {name!r} came. {hint}")
