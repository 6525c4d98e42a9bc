"""A set of names that cannot grow without end."""

OTHER = "other"
"""What every name beyond the limit is called."""


class Bounded:
    """Keeps the first names that it sees apart, and folds the rest into `OTHER`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._names: set[str] = set()

    def fold(self, name: str) -> str:
        """The name itself, or `OTHER` if it is new and there are `limit` names already."""
        if name in self._names:
            return name
        if len(self._names) >= self._limit:
            return OTHER
        self._names.add(name)
        return name
