"""`sweep`: one scenario at the points of a design, each compared with the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

import click

from tariffsim.cli.experiment import experiment, with_charts
from tariffsim.cli.headline import SHARE, by_metric, change_column, seeds_text, share_change
from tariffsim.cli.options import BASELINE, RunOptions, run_options
from tariffsim.cli.screen import Command, prose, usage_error
from tariffsim.cli.tables import Column, short, show

if TYPE_CHECKING:
    import pandas as pd

    from tariffsim.record.results import Results

VARY = click.option(
    "--vary", "vary", multiple=True, metavar="KEY[=VALUES]",
    help="What is varied; may be repeated for several keys. VALUES are a,b,c or start:stop:step "
    "(both included), or low:high for designs over ranges; KEY alone takes its plausible range. "
    "For a policy over time the value is the last level, and earlier steps keep their proportion. "
    "figures.devices.*.chip_content moves all devices together, from -1 (low) over 0 (central) "
    "to 1 (high).",
)  # fmt: skip
SHOWN = ("basket_price", "policy_revenue", "consumer_surplus_loss", "welfare")
"""Metrics shown besides the Chinese share."""
MAX_ROWS, MAX_KEYS = 40, 4


def varied(vary: Sequence[str]) -> dict[str, str] | None:
    """Keys and what they are varied over; None without --vary."""
    found: dict[str, str] = {}
    for given in vary:
        key, equals, values = given.partition("=")
        if key.strip() in found:
            raise usage_error(f"--vary {key.strip()} is given twice")
        found[key.strip()] = values.strip() if equals else "range"
    return found or None


@click.command(cls=Command, order=40, short_help="Run a scenario over values of its parameters.")
@click.argument("file", metavar="FILE")
@click.option(
    "--design", type=click.Choice(["grid", "lhs", "sobol"]), metavar="NAME",
    help="All combinations (grid, the default), a Latin hypercube (lhs) or a Sobol sequence.",
)  # fmt: skip
@click.option(
    "--points", type=click.IntRange(1, 1_000_000), metavar="N", help="Points of lhs or sobol."
)
@VARY
@BASELINE
@run_options
def sweep(
    options: RunOptions, file: str, design: str | None, points: int | None, vary: tuple[str, ...],
    baseline: str | None,
) -> None:  # fmt: skip
    """Run a scenario, and the baseline with the same values, at every point of a design.

    What is left out is taken from the `experiment` block of FILE. A point at which no scenario is
    valid is reported as a failure (exit code 4), and the others are run. Tables, and the curve
    where one number is varied, go to results/sweep-NAME unless --out names another folder.

    Examples:
      tariffsim sweep component_50 --vary policies.component_tariff.rate=0:2:0.1 --seeds 5
      tariffsim sweep component_50 --vary sourcing.elasticity=2,4,8 --vary supply.learning=0.03,0.2
      tariffsim sweep component_50 --vary sourcing.elasticity --design lhs --points 20
      tariffsim sweep my_sweep.yaml --out results/mine
    """
    base, own = options.load([file], baseline)
    with experiment(options, f"sweep-{own.name}") as runs:
        from tariffsim.experiments.sweep import sweep as run_sweep

        results = run_sweep(
            own, base, varied(vary), design, points, options.seeds, options.seed, options.market,
            runs.settings, runs.progress,
        )  # fmt: skip
        data = {n: results.tables[n].to_dict("records") for n in ("points", "sweep")}
        facts = {key: results.provenance.get(key) for key in ("factors", "revenue_peak")}
        runs.finish(with_charts(results), _text(results), data | facts)


def _text(results: Results) -> str:
    """One line a point, and where revenue peaks."""
    factors = results.provenance["factors"]
    keys = [factor["key"] for factor in factors]
    parts = [_table(results.tables["sweep"], keys)]
    if (peak := results.provenance.get("revenue_peak")) is not None:
        parts.append(prose(_peak(peak, keys[0], factors[0]["unit"])))
    note = (
        f"{seeds_text(results.provenance)} at every point. Share: Chinese share of legacy "
        f"chips in {results.market} purchases, mean of the last 12 months; the others are changes "
        "from the baseline with the same values. n.s.: not statistically significant."
    )
    return "\n\n".join([*parts, prose(note)])


def _table(found: pd.DataFrame, keys: Sequence[str]) -> str:
    if found.empty:
        return "no point could be run"
    points = list(by_metric(found, "point").values())
    shown = keys if len(keys) <= MAX_KEYS else ["point"]
    columns = [
        *(_key_column(key, shown) for key in shown),
        SHARE,
        Column("Change [95 %]\npp", share_change),
        *(change_column(metric, points) for metric in SHOWN),
    ]
    table = show(points[:MAX_ROWS], columns)
    more = len(points) - MAX_ROWS
    return f"{table}\n... {more} more points: see sweep.csv" if more > 0 else table


def _key_column(key: str, keys: Sequence[str]) -> Column:
    """The values of a key, under its last part where that is unique."""
    name = key.rpartition(".")[2]
    is_unique = [other.rpartition(".")[2] for other in keys].count(name) == 1
    head = name if is_unique else key.replace(".", ".\n")
    return Column(head, lambda row: short(row["cn_share"][key]))


def _peak(peak: Mapping[str, Any], key: str, unit: str) -> str:
    """Where revenue peaks, in words."""
    if not peak["is_inside"]:
        return (
            f"New duty revenue has no peak within the range: it is highest at its end, {key} = "
            f"{peak['at']:g}."
        )
    interval = f" [95 %: {peak['low']:.2f}, {peak['high']:.2f}]"
    if isnan(peak["low"]):
        interval = "; no interval, as the peak of some seeds may be outside the range"
    return (
        f"New duty revenue peaks at {key} = {peak['at']:.2f} ({unit}){interval}; it is "
        f"{peak['level']:.2f} bn USD a year there."
    )
