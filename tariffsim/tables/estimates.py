"""Values of the calibrated parameters: the defaults of scenarios (docs/calibration.md)."""

from __future__ import annotations

from collections.abc import Mapping

from tariffsim.tables.csv_files import shipped_rows

ESTIMATES: Mapping[str, float] = {
    row["key"]: float(row["value"]) for row in shipped_rows("estimates")
}
"""By key of scenarios; figures of a table are in the table itself."""
