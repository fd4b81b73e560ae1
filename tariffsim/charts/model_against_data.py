"""Chart 14: the base year, model against data, with what is within the tolerance."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from tariffsim.calibration.base_year import ALL
from tariffsim.calibration.constants import DATA_MARKET
from tariffsim.charts import axes
from tariffsim.charts.context import chart_context, table_label
from tariffsim.charts.lettering import room_beside
from tariffsim.charts.picture import Chart, ChartText, NotApplicable, shows
from tariffsim.charts.style import CHIPS, GAIN, LEVEL, LOSS, QUIET, percent_tick
from tariffsim.record.results import Results
from tariffsim.record.statements import number

RIGHT = 150.0


def passing(rows: pd.DataFrame) -> pd.Series[bool]:
    """Whether model and data differ by no more than the tolerance."""
    return (rows["model"] - rows["data"]).abs() <= rows["tolerance"]


def table(results: Results) -> pd.DataFrame:
    """Chinese share by device and class, model and data, per cent; and how many imports match."""
    base = results.tables["base_year"]
    if base.empty or "china_share" not in set(base["total"]):
        raise NotApplicable("the data hold no base year of the United States")
    shares = base[base["total"] == "china_share"]
    rows, imports = shares[shares["market"] == DATA_MARKET], base[base["total"] == "imports"]
    matched = passing(imports).groupby(imports["device"]).agg(["sum", "count"])
    matched = matched.reindex(rows["device"], fill_value=0)
    order = rows.groupby("device")["data"].mean().sort_values(ascending=False, kind="stable")
    data = pd.DataFrame(
        {
            "device": rows["device"],
            "label": [table_label("devices", d) for d in rows["device"]],
            "node_class": rows["node_class"],
            "model": 100 * rows["model"],
            "data": 100 * rows["data"],
            "low": 100 * (rows["data"] - rows["tolerance"]).clip(lower=0),
            "high": 100 * (rows["data"] + rows["tolerance"]).clip(upper=1),
            "is_within": passing(rows),
            "imports_matched": matched["sum"].to_numpy(),
            "imports": matched["count"].to_numpy(),
            "unit": "%",
            "row": rows["device"].map(dict(zip(order.index, range(len(order)), strict=True))),
        }
    )
    return data.sort_values(["row", "node_class"], kind="stable", ignore_index=True)


def text(data: pd.DataFrame, results: Results) -> ChartText:
    """How many totals are reproduced."""
    context, base = chart_context(results), results.tables["base_year"]
    counts = {str(total): (int(passing(rows).sum()), len(rows))
              for total, rows in base[base["market"].isin([DATA_MARKET, ALL])].groupby("total")
              }  # fmt: skip
    imports, shares = counts.get("imports", (0, 0)), counts["china_share"]
    apart = (data["model"] - data["data"]).abs()
    capacity = base[base["total"] == "capacity_share"]
    gap = 100 * (capacity["model"] - capacity["data"]).abs().max()
    extra = f"Shares of capacity differ by at most {gap:.1f} pp. " if len(capacity) else ""
    classes = ", ".join(table_label("node_classes", c) for c in dict.fromkeys(data["node_class"]))
    worst = max(data.to_dict("records"), key=lambda row: abs(row["model"] - row["data"]))
    return context.text(
        f"In the base year {imports[0]} of {imports[1]} import totals match; the model's Chinese "
        f"shares of chips, mostly assumed, are {number(apart.median())} pp from the data in the "
        f"median, and at most {number(apart.max())} pp",
        f"Chinese share of {CHIPS} in each device group, by node class, United States, base year "
        "2024, % of chips; and import totals by country of assembly",
        "Ticks: data tables; few of these shares are published. Bars: ± two of the largest product "
        f"line of the group, in which {shares[0]} of {shares[1]} shares are. Marks: model, "
        f"{classes} from top to bottom; a red cross is outside. "
        f"{extra}Product lines drawn with one seed.",
        f"Dot chart of {data['device'].nunique()} device groups. The largest gap is "
        f"{number(abs(worst['model'] - worst['data']))} pp ({worst['label']})",
    )


def plot(data: pd.DataFrame, ax: Axes) -> None:
    """A row for each device: data, tolerance, model by class, imports matched."""
    groups = data.drop_duplicates("device")
    rows = np.array(axes.name_rows(ax, groups["label"]))
    classes = list(dict.fromkeys(data["node_class"]))
    offsets = np.linspace(-0.27, 0.27, len(classes))
    axes.bars(ax, groups, rows, ["#E3E8EE"], ("low", "high"), 0.72, zorder=1.5)
    ax.vlines(groups["data"], rows - 0.36, rows + 0.36, color=LEVEL, lw=1.6, zorder=2,
              label=shows(x="data"))  # fmt: skip
    for row, own, all_of in zip(rows, groups["imports_matched"], groups["imports"], strict=True):
        _write(ax, f"{own} of {all_of}", row, color=GAIN if own == all_of else LOSS)
    for is_within, marker, colour in ((True, "o", GAIN), (False, "X", LOSS)):
        marks = data[data["is_within"] == is_within]
        places = marks["row"] + offsets[[classes.index(c) for c in marks["node_class"]]]
        ax.plot(marks["model"], places, ls="none", ms=4, mew=1.3, marker=marker, color=colour,
                zorder=4, clip_on=False, label=shows(x="model"))  # fmt: skip
    _write(ax, "Imports that match", -1, weight="bold", color=QUIET)
    ax.set_ylim(len(groups) - 0.4, -1.4)
    ax.set_xlim(0, None)
    ax.xaxis.set_major_formatter(percent_tick)
    ax.grid(visible=False, axis="y")


def _write(ax: Axes, text: str, place: float, color: str, weight: str = "normal") -> None:
    """Text in the column at the right."""
    shift = min(RIGHT - 36, room_beside(ax)[1] - 8)
    ax.annotate(text, (1, place), xycoords=("axes fraction", "data"), xytext=(shift, 0),
                textcoords="offset points", va="center", ha="right", size=8.5, color=color,
                weight=weight)  # fmt: skip


CHART = Chart(
    14, "base_year_fit", "comparison", "Base year: model against data",
    table, text, plot, lambda data: axes.body(data["device"].nunique() + 1), axes.LEFT,
    RIGHT, 30,
)  # fmt: skip
