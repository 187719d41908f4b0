"""That a canary was rolled back, as it is written down. Pure."""

from pydantic import BaseModel, ConfigDict, PositiveInt

from serving.models.declaration import CanaryDeclaration


class RollBack(BaseModel):
    """Of one version under one declaration: another of either is another trial."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: PositiveInt
    declared: CanaryDeclaration
    why: str
    """What was counted, and the bound that it passed."""
