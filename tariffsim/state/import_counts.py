"""What laws remember whose rate depends on imports, or on the capacity built in their market."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffsim.typing import Float


@dataclass(frozen=True)
class ImportCounts:
    """What laws with a memory remember: imports that count, in the law's own unit, and capacity.

    Zero for other laws.
    """

    to_date: Float
    """(laws,) since January, or since it is in force."""
    past_year: Float
    """(laws, 12) in each of the last twelve months."""
    capacity_before: Float
    """(laws, R, K) chips a month of capacity when the law came into force, or began to be run."""
    waived: Float
    """(laws,) duty waived since, before evasion; in USD where duty is counted."""
    relief: Float
    """(laws,) share of the duty that is waived this month for capacity built since."""

    @property
    def annual(self) -> Float:
        """(laws,) in the last twelve months."""
        return np.asarray(self.past_year.sum(axis=1))
