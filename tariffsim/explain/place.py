"""Why a flow is assembled where it is: plants, what each country costs, the duty that moves it.

All of it is the model's own choice (MODEL 4.3), read from an economy that has seen the month.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tariffsim.behaviour.assembly import (
    base_landed_cost,
    expected_duty,
    product_elsewhere,
    race_times,
)
from tariffsim.behaviour.prices_and_demand import upkeep
from tariffsim.kernels.assembly import duty_to_shift, landed_factor, moving_factor
from tariffsim.kernels.sums import over_slots, total, weighted_sum
from tariffsim.state.constants import SHIFT
from tariffsim.state.economy import Economy
from tariffsim.typing import Float, Int, format_month

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PlaceChoice:
    """One flow of a line: where it is assembled, and what other countries would cost."""

    market: str
    origin: str
    base_origin: str
    shifting_to: str | None
    """Country that its orders are shifting to."""
    arrives: str | None
    """Month from which it is assembled there."""
    plants: dict[str, int]
    """Plants of the maker by country."""
    building_in: str | None
    shift_cost: float
    """Cost of a shift, fraction of a year's customs value."""
    plant_cost: float
    """Cost of a plant, fraction of a year's customs value."""
    candidates: pd.DataFrame
    """One row a country that the maker may go to, see `countries_of`."""
    duty_to_shift: float
    """Further duty on products from the country in place, over their landed cost, from which its
    orders shift to another plant when they are next looked at; infinite without another plant, zero
    or below where they would shift already."""


def explain_places(economy: Economy, maker: int) -> tuple[PlaceChoice, ...]:
    """The flows of a line after the month that the economy has seen."""
    flows, makers, codes = economy.flows, economy.makers, economy.constants.codes
    rules, start = economy.scenario.assembly, economy.scenario.run.start
    found = []
    has_plants = np.flatnonzero(makers.plants[maker])
    for flow in np.flatnonzero(flows.line == maker):
        moving, building = flows.arrival_month[flow] >= 0, makers.plant_month[maker] >= 0
        table = countries_of(economy, int(flow))
        found.append(
            PlaceChoice(
                market=codes.markets[flows.market[flow]],
                origin=codes.origins[flows.origin[flow]],
                base_origin=codes.origins[makers.base_origin[maker]],
                shifting_to=codes.origins[flows.next_origin[flow]] if moving else None,
                arrives=format_month(start + int(flows.arrival_month[flow])) if moving else None,
                plants={codes.origins[o]: int(makers.plants[maker, o]) for o in has_plants},
                building_in=codes.origins[makers.new_plant[maker]] if building else None,
                shift_cost=rules.shift_cost,
                plant_cost=rules.plant_cost,
                candidates=table,
                duty_to_shift=_duty_to_shift(table, rules.shift_cost, rules.elasticity),
            )
        )
    return tuple(found)


def countries_of(economy: Economy, flow: int) -> pd.DataFrame:
    """What each country that the maker may go to would cost for a flow, USD a unit.

    As expected of orders that shift now; one row a country. What the unit costs its maker there:
    `other_inputs`, `unmounted_chip_duty`, `chips`, `switching` (costs of suppliers written off),
    `version` (the overhead of one of its own) and `upkeep` (second sources, stocks of chips); with
    the `margin`, and what `exchange` rates add, they are the `price` ex works. Then `base_duty` and
    `new_duty` at the border, `landed`, the sum of price and duties, and `base_landed`, that of the
    base year; `factor`, `r` of MODEL 4.3; `distance`, `(e / e_base country)^(1/eps)`, what the
    country is more expensive by for reasons that do not change; landed cost with it `relative` to
    the country in place; the number of `plants` there; whether it is the country `in_place`.
    """
    import pandas as pd

    codes, rules = economy.constants.codes, economy.scenario.assembly
    at, here = np.array([flow]), int(economy.flows.origin[flow])
    maker = economy.flows.maker[at]
    costs = _expected(economy, at, maker)
    base = base_landed_cost(economy, at, np.arange(len(codes.origins))[None])[0]
    race = race_times(economy, at)[0]
    distance = (race / race[economy.makers.base_origin[maker[0]]]) ** (1 / rules.elasticity)
    landed = costs["price"] + costs["base_duty"] + costs["new_duty"]
    score = distance * landed / base
    table = pd.DataFrame(
        costs
        | {
            "landed": landed,
            "base_landed": base,
            "factor": landed_factor(landed, base, rules.elasticity),
            "distance": distance,
            "relative": score / score[here],
            "plants": economy.makers.plants[economy.flows.line[flow]],
            "in_place": np.arange(len(codes.origins)) == here,
        },
        index=pd.Index(codes.origins, name="country"),
    )
    reachable: pd.DataFrame = table.loc[np.isfinite(race)]
    return reachable


def _expected(economy: Economy, flow: Int, maker: Int) -> dict[str, Float]:
    """(O,) parts of the cost of a unit by country, means over the dates of a shift."""
    futures, constants = economy.policy.expected.of_kind(SHIFT), economy.constants
    origins = np.arange(len(constants.codes.origins))[None]
    weights = [f.weight[SHIFT, economy.makers.device[maker]][:, None] for f in futures]
    months, found = economy.scenario.assembly.shift_months, []
    for future in futures:
        product = product_elsewhere(economy, flow, origins, future, months)
        price, chips = product.shipments.customs_value, product.shipments.chip_value
        location = constants.relative_cost[economy.makers.base_origin[maker, None], origins]
        of_all = {
            "chips": over_slots(chips),
            "switching": economy.makers.amortised_cost(economy.month, maker)[:, None],
            "version": economy.version_overhead(maker)[:, None],
            "upkeep": total(*upkeep(economy, chips, maker[:, None])),
        }
        costs = {
            "other_inputs": economy.makers.other_inputs[maker, None] * location,
            "unmounted_chip_duty": product.bare_duty,
            **{name: value + np.zeros_like(price) for name, value in of_all.items()},
        }
        cost = total(*costs.values())
        margin = economy.scenario.trade.markup * cost
        base_duty = economy.tariff_schedule.base_product[product.cell, 0] * price
        border = {
            "margin": margin,
            "exchange": price - cost - margin,
            "price": price,
            "base_duty": base_duty,
            "new_duty": expected_duty(economy, product, future) - base_duty,
        }
        found.append(costs | border)
    return {name: weighted_sum(weights, [parts[name] for parts in found])[0] for name in found[0]}


def _duty_to_shift(table: pd.DataFrame, cost: float, elasticity: float) -> float:
    """Further duty, over landed cost, at which the best other plant wins after the cost of it."""
    others = table[(table["plants"] > 0) & ~table["in_place"]]
    if others.empty:
        return math.inf
    hurdle = moving_factor(cost, elasticity)
    best = np.asarray(others["relative"].min()) ** elasticity
    return float(duty_to_shift(np.ones(()), best, np.ones(()), hurdle, elasticity))
