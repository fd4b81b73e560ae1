"""Reports of stored results: read back from their folder, never run again."""

from __future__ import annotations

from pathlib import Path

from tariffsim.charts import Kind, files_of, prepared
from tariffsim.charts.picture import Prepared
from tariffsim.errors import StorageError
from tariffsim.record.results import Results, load_results
from tariffsim.report import comparison_page
from tariffsim.report.experiment import experiment_page, is_experiment

NEEDED = {
    "headline": ("scenario", "metric", "difference", "low", "high", "is_significant"),
    "summary": ("scenario", "seed"),
    "market_month": ("scenario", "seed", "month", "market", "price_index", "cn_share"),
    "market_device": ("retail_value", "sold_units", "passed_on_value", "base_expenditure"),
    "device_end": ("scenario", "seed", "device", "price_index"),
    "market_origin": ("origin", "value"),
    "market_region": ("region", "chips"),
    "transaction_flows": ("payment", "sector", "value"),
    "welfare": ("month", "market", "term", "value"),
    "welfare_end": ("scenario", "seed", "market", "term", "value"),
}
"""Tables and columns that the report of a comparison is made from."""
AGAIN = "run it again (its scenarios are in `scenarios/`)"


class StoredReport:
    """What a folder of results shows.

    Attributes:
        results: with all drawings among their files.
        charts: those of these results, with numbers and text.
        left_out: why others do not apply, by name.
        is_of_experiment: whether they are of an experiment, and not of a comparison.
    """

    def __init__(self, folder: Path) -> None:
        """Read a folder of results.

        Raises:
            StorageError: it is damaged, or of a version of the package with other tables.
        """
        self.results = load_results(folder)
        self.is_of_experiment = is_experiment(self.results)
        if not self.is_of_experiment:
            _refuse_incomplete(folder, self.results)
        kind: Kind = "experiment" if self.is_of_experiment else "comparison"
        self.charts, self.left_out = prepared(self.results, kind)
        for chart in self.charts:
            if not _is_drawn(self.results, chart):
                self.results.files |= files_of(chart)

    def page(self, is_short: bool = False) -> bytes:
        """The report; a short one, for paper, has no tables of settings."""
        if self.is_of_experiment:
            return experiment_page(self.results, self.charts, is_short)
        return comparison_page(self.results, self.charts, self.left_out, is_short)


def _is_drawn(results: Results, chart: Prepared) -> bool:
    return f"charts/{chart.name}.svg" in results.files


def _refuse_incomplete(folder: Path, results: Results) -> None:
    """Refuse results of a version that kept other tables or columns."""
    for name, columns in NEEDED.items():
        if name not in results.tables:
            lacks = f"the table {name}"
        elif missing := [c for c in columns if c not in results.tables[name]]:
            lacks = f"the column {missing[0]} of {name}"
        else:
            continue
        version = results.provenance.get("tariffsim", "unknown")
        raise StorageError(
            f"{folder}: lacks {lacks}, and was written by another version ({version}): {AGAIN}"
        )
