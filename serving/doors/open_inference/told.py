"""What came, as a refusal tells it: no caller gets back more of his own words than a line. Pure."""

from reprlib import Repr

_REPR = Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = 60
_REPR.maxlist = 6


def told(value: object) -> str:
    """As `repr`, but for the middle of what is long."""
    return _REPR.repr(value)
