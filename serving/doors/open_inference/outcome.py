"""What came of a question, whoever answered it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeVar

from serving.doors.open_inference.tensors import Tensor
from serving.pipeline.answer import Seconds


class Outcome(NamedTuple):
    """The answer, and what is counted of it."""

    version: str
    """Of the model that answered; empty of an ensemble, and where versions changed between pictures."""
    tensors: Sequence[Tensor]
    views: str
    """As metrics call them."""
    inferences: int
    """Pictures or rows."""
    seconds: Seconds
    """Of several pictures, the longest of each."""
    output_seconds: float
    """That the answer's tensors took."""
    cached: bool = False
    """Whether the pipeline had voted on all of it before."""
    executions: int = 0
    """Runs that no batch queue counts."""


Finished = TypeVar("Finished")
Finish = Callable[[Outcome], Awaitable[Finished]]
"""Makes of an outcome what its caller gets, and may refuse to: whoever answers awaits it while the call can still fail,
or go to another version.
"""
