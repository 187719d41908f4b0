"""Names that a user types, and the nearest one that exists."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from training.errors import UnknownName


def unknown(kind: str, name: str, known: Iterable[str], aliases: Mapping[str, str] | None = None) -> UnknownName:
    """The error for a `name` that is not among the `known` names of a `kind`, to be raised by the caller.

    The nearest is looked for by letters and digits alone, also among `aliases`: other name -> known one.
    """
    known = sorted(known)
    meant = {plain(each): each for each in known} | dict(aliases or {})
    nearest = get_close_matches(plain(name), meant, n=1)
    hint = f"Did you mean {meant[nearest[0]]!r}?" if nearest else "Take one of them."
    return UnknownName(f"{kind.capitalize()} is one of {', '.join(known)}; {name!r} came. {hint}")


def plain(name: str) -> str:
    """Small letters and digits alone."""
    return "".join(each for each in name.lower() if each.isalnum())
