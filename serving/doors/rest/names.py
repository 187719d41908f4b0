"""The proto's enumerations by the names that the command line and the Python client have for them."""

from typing import Any, Literal, NamedTuple

from protos import classification_pb2 as pb

ViewsName = Literal["single", "mirror", "five", "ten", "multi-scale", "grid", "inception-144", "dense", "boxes"]
VoteName = Literal["mean-probability", "mean-logit", "majority"]
PriorityName = Literal["interactive", "bulk"]
StateName = Literal["start", "loading", "available", "unloading", "end"]


class Names(NamedTuple):
    """One enumeration: "multi-scale" is what `prefix` and MULTI_SCALE are to the proto."""

    enumeration: Any
    prefix: str

    def name(self, number: int) -> str:
        """What the value of that number is called."""
        return self.enumeration.Name(number).removeprefix(self.prefix).replace("_", "-").lower()

    def number(self, name: str | None) -> Any:
        """The value of that name; the unspecified one for None. Raises ValueError for a name that there is not."""
        return self.enumeration.Value(self.prefix + name.replace("-", "_").upper()) if name else 0


VIEWS = Names(pb.Views, "VIEWS_")
VOTES = Names(pb.Vote, "VOTE_")
PRIORITIES = Names(pb.Priority, "PRIORITY_")
STATES = Names(pb.VersionStatus.State, "STATE_")
