"""What is asked of a picture, in a caller's words and as a message."""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Union

from protos import classification_pb2 as pb
from serving import errors

if TYPE_CHECKING:
    import numpy as np

Picture = Union[str, "PathLike[str]", bytes, bytearray, memoryview, "np.ndarray"]
"""A file's path, a file's bytes, or samples: uint8 from 0 to 255 or float32 from 0 to 1, [height, width]
or [height, width, 1 or 3]."""

Box = tuple[float, float, float, float]
"""Top, left, bottom and right, as fractions from 0 to 1 of the upright picture's height and width."""

VIEWS = ("single", "mirror", "five", "ten", "multi-scale", "grid", "inception-144", "dense", "boxes")
VOTES = ("mean-probability", "mean-logit", "majority")


@dataclass(frozen=True)
class Question:
    """How to classify. `model` empty asks the server's only ensemble, or else its only model."""

    model: str = ""
    version: int | None = None
    version_label: str | None = None
    views: str | None = None
    """Left out: "single", or "boxes" where there are any."""
    vote: str | None = None
    top_k: int | None = None
    with_view_scores: bool = False
    with_member_scores: bool = False
    min_confidence: float = 0.0
    """Where the winner's probability is below it, the answer abstains."""
    min_views: str | None = None
    """As few as this are better than to be refused, when the server is pressed."""
    bulk: bool = False
    """Nobody waits for this picture: others may go first."""
    adaptive: bool = False
    """No more views and members than it takes until the vote is decided, where that was calibrated."""
    boxes: Sequence[Box] = ()
    """What to look at instead of the model's own views."""
    routing_key: str = ""
    """Calls with the same key are answered by the same version, where a model has a canary."""

    def about(self, picture: Picture) -> pb.ClassifyRequest:
        """The request that asks this of `picture`.

        Raises InvalidRequest where a choice is none of those there are, and OSError where a file cannot be read.
        """
        if self.version is not None and self.version_label is not None:
            raise errors.InvalidRequest(
                f"A version is chosen by number or by label; {self.version} and {self.version_label!r} came. "
                "Leave one out."
            )
        if self.top_k is not None and not 0 < self.top_k < 2**32:
            raise errors.InvalidRequest(f"top_k is from 1 to the number of classes; {self.top_k} came.")
        views = self.views or ("boxes" if self.boxes else "single")
        request = pb.ClassifyRequest(
            model=pb.ModelSpec(name=self.model, version=self.version, version_label=self.version_label),
            views=_enumerated("views", pb.Views, "VIEWS_", VIEWS, views),
            vote=_enumerated("vote", pb.Vote, "VOTE_", VOTES, self.vote) if self.vote else pb.VOTE_UNSPECIFIED,
            top_k=self.top_k,
            with_view_scores=self.with_view_scores,
            with_member_scores=self.with_member_scores,
            min_confidence=self.min_confidence,
            min_views=_enumerated("min_views", pb.Views, "VIEWS_", VIEWS, self.min_views) if self.min_views else None,
            priority=pb.PRIORITY_BULK if self.bulk else pb.PRIORITY_INTERACTIVE,
            adaptive=self.adaptive,
            routing_key=self.routing_key,
            boxes=[pb.Box(top=top, left=left, bottom=bottom, right=right) for top, left, bottom, right in self.boxes],
        )
        if isinstance(picture, (bytes, bytearray, memoryview)):
            request.encoded = bytes(picture)
        elif isinstance(picture, (str, PathLike)):
            request.encoded = Path(picture).read_bytes()
        else:
            request.tensor.CopyFrom(_tensor(picture))
        return request


def _tensor(samples: "np.ndarray") -> pb.Tensor:
    types = {"uint8": pb.Tensor.DATA_TYPE_UINT8, "float32": pb.Tensor.DATA_TYPE_FLOAT32}
    if samples.dtype.name not in types:
        raise errors.InvalidRequest(f"Samples are uint8 or float32; {samples.dtype.name} came. Convert them first.")
    little_endian = samples.astype(samples.dtype.newbyteorder("<"), copy=False)
    return pb.Tensor(data_type=types[samples.dtype.name], shape=samples.shape, content=little_endian.tobytes())


def _enumerated(field: str, enum, prefix: str, choices: tuple[str, ...], choice: str):
    if choice not in choices:
        raise errors.InvalidRequest(f"{field} is one of {', '.join(choices)}; {choice!r} came.")
    return enum.Value(prefix + choice.replace("-", "_").upper())
