"""`sweep`: one scenario at many points, each in a pair with the baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tariffsim.cli.engine import end_with, making_runs
from tariffsim.cli.numbers import change_of, decimals_of, number_of, with_interval
from tariffsim.cli.runs import BASELINE, DETAILS, RUN_OPTIONS, check_market
from tariffsim.cli.scenarios import load_with_baseline, with_common_settings
from tariffsim.cli.screen import CONTEXT, Screen, prose, table

if TYPE_CHECKING:
    from tariffsim.experiments.ensemble import Progress, Settings
    from tariffsim.record.results import Results
    from tariffsim.scenario import Scenario

VARY_HELP = (
    "What is varied; several times for several keys. VALUES are a,b,c or start:stop:step (both "
    "included), or low:high for designs that fill a range; KEY alone takes its plausible range. "
    "Of a policy over time the value is the last level, and earlier steps keep their proportion. "
    "figures.devices.*.chip_content moves all devices together, from -1 (low) over 0 (as they are) "
    "to 1 (high)."
)
VARY = click.option("--vary", "vary", multiple=True, metavar="KEY[=VALUES]", help=VARY_HELP)
SHOWN = {
    "cn_share": "Change [95 %]\npoints", "basket_price": "Basket\nprice\npoints",
    "policy_revenue": "New duty\nrevenue\nbn USD",
    "consumer_surplus_loss": "Consumer\ncost\nbn USD",
    "welfare": "\nWelfare\nbn USD",
}  # fmt: skip
MOST_ROWS, MOST_KEYS = 40, 4


def at_points(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of all commands that run a scenario at many points."""
    for option in reversed([VARY, BASELINE, *(o for o in RUN_OPTIONS if o is not DETAILS)]):
        function = option(function)
    return function


@dataclass(frozen=True)
class Runs:
    """A scenario and its baseline as they are to be run, and how."""

    own: Scenario
    base: Scenario
    settings: Settings
    progress: Progress
    place: Path
    screen: Screen
    is_kept: bool
    """Whether finished runs are kept for good."""

    def finish(self, results: Results, text: str, data: Mapping[str, Any]) -> None:
        """Save results with their charts, print what was found, name what failed."""
        from tariffsim.charts import draw_all
        from tariffsim.experiments.store import discard

        results.files |= draw_all(results, "experiment")
        results.save(self.place)
        failures = results.provenance["failures"]
        if self.settings.store and not (failures or self.is_kept):
            discard(self.settings.store)
        kept = ("seeds", "scenario_hashes", "data_hash", "factors", "failures")
        facts = {"market": results.market, "baseline": results.baseline, "folder": str(self.place),
                 "confidence": 0.95} | {key: results.provenance[key] for key in kept}  # fmt: skip
        if self.screen.is_json:
            self.screen.remark(text)
        self.screen.show(text, facts | dict(data))
        self.screen.remark(f"\nResults: {self.place}")
        end_with(failures)


@contextmanager
def running(
    screen: Screen, what: str, file: str, *, baseline: str | None, out: str | None, market: str,
    settings: Sequence[str], **engine: Any,
) -> Iterator[Runs]:  # fmt: skip
    """Hold the folder of results and say how runs are made."""
    base, own = with_common_settings(load_with_baseline([file], baseline), settings)
    check_market(market, base)
    folder = Path("results", f"{what}-{own.name}") if out is None else Path(out)

    from tariffsim.record.results import writing_to

    with writing_to(folder) as place, making_runs(screen, f"running {what} of {own.name}", place,
                                                   **engine) as (made, progress):  # fmt: skip
        yield Runs(own, base, made, progress, place, screen, bool(engine["store"]))


def asked(vary: Sequence[str]) -> dict[str, str] | None:
    """Keys and what they are varied over; None if nothing is said."""
    found: dict[str, str] = {}
    for text in vary:
        key, equals, values = text.partition("=")
        if key.strip() in found:
            message = f"--vary {key.strip()} is there twice"
            raise click.UsageError(message, click.get_current_context())
        found[key.strip()] = values.strip() if equals else "range"
    return found or None


