"""Charts of where chips come from and where they go."""

from __future__ import annotations

from dataclasses import replace

from drawing import Panel, bars, listed, look
from importers import of_measures
from runs import Runs

from tariffsim.charts import cost_stack, where_chips_go
from tariffsim.charts.facts import facts_of
from tariffsim.charts.picture import Picture, Words
from tariffsim.choices import SlotChoice
from tariffsim.explanation import Explanation, explain_maker
from tariffsim.simulation import Simulation

MONTH = 18
"""The month of the choice that is shown: July 2026, with the duty in force and half its rate."""
OWED = 0.4
"""Expected duty over price from which an importer is taken to pay the component duty in full."""
CHEAP = 0.5
"""Switching cost over the chip bill of a design's life."""


def origin_rule(runs: Runs) -> Picture:
    """Origin rule: what the same duty does if chips are Chinese by fab, packaging or owner."""
    rules = {"By place of the fab": "fab", "By place of packaging": "packaging",
             "By owner": "owner"}  # fmt: skip
    results = runs.compare(
        {name: runs.scenario("component_50", trade__origin_rule=r) for name, r in rules.items()}
    )
    panels = [
        Panel("cn_share", "Share of chips from fabs in China, %"),
        Panel("policy_revenue", "Duty against no policy, bn USD a year", 2, is_change=True),
        Panel("consumer_cost", "Cost to consumers, bn USD a year", 2, is_change=True),
    ]
    data = of_measures(results, panels, ("policy_revenue", "consumer_cost"))
    by = data.set_index("label")
    avoided = by.loc["No policy", "cn_share"] - by["cn_share"]
    fab, packaging, owner = (by.loc[name] for name in rules)
    title = (
        f"A 50 % duty by place of packaging raises {packaging['policy_revenue']:.1f} bn USD a year "
        f"and avoids {avoided[list(rules)[1]]:.1f} points of chips from China; by place of the fab "
        f"{fab['policy_revenue']:.1f} bn and {avoided[list(rules)[0]]:.1f} points, by owner "
        f"{owner['policy_revenue']:.1f} bn and {avoided[list(rules)[2]]:.1f}"
    )
    facts = facts_of(results)
    words = Words(
        title,
        f"50 % duty on chips that count as Chinese inside what {facts.place} buys; {facts.end}; % "
        "of chips, bn USD a year",
        f"Grey lines: 95 % intervals of the differences from no policy. {facts.source}",
        f"{title}. Bar chart. {listed(data, panels)}.",
        "% of chips",
    )
    looks = {label: look("component") for label in data["label"]} | {"No policy": look("no policy")}
    return bars("origin_rule", data, panels, looks, words)


def makers_choice(runs: Runs) -> Picture:
    """A maker's choice: what each foundry would cost at one slot, and how likely it is chosen."""
    simulation = Simulation(runs.scenario("component_50", run__end="2026-12"), seed=0)
    while simulation.economy.month < MONTH:
        simulation.step()
    found = _undecided(simulation)
    return replace(cost_stack.CHART.picture(found), name="makers_choice")


def _undecided(simulation: Simulation) -> Explanation:
    """Of slots of lines that enter the US and no other market, supplied from China, whose importer
    is to pay the component duty and which are cheap to switch: the one nearest to leaving China."""
    economy, found = simulation.economy, []
    codes, makers = economy.figures.codes, economy.makers
    us = codes.markets.index("US")
    crosses = economy.tariffs.crosses_border[codes.cell(makers.device, makers.origin, us)]
    for maker in range(len(makers)):
        if makers.weights[maker, us] < 1.0 or not crosses[maker]:
            continue
        told = explain_maker(economy, simulation.draws, maker, 0)
        found += [
            replace(told, slots=(slot,))
            for slot in told.slots
            if slot.region == "CN" and _part_due(slot) > OWED and slot.switching_cost < CHEAP
        ]
    return min(found, key=lambda told: abs(told.slots[0].stays_in_region - 0.5))


def _part_due(slot: SlotChoice) -> float:
    """Expected duty on the foundry in place, over its price."""
    (here,) = slot.candidates[slot.candidates["in_place"]].to_dict("records")
    return float(here["expected_duty"] / here["price"])


def resource_shuffling(runs: Runs) -> Picture:
    """Resource shuffling: where the chips go that one market, or three together, keep out."""
    results = runs.compare({
        "The US alone": runs.scenario("component_50"),
        "The US, the EU, Japan and Korea": runs.scenario("component_allied"),
    })  # fmt: skip
    return replace(where_chips_go.CHART.picture(results), name="resource_shuffling")
