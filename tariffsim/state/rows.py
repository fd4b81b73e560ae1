"""Tables of the state."""

from __future__ import annotations


class Rows:
    """A table of equal-length columns: one row a thing, the first column named first."""

    def __len__(self) -> int:
        return len(getattr(self, next(iter(vars(self)))))
