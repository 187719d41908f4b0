"""The tokens file: who may ask what, and how often."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError, model_validator

from serving.callers import Caller

SHORTEST_TOKEN = 16
"""Characters. A shorter one could be guessed."""


class TokenDeclaration(BaseModel):
    """One entry of the tokens file. Nothing that it prints holds the token."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: str = Field(min_length=1)
    """Of the caller, in messages."""
    token: SecretStr | None = Field(None, min_length=SHORTEST_TOKEN)
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    """Of the token, in its place, so that who reads the file cannot ask."""
    models: list[str] | None = None
    """Those it may ask; left out for all."""
    requests_per_second: float | None = Field(None, gt=0, allow_inf_nan=False)
    """Left out for any number."""

    @model_validator(mode="after")
    def _is_known_by_one_thing(self) -> "TokenDeclaration":
        if (self.token is None) == (self.sha256 is None):
            raise ValueError(f"an entry has a token or the sha256 of it, and {self.name!r} has both or neither")
        return self

    @property
    def digest(self) -> bytes:
        """The SHA-256 of the token, 32 bytes."""
        if self.sha256 is not None:
            return bytes.fromhex(self.sha256)
        assert self.token is not None
        return digest_of(self.token.get_secret_value())


@dataclass(frozen=True)
class Holder:
    """A caller, what its token is known by, and how often it may ask; None for any number of times a second."""

    caller: Caller
    digest: bytes
    requests_per_second: float | None = None


_ENTRIES = TypeAdapter(list[TokenDeclaration])


def digest_of(token: str) -> bytes:
    """What a token is compared by: of one length whatever was shown, and of no use to who reads memory or files."""
    return hashlib.sha256(token.encode()).digest()


def holders_in(text: str) -> list[Holder]:
    """The holders that a tokens file, YAML or JSON, lists.

    Raises ValueError where it is no such file; the message holds nothing of the file but names.
    """
    try:
        declared = _ENTRIES.validate_python(yaml.safe_load(text))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ValueError(f"it is no YAML{f' at line {mark.line + 1}' if mark else ''}") from None
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        # A key that there is not may be a token at the wrong place.
        where = [str(each) for each in wrong["loc"] if isinstance(each, int) or each in TokenDeclaration.model_fields]
        raise ValueError(": ".join([".".join(where), wrong["msg"]]).removeprefix(": ")) from None
    for of, values in (("name", [each.name for each in declared]), ("token", [each.digest for each in declared])):
        twice = [number for number, value in enumerate(values) if Counter(values)[value] > 1]
        if twice:
            raise ValueError(f"each {of} is one caller's; entries {twice} have the same")
    return [
        Holder(
            Caller(each.name, None if each.models is None else frozenset(each.models)),
            each.digest,
            each.requests_per_second,
        )
        for each in declared
    ]


def holder_of(token: str, holders: Sequence[Holder]) -> Holder | None:
    """Whose token that is. Takes the same time whoever's, and as long where it is nobody's."""
    shown = digest_of(token)
    found = None
    for holder in holders:
        if hmac.compare_digest(shown, holder.digest):
            found = holder
    return found
