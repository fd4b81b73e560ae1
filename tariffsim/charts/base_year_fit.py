"""Chart 14: the base year, model against data, with what passes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import rows as of_rows
from tariffsim.charts import style
from tariffsim.charts.facts import facts_of, label
from tariffsim.charts.picture import Chart, LeftOut, Words
from tariffsim.record.results import Results

RIGHT = 150.0
PASS, FAIL = "#12436D", "#BD1F01"


def passing(rows: pd.DataFrame) -> pd.Series[bool]:
    """Whether model and data differ by no more than the tolerance."""
    return (rows["model"] - rows["data"]).abs() <= rows["tolerance"]


def table(results: Results) -> pd.DataFrame:
    """Chinese share by device and class, model and data, per cent; and how many imports match."""
    base = results.tables["base_year"]
    if base.empty or "china_share" not in set(base["total"]):
        raise LeftOut("the data hold no base year of the United States")
    rows, imports = base[base["total"] == "china_share"], base[base["total"] == "imports"]
    matched = passing(imports).groupby(imports["device"]).agg(["sum", "count"])
    data = pd.DataFrame(
        {
            "device": rows["device"],
            "label": [label("devices", d) for d in rows["device"]],
            "node_class": rows["node_class"],
            "model": 100 * rows["model"],
            "data": 100 * rows["data"],
            "low": 100 * (rows["data"] - rows["tolerance"]).clip(lower=0),
            "high": 100 * (rows["data"] + rows["tolerance"]).clip(upper=1),
            "is_within": passing(rows),
        }
    )
    data["imports_matched"] = [int(matched["sum"].get(d, 0)) for d in data["device"]]
    data["imports"] = [int(matched["count"].get(d, 0)) for d in data["device"]]
    order = data.groupby("device")["data"].mean().sort_values(ascending=False, kind="stable")
    rank = {device: i for i, device in enumerate(order.index)}
    data = data.assign(unit="%", row=data["device"].map(rank))
    return data.sort_values(["row", "node_class"], kind="stable", ignore_index=True)


def words(data: pd.DataFrame, results: Results) -> Words:
    """What is found: how many totals are reproduced."""
    facts, base = facts_of(results), results.tables["base_year"]
    counts = {str(total): (int(passing(rows).sum()), len(rows))
              for total, rows in base.groupby("total")}  # fmt: skip
    imports, shares = counts.get("imports", (0, 0)), counts["china_share"]
    verdict = (
        "reproduces" if imports[0] == imports[1] and shares[0] == shares[1] else "misses some of"
    )
    title = (
        f"The model {verdict} its base year: {imports[0]} of {imports[1]} import totals match, "
        f"{shares[0]} of {shares[1]} assumed Chinese shares are met within one product line"
    )
    capacity = base[base["total"] == "capacity_share"]
    gap = 100 * float((capacity["model"] - capacity["data"]).abs().max() if len(capacity) else 0)
    extra = f"Shares of capacity differ by at most {gap:.1f} points. " if len(capacity) else ""
    classes = ", ".join(label("node_classes", c) for c in dict.fromkeys(data["node_class"]))
    worst = max(data.to_dict("records"), key=lambda row: abs(row["model"] - row["data"]))
    return Words(
        title,
        "Chinese part of the foundational chips inside each device group, by node class, United "
        "States, base year 2024, % of chips; and import totals by country of assembly",
        "Ticks: data tables; few of these shares are published. Bars: ± the largest product line "
        f"of the group. Marks: model, {classes} from top to bottom; a red cross is outside. {extra}"
        f"Drawn lines of one seed. {facts.source}",
        f"{title}. Dot chart of {data['device'].nunique()} device groups. The largest gap is "
        f"{style.number(abs(worst['model'] - worst['data']))} points ({worst['label']}).",
        "%",
    )


def draw(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw a row for each device: data, tolerance, model by class, imports matched."""
    groups = data.drop_duplicates("device")
    ax = style.own_axes(ax, of_rows.body(len(groups) + 1), of_rows.LEFT, RIGHT)
    of_rows.rows(ax, groups["label"].tolist())
    classes = list(dict.fromkeys(data["node_class"]))
    offset = dict(zip(classes, np.linspace(-0.27, 0.27, len(classes)), strict=True))
    for place, group in enumerate(groups.to_dict("records")):
        bar = ax.barh([place], group["high"] - group["low"], 0.72, left=group["low"],
                      color="#E3E8EE", zorder=1.5)  # fmt: skip
        bar.patches[0].set_label(style.drawn("low", "high", axis="x"))
        ax.vlines([group["data"]], place - 0.36, place + 0.36, color="#3D3D3D", lw=1.6, zorder=2,
                  label=style.drawn("data", axis="x"))  # fmt: skip
        good = group["imports_matched"] == group["imports"]
        ax.annotate(f"{group['imports_matched']} of {group['imports']}", (1, place),
                    xycoords=("axes fraction", "data"), xytext=(RIGHT - 36, 0),
                    textcoords="offset points", va="center", ha="right", size=8.5,
                    color=PASS if good else FAIL)  # fmt: skip
    for row in data.to_dict("records"):
        colour = PASS if row["is_within"] else FAIL
        ax.plot([row["model"]], [row["row"] + offset[row["node_class"]]], ls="none", ms=4, mew=1.3,
                marker="o" if row["is_within"] else "X", color=colour, zorder=4, clip_on=False,
                label=style.drawn("model", axis="x"))  # fmt: skip
    ax.annotate("Imports that match", (1, -1), xycoords=("axes fraction", "data"),
                xytext=(RIGHT - 36, 0), textcoords="offset points", va="center", ha="right",
                size=8.5, weight="bold", color=style.QUIET)  # fmt: skip
    ax.set_ylim(len(groups) - 0.4, -1.4)
    ax.set_xlim(0, None)
    ax.xaxis.set_major_formatter(lambda value, _: f"{style.number(value, 0)} %")
    ax.grid(visible=False, axis="y")
    return ax


CHART = Chart(
    14, "base_year_fit", "Base year: model against data",
    "Chinese share of chips by device and class in the calibrated base year against the data, with "
    "the tolerance, and how many import totals match.",
    table, words, draw, lambda data: of_rows.body(data["device"].nunique() + 1), of_rows.LEFT,
    RIGHT, 30,
)  # fmt: skip
