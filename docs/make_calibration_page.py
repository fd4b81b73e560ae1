"""Write calibration.md and its picture from the stored calibration; run it when that is remade."""

from __future__ import annotations

import json
import math
import runpy
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from tariffsim.charts.picture import house_style
from tariffsim.charts.style import QUIET
from tariffsim.validation.calibrate import FOLDER as STORED
from tariffsim.validation.calibrate import LAST_YEARS, STEP
from tariffsim.validation.estimated import (
    CIRCUITS,
    DISCRETES,
    FOOTLOOSE_CONSUMER,
    FOOTLOOSE_OTHER,
    SMALL_PARTS,
    values_at,
)

HERE = Path(__file__).resolve().parent
PAGE, PICTURE = HERE / "calibration.md", HERE / "calibration.svg"
table = runpy.run_path(str(HERE / "make_data_page.py"))["table"]
NAMES = {
    FOOTLOOSE_CONSUMER: "`footloose_share`, consumer, computing, appliance",
    FOOTLOOSE_OTHER: "`footloose_share`, other sectors",
    CIRCUITS: "`commodity_share`, mean of classes A to C",
    DISCRETES: "`commodity_share`, class D",
    SMALL_PARTS: "`parts`, class D",
}
TEXT = """# Calibration

The defaults of the parameters below come from here. They make the model's moments as near as they
get to published ones, within the plausible range of each parameter. `python3 tasks.py
calibrate` remakes all of it in half an hour on two cores, with {points:,} runs of the model;
`python docs/make_calibration_page.py` writes this page from what is stored.

## How

Simulated method of moments (McFadden 1989; Duffie and Singleton 1993). *Moments*: the rows of
`validation_public.csv` that may be fitted (V1, V2, V5, V6, V8, V10, V13, V19, V21), and the
yearly shares of China and Vietnam in imports from China, Vietnam and Mexico by device group, 2018
to 2024, as changes from 2017 (no drones, no Vietnamese electric cars; smartphones until 2021:
their codes are new or changed). V1, V2, V19, V21 and the shares are from one run from January
2017 with Section 301 as announced and in force (`hindcast_2017`), V5, V6, V8 and V10 from small
markets with the model's own assembly, V13 from the base year of the baseline.

*Weights* are the moments' own uncertainty. A row's range counts as four standard errors. The
error of a share is the root mean square of its yearly changes before the tariffs, pooled over
groups; it grows with the root of time, and the moments of one series are a random walk, so that
each year counts for what is new in it. Nothing else weighs, and no row marked `test` is looked
at.

*Search*: {design} points of a Sobol' design over the whole space. A smooth surface through the
moments of all points (thin-plate spline, `scipy.interpolate.RBFInterpolator`) says where the sum
of squares is lowest (`scipy.optimize.least_squares`); the model is run there and around, and the
surface is made again, {rounds} times. Then steps of {step:g} of a range along single parameters,
until none is better. Every point has the same draws, with 4,000 lines: with 2,000 the search
fitted more chance, and its objective was 120 to 240 higher with any other draws.

The objective is {objective:,.0f} (in the middle of all ranges {before:,.0f}; with other draws
{others}: some of the gain is chance of these draws). Most of it no parameter can move:
{fixed:.0f} % is China's share in electric cars, which rose and fell within years as single models
came and went. The figures below are those of one run with 4,000 lines; [validation](validation.md)
has means of several runs with the default of 1,200, in which single rows differ.

## Estimates

The standard error is that of the sandwich formula, with the errors of the moments and the chance
of the simulation. It says how well the moments tell a parameter, given the model; where it is
wider than the range or about as wide, they say nothing, and the estimate is where the search came
to rest. *At* names the end of the range that the estimate touches: it is kept, with the error of
an estimate without ends, and what is missed because of it stands below.

{estimates}
![The objective along each parameter](calibration.svg)

The strongest correlations of the estimates: {correlations}.

## Which moment moves which parameter

The change of an estimate, in per cent of its range, if the moments of an id were off by one more
standard error each (Andrews, Gentzkow and Shapiro 2017; root of the sum of squares over the
moments).

{sensitivity}
## Fitted and missed

| id | moments | inside their range | share of the objective |
|---|---|---|---|
{by_id}

{missed}
What stands in the way:

- **V19**, importers that keep their supplier: the bound on `sourcing.elasticity`. V1 and V2 call
  for all the substitution that the ranges allow, so that it and `sourcing.opening_factor` are at
  their high ends. With a higher elasticity fewer slots would have to open for the same fall, and
  more suppliers would be kept: a trial beyond the range, 14 with an opening factor of 1.2, brings
  V19 inside.
- **V1** in its last years, by the same bound: it goes on falling in the data and levels off in the
  model. The same trial brings these years inside too.
- **V10**, parts of computers, left China faster than other goods with the same tariff. It passes
  with `assembly.shift_cost` at its low end, and nearly with `assembly.elasticity` at its high end;
  then V5 fails, as all other goods leave too fast.
- **V21** counts dollars of a whole sector. The model has a part of it, in which other countries'
  new factories are not bigger than those they had; the boom of servers and the growth of imports
  from Vietnam beyond that of the groups are outside it.

## Fitted on 2018-2021 alone

The same with moments that were known by the end of 2021, for the test of what followed
([validation](validation.md)).

{to_2021}
"""


