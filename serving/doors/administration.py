"""The door for protos/administration.proto."""

from collections.abc import Awaitable

import grpc.aio

from protos import administration_pb2 as pb
from protos.administration_pb2_grpc import AdministrationServicer
from protos.classification_pb2 import ModelVersion
from serving.doors.messages import to_status
from serving.doors.statuses import status_of
from serving.models.lifecycle.administrator import Administrator
from serving.models.lifecycle.refreshing import Refresher
from serving.models.repository import Repository
from serving.models.stores.shelf import Version


class AdministrationDoor(AdministrationServicer):
    """Implements tencrop.v1.Administration."""

    def __init__(self, administrator: Administrator, refresher: Refresher, repository: Repository) -> None:
        self._administrator = administrator
        self._refresher = refresher
        self._repository = repository

    async def Load(self, request: pb.LoadRequest, context: grpc.aio.ServicerContext) -> pb.StatusResponse:
        order = self._administrator.load(request.model, request.version or None)
        return await self._after(order, request.model, context)

    async def Unload(self, request: pb.UnloadRequest, context: grpc.aio.ServicerContext) -> pb.StatusResponse:
        order = self._administrator.unload(request.model, request.version or None)
        return await self._after(order, request.model, context)

    async def SetLabel(self, request: pb.SetLabelRequest, context: grpc.aio.ServicerContext) -> pb.StatusResponse:
        order = self._administrator.set_label(request.model, request.label, request.version)
        return await self._after(order, request.model, context)

    async def RemoveLabel(self, request: pb.RemoveLabelRequest, context: grpc.aio.ServicerContext) -> pb.StatusResponse:
        order = self._administrator.remove_label(request.model, request.label)
        return await self._after(order, request.model, context)

    async def Promote(self, request: pb.PromoteRequest, context: grpc.aio.ServicerContext) -> pb.StatusResponse:
        order = self._administrator.promote(request.model, request.version)
        return await self._after(order, request.model, context)

    async def Rollback(self, request: pb.RollbackRequest, context: grpc.aio.ServicerContext) -> pb.StatusResponse:
        return await self._after(self._administrator.roll_back(request.model), request.model, context)

    async def Refresh(self, request: pb.RefreshRequest, context: grpc.aio.ServicerContext) -> pb.RefreshResponse:
        try:
            found = await self._refresher.refresh(request.model)
        except Exception as error:
            await status_of(error).abort(context)
        return pb.RefreshResponse(
            appeared=map(_version, sorted(found.appeared)),
            gone=map(_version, sorted(found.gone)),
            waiting=[
                pb.Waiting(model_version=_version(each), reason=why) for each, why in sorted(found.waiting.items())
            ],
        )

    async def Status(self, request: pb.StatusRequest, context: grpc.aio.ServicerContext) -> pb.StatusResponse:
        return await self._after(None, request.model, context)

    async def _after(
        self, order: Awaitable[None] | None, model: str, context: grpc.aio.ServicerContext
    ) -> pb.StatusResponse:
        """What is known of `model` once `order`, if there is one, is carried out; or the status of what kept it."""
        try:
            if order:
                await order
            versions = self._repository.status(model)
        except Exception as error:
            await status_of(error).abort(context)
        served = self._repository.models.get(model)
        return pb.StatusResponse(
            versions=map(to_status, versions),
            labels=served.labels if served else {},
            label_troubles=self._repository.label_troubles(model),
        )


def _version(version: Version) -> ModelVersion:
    return ModelVersion(name=version.model, version=version.number)
