"""Charts: pictures of tables, with their text, as SVG, PNG, CSV and alt text.

A `Chart` that a module here defines is found by being there.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

from tariffsim.charts.picture import Chart, Kind, NotApplicable, Picture, chart_files
from tariffsim.record.results import Results


def _found() -> Iterator[Chart[Any]]:
    for module in pkgutil.iter_modules(__path__):
        for thing in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
            if isinstance(thing, Chart):
                yield thing


CHARTS: tuple[Chart[Any], ...] = tuple(sorted(_found(), key=lambda chart: chart.name))
"""All charts in the order of their numbers."""

__all__ = [
    "CHARTS",
    "Chart",
    "Kind",
    "NotApplicable",
    "Picture",
    "draw_all",
    "files_of",
    "pictures",
]


def pictures(results: Results, kind: Kind = "comparison") -> tuple[list[Picture], dict[str, str]]:
    """Every chart of a kind that applies to these results, and why others do not, by name."""
    made, left_out = [], {}
    for chart in CHARTS:
        if chart.kind == kind:
            try:
                made.append(chart.picture(results))
            except NotApplicable as reason:
                left_out[chart.name] = str(reason)
    return made, left_out


def draw_all(results: Results, kind: Kind = "comparison") -> dict[str, bytes]:
    """Files of every chart that applies."""
    return chart_files(pictures(results, kind)[0])
