"""Charts of where chips come from and where they go."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from drawing import Panel, bars, described, of_metrics
from runs import Runs

from tariffsim.charts import cost_stack, dots
from tariffsim.charts.context import chart_context
from tariffsim.charts.picture import Picture
from tariffsim.charts.style import family_style
from tariffsim.explain import Explanation, explain_maker
from tariffsim.explain.slot import SlotChoice
from tariffsim.simulation import Simulation

MONTH = 18
"""The month of the choice that is shown: July 2026, with the duty in force and half its rate."""
OWED = 0.35
"""Expected component duty over price from which an importer is assumed to pay it in full."""
CHEAP = 1.5
"""Switching cost over the chip bill of a design's life."""


def origin_rule(runs: Runs) -> Picture:
    """Origin rule: effects of the same duty if chips are Chinese by fab, packaging or owner."""
    rules = {"By place of the fab": "fab", "By place of packaging": "packaging",
             "By owner": "owner"}  # fmt: skip
    found = {
        name: runs.compare(
            {name: runs.scenario("component_50", trade__origin_rule=r)},
            runs.scenario(trade__origin_rule=r),
        )
        for name, r in rules.items()
    }
    panels = [
        Panel("cn_share", "Chips from fabs in China, pp of share", 1, is_change=True),
        Panel("policy_revenue", "Duty against no policy, bn USD a year", 2, is_change=True),
        Panel(
            "consumer_surplus_loss", "Loss of consumer surplus, bn USD a year", 2, is_change=True
        ),
    ]
    changes = [panel.column for panel in panels]
    tables = [of_metrics(results, panels, changes)[1:] for results in found.values()]
    data = pd.concat(tables, ignore_index=True)
    by = data.set_index("label")
    by["reduction"] = -by["cn_share"]
    fab, packaging, owner = (by.loc[name] for name in rules)
    title = (
        f"A 50 % duty by place of packaging raises {packaging['policy_revenue']:.1f} bn USD a year "
        f"and reduces the share of chips from China by {packaging['reduction']:.1f} pp; by place "
        f"of the fab {fab['policy_revenue']:.1f} bn and {fab['reduction']:.1f} pp, by owner "
        f"{owner['policy_revenue']:.1f} bn and {owner['reduction']:.1f} pp"
    )
    context = chart_context(found["By owner"])
    text = context.text(
        title,
        f"50 % duty on chips that count as Chinese inside products bought in {context.place}; "
        f"{context.end}; percentage points (pp) of share, bn USD a year",
        "Against no policy under the same rule, with 95 % intervals of the differences.",
        f"Bar chart. {described(data, panels)}",
    )
    styles = dict.fromkeys(data["label"], family_style("component"))
    return bars("origin_rule", data.assign(unit="bn USD a year"), panels, styles, text)


def makers_choice(runs: Runs) -> Picture:
    """A maker's choice: what each foundry would cost at one slot, and how likely it is chosen."""
    simulation = Simulation(runs.scenario("component_50", run__end="2026-12"), seed=0)
    while simulation.economy.month < MONTH:
        simulation.step()
    found = _undecided(simulation)
    return replace(cost_stack.CHART.picture(found), name="makers_choice")


def _undecided(simulation: Simulation) -> Explanation:
    """The slot nearest to an even chance of keeping its Chinese foundry.

    Of lines that enter the US and no other market, where the importer is to pay the component duty
    and a switch costs at most CHEAP.
    """
    economy, found = simulation.economy, []
    codes, makers = economy.constants.codes, economy.makers
    us = codes.markets.index("US")
    cells = codes.cell(makers.device, makers.origin[:, us], us)
    crosses = economy.tariff_schedule.crosses_border[cells]
    for maker in range(makers.n_lines):
        if makers.weights[maker, us] == 1.0 and crosses[maker]:
            line = explain_maker(economy, simulation.draws, maker, 0)
            found += [replace(line, slots=(slot,)) for slot in line.slots if _owes(slot)]
    return min(found, key=lambda line: abs(line.slots[0].stays - 0.5))


def _owes(slot: SlotChoice) -> bool:
    """Whether the component duty falls on the Chinese foundry in place at a slot."""
    (here,) = slot.candidates.index[slot.candidates["in_place"]]
    duty = slot.duties.get("component_tariff", 0.0 * slot.candidates["price"])[here]
    is_taxed = duty > OWED * slot.candidates["price"][here]
    return bool(slot.region == "CN" and is_taxed and slot.switching_cost < CHEAP)


def resource_shuffling(runs: Runs) -> Picture:
    """Resource shuffling: where Chinese chips go when one market, or three together, buy fewer."""
    results = runs.compare({
        "The US alone": runs.scenario("component_50"),
        "The US, the EU, Japan and Korea": runs.scenario("component_allied"),
    })  # fmt: skip
    return replace(dots.MARKETS.picture(results), name="resource_shuffling")
