"""The answer in the static limit: where choices, prices and demand come to rest (MODEL 4.8).

No month is simulated. Law, capacity plans, China's discount, chips in a unit and growth of demand
are those of the last month of the run, duties in full and taken to last. Suppliers have the
steady-state shares of their choice, assembly is where no maker gains by a shift or a plant, prices
follow costs and duties all the way, and consumers demand what they then want.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tariffsim import kernels as k
from tariffsim import month
from tariffsim.behaviour import assembly, compliance, prices_and_demand, sourcing
from tariffsim.calibration import build_economy
from tariffsim.errors import RunsFailedError
from tariffsim.experiments.comparison import DEFAULT_MARKET, named_scenarios, seeds_of
from tariffsim.experiments.ensemble import check_comparable
from tariffsim.kernels.welfare import surplus_change
from tariffsim.policy.shipments import CHINA
from tariffsim.record.dictionary import metrics
from tariffsim.record.intervals import paired_interval
from tariffsim.record.result_tables import headline_row
from tariffsim.scenario import Scenario, ScenarioLike, replace
from tariffsim.scenario.focus import with_common_focus
from tariffsim.state.constants import SHIFT
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.typing import Bool, Float, Int

STATIC = {
    "supply__learning": 0.0,
    "supply__price_adjustment": 1.0,
    "supply__utilisation_price_response": 0.0,
    "supply__scarcity_elasticity": 0.0,
    "supply__investment": "planned",
    "supply__plan_response": 0.0,
    "sourcing__foresight": "none",
    "trade__maker_pass_through_months": 1.0,
    "trade__pass_through_months": 1.0,
    "trade__order_adjustment": 1.0,
}
"""Adjustment is complete, and foundries respond to nothing."""
LEFT_OUT = (
    "Left out: the way there (delays, stocks, front-loading), learning, scarcity, investment that "
    "responds to margins, versions for some markets, plans that avoid triggers (a duty with one "
    "looks too costly), and stops for lack of chips; no welfare of makers, importers and foundries."
)
METRICS = (
    "cn_share", "cn_assembled_share", "basket_price", "duty_revenue", "consumer_surplus_loss",
)  # fmt: skip
PASSES = 100
"""After so many rounds of choices that still move there is no state of rest."""
STILL = 1e-9
"""Largest relative change of orders that counts as none: far above rounding, below any effect."""


@dataclass(frozen=True)
class SteadyState:
    """An economy at rest."""

    economy: Economy
    shares: Float
    """(slots, F) share of the units of each slot that each foundry supplies."""
    place: Int
    """(slots,) rows in the ravelled (N, P) columns of makers."""


def compare_static(
    scenarios: ScenarioLike | Iterable[ScenarioLike] | Mapping[str, ScenarioLike],
    baseline: ScenarioLike | None = None,
    seeds: int | None = None,
    seed: int | None = None,
    market: str = DEFAULT_MARKET,
) -> pd.DataFrame:
    """Compare scenarios with the baseline in the static limit; see `compare` for the arguments.

    Returns:
        The columns of the table `headline`, for `METRICS`; `low` and `high` are the interval over
        seeds, which draw the product lines and their first suppliers.

    Raises:
        ScenarioError: a scenario is refused, or cannot be compared with the baseline.
        CalibrationError: a scenario allows no base year.
        RunsFailedError: choices do not come to rest.
    """
    named = with_common_focus(named_scenarios(scenarios, baseline))
    check_comparable(named, market)
    base, *_ = named.values()
    found = {
        name: [_measured(steady_state(one, s), market) for s in seeds_of(base, seed, seeds)]
        for name, one in named.items()
    }
    at_base = next(iter(found.values()))
    rows = []
    for name, runs in found.items():
        for metric in METRICS:
            sign = -1 if metric == "consumer_surplus_loss" else 1
            change = [sign * (a[metric] - b[metric]) for a, b in zip(runs, at_base, strict=True)]
            mean = float(np.mean([run[metric] for run in runs] if sign > 0 else change))
            rows.append(headline_row(name, metrics()[metric], mean, paired_interval(change)))
    return pd.DataFrame(rows)


def steady_state(scenario: Scenario, seed: int) -> SteadyState:
    """Where the product lines of a seed come to rest under the law of the last month.

    Raises:
        RunsFailedError: choices still move after `PASSES` rounds.
    """
    draws = Draws(seed)
    economy = build_economy(replace(scenario, **STATIC), seed, draws)
    economy.month = scenario.run.end - scenario.run.start - 1
    month.announce_policy(economy, draws)
    economy.importers.is_traced = compliance.traces(economy)
    month.add_capacity(economy, draws)
    month.post_prices(economy, draws)
    makers = economy.makers
    makers.amortised_until[:] = economy.month + 1  # lines go on switching as in the base year
    place = np.flatnonzero(makers.has_slot & makers.is_made[:, None])
    left = np.zeros(economy.flows.race.shape, dtype=bool)
    noise = draws.exponential("foundry noise", -1, len(place), len(economy.foundries))
    for _ in range(PASSES):
        before = economy.flows.orders, economy.flows.origin
        shares = _supply(economy, place)
        makers.supplier.put(place, k.draw_choice(shares, noise))
        _assemble(economy, left)
        economy.exchange = prices_and_demand.exchange(economy)
        for phase in (
            month.price_products, month.assess_duties, month.set_retail_prices, month.order_units,
        ):  # fmt: skip
            phase(economy, draws)
        orders, origin = economy.flows.orders, economy.flows.origin
        if (origin == before[1]).all() and np.allclose(orders, before[0], rtol=STILL, atol=0):
            return SteadyState(economy, shares, place)
    raise RunsFailedError(
        f"{scenario.name}, seed {seed}: choices come to no rest in the static limit"
    )


def _supply(economy: Economy, place: Int) -> Float:
    """(slots, F) steady-state shares of suppliers at this month's costs (MODEL 5.7)."""
    makers, choices = economy.makers, sourcing.choice_set(economy)
    shares = np.empty((len(place), len(economy.foundries)))
    for rows in k.blocks(np.arange(len(place)), sourcing.BLOCK):
        slots = makers.slots(place[rows])
        weights = sourcing.choice_weights(choices, slots, triggered=False)
        weights = sourcing.among_candidates(choices, slots, weights)
        odds = k.choice_probabilities(weights)
        shares[rows] = k.steady_state_shares(odds, makers.curvature.take(place[rows])[:, None])
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _assemble(economy: Economy, left: Bool) -> None:
    """Every flow shifts to the plant that is best, and every maker builds where it pays.

    No flow returns to a country that it has `left` (L, O): where duties depend on content as well
    as on the country, suppliers and places could chase each other for ever.
    """
    flows, makers, rules = economy.flows, economy.makers, economy.scenario.assembly
    every, hurdle = np.arange(len(flows)), k.moving_factor(rules.shift_cost, rules.elasticity)
    if rules.shift_hazard > 0:
        factor, race = assembly.places(economy, every, SHIFT), assembly.race_times(economy, every)
        has_plant = assembly.has_plant(economy, every) & ~left
        best, shifts = k.shifts_to(race, factor, has_plant, flows.origin, hurdle)
        left[every[shifts], flows.origin[shifts]] = True
        flows.origin = np.where(shifts, best, flows.origin)
    flow, factor = assembly.dearest_flows(economy, np.arange(makers.n_lines))
    if len(flow) and rules.plant_hazard > 0:
        building = k.moving_factor(max(rules.plant_cost, rules.shift_cost), rules.elasticity)
        best, builds = k.builds_in(
            assembly.race_times(economy, flow), factor, assembly.has_plant(economy, flow),
            flows.origin[flow], hurdle, building,
        )  # fmt: skip
        makers.plants[flows.line[flow[builds]], best[builds]] = 1
    makers.origin[flows.line, flows.market] = flows.origin
    makers.origin = makers.origin.take(makers.line, axis=0)
    makers.china_made[:] = assembly.made_in_china(economy)[:, -1:]