@click.command(context_settings=CONTEXT, short_help="Run a scenario over values of its numbers.")
@click.argument("file", metavar="FILE")
@click.option(
    "--design", type=click.Choice(["grid", "lhs", "sobol"]), metavar="NAME",
    help="All combinations (grid, the default), a Latin hypercube (lhs) or a Sobol sequence.",
)  # fmt: skip
@click.option(
    "--points", type=click.IntRange(1, 1_000_000), metavar="N", help="Points of lhs or sobol."
)
@at_points
def sweep(
    screen: Screen, file: str, design: str | None, points: int | None, vary: tuple[str, ...],
    seeds: int | None, seed: int | None, market: str, **given: Any,
) -> None:  # fmt: skip
    """Run a scenario, and the baseline with the same values, at every point of a design.

    What is not said here comes from the `experiment` block of FILE. A point of which no scenario
    can be made is kept as a failure (exit code 4), and the others are run. Tables, and the curve
    where one number is varied, go to results/sweep-NAME unless --out names another folder.

    Examples:
      tariffsim sweep component_50 --vary policies.component_tariff.rate=0:2:0.1 --seeds 5
      tariffsim sweep component_50 --vary sourcing.elasticity=2,4,8 --vary supply.learning=0.03,0.2
      tariffsim sweep component_50 --vary sourcing.elasticity --design lhs --points 20
      tariffsim sweep my_sweep.yaml --out results/mine
    """
    with running(screen, "sweep", file, market=market, **given) as runs:
        from tariffsim.experiments.sweep import sweep as run_sweep

        results = run_sweep(
            runs.own, runs.base, asked(vary), design, points, seeds, seed, market, runs.settings,
            runs.progress,
        )  # fmt: skip
        names = {n: results.tables[n].to_dict("records") for n in ("points", "sweep")}
        peak = results.provenance.get("revenue_peak")
        runs.finish(results, _text(results), names | {"revenue_peak": peak})


def _text(results: Results) -> str:
    """One line a point, and where revenue peaks."""
    factors = results.provenance["factors"]
    keys = [factor["key"] for factor in factors]
    lines = [_lines(results, keys)]
    if (peak := results.provenance.get("revenue_peak")) is not None:
        lines.append(prose(_peak(peak, keys[0], factors[0]["unit"])))
    note = (
        f"{seeds_said(results.provenance)} at every point. Share: Chinese share of "
        f"foundational chips in {results.market} purchases, mean of the last 12 months; the others "
        "are changes from the baseline with the same values. n.d.: not distinguishable."
    )
    return "\n\n".join([*lines, prose(note)])


def seeds_said(facts: Mapping[str, Any]) -> str:
    """How many replications, and which."""
    first, last = facts["seeds"]
    return f"{last - first + 1} seeds ({first} to {last})" if last > first else f"1 seed ({first})"


def _lines(results: Results, keys: Sequence[str]) -> str:
    found = results.tables["sweep"]
    if found.empty:
        return "no point could be run"
    by_point: dict[int, dict[str, Any]] = {}
    for row in found.to_dict("records"):
        by_point.setdefault(int(row["point"]), {})[str(row["metric"])] = row
    shown = keys if len(keys) <= MOST_KEYS else ["point"]
    decimals = {m: decimals_of(rows[m]["difference"] for rows in by_point.values()) for m in SHOWN}
    cells = []
    for rows in list(by_point.values())[:MOST_ROWS]:
        share = rows["cn_share"]
        changes = [change_of(rows[m], decimals[m]) for m in SHOWN if m != "cn_share"]
        cells.append([*(_value(share[key]) for key in shown), number_of(share["level"], 1),
                      with_interval(change_of(share, 1), share, 1), *changes])  # fmt: skip
    heads = [*(_short(key, shown) for key in shown), "Share\n%", *SHOWN.values()]
    text = table(heads, cells, "r" * len(heads))
    more = len(by_point) - MOST_ROWS
    return f"{text}\n... {more} more points: see sweep.csv" if more > 0 else text


def _short(key: str, keys: Sequence[str]) -> str:
    """The last part of a key where that is enough to tell it from the others."""
    last = [other.rpartition(".")[2] for other in keys]
    name = key.rpartition(".")[2]
    return name if last.count(name) == 1 else key.replace(".", ".\n")


def _value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _peak(peak: Mapping[str, Any], key: str, unit: str) -> str:
    """Where revenue peaks, in words."""
    if not peak["is_inside"]:
        return (
            f"New duty revenue does not peak within the range: it is highest at its end, {key} = "
            f"{peak['at']:g}."
        )
    ends = f" [95 %: {peak['low']:.2f}, {peak['high']:.2f}]"
    if isnan(peak["low"]):
        ends = ", for some seeds perhaps beyond the range: no interval"
    said = f"New duty revenue peaks at {key} = {peak['at']:.2f} ({unit}){ends}"
    return f"{said}; it is {peak['level']:.2f} bn USD a year there."
