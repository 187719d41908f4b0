"""How much memory models may take, by the bytes of their files."""

from serving.errors import ModelRejected


class NoRoom(ModelRejected):
    """A version does not fit beside those that are loaded."""


class Budget:
    """Bytes that versions take."""

    def __init__(self, max_bytes: int = 0) -> None:
        """0 is no bound."""
        self._max_bytes = max_bytes
        self._taken: set[Place] = set()

    def take(self, size: int) -> "Place":
        """`size` bytes for a version, until it gives its place back. Raises NoRoom."""
        taken = sum(place.size for place in self._taken)
        if self._max_bytes and taken + size > self._max_bytes:
            raise NoRoom(
                f"Versions that are loaded have files of at most {self._max_bytes:,} bytes together; this one has "
                f"{size:,}, and the {len(self._taken)} that are loaded have {taken:,}. Raise max_model_bytes, unload "
                "another, or declare availability: resource_preserving, so that an old version goes first."
            )
        return Place(self._taken, size)


class Place:
    """Bytes that are taken."""

    def __init__(self, taken: set["Place"], size: int) -> None:
        self.size = size
        self._taken = taken
        taken.add(self)

    def give_back(self) -> None:
        """They are free again."""
        self._taken.discard(self)