def _measured(state: SteadyState, market: str) -> dict[str, float]:
    """The metrics of one economy at rest; `consumer_surplus_loss` is minus the surplus itself."""
    economy, m = state.economy, state.economy.constants.codes.markets.index(market)
    flows, cells, constants = economy.flows, economy.cells, economy.constants
    sold, here = flows.orders, flows.market == m
    chips = np.where(economy.makers.has_slot, economy.makers.chips, 0.0)
    chinese_share = np.zeros(chips.shape)
    chinese_share.put(state.place, state.shares[:, economy.foundries.is_chinese].sum(axis=1))
    chinese, of_all = (c.sum(axis=1)[flows.maker] for c in (chips * chinese_share, chips))
    value = (sold * flows.customs_value)[here]
    in_china = flows.origin[here] == constants.codes.origins.index(CHINA)
    at_border = (sold * (flows.base_duty + flows.new_duty))[here].sum()
    on_chips = (sold * flows.bare_duty)[economy.home == m].sum()
    basket, growth, index = (
        by_cell.reshape(len(constants.codes.markets), -1)[m]
        for by_cell in (cells.base_expenditure, cells.growth, cells.price_index)
    )
    surplus = surplus_change(basket * growth, index, constants.demand_elasticity).sum()
    return {
        "cn_share": 100 * float((sold * chinese)[here].sum() / (sold * of_all)[here].sum()),
        "cn_assembled_share": 100 * float(value[in_china].sum() / value.sum()),
        "basket_price": 100 * float(basket @ index / basket.sum()),
        "duty_revenue": 12e-9 * float(at_border + on_chips),
        "consumer_surplus_loss": 12e-9 * float(surplus),
    }
