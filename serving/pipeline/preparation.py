"""From a request's picture to the rows that the members of an ensemble look at."""

from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from protos import classification_pb2 as pb
from protos.model_card_pb2 import ModelCard
from serving import tracing
from serving.metrics import Metrics
from serving.models.ensemble import Ensemble
from serving.pipeline import boxes as listed
from serving.pipeline import dense
from serving.pipeline import picture as pictures
from serving.pipeline import views as geometry
from serving.pipeline.decoding import Decoding
from serving.pipeline.reduction import Part, reduce

# Up to this, decoding and cutting cost less than handing them to another thread and back. In bytes of rows; to
# decode a pixel costs about as much as to cut four.
_INLINE_WORK = 2**16
_WORK_OF_A_PIXEL = 4


class Preparation:
    """Opens, decodes and cuts pictures: small ones at once, large ones in threads."""

    def __init__(
        self, limits: pictures.Limits, decoding: Decoding, metrics: Metrics, clock: Callable[[], float]
    ) -> None:
        self._limits = limits
        self._decoding = decoding
        self._metrics = metrics
        self._clock = clock

    async def rows(
        self, request: pb.ClassifyRequest, ensemble: Ensemble, views: pb.Views, boxes: Sequence[pb.Box]
    ) -> list[NDArray[np.uint8]]:
        """uint8 [views, height, width, channels] for each member. Only they outlive this: decoded pictures are large,
        and calls may wait long.

        Raises InvalidRequest where the picture is none, and Overloaded where too many wait to be decoded.
        """
        picture = _open(request, self._limits, views)
        cut = partial(self._cut, picture, ensemble, views, boxes)
        pixels = picture.width * picture.height
        work = _WORK_OF_A_PIXEL * pixels * max(1, len(boxes)) + bytes_of_rows(ensemble, views, boxes)
        if work <= _INLINE_WORK:
            return cut()
        return await self._decoding.run(ensemble.name, pixels, partial(copy_context().run, cut))

    def _cut(
        self, picture: Image.Image, ensemble: Ensemble, views: pb.Views, boxes: Sequence[pb.Box]
    ) -> list[NDArray[np.uint8]]:
        """The rows of each member; members that look at pictures the same way share theirs."""
        opened = self._clock()
        part = _reduce(picture, ensemble, views)
        upright = pictures.decode(picture)
        decoded = self._clock()
        cut: dict[bytes, NDArray[np.uint8]] = {}
        rows = []
        for member in ensemble.members:
            look, card = member.servable.look, member.servable.card
            if look not in cut:
                cut[look] = _seen(upright, part, card, views, boxes)
            rows.append(cut[look])
        now = self._clock()
        self._metrics.prepared(decoded - opened, now - decoded)
        tracing.stages(now, decode=(opened, decoded), view=(decoded, now))
        return rows


def bytes_of_rows(ensemble: Ensemble, views: pb.Views, boxes: Sequence[pb.Box]) -> int:
    """Of all members; those that look at pictures the same way share theirs."""
    looks = {member.servable.look: member.servable.card for member in ensemble.members}
    return sum(geometry.bytes_of_rows(card.input, card.geometry, views, len(boxes)) for card in looks.values())


def _reduce(picture: Image.Image, ensemble: Ensemble, views: pb.Views) -> Part | None:
    """Has `picture` decoded no larger than the members' canvases need; see reduction.reduce."""
    if views == pb.VIEWS_BOXES:
        return None  # a small box may need every pixel
    cards = [member.servable.card for member in ensemble.members]
    return reduce(picture, max(geometry.enough(card.input, card.geometry, views) for card in cards))


def _seen(
    upright: Image.Image, part: Part | None, card: ModelCard, views: pb.Views, boxes: Sequence[pb.Box]
) -> NDArray[np.uint8]:
    """uint8 [views, height, width, channels] of one picture, or a part of it, for the network of `card`."""
    if views == pb.VIEWS_DENSE:
        return dense.canvases(upright, card.input, card.geometry, part)
    if views == pb.VIEWS_BOXES:
        return listed.cut(upright, card.input, boxes)
    return geometry.cut(upright, card.input, card.geometry, views, part)


def _open(request: pb.ClassifyRequest, limits: pictures.Limits, views: pb.Views) -> Image.Image:
    """The picture of `request`, within `limits` and those of `views`. Raises InvalidRequest."""
    if request.WhichOneof("picture") == "tensor":
        tensor = request.tensor
        picture = pictures.from_samples(tensor.data_type, tensor.shape, tensor.content, limits)
    else:
        picture = pictures.open_header(request.encoded, limits)
    if views == pb.VIEWS_DENSE:
        dense.check_aspect(picture.size)
    return picture
