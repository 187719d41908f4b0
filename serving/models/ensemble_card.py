"""What was found out about the members of an ensemble together: models/NAME.card.json."""

import logging
from collections.abc import Sequence
from pathlib import Path

from google.protobuf import json_format

from protos.classification_pb2 import Member as MemberMessage
from protos.classification_pb2 import ModelVersion
from protos.model_card_pb2 import AdaptiveVote, EnsembleCard
from serving.errors import ModelRejected
from serving.models.ensemble import Member

log = logging.getLogger(__name__)


def path_of(root: Path, name: str) -> Path:
    """Where the card of the ensemble `name` lies in the repository at `root`."""
    return root / f"{name}.card.json"


def adaptive_votes(root: Path, name: str, members: Sequence[Member]) -> tuple[AdaptiveVote, ...]:
    """How votes of just these `members` may end early: none where there is no card, and where it is about others,
    which is logged. Raises ModelRejected where it is no card.
    """
    path = path_of(root, name)
    try:
        card = json_format.Parse(path.read_bytes(), EnsembleCard())
    except FileNotFoundError:
        return ()
    except (json_format.ParseError, UnicodeDecodeError, OSError) as error:
        raise ModelRejected(
            f"{path} is not the card of an ensemble: {error}. Write it with `tencrop calibrate`."
        ) from error
    if list(card.members) != [message_of(member) for member in members]:
        log.warning(
            "Adaptive votes of %s are held in full: %s is about other versions or weights. Run `tencrop calibrate`.",
            name,
            path,
        )
        return ()
    return tuple(card.adaptive_votes)


def message_of(member: Member) -> MemberMessage:
    """`member` as messages have it."""
    servable = member.servable
    return MemberMessage(model_version=ModelVersion(name=servable.name, version=servable.version), weight=member.weight)
