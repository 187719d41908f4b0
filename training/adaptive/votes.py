"""Calibrates how votes of a model, or of an ensemble, may end early, and keeps that in its card."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import json_format
from google.protobuf.message import Message

from protos.classification_pb2 import Member as MemberMessage
from protos.classification_pb2 import ModelVersion, Views
from protos.model_card_pb2 import AdaptiveVote, EnsembleCard
from serving.errors import ModelRejected
from serving.models import card as cards
from serving.models.declaration import VOTES, read_declaration
from serving.models.ensemble_card import path_of
from training.adaptive.margins import calibrate, simulate
from training.data import DataSet
from training.durable import replacing
from training.evaluate import measure, open_member
from training.evaluation.scores import Scores
from training.publishing import newest_version


@dataclass(frozen=True)
class Measured:
    """An early vote against the full one, over the pictures of a data set."""

    data_set: str
    pictures: int
    agreed: float
    """The share of pictures with the full vote's winner."""
    rows: float
    """Computed, of the full vote's."""
    full_error: float
    """Top-1 errors, as fractions."""
    early_error: float


@dataclass(frozen=True)
class Calibrated:
    """What was found, and where it stands now."""

    adaptive: AdaptiveVote
    measured: tuple[Measured, ...]
    """On the pictures that it was found on, and on others if there were."""
    path: Path


@dataclass(frozen=True)
class _Voters:
    directories: Sequence[Path]
    weights: Sequence[float]
    vote_name: str | None
    """None for the one that a model was measured with."""


def calibrate_votes(
    root: Path, name: str, held_out: DataSet, test: DataSet | None, view_name: str, agreement: float
) -> Calibrated:
    """Finds margins for `name` of the repository at `root` on the pictures to measure on of `held_out`, and measures
    them there and on those of `test`. What its card said of such votes before is replaced.

    Raises ModelRejected where there is no such model or ensemble, and what `measure` and `margins.calibrate` raise.
    """
    voters = _voters(root, name)
    members = [open_member(directory) for directory in voters.directories]
    rule = VOTES[voters.vote_name] if voters.vote_name else members[0].card.vote
    views = Views.Value("VIEWS_" + view_name.replace("-", "_").upper())
    scores = measure(members, held_out, views)
    adaptive = calibrate(scores.logits, views, rule, voters.weights, agreement)
    adaptive.data_set = scores.data_set
    measured = [_against_full(scores, adaptive, voters.weights)]
    if test is not None:
        measured.append(_against_full(measure(members, test, views), adaptive, voters.weights))
    return Calibrated(adaptive, tuple(measured), _write(root, name, voters, adaptive))


def _voters(root: Path, name: str) -> _Voters:
    ensembles = read_declaration(root).ensembles
    if name not in ensembles:
        return _Voters([_version(root, name, None)], [1.0], None)
    declared = ensembles[name]
    directories = [_version(root, member.model, member.version) for member in declared.members]
    return _Voters(directories, [member.weight for member in declared.members], declared.vote)


def _version(root: Path, model: str, version: int | None) -> Path:
    directory = root / model / str(version) if version else newest_version(root / model)
    if directory is None or not directory.is_dir():
        raise ModelRejected(
            f"What is calibrated is a model or an ensemble of {root}; {model!r} has no version there. "
            "Name another directory with --models."
        )
    return directory


def _against_full(scores: Scores, adaptive: AdaptiveVote, weights: Sequence[float]) -> Measured:
    full = AdaptiveVote(
        vote=adaptive.vote, member_order=adaptive.member_order, view_order=adaptive.view_order
    )  # which has no round before the full vote
    winners, early = simulate(scores.logits, full, weights).winners, simulate(scores.logits, adaptive, weights)
    return Measured(
        scores.data_set,
        len(winners),
        agreed=float((early.winners == winners).mean()),
        rows=early.rows,
        full_error=float((winners != scores.class_ids).mean()),
        early_error=float((early.winners != scores.class_ids).mean()),
    )


def _write(root: Path, name: str, voters: _Voters, adaptive: AdaptiveVote) -> Path:
    """Puts `adaptive` into the card of `name`, in place of what was said of the same full vote."""
    if name not in read_declaration(root).ensembles:
        (directory,) = voters.directories
        card = cards.read(directory)
        path = directory / cards.CARD_PATH
    else:
        path = path_of(root, name)
        card = EnsembleCard(name=name, members=list(map(_message, voters.directories, voters.weights)))
        if path.exists():
            before = json_format.Parse(path.read_bytes(), EnsembleCard())
            if list(before.members) == list(card.members):
                card = before
    others = [each for each in card.adaptive_votes if (each.views, each.vote) != (adaptive.views, adaptive.vote)]
    del card.adaptive_votes[:]
    card.adaptive_votes.extend([*others, adaptive])
    _replace(path, card)
    return path


def _message(directory: Path, weight: float) -> MemberMessage:
    version = ModelVersion(name=directory.parent.name, version=int(directory.name))
    return MemberMessage(model_version=version, weight=weight)


def _replace(path: Path, card: Message) -> None:
    with replacing(path) as file:
        file.write(json_format.MessageToJson(card, preserving_proto_field_name=True).encode() + b"\n")
