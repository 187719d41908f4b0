"""The part of the Open Inference Protocol that changes what is served, for the port of administrators."""

import grpc.aio

from protos import open_inference_pb2 as pb
from protos.open_inference_pb2_grpc import GRPCInferenceServiceServicer
from serving.doors.open_inference import models
from serving.doors.open_inference.servicer import answering
from serving.doors.open_inference.told import told
from serving.errors import InvalidRequest
from serving.models.lifecycle.administrator import Administrator
from serving.models.repository import Repository


class OpenInferenceAdministrationDoor(GRPCInferenceServiceServicer):
    """Implements the repository's methods of inference.GRPCInferenceService; the others are UNIMPLEMENTED here."""

    def __init__(self, administrator: Administrator, repository: Repository) -> None:
        self._administrator = administrator
        self._repository = repository

    @answering
    async def RepositoryIndex(
        self, request: pb.RepositoryIndexRequest, context: grpc.aio.ServicerContext
    ) -> pb.RepositoryIndexResponse:
        return pb.RepositoryIndexResponse(models=models.index(self._repository, request.ready))

    @answering
    async def RepositoryModelLoad(
        self, request: pb.RepositoryModelLoadRequest, context: grpc.aio.ServicerContext
    ) -> pb.RepositoryModelLoadResponse:
        _check(request, {})
        await self._administrator.load(request.model_name)
        return pb.RepositoryModelLoadResponse()

    @answering
    async def RepositoryModelUnload(
        self, request: pb.RepositoryModelUnloadRequest, context: grpc.aio.ServicerContext
    ) -> pb.RepositoryModelUnloadResponse:
        _check(request, {"unload_dependents": False})
        await self._administrator.unload(request.model_name)
        return pb.RepositoryModelUnloadResponse()


def _check(request: pb.RepositoryModelLoadRequest | pb.RepositoryModelUnloadRequest, known: dict[str, bool]) -> None:
    """Raises InvalidRequest where a parameter asks for what is not done here: every client sends those that are
    `known`, with their values.
    """
    for name, parameter in request.parameters.items():
        if name not in known or parameter.bool_param != known[name]:
            raise InvalidRequest(
                f"A model is loaded and unloaded as it lies on disk, and by itself; {told(name)} came. Leave it out, "
                "and declare the rest in models.yaml."
            )
