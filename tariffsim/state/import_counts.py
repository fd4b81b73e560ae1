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
    expected_relief: Float
    """(laws,) the share that agents expect to be waived in a year."""
    capacity: Float
    """(R, K) chips a month of capacity at the beginning of the month."""

    @classmethod
    def of_no_laws(cls) -> ImportCounts:
        """Before there are any."""
        none, of_year, by_region = np.zeros(0), np.zeros((0, 12)), np.zeros((0, 0, 0))
        return cls(none, of_year, by_region, none, none, none, np.zeros((0, 0)))

    @property
    def annual(self) -> Float:
        """(laws,) in the last twelve months."""
        return np.asarray(self.past_year.sum(axis=1))
