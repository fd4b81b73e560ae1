"""Charts: pictures of tables, with their words, as SVG, PNG, CSV and alt text."""

from __future__ import annotations

from collections.abc import Sequence

from tariffsim.charts import (
    base_year_fit,
    best_rate,
    buys_and_costs,
    chinese_share,
    cost_stack,
    cut_off,
    decomposition,
    device_prices,
    early_or_late,
    foundries,
    frontier,
    indices,
    rate_curve,
    tornado,
    what_moved,
    where_chips_go,
    who_pays,
)
from tariffsim.charts.picture import Chart, LeftOut, Picture, Words
from tariffsim.record.results import Results

CHARTS: tuple[Chart[Results], ...] = (
    chinese_share.CHART,
    buys_and_costs.CHART,
    device_prices.CHART,
    who_pays.CHART,
    where_chips_go.CHART,
    what_moved.CHART,
    foundries.CHART,
    cut_off.CHART,
    base_year_fit.CHART,
)
"""All charts of a comparison in the order of their numbers."""
OF_EXPERIMENTS: tuple[Chart[Results], ...] = (
    early_or_late.CHART,
    rate_curve.CHART,
    frontier.CHART,
    tornado.CHART,
    indices.CHART,
    decomposition.CHART,
    best_rate.CHART,
)
"""Charts of what many runs were asked."""
OF_AGENTS = (cost_stack.CHART,)
"""Charts of one agent explained."""

__all__ = [
    "CHARTS",
    "OF_AGENTS",
    "OF_EXPERIMENTS",
    "Chart",
    "LeftOut",
    "Picture",
    "Words",
    "draw_all",
    "pictures",
]


def pictures(
    results: Results, charts: Sequence[Chart[Results]] = CHARTS
) -> tuple[list[Picture], dict[str, str]]:
    """Every chart that applies to these results, and why the others are left out."""
    made, left_out = [], {}
    for chart in charts:
        try:
            made.append(chart.picture(results))
        except LeftOut as reason:
            left_out[chart.name] = str(reason)
    return made, left_out


def draw_all(results: Results, charts: Sequence[Chart[Results]] = CHARTS) -> dict[str, bytes]:
    """Files of every chart that applies: `charts/01_chinese_share.svg`, `.png`, `.csv`, `.txt`."""
    made, _ = pictures(results, charts)
    return {f"charts/{name}": data for picture in made for name, data in picture.files().items()}