def number(value: float) -> str:
    """Three significant digits."""
    return f"{value:.3g}" if math.isfinite(value) else ""


def name(parameter: str, key: str = "") -> str:
    """A parameter, or one of its figures, as the page names it."""
    if parameter == CIRCUITS and key:
        return f"`commodity_share`, class {key.split('.')[2]}"
    return NAMES.get(parameter, f"`{parameter}`")


def estimates(rows: pd.DataFrame) -> str:
    """Values, standard errors and ranges."""
    return table(
        ["parameter", "estimate", "standard error", "range", "at"],
        (
            [name(row.parameter, row.key), number(row.value), number(row.std_error),
             f"{number(row.low)} to {number(row.high)}",
             "" if pd.isna(row.at_bound) else row.at_bound]
            for row in rows.itertuples()
        ),
    )  # fmt: skip


def strongest(correlation: pd.DataFrame, found: pd.DataFrame, most: int = 4) -> str:
    """The largest correlations, in words."""
    of = dict(zip(correlation, found["parameter"], strict=True))
    keys = list({parameter: key for key, parameter in of.items()}.values())
    pairs = [(of[a], of[b], correlation.loc[a, b]) for a, b in combinations(keys, 2)]
    pairs.sort(key=lambda pair: -abs(pair[2]))
    return "; ".join(f"{name(a)} and {name(b)} {value:+.2f}" for a, b, value in pairs[:most])


def by_id(moments: pd.DataFrame) -> str:
    """Moments of each id: how many, how many inside, and their share of the objective."""
    groups = moments.groupby(moments["moment"].str.split(r"[. ]").str[0], sort=False)
    lines = []
    for group, rows in groups:
        judged = rows["is_inside"].dropna()
        inside = (
            f"{int((judged.astype(str) == 'True').sum())} of {len(judged)}" if len(judged) else ""
        )
        share = 100 * rows["share_of_objective"].sum()
        lines.append(f"| {group} | {len(rows)} | {inside} | {share:.1f} % |")
    return "\n".join(lines)


def missed(moments: pd.DataFrame) -> str:
    """Rows outside their range."""
    rows = moments[moments["is_inside"].astype(str) == "False"]
    return table(
        ["missed", "published", "model", "standard errors"],
        ([row.moment, number(row.published), number(row.model), f"{row.miss:+.1f}"]
         for row in rows.itertuples()),
    )  # fmt: skip


def draw(profiles: pd.DataFrame, estimate: Mapping[str, float], least: float) -> None:
    """The objective along each parameter, the others at the estimate."""
    keys = list(dict.fromkeys(profiles["key"]))
    with house_style():
        figure, axes = plt.subplots(math.ceil(len(keys) / 3), 3, figsize=(9, 2.0 * len(keys) / 3))
        for ax, key in zip(axes.flat, keys, strict=False):
            at = profiles[profiles["key"] == key]
            above = dict(zip(at["value"], at["objective"] - least, strict=True))
            above[estimate[key]] = 0.0
            ax.plot(sorted(above), [above[x] for x in sorted(above)], marker="o", markersize=3)
            ax.axvline(estimate[key], color=QUIET, linestyle="--", linewidth=1)
            ax.set_title(name(key).replace("`", ""), fontsize=8, loc="left")
            ax.tick_params(labelsize=7)
        for ax in list(axes.flat)[len(keys) :]:
            ax.remove()
        figure.suptitle(
            "Objective above its least value, along one parameter at a time (dashed: the estimate)",
            fontsize=9, x=0.01, ha="left",
        )  # fmt: skip
        figure.tight_layout(rect=(0, 0, 1, 0.98))
        figure.savefig(PICTURE, metadata={"Date": None})
        plt.close(figure)


def page() -> str:
    """The text of the page."""
    about = json.loads((STORED / "calibration.json").read_text("utf-8"))
    found = pd.read_csv(STORED / "estimates.csv")
    moments = pd.read_csv(STORED / "calibration_moments.csv")
    cars = moments["moment"].str.startswith("share electric_car")
    sensitivity = 100 * pd.read_csv(STORED / "calibration_sensitivity.csv", index_col=0)
    return TEXT.format(
        points=about["points"], design=about["design"], rounds=about["rounds"], step=STEP,
        objective=about["objective"], before=about["objective_in_the_middle"],
        others=", ".join(f"{value:,.0f}" for value in about["objective_with_other_draws"]),
        fixed=100 * moments.loc[cars, "share_of_objective"].sum(),
        estimates=estimates(found),
        correlations=strongest(
            pd.read_csv(STORED / "estimates_correlation.csv", index_col=0), found
        ),
        sensitivity=table(["parameter", *sensitivity], (
            [name(str(key)), *(f"{value:.1f}" for value in row)]
            for key, row in zip(sensitivity.index, sensitivity.to_numpy(), strict=True)
        )),
        by_id=by_id(moments), missed=missed(moments),
        to_2021=estimates(pd.read_csv(STORED / "estimates_to_2021.csv")),
    )  # fmt: skip


def main() -> None:
    """Write the page and its picture."""
    about = json.loads((STORED / "calibration.json").read_text("utf-8"))
    estimate = values_at(np.array(about["positions"]))
    draw(pd.read_csv(STORED / "calibration_profiles.csv"), estimate, about["objective"])
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    assert set(LAST_YEARS) == {"all", "to_2021"}
    main()
