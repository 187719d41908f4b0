"""The pipeline's answers and the repository's contents as messages of protos/classification.proto."""

from protos import classification_pb2 as pb
from protos.model_card_pb2 import ModelCard
from serving.callers import caller
from serving.models.catalogue import ServedModel
from serving.models.ensemble import Ensemble, Member
from serving.models.lifecycle.states import VersionStatus
from serving.models.repository import Repository
from serving.models.servable import Servable
from serving.models.trials.canaries import Canary, Shadowed, Trials
from serving.pipeline.answer import Answer
from serving.pipeline.plans import view_names
from serving.pipeline.voting import each_view, vote


def to_response(answer: Answer, request: pb.ClassifyRequest) -> pb.ClassifyResponse:
    """What the caller gets, with the extras that `request` asked for."""
    verdict, labels, polled, rule = answer.verdict, answer.ensemble.labels, answer.polled, answer.choices.rule
    best = verdict.ranking[: answer.choices.top_k]
    response = pb.ClassifyResponse(
        predictions=[
            pb.Prediction(label=labels[class_id], class_id=class_id, probability=probability)
            for class_id, probability in zip(best.tolist(), verdict.probabilities[best].tolist(), strict=True)
        ],
        model_versions=[_version(member) for member in polled.voters],
        views=answer.views,
        vote=rule,
        label=answer.label,
        abstained=answer.abstained,
        view_agreement=answer.agreement.views,
        member_agreement=answer.agreement.members,
        views_used=len(polled.views),
        rows_used=polled.rows,
        absent_members=[
            pb.AbsentMember(model_version=_version(member), reason=reason) for member, reason in polled.absent
        ],
        timing=pb.Timing(
            decode_seconds=answer.seconds.decode,
            queue_seconds=answer.seconds.queue,
            compute_seconds=answer.seconds.compute,
        ),
        cached=answer.cached,
    )
    if request.with_view_scores:
        names = view_names(answer.views, len(request.boxes))
        of_views = each_view(polled.logits, rule, polled.weights)
        for view, probabilities in zip(polled.views, of_views, strict=True):
            response.view_scores.append(pb.Scores(name=names[view], probabilities=probabilities))
    if request.with_member_scores:
        for number, member in enumerate(polled.voters):
            alone = vote(polled.logits[number : number + 1], rule, [1.0])
            response.member_scores.append(pb.Scores(name=member.servable.name, probabilities=alone.probabilities))
    return response


def to_list(repository: Repository) -> pb.ListModelsResponse:
    """Everything that the caller may ask for, and models of which no version is ready, in order of name."""
    unready = {name: pb.Model(name=name) for name in repository.statuses}
    models = {name: _model(model, repository.trials) for name, model in repository.models.items()}
    for name, statuses in repository.statuses.items():
        model = models.get(name) or unready[name]
        model.version_statuses.extend(map(to_status, statuses))
        model.label_troubles.update(repository.label_troubles(name))
    ensembles = {name: _ensemble(ensemble) for name, ensemble in repository.ensembles.items()}
    listed = {**unready, **models, **ensembles}
    return pb.ListModelsResponse(models=[listed[name] for name in caller.get().those_it_may_ask(sorted(listed))])


def to_status(status: VersionStatus) -> pb.VersionStatus:
    """What is known of a version."""
    return pb.VersionStatus(version=status.version, state=f"STATE_{status.state.name}", error=status.error)


def _version(member: Member) -> pb.ModelVersion:
    return pb.ModelVersion(name=member.servable.name, version=member.servable.version)


def _model(model: ServedModel, trials: Trials) -> pb.Model:
    canary, shadow = trials.canary_of(model), trials.shadow_of(model)
    newest = model.servables[max(model.servables)]
    card = newest.card if isinstance(newest, Servable) else ModelCard()
    return pb.Model(
        name=model.name,
        versions=sorted(model.servables, reverse=True),
        version_labels=model.labels,
        labels=card.labels,
        vote=card.vote,
        canary=_canary(canary) if canary else None,
        shadow=_shadow(shadow) if shadow else None,
    )


def _canary(canary: Canary) -> pb.Canary:
    return pb.Canary(
        version=canary.version,
        stable_version=canary.stable_version,
        percent=canary.declared.percent,
        calls=canary.canary.calls,
        failed=canary.canary.wrong,
        stable_calls=canary.stable.calls,
        stable_failed=canary.stable.wrong,
        pairs=canary.pairs.calls,
        disagreed=canary.pairs.wrong,
        rolled_back=canary.rolled_back,
    )


def _shadow(shadow: Shadowed) -> pb.Shadow:
    return pb.Shadow(
        version=shadow.version,
        stable_version=shadow.stable_version,
        percent=shadow.declared.percent,
        pairs=shadow.pairs.calls,
        disagreed=shadow.pairs.wrong,
    )


def _ensemble(ensemble: Ensemble) -> pb.Model:
    return pb.Model(
        name=ensemble.name,
        members=[pb.Member(model_version=_version(member), weight=member.weight) for member in ensemble.members],
        labels=ensemble.labels,
        vote=ensemble.vote,
    )
