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
from tariffsim.kernels.assembly import duty_to_shift, moving_factor
from tariffsim.kernels.sums import weighted_sum
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
    plants: tuple[str, ...]
    """Countries in which the maker has a plant."""
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
    for flow in np.flatnonzero(flows.maker == maker):
        moving, building = flows.arrival_month[flow] >= 0, makers.plant_month[maker] >= 0
        table = countries_of(economy, int(flow))
        found.append(
            PlaceChoice(
                market=codes.markets[flows.market[flow]],
                origin=codes.origins[flows.origin[flow]],
                base_origin=codes.origins[makers.base_origin[maker]],
                shifting_to=codes.origins[flows.next_origin[flow]] if moving else None,
                arrives=format_month(start + int(flows.arrival_month[flow])) if moving else None,
                plants=tuple(codes.origins[o] for o in np.flatnonzero(makers.plants[maker])),
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

    As expected of orders that shift now; one row a country: ex-works price; expected duty at the
    border; their sum, and that of the base year; distance `(e / e_base country)^(1/eps)`, what the
    country is dearer by for reasons that do not change; the two together relative to the country
    in place; whether the maker has a plant there; whether it is the country in place.
    """
    import pandas as pd

    codes, rules = economy.constants.codes, economy.scenario.assembly
    at, here = np.array([flow]), int(economy.flows.origin[flow])
    origins = np.arange(len(codes.origins))[None]
    maker = economy.flows.maker[at]
    price, duty = _expected(economy, at, economy.makers.device[maker], origins)
    base = base_landed_cost(economy, at, origins)[0]
    race, power = race_times(economy, at)[0], 1 / rules.elasticity
    distance = (race / race[economy.makers.base_origin[maker[0]]]) ** power
    landed = price + duty
    score = distance * landed / base
    table = pd.DataFrame(
        {
            "price": price,
            "expected_duty": duty,
            "landed": landed,
            "base_landed": base,
            "distance": distance,
            "relative": score / score[here],
            "has_plant": economy.makers.plants[maker[0]],
            "in_place": np.arange(len(codes.origins)) == here,
        },
        index=pd.Index(codes.origins, name="country"),
    )
    reachable: pd.DataFrame = table.loc[np.isfinite(race)]
    return reachable


def _expected(economy: Economy, flow: Int, device: Int, origins: Int) -> tuple[Float, Float]:
    """(O,) ex-works price, and duty at the border, means over the dates of a shift."""
    futures = economy.policy.expected.of_kind(SHIFT)
    weights = [f.weight[SHIFT, device][:, None] for f in futures]
    months = economy.scenario.assembly.shift_months
    products = [product_elsewhere(economy, flow, origins, future, months) for future in futures]
    price = weighted_sum(weights, [product.shipments.customs_value for product in products])
    due = zip(products, futures, strict=True)
    duty = weighted_sum(weights, [expected_duty(economy, *one) for one in due])
    return price[0], duty[0]


def _duty_to_shift(table: pd.DataFrame, cost: float, elasticity: float) -> float:
    """Further duty, over landed cost, at which the best other plant wins after the cost of it."""
    others = table[table["has_plant"] & ~table["in_place"]]
    if others.empty:
        return math.inf
    hurdle = moving_factor(cost, elasticity)
    best = np.asarray(others["relative"].min()) ** elasticity
    return float(duty_to_shift(np.ones(()), best, np.ones(()), hurdle, elasticity))
