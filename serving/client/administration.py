"""What a Python caller gives orders with: grpc and protos only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc

from protos import administration_pb2 as pb
from protos.administration_pb2_grpc import AdministrationStub
from protos.classification_pb2 import ModelVersion, VersionStatus
from serving.client.access import Access
from serving.client.failures import raised


@dataclass(frozen=True)
class Version:
    """What a server knows of a version."""

    version: int
    state: str
    """START, LOADING, AVAILABLE, UNLOADING or END."""
    error: str
    """Why it is not served, or not as models.yaml says; empty where there is nothing to say."""


@dataclass(frozen=True)
class Standing:
    """How a model stands."""

    versions: tuple[Version, ...]
    """Newest first."""
    labels: Mapping[str, int]
    label_troubles: Mapping[str, str]
    """Labels that are not where they are wanted, and why."""


@dataclass(frozen=True)
class Found:
    """What a look found. Versions are a model's name and a number."""

    appeared: tuple[tuple[str, int], ...]
    """Those that the last look had not found, or not with these files."""
    gone: tuple[tuple[str, int], ...]
    waiting: Mapping[tuple[str, int], str]
    """Those that are there and cannot be served yet, or not at all, and why."""


class AdministrationClient:
    """Gives a server orders about its models. Each answers once it is carried out, with how the model stands then.

    Every method raises errors.NotServed, InvalidRequest or ModelRejected for what the server says of the order,
    DeadlinePassed where it takes longer than the timeout, and is carried out all the same, and Unavailable where no
    server answers.
    """

    def __init__(self, server: str, timeout: float = 300.0, access: Access = Access()) -> None:  # noqa: B008, it is frozen
        """`server` is HOST:PORT, of its port for administrators; an order takes at most `timeout` seconds. `access` is
        what lets the client in.
        """
        self._timeout = timeout
        self._metadata = access.metadata
        self._channel = access.channel(server)
        self._stub = AdministrationStub(self._channel)

    def load(self, model: str, version: int | None = None) -> Standing:
        """Loads a version, whatever the policy wants, or else what the policy wants. What failed is tried again."""
        return self._ordered(self._stub.Load, pb.LoadRequest(model=model, version=version))

    def unload(self, model: str, version: int | None = None) -> Standing:
        """Unloads a version, or all of the model."""
        return self._ordered(self._stub.Unload, pb.UnloadRequest(model=model, version=version))

    def set_label(self, model: str, label: str, version: int) -> Standing:
        """Gives a label to a version, which is loaded for it."""
        return self._ordered(self._stub.SetLabel, pb.SetLabelRequest(model=model, label=label, version=version))

    def remove_label(self, model: str, label: str) -> Standing:
        """Takes back what `set_label` gave."""
        return self._ordered(self._stub.RemoveLabel, pb.RemoveLabelRequest(model=model, label=label))

    def promote(self, model: str, version: int) -> Standing:
        """Gives the label "production" to a version."""
        return self._ordered(self._stub.Promote, pb.PromoteRequest(model=model, version=version))

    def roll_back(self, model: str) -> Standing:
        """Gives "production" back to the version that had it before the last promotion."""
        return self._ordered(self._stub.Rollback, pb.RollbackRequest(model=model))

    def refresh(self, model: str = "") -> Found:
        """Has the server look for new versions, labels and declarations now, in its store first where it has one.

        Raises errors.Unavailable where the store cannot be read.
        """
        response = self._answered(self._stub.Refresh, pb.RefreshRequest(model=model))
        return Found(
            tuple(map(_pair, response.appeared)),
            tuple(map(_pair, response.gone)),
            {_pair(each.model_version): each.reason for each in response.waiting},
        )

    def status(self, model: str) -> Standing:
        """How a model stands."""
        return self._ordered(self._stub.Status, pb.StatusRequest(model=model))

    def close(self) -> None:
        """Gives the connection back."""
        self._channel.close()

    def __enter__(self) -> "AdministrationClient":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _ordered(self, method: Callable[..., pb.StatusResponse], order: Any) -> Standing:
        response = self._answered(method, order)
        versions = (
            Version(each.version, VersionStatus.State.Name(each.state).removeprefix("STATE_"), each.error)
            for each in response.versions
        )
        return Standing(tuple(versions), dict(response.labels), dict(response.label_troubles))

    def _answered(self, method: Callable[..., Any], request: Any) -> Any:
        try:
            return method(request, timeout=self._timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            raise raised(error) from None


def _pair(version: ModelVersion) -> tuple[str, int]:
    return version.name, version.version
