"""`frontier`: the cost of lower dependence, and its value in a supply cut-off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from tariffsim.cli.completion import SCENARIO
from tariffsim.cli.experiment import experiment
from tariffsim.cli.options import BASELINE, RunOptions, run_options
from tariffsim.cli.screen import Column, Command, Row, prose, show, usage_error

if TYPE_CHECKING:
    from tariffsim.scenario import Scenario

POINTS = "Chinese share of chips and welfare cost by rate; *: on the frontier"
BREAK_EVEN = (
    "Break-even: yearly probability of a cut-off from which a rate pays, its welfare cost over the "
    "loss it saves; above 1 never, below 0 always"
)
BREAK_EVEN_COLUMNS = ("instrument", "rate", "extra_cost", "loss_saved", "probability")
BEST = (
    "Rate with the lowest cost + probability x cut-off loss, and the range of rates that do not "
    "differ significantly from it"
)
BEST_COLUMNS = ("instrument", "probability", "rate", "expected_cost")
PROBABILITIES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Yearly probabilities in the table of best rates."""


@click.command(cls=Command, order=60, short_help="Cost against dependence, by rate.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=SCENARIO)
@click.option(
    "--rates", default="0:2:0.25", metavar="LOW:HIGH:STEP",
    help="Rates of the tariffs, in the unit of the first one; default: 0:2:0.25.",
)  # fmt: skip
@click.option(
    "--cutoff", metavar="FILE",
    help="Scenario whose policies cut off supply: adds the best rate by yearly probability.",
)  # fmt: skip
@BASELINE
@run_options
def frontier(
    options: RunOptions, files: tuple[str, ...], rates: str, cutoff: str | None,
    baseline: str | None,
) -> None:  # fmt: skip
    """Run every scenario over the rate of its tariffs: Chinese share against welfare cost.

    A point is on the frontier if no other has a smaller share at no higher cost. With --cutoff
    every point is run again with the policies of that scenario added: the welfare lost is weighted
    by the yearly probability of a cut-off and added to the yearly cost of the tariff. The
    break-even probability is that cost over the loss that the tariff saves.

    Examples:
      tariffsim frontier component_50 whole_product_china --rates 0:2:0.1
      tariffsim frontier component_50 --rates 0:1:0.25 --cutoff my_cutoff.yaml --seeds 5
    """
    base, *scenarios = options.load([*files, *([cutoff] if cutoff else [])], baseline)
    cut = scenarios.pop() if cutoff else None
    steps = _rates(scenarios, rates)
    name = "-".join(("frontier", *(scenario.name for scenario in scenarios)))
    asked = (base, *scenarios, *([cut] if cut else []))
    with experiment(options, name, asked, (steps, bool(cut))) as runs:
        from tariffsim.experiments import frontier as analysis

        named = {base.name: base} | {s.name: s for s in scenarios}
        instruments = {n: s for n, s in named.items() if n != base.name}
        by_seed = analysis.frontier(instruments, steps, runs.runner(base), cut)
        tables = {"frontier": analysis.curves(by_seed), "frontier_runs": by_seed}
        columns: list[str | Column] = ["instrument", Column("rate", _marked), "share", "cost"]
        columns += ["cutoff_loss"] if cut else []
        texts = [prose(POINTS), show(tables["frontier"], columns)]
        if cut is not None:
            tables |= {"break_even": analysis.break_even(by_seed),
                       "best_rate": analysis.optimum(by_seed)}  # fmt: skip
            texts += [prose(BREAK_EVEN), show(tables["break_even"], BREAK_EVEN_COLUMNS)]
            texts += [prose(BEST), show(analysis.optimum(by_seed, PROBABILITIES), BEST_COLUMNS)]
        data = {n: t.to_dict("records") for n, t in tables.items() if n != "frontier_runs"}
        results = runs.results(named, tables, cutoff=cutoff)
        runs.finish(results, "\n\n".join(texts), data)


def _marked(row: Row) -> str:
    """The rate, with a mark if the point is on the frontier."""
    return f"{row['rate']:g}{'*' if row['is_on_frontier'] else ' '}"


def _rates(scenarios: Sequence[Scenario], rates: str) -> list[float]:
    from tariffsim.experiments.designs import factors_of
    from tariffsim.experiments.scaling import rate_key

    found = []
    for scenario in scenarios:
        (factor,) = factors_of(scenario, {rate_key(scenario): rates}, "--rates")
        if len(factor.values) < 2:
            raise usage_error("--rates must be LOW:HIGH:STEP, such as 0:2:0.1")
        found = [float(value) for value in factor.values]
    return found
