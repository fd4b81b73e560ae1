"""Assumptions ranked by strength: what both charts of sensitivity analyses share."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import row_axes
from tariffsim.charts.context import chart_context
from tariffsim.charts.picture import NotApplicable
from tariffsim.charts.wording import plain_tick
from tariffsim.record.dictionary import metrics
from tariffsim.record.results import Results

MOST = 15
"""Rows drawn; the others are counted in the note."""
LEFT = 236.0


def assumptions(results: Results, *methods: str) -> pd.DataFrame:
    """Table of a sensitivity analysis, strongest factor first, with a `label` for each.

    Raises:
        NotApplicable: the results are of another experiment, or of another method.
    """
    if results.provenance.get("method") not in methods or "sensitivity" not in results.tables:
        raise NotApplicable(f"it needs a sensitivity analysis by {' or '.join(methods)}")
    found = results.tables["sensitivity"]
    return found.assign(label=[_label(row) for row in found.to_dict("records")])


def _label(row: dict[Any, Any]) -> str:
    """What a factor is and the range it moves over."""
    meaning = str(row["meaning"]).split(" (range")[0].rstrip(".")
    if str(row["factor_unit"]).startswith("position"):
        return f"{meaning}: all low to all high"
    return f"{meaning}: {_value(row['low_end'])} to {_value(row['high_end'])}"


def _value(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, (int, float)) else str(value)


def outcome(results: Results) -> tuple[str, str]:
    """The metric that is analysed, inside a sentence, and its unit."""
    metric, context = metrics()[str(results.provenance["metric"])], chart_context(results)
    if not context.others:
        return f"{metric.label} in the baseline", metric.unit
    unit = "pp" if metric.unit == "%" else metric.unit
    return f"{metric.label}, change under {context.in_sentence(context.others[0])}", unit


def strongest(found: pd.DataFrame) -> str:
    """The first three factors in words."""
    names = [str(meaning).split(" (")[0].rstrip(".") for meaning in found["meaning"][:3]]
    return "; ".join(f"({n}) {name}" for n, name in enumerate(names, start=1))


def name_factors(ax: Axes, data: pd.DataFrame, across: str) -> list[float]:
    """A row a factor, the strongest on top, with its label at the left."""
    places = row_axes.name_rows(ax, data["label"], room=LEFT, size=8)
    ax.grid(visible=False, axis="y")
    ax.xaxis.set_major_formatter(plain_tick)
    ax.set_xlabel(f"{across} →", loc="right")
    return places


def body(data: pd.DataFrame) -> float:
    """Height of the rows in points."""
    return 26.0 * (len(data) + 0.3)
