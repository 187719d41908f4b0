"""Predict and what a model says of itself: TensorFlow Serving's calls for tensors, message in and message out."""

from google.rpc import code_pb2

from serving.aside import MANY_ELEMENTS, aside
from serving.doors.tf_serving.apis import get_model_metadata_pb2, get_model_status_pb2, predict_pb2
from serving.doors.tf_serving.calls import Calls
from serving.doors.tf_serving.specs import answering, held_version, of_version, ours, signature_def, signature_name
from serving.doors.tf_serving.tensors import dtype_name, from_array, reads_slowly, shape_of, to_array
from serving.errors import InvalidRequest, NotServed
from serving.models import signatures
from serving.models.lifecycle.states import VersionStatus
from serving.models.loaded_version import LoadedVersion
from serving.models.repository import Repository
from serving.pipeline.prediction import Predictor
from serving.pipeline.router import Router

SIGNATURE_DEF = "signature_def"
"""What there is to be known of a model, in GetModelMetadata's words."""


async def predict(
    router: Router,
    predictor: Predictor,
    repository: Repository,
    calls: Calls,
    request: predict_pb2.PredictRequest,
    deadline: float,
) -> predict_pb2.PredictResponse:
    """The outputs of a signature of the model, to tensors, before `deadline` on the clock of the models.

    Raises the errors of serving.errors.
    """

    async def ask(version: LoadedVersion) -> predict_pb2.PredictResponse:
        signature = signatures.find(version.signature_calls.signatures, signature_name(request.model_spec))
        signature.check_names(request.inputs)
        for name, proto in request.inputs.items():
            signature.check_input(name, dtype_name(proto), shape_of(proto))
        inputs = {name: await aside(reads_slowly(proto), to_array, proto) for name, proto in request.inputs.items()}
        with calls.running("Predict", version.name):
            predicted = await predictor.predict(version, signature, inputs, request.output_filter, deadline)
        response = predict_pb2.PredictResponse(model_spec=answering(version, signature.name))
        for name, array in predicted.outputs.items():
            response.outputs[name].CopyFrom(await aside(array.size > MANY_ELEMENTS, from_array, array))
        return response

    return await of_version(router, repository, request.model_spec, "", deadline, ask)


def metadata(
    repository: Repository, request: get_model_metadata_pb2.GetModelMetadataRequest
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """The signatures of a version, with their tensors. Raises InvalidRequest or NotServed."""
    if set(request.metadata_field) != {SIGNATURE_DEF}:
        raise InvalidRequest(
            f"The metadata of a model is its {SIGNATURE_DEF}, named in metadata_field; {list(request.metadata_field)} "
            "was asked for."
        )
    with held_version(repository, ours(request.model_spec)) as servable:
        described = servable.signature_calls.signatures.all.items()
    response = get_model_metadata_pb2.GetModelMetadataResponse(model_spec=answering(servable, ""))
    response.metadata[SIGNATURE_DEF].Pack(
        get_model_metadata_pb2.SignatureDefMap(signature_def={name: signature_def(each) for name, each in described})
    )
    return response


def status(
    repository: Repository, request: get_model_status_pb2.GetModelStatusRequest
) -> get_model_status_pb2.GetModelStatusResponse:
    """The state of the version that is asked about, or of all versions of the model. Raises InvalidRequest or
    NotServed; the latter for a model_spec without a name too, of which other calls say the former.
    """
    if request.HasField("model_spec") and not request.model_spec.name:
        raise NotServed("A model has to be known; one without a name was asked about. Name one in model_spec.")
    spec = ours(request.model_spec)
    known = repository.status(spec.name)
    if spec.version_label:
        with held_version(repository, spec) as servable:
            spec.version = servable.version
    listed = [each for each in known if spec.version in (0, each.version)]
    if not listed:
        raise NotServed(
            f"A version has to be known; of model {spec.name!r}, version {spec.version} is not, "
            f"{[each.version for each in known]} are. Leave it out to get the status of all."
        )
    return get_model_status_pb2.GetModelStatusResponse(model_version_status=map(_version_status, listed))


def _version_status(status: VersionStatus) -> get_model_status_pb2.ModelVersionStatus:
    """TensorFlow Serving numbers the states as we do."""
    said = get_model_status_pb2.ModelVersionStatus(version=status.version, state=int(status.state))
    said.status.error_message = status.error
    said.status.error_code = code_pb2.UNKNOWN if status.error else code_pb2.OK
    return said
