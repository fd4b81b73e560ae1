"""`sweep` and `sensitivity`: a scenario over values of its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

import click

from tariffsim.cli.completion import SCENARIO
from tariffsim.cli.experiment import experiment
from tariffsim.cli.headline import SHARE, by_metric, change_column, seeds_text, share_change
from tariffsim.cli.options import BASELINE, RunOptions, run_options
from tariffsim.cli.screen import Column, Command, Row, number, prose, short, show, usage_error

if TYPE_CHECKING:
    import pandas as pd

    from tariffsim.record.results import Results
    from tariffsim.scenario import Scenario
    from tariffsim.scenario.run_blocks import Experiment, Value

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
MAX_POINTS, MAX_KEYS = 40, 4
COLUMNS = {
    "tornado": ("at_low", "at_high", "swing"),
    "morris": ("mu_star", "mu", "sigma"),
    "sobol": ("total_order", "first_order"),
}
"""Columns of an analysis of sensitivity, by method."""
MAX_FACTORS = 15


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
@click.argument("file", metavar="FILE", type=SCENARIO)
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
    asked = _design(own).model_copy(update={"vary": _in_any_order(own.experiment.vary)})
    question = (_in_any_order(varied(vary) or {}), asked, design, points)
    what = f"sweep of {own.name}"
    with experiment(options, f"sweep-{own.name}", (base, own), question, what, False) as runs:
        from tariffsim.experiments.sweep import sweep as run_sweep

        results = run_sweep(
            own, base, varied(vary), design, points, options.seeds, options.seed, options.market,
            runs.settings, runs.progress,
        )  # fmt: skip
        data = {n: results.tables[n].to_dict("records") for n in ("points", "sweep")}
        facts = {key: results.provenance.get(key) for key in ("factors", "revenue_peak")}
        runs.finish(results, _text(results), data | facts)


def _design(scenario: Scenario) -> Experiment:
    """What a scenario says about its experiment, but for the number of seeds."""
    return scenario.experiment.model_copy(update={"seeds": None})


def _in_any_order(vary: Mapping[str, str | Sequence[Value]]) -> list[tuple[str, list[str]]]:
    """What each key is varied over, the same for the same points in another order."""
    found = []
    for key, given in vary.items():
        values = given.split(",") if isinstance(given, str) else map(str, given)
        found.append((key, sorted(value.strip() for value in values)))
    return sorted(found)


def _text(results: Results) -> str:
    """One line a point, and where revenue peaks."""
    factors = results.provenance["factors"]
    keys = [factor["key"] for factor in factors]
    parts = [_points_table(results.tables["sweep"], keys)]
    if (peak := results.provenance.get("revenue_peak")) is not None:
        parts.append(prose(_peak(peak, keys[0], factors[0]["unit"])))
    note = (
        f"{seeds_text(results.provenance)} at every point. Share: Chinese share of legacy "
        f"chips in {results.market} purchases, mean of the last 12 months; the others are changes "
        "from the baseline with the same values. n.s.: not statistically significant."
    )
    return "\n\n".join([*parts, prose(note)])


def _points_table(found: pd.DataFrame, keys: Sequence[str]) -> str:
    if found.empty:
        return "no point could be run"
    points = list(by_metric(found, "point").values())
    shown = keys if len(keys) <= MAX_KEYS else ["point"]
    columns = [
        *(_key_column(key, shown) for key in shown),
        SHARE,
        Column("Change pp [95 %]", share_change),
        *(change_column(metric, points) for metric in SHOWN),
    ]
    table = show(points[:MAX_POINTS], columns)
    more = len(points) - MAX_POINTS
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


@click.command(cls=Command, order=50, short_help="Which assumptions a result depends on.")
@click.argument("file", metavar="FILE", type=SCENARIO)
@click.option(
    "--method", type=click.Choice(list(COLUMNS)), default="tornado", metavar="NAME",
    help="One at a time, low and high (tornado, the default), or all together: morris screens, "
    "sobol splits the variance; the latter two need the extra `sensitivity`.",
)  # fmt: skip
@click.option(
    "--metric", default="cn_share", metavar="NAME",
    help="The result; default: cn_share. See: tariffsim list metrics.",
)  # fmt: skip
@click.option(
    "--points", type=click.IntRange(2, 100_000), metavar="N",
    help="Trajectories of morris (10), or base points of sobol (64), a power of two.",
)  # fmt: skip
@VARY
@BASELINE
@run_options
def sensitivity(
    options: RunOptions, file: str, method: Any, metric: str, points: int | None,
    vary: tuple[str, ...], baseline: str | None,
) -> None:  # fmt: skip
    """Rank the assumptions by how far they move the effect of a scenario.

    The effect is the paired difference from the baseline, which gets the same values. Every
    assumption with a plausible range is varied, or those of --vary; figures of a data table move
    together, all from low to high. Runs of the scenario: tornado 2 for each assumption, morris
    points x (assumptions + 1), sobol points x (assumptions + 2), times --seeds (5).

    Examples:
      tariffsim sensitivity component_50 --seeds 3
      tariffsim sensitivity component_50 --metric welfare --vary sourcing.elasticity=3:6
      tariffsim sensitivity component_50 --method sobol --vary sourcing.elasticity --points 16
    """
    base, own = options.load([file], baseline)
    question = (sorted(vary), _design(own), method, metric, points)
    with experiment(
        options, f"sensitivity-{own.name}", (base, own), question, has_seeds=False
    ) as runs:
        from tariffsim.experiments.sensitivity import sensitivity as analyse

        results = analyse(
            own, base, method, metric, varied(vary), points, options.seeds, options.seed,
            options.market, runs.settings, runs.progress,
        )  # fmt: skip
        found = results.tables["sensitivity"]
        words = f"{_factors_table(found, method)}\n\n{prose(_notes(results.provenance, found))}"
        data = {"method": method, "metric": metric, "factors": results.provenance["factors"],
                "sensitivity": found.to_dict("records")}  # fmt: skip
        runs.finish(results, words, data)


def _factors_table(found: pd.DataFrame, method: str) -> str:
    columns: list[str | Column] = ["factor", Column("range", _range), *COLUMNS[method]]
    table = show(found.head(MAX_FACTORS), columns)
    more = len(found) - MAX_FACTORS
    return f"{table}\n... {more} weaker ones: see sensitivity.csv" if more > 0 else table


def _range(row: Row) -> str:
    return f"{short(row['low_end'])} to {short(row['high_end'])}"


def _notes(facts: Mapping[str, Any], found: pd.DataFrame) -> str:
    from tariffsim.record.dictionary import metrics

    known = metrics()[facts["metric"]]
    unit = "pp" if known.unit == "%" else known.unit
    units = "shares of the variance" if facts["method"] == "sobol" else unit
    central = (
        f" Central case: {found['central'].iloc[0]:+.2f} {unit}." if "central" in found else ""
    )
    names = [str(name) for name in found["factor"].head(3)]
    return (
        f"The {len(names)} assumptions that matter most: {', '.join(names)}.{central} Result: "
        f"{known.label}, change from the baseline with the same values ({units}); "
        f"{seeds_text(facts)}. A range of -1 to 1 is that of a column of a table: all low, central "
        "case at 0, all high."
    )


def in_words(found: pd.DataFrame, seeds: int) -> str:
    """The three assumptions that matter most to each of several scenarios."""
    lines = [
        "The three assumptions that matter most to the change of the Chinese share, pp, at their "
        f"low and high ends ({seeds} seeds):"
    ]
    for name, rows in found.groupby("scenario", sort=False):
        top = "; ".join(
            f"{row['factor']} {_range(row)}: {number(row['at_low'], 1, '+')} to "
            f"{number(row['at_high'], 1, '+')}"
            for row in rows.head(3).to_dict("records")
        )
        lines.append(f"{name} ({number(rows['central'].iloc[0], 1, '+')}): {top}.")
    return prose(*lines)
