"""Chart 15: the cost stack of one choice: what each candidate foundry costs, and how likely."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import axes
from tariffsim.charts.context import INSTRUMENT_FAMILIES, drawable, table_label
from tariffsim.charts.lettering import points
from tariffsim.charts.picture import Chart, ChartText, Picture, shows
from tariffsim.charts.style import GAIN, QUIET, capitalised, family_style, swatch
from tariffsim.explain import Explanation
from tariffsim.explain.slot import BASE_DUTIES, OTHER_DUTIES, REBATED, largest_duties
from tariffsim.record.statements import number

PRICE, SWITCHING = "price", "switching"
LOWERED = "price less China's counter-subsidy"
COLOURS = {
    PRICE: "#C4CCD6",
    LOWERED: "#C4CCD6",
    BASE_DUTIES: "#8C8C8C",
    OTHER_DUTIES: "#5F5F5F",
    SWITCHING: "#A285D1",
}
MOST, MOST_DUTIES = 10, 3
LEFT, RIGHT, COLUMN = 132.0, 172.0, 74.0


def table(found: Explanation) -> pd.DataFrame:
    """Parts of the cost of each candidate, from and to, USD a chip; the foundry in place first."""
    (slot,) = found.slots
    by_chance = slot.ranked()
    cheapest = by_chance["total"].idxmin()
    if cheapest not in by_chance.index[:MOST]:
        by_chance = pd.concat([by_chance[: MOST - 1], by_chance.loc[[cheapest]]])
    is_lowered = REBATED in slot.duties
    given = slot.duties[REBATED].to_dict() if is_lowered else {}
    duties = largest_duties(slot.duties.drop(columns=REBATED, errors="ignore"), MOST_DUTIES)
    due, made = duties.to_dict("index"), []
    for n, (foundry, row) in enumerate(by_chance[:MOST].to_dict("index").items()):
        price: dict[Hashable, float] = {
            LOWERED if is_lowered else PRICE: row["price"] + given.get(foundry, 0.0)
        }
        parts = {**price, **due[foundry], SWITCHING: row["switching_cost"]}
        start = 0.0
        for part, value in parts.items():
            mark = " (supplies now)" if row["supplies_now"] else ""
            mark = mark or (" (takes over)" if row["in_place"] else "")
            made.append({"row": n, "foundry": foundry, "region": row["region"],
                         "label": f"{foundry}{mark}", "part": part, "start": start,
                         "end": start + value, "probability": 100 * row["probability"],
                         "preference": 100 * row["preference"],
                         "kind": found.kinds.get(str(part), part)})  # fmt: skip
            start += value
    return pd.DataFrame(made).assign(unit="USD a chip", share_unit="%")


def text(data: pd.DataFrame, found: Explanation) -> ChartText:
    """How likely the foundry in place is kept, and what the cheapest would cost."""
    (slot,) = found.slots
    cost = slot.candidates["total"]
    place = slot.next_supplier or slot.supplier
    cheapest = str(cost.idxmin())
    title = (
        f"The next choice keeps {place}, at {_usd(cost[place])} USD a chip, with "
        f"{number(100 * slot.stays, 0)} % probability; "
    )
    title += (
        "no other is cheaper"
        if cheapest == place
        else f"{cheapest}, the cheapest, would cost {_usd(cost.min())} USD"
    )
    each = "; ".join(
        f"{foundry} {_usd(parts['end'].max())} USD, preference "
        f"{parts['preference'].iloc[0]:.1f} %, probability {parts['probability'].iloc[0]:.1f} %"
        for foundry, parts in data.groupby("foundry", sort=False)
    )
    shown = f"{MOST} of {len(cost)} foundries, the likeliest and the cheapest. "
    country = table_label("origins", found.base_origin)
    maker = f"{found.device_label.lower()} of a maker based in {country}"
    chips = table_label("node_classes", slot.node_class)
    return ChartText(
        title,
        f"Maker {found.maker} ({maker}), part {slot.part}, chips of {chips}, "
        f"{found.month}: price, expected duty and switching cost of each foundry, USD a chip; "
        "baseline preference and probability of being chosen, %",
        f"{shown if len(cost) > MOST else ''}Choices depend on costs, on the baseline preference "
        f"(share of choices at base-year costs and sizes) and on the size of a foundry. Scenario: "
        f"{drawable(found.title, found.scenario)}, seed "
        f"{found.seed}.",
        f"{title}. Stacked bars of the cost of candidates: {each}.",
        {capitalised(part.replace("_", " ")): swatch(_colour(kind))
         for part, kind in data.drop_duplicates("part")[["part", "kind"]].to_numpy()},
    )  # fmt: skip


def _usd(value: float) -> str:
    return f"{value:.2f}" if value >= 1 else f"{value:.3f}" if value >= 0.1 else f"{value:.4f}"


def _colour(kind: str) -> str:
    return COLOURS.get(kind) or family_style(INSTRUMENT_FAMILIES.get(kind, "other")).colour


def plot(data: pd.DataFrame, ax: Axes) -> None:
    """A bar for each candidate and, beside it, how likely it is chosen."""
    first = data.drop_duplicates("row")
    axes.name_rows(ax, first["label"])
    axes.bars(ax, data, data["row"], map(_colour, data["kind"]), edgecolor="white", lw=0.7)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("USD a chip →", loc="right")
    for n, column in enumerate(("preference", "probability")):
        _beside(ax, first, column, 10 + n * COLUMN)


def _beside(ax: Axes, first: pd.DataFrame, column: str, left: float) -> None:
    """A column of per cent right of the bars, from `left` points on."""
    wide = points(ax)[0]
    side = ax.inset_axes((1 + left / wide, 0, (COLUMN - 8) / wide, 1))
    side.set_ylim(ax.get_ylim())
    side.set_xlim(0, 2.6 * (first[column].max() or 1.0))  # room for the numbers
    side.set_axis_off()
    side.hlines(first["row"], 0, first[column], color=GAIN, lw=2)
    side.plot(first[column], first["row"], "o", color=GAIN, ms=4, clip_on=False,
              label=shows(x=column))  # fmt: skip
    for value, row in zip(first[column], first["row"], strict=True):
        side.annotate(f"{value:.1f} %", (value, row), size=8, xytext=(6, 0), va="center",
                      textcoords="offset points", annotation_clip=False)  # fmt: skip
    side.annotate(capitalised(column), (0, -0.75), size=8, weight="bold", annotation_clip=False,
                  color=QUIET)  # fmt: skip


CHART = Chart(
    15, "cost_stack", "agent", "Cost stack of one chip choice",
    table, text, plot, lambda data: axes.body(data["row"].nunique()), LEFT, RIGHT,
)  # fmt: skip


def pictures_of(found: Explanation) -> dict[str, Picture]:
    """One picture for each slot of the maker, by node class."""
    return {
        slot.part: replace(picture, name=f"{picture.name}_{slot.part}")
        for slot in found.slots
        for picture in [CHART.picture(replace(found, slots=(slot,)))]
    }


def files_of(found: Explanation) -> dict[str, bytes]:
    """SVG, PNG, CSV and alt text of every slot by file name."""
    made = pictures_of(found).values()
    return {name: data for picture in made for name, data in picture.files().items()}
