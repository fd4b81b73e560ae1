"""`frontier`: what dependence costs, and what a cut-off makes worth paying."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tariffsim.cli.asking import asking, asks, settled, spread
from tariffsim.cli.runs import BASELINE
from tariffsim.cli.screen import CONTEXT, Screen, prose, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from tariffsim.scenario import Scenario

SHOWN = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Yearly probabilities in the table."""


@click.command(context_settings=CONTEXT, short_help="Cost against dependence, by rate.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--rates", default="0:2:0.25", metavar="LOW:HIGH:STEP",
    help="Rates of the tariffs, the first one's unit; default: 0:2:0.25.",
)  # fmt: skip
@click.option(
    "--cutoff", metavar="FILE",
    help="Scenario whose policies cut chips off: adds the best rate by yearly probability.",
)  # fmt: skip
@BASELINE
@asks
def frontier(
    screen: Screen, files: tuple[str, ...], rates: str, cutoff: str | None, baseline: str | None,
    **given: Any,
) -> None:  # fmt: skip
    """Run every scenario over the rate of its tariffs: Chinese share against welfare cost.

    A point is on the frontier if none has no larger share at no higher cost. With --cutoff every
    point is run once more with the policies of that scenario added: the welfare lost is weighed by
    the yearly probability of a cut-off against the yearly cost of the tariff. The break-even
    probability is that cost over the loss saved.

    Examples:
      tariffsim frontier component_50 whole_product_china --rates 0:2:0.1
      tariffsim frontier component_50 --rates 0:1:0.25 --cutoff my_cutoff.yaml --seeds 5
    """
    base, *scenarios = settled([*files, *([cutoff] if cutoff else [])], baseline, given)
    cut = scenarios.pop() if cutoff else None
    steps = _rates(scenarios, rates)
    name = "-".join(("frontier", *(scenario.name for scenario in scenarios)))

    from tariffsim.experiments import frontier as found

    with asking(screen, name, base, **given) as asked:
        named = {base.name: base} | {s.name: s for s in scenarios}
        instruments = {n: s for n, s in named.items() if n != base.name}
        runs = found.frontier(instruments, steps, asked.runs, cut)
        curves = found.curves(runs)
        tables, texts = {"frontier": curves, "frontier_runs": runs}, [_points(curves)]
        if cut is not None:
            tables |= {"break_even": found.break_even(runs), "best_rate": found.optimum(runs)}
            texts += [_pays(tables["break_even"]), _best(found.optimum(runs, SHOWN))]
        data = {n: t.to_dict("records") for n, t in tables.items() if n != "frontier_runs"}
        asked.finish(named, tables, "\n\n".join(texts), data, cutoff=cutoff)


def _rates(scenarios: Sequence[Scenario], rates: str) -> list[float]:
    from tariffsim.experiments.designs import factors_of
    from tariffsim.experiments.strength import rate_key

    found = []
    for scenario in scenarios:
        (factor,) = factors_of(scenario, {rate_key(scenario): rates}, "--rates")
        if len(factor.values) < 2:
            message = "--rates must be LOW:HIGH:STEP, such as 0:2:0.1"
            raise click.UsageError(message, click.get_current_context())
        found = [float(value) for value in factor.values]
    return found


def _points(curves: pd.DataFrame) -> str:
    about = (
        "Chinese share of chips, %, and welfare cost, bn USD a year, by rate; *: on the frontier"
    )
    cells = [
        (row["instrument"], f"{row['rate']:g}{'*' if row['is_on_frontier'] else ' '}",
         *(spread(row[c], row[f"{c}_low"], row[f"{c}_high"], d)
           for c, d in (("share", 1), ("cost", 3), ("cutoff_loss", 2)) if c in row))
        for row in curves.to_dict("records")
    ]  # fmt: skip
    heads = ("", "rate", "share", "cost", "cut-off loss\nbn USD")
    n = len(cells[0])
    return f"{prose(about)}\n\n{table(heads[:n], cells, ' rrrr'[:n])}"


def _pays(rows: pd.DataFrame) -> str:
    about = (
        "Break-even: yearly probability of a cut-off from which a rate pays, its welfare cost "
        "(bn USD a year) over the loss it saves (bn USD); above 1 never, below 0 always"
    )
    cells = [
        (row["instrument"], f"{row['rate']:g}", f"{row['extra_cost']:.3f}",
         f"{row['loss_saved']:.3f}",
         spread(row["probability"], row["probability_low"], row["probability_high"], 3))
        for row in rows.to_dict("records")
    ]  # fmt: skip
    heads = ("", "rate", "cost", "loss saved", "break-even")
    return f"{prose(about)}\n\n{table(heads, cells, ' rrrr')}"


def _best(rows: pd.DataFrame) -> str:
    about = "Rate with the least cost + probability x cut-off loss, and those not told from it"
    cells = [
        (row["instrument"], f"{row['probability']:g}",
         spread(row["rate"], row["rate_low"], row["rate_high"], 2),
         f"{row['expected_cost']:.3f}")
        for row in rows.to_dict("records")
    ]  # fmt: skip
    heads = ("", "probability", "best rate", "cost\nbn USD a year")
    return f"{prose(about)}\n\n{table(heads, cells, ' rrr')}"
