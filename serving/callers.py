"""Who asks. A door's lock says so once a call; the repository minds it where a model is found, whatever the door."""

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass

from serving.errors import Forbidden


@dataclass(frozen=True)
class Caller:
    """Somebody who was let in."""

    name: str
    models: frozenset[str] | None = None
    """The models and ensembles that it may ask; None for all. An ensemble's members need not be among them."""

    def may_ask(self, model: str) -> bool:
        """Whether it may ask the model or ensemble of that name, served or not."""
        return self.models is None or model in self.models

    def check_may_ask(self, model: str) -> None:
        """Raises Forbidden where it may not. To be called before anything is said of the model, even that there
        is none.
        """
        if self.models is not None and model not in self.models:
            raise Forbidden(
                f"A token names the models that may be asked with it; {self.name!r} names {sorted(self.models)}, and "
                f"{model!r} was asked. Have it added to the tokens file, or show another token."
            )

    def those_it_may_ask(self, models: Iterable[str]) -> list[str]:
        """Of `models`, in their order."""
        return [model for model in models if self.may_ask(model)]


ANYBODY = Caller("anybody")
"""Where nobody has to show who it is."""

caller: ContextVar[Caller] = ContextVar("caller", default=ANYBODY)
"""Of the call that runs now. Tasks that a call starts have its caller; the server's own tasks are nobody's call, and
may ask everything.
"""
