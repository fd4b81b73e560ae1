"""Why a line buys its chips where it does: candidates, their costs, the switching threshold.

All of it is the model's own choice (MODEL 4.2, 4.5), read from an economy that has seen the month.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tariffsim.behaviour.sourcing import (
    ChoiceSet,
    among_candidates,
    base_slot_cost,
    choice_set,
    choice_weights,
    duty_over_markets,
    lead_months,
    openings,
    price_at_delivery,
    rebated_share,
    slot_cost,
)
from tariffsim.kernels.compliance import evasion_threshold
from tariffsim.kernels.duties import cost_with_duty
from tariffsim.kernels.sourcing import choice_probabilities, cost_odds, with_inertia
from tariffsim.kernels.sums import by_foundry
from tariffsim.kernels.supply import discounted
from tariffsim.law.duty_tables import Regime
from tariffsim.law.expectations import Future
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.state.makers import SlotRows
from tariffsim.typing import Float, format_month

if TYPE_CHECKING:
    import pandas as pd

BASE_DUTIES, OTHER_DUTIES = "duties of 2024", "other duties"
REBATED = "rebated by China"
"""What China rebates of the duty on its chips, USD a chip below zero."""


@dataclass(frozen=True)
class SlotChoice:
    """One slot of a line: its supplier, the candidates, and the switching threshold."""

    part: str
    """Its node class, numbered where the product has several parts of the class."""
    node_class: str
    chips: float
    """Chips in a unit."""
    is_pin_compatible: bool
    """Opens by itself, without a new design."""
    opens_now: bool
    """Whether it opened in this month, free to choose."""
    supplier: str
    next_supplier: str | None
    """Foundry under qualification: the one in place when the slot opens next."""
    takes_over: str | None
    """Month from which that one supplies."""
    region: str
    """Where the foundry is that will be in place when the slot opens next."""
    next_opening: str | None
    """Next month in which the slot may choose; None if the run ends before. No policy moves it."""
    switching_cost: float
    """Fraction of one design's lifetime chip bill in the class."""
    candidates: pd.DataFrame
    """One row a foundry, see `candidates_of`."""
    duties: pd.DataFrame
    """USD a chip of expected duty by foundry (rows) and instrument, for the line's importers."""
    stays: float
    """Probability that the next opening keeps the foundry in place, at what is expected now."""
    stays_in_region: float
    """Probability that it takes a foundry of that region."""
    break_even_rate: float
    """Rate of a further component tariff on the region's chips in all markets of the line, fraction
    of their price, at which the next opening is as likely to leave the region as to stay. It
    exempts importers who do not know the origin. Infinite: none, for lack of others or because
    importers would not pay it. Below zero it is more likely to leave already."""
    break_even_alone: dict[str, float]
    """The same, where it is above zero, if only one of the line's markets levies it; markets where
    no rate would do are left out."""

    def ranked(self) -> pd.DataFrame:
        """The candidates: the foundry in place, then the others from the likeliest."""
        order = ["in_place", "probability"]
        return self.candidates.sort_values(order, ascending=False, kind="stable")


def largest_duties(duties: pd.DataFrame, most: int) -> pd.DataFrame:
    """Duties by instrument in at most so many columns, the smallest of them together."""
    if len(duties.columns) <= most:
        return duties
    order = duties.abs().mean().sort_values(ascending=False, kind="stable").index
    rest = duties[order[most - 1 :]].sum(axis=1)
    return duties[order[: most - 1]].assign(**{OTHER_DUTIES: rest})


def explain_slot(economy: Economy, draws: Draws, maker: int, k: int) -> SlotChoice:
    """One slot of a line after the month that the economy has seen."""
    makers, codes, names = economy.makers, economy.constants.codes, economy.foundries.name
    start, supplier = economy.scenario.run.start, int(makers.supplier[maker, k])
    switch = int(makers.switch_month[maker, k])
    waits = switch >= 0
    slots = _slot(economy, maker, k)
    lead = int(lead_months(economy, slots.place)[0])
    opens = openings(economy, draws, economy.month)[1][maker, k]
    table = candidates_of(economy, maker, k)
    region = codes.regions[economy.foundries.region[_in_place(economy, maker, k)]]
    rise = cost_to_leave(economy.scenario.sourcing.elasticity, table, region)
    importers = importers_of(economy, maker, k)
    opening = _next_opening(economy, draws, maker, k)
    return SlotChoice(
        part=economy.constants.part_names[k],
        node_class=codes.classes[slots.node_class[0]],
        chips=float(makers.chips[maker, k]),
        is_pin_compatible=bool(makers.is_pin_compatible[maker, k]),
        opens_now=bool(opens) and (not waits or switch == economy.month + lead),
        supplier=names[supplier],
        next_supplier=names[makers.next_supplier[maker, k]] if waits else None,
        takes_over=format_month(start + switch) if waits else None,
        region=region,
        next_opening=None if opening is None else format_month(start + opening),
        switching_cost=switching_cost_share(economy, maker, k),
        candidates=table,
        duties=duties_of(economy, maker, k).loc[table.index],
        stays=float(table.loc[table["in_place"], "probability"].sum()),
        stays_in_region=float(table.loc[table["region"] == region, "probability"].sum()),
        break_even_rate=rate_of_cost(rise, importers),
        break_even_alone={
            codes.markets[market]: rate
            for market in np.flatnonzero(makers.weights[maker]) if 0 < rise < math.inf
            for rate in [rate_of_cost(rise, importers[importers["market"] == market])]
            if rate < math.inf
        },
    )  # fmt: skip


def candidates_of(economy: Economy, maker: int, k: int) -> pd.DataFrame:
    """What each foundry that has lines would cost in one slot at its next opening, USD a chip.

    At the prices, sizes and expectations of now; one row a foundry: region; price at the scarcity
    expected at delivery, and its change since the base year; expected duty over the life of the
    choice (as if triggers were pulled); switching cost spread over the chips of one design; their
    total; the cost (price and duty) in the base year; baseline preference (its share of choices at
    base-year costs and sizes, with no foundry in place); its size against the base year; the
    probability of being chosen, in proportion to
    `preference * size * (total / base_cost)**-elasticity`; whether it supplies now; whether it will
    be in place, which spares the cost of switching.
    """
    import pandas as pd

    foundries, choices = economy.foundries, choice_set(economy)
    slots, incumbent = _slot(economy, maker, k), np.array([_in_place(economy, maker, k)])
    cost, base_cost = slot_cost(choices, slots)[0], base_slot_cost(choices, slots)[0]
    weights = among_candidates(choices, slots, choice_weights(choices, slots))
    node_class = int(slots.node_class[0])
    price, size = price_at_delivery(choices, slots)[0], choices.size[node_class]
    bought = cost_odds(cost, base_cost, choices.sigma) * np.where(size > 0, size, 1.0)
    preference = weights[0] / bought
    in_place = np.arange(len(foundries)) == incumbent
    switching = np.where(in_place, 0.0, cost * switching_cost_share(economy, maker, k))
    weights = with_inertia(weights, incumbent, economy.makers.inertia.take(slots.place))
    table = pd.DataFrame(
        {
            "region": np.array(economy.constants.codes.regions, dtype=object)[foundries.region],
            "price": price,
            "price_change": price / foundries.base_price[:, node_class] - 1,
            "expected_duty": cost - price,
            "switching_cost": switching,
            "total": cost + switching,
            "base_cost": base_cost,
            "preference": preference / preference.sum(),
            "size": size,
            "probability": choice_probabilities(weights)[0],
            "supplies_now": np.arange(len(foundries)) == economy.makers.supplier[maker, k],
            "in_place": in_place,
        },
        index=pd.Index(foundries.name, name="foundry"),
    )
    is_shown = (foundries.capacity[:, node_class] > 0) | table["supplies_now"] | table["in_place"]
    shown: pd.DataFrame = table.loc[is_shown]
    return shown


def duties_of(economy: Economy, maker: int, k: int) -> pd.DataFrame:
    """USD a chip of expected duty by foundry and instrument; they add up to `expected_duty`.

    The effective duty for the line's importers: nothing or as much for all foundries where they do
    not know the origin, no more than evasion costs where they may evade. Each instrument is what it
    adds to those before it: duties on unmounted chips first, as duty on the product falls on them
    too, then by rate, so that the highest of a stacking group has it all.
    """
    import pandas as pd

    laws, choices = economy.tariff_schedule.laws, choice_set(economy)
    slots, foundries, device = _slot(economy, maker, k), economy.foundries, economy.makers.device
    found: dict[str, Float] = {BASE_DUTIES: np.zeros(len(foundries))}
    before_rebate, kind = price_at_delivery(choices, slots), int(slots.kind[0])
    origins = choices.expected_burden.of_foundries(slots, foundries.region)
    price = discounted(before_rebate, rebated_share(choices, slots, origins, before_rebate))
    for future in economy.policy.expected.of_kind(kind):
        met = [entry for entry in future.regime if _meets(economy, maker, entry[0])]
        others = [entry for entry in future.regime if entry not in met]  # what a lie still costs
        met.sort(key=lambda entry: (not laws[entry[0]].instrument.taxes_bare_chips, -entry[1]))
        before = np.zeros(len(foundries))
        for n in range(len(met) + 1):
            duty = _duty(economy, choices, slots, tuple(sorted([*others, *met[:n]])), price)
            name = in_short(laws[met[n - 1][0]].name) if n else BASE_DUTIES
            part = future.weight[kind, device[maker]] * (duty - before)
            found[name] = found.get(name, 0.0) + part
            before = duty
    found[REBATED] = (price - before_rebate)[0]
    table = pd.DataFrame(found, index=pd.Index(foundries.name, name="foundry"))
    seen = table.abs().max() > 1e-12 * before_rebate.max()  # above rounding
    kept: pd.DataFrame = table.loc[:, seen]
    return kept


def in_short(law: str) -> str:
    """The name of a measure without the row of the calendar, so that its steps are one."""
    return law.partition(", 20")[0]


def _meets(economy: Economy, maker: int, law: int) -> bool:
    """Whether a line sells, or is assembled, where an instrument applies."""
    makers, codes = economy.makers, economy.constants.codes
    scope = economy.tariff_schedule.laws[law].scope
    if economy.tariff_schedule.laws[law].instrument.taxes_bare_chips:
        return bool(scope[makers.origin[maker][makers.weights[maker] > 0]].any())
    cells = codes.cells_by_market(makers.device[maker], makers.origin[maker])
    return bool((scope[cells] * makers.weights[maker]).any())


def _duty(
    economy: Economy, choices: ChoiceSet, slots: SlotRows, regime: Regime, price: Float
) -> Float:
    """(F,) USD a chip that a slot is to cause under a regime, as if triggers were pulled."""
    makers, region = economy.makers, economy.foundries.region
    tables = economy.tariff_schedule.tables(regime)
    always = Future(regime, tables, np.ones((2, len(economy.constants.codes.devices))))
    origin = makers.origin[slots.maker]
    rate = duty_over_markets(choices, tables.slot[None], slots, origin, np.zeros_like(slots.kind))
    of_foundry = choices.expected_burden.of_foundries(slots, region)
    burden = choices.expected_burden.on_slots(slots, of_foundry, price, [always])
    return np.asarray((cost_with_duty(price, by_foundry(rate, of_foundry), burden) - price)[0])


def cost_to_leave(sigma: float, table: pd.DataFrame, region: str) -> float:
    """Rise of the cost of a region's chips, over their price, at which half the openings leave.

    With odds `W` of staying in the region, cost there has to rise by `W^(1/sigma)`: a logit with
    `cost^-sigma`. Per dollar of price, as the duty is on the price and not on the duties.
    """
    probability, is_home = table["probability"], table["region"] == region
    stays, leaves = float(probability[is_home].sum()), float(probability[~is_home].sum())
    if leaves == 0.0 or sigma == 0.0:
        return math.inf
    at = table[table["in_place"]].iloc[0]
    of_price = (at["price"] + at["expected_duty"]) / at["price"]
    return float(of_price * ((stays / leaves) ** (1 / sigma) - 1))


def importers_of(economy: Economy, maker: int, k: int) -> pd.DataFrame:
    """Importers who would pay a further component duty: a row a market of the line and future.

    Columns: market; weight, the share of the mean over markets and futures, zero where the importer
    does not know the origin, so that all suppliers cost alike; evasion_cost, the non-monetary cost
    of evasion for a dollar of chips; exposure, back duty and penalty expected for a dollar evaded.
    """
    import pandas as pd

    makers, importers, declarations = economy.makers, economy.importers, economy.declarations
    kind, rows = int(_slot(economy, maker, k).kind[0]), []
    for future in economy.policy.expected.of_kind(kind):
        for market in np.flatnonzero(makers.weights[maker]):
            importer = makers.importer[maker, market]
            weight = future.weight[kind, makers.device[maker]] * makers.weights[maker, market]
            weight = weight * importers.knows_origin[importer]
            exposure = declarations.enforcement(future.regime).exposure[market]
            rows.append((int(market), weight, importers.evasion_cost[importer], exposure))
    return pd.DataFrame(rows, columns=["market", "weight", "evasion_cost", "exposure"])


def rate_of_cost(rise: float, importers: pd.DataFrame) -> float:
    """Rate of a duty that costs importers a part of the value, on average; infinite if none does.

    Each pays `min(r, exposure r + evasion_cost)`, so that the mean is straight between the rates
    from which they evade, and hardly rises beyond the last.
    """
    if rise <= 0 or math.isinf(rise):
        return rise
    weight, evasion_cost, exposure = (
        importers[c].to_numpy() for c in ("weight", "evasion_cost", "exposure")
    )
    from_rate = evasion_threshold(evasion_cost, exposure)
    bends = np.unique(from_rate[np.isfinite(from_rate)])
    low, cost = 0.0, 0.0
    for high in (*bends, math.inf):
        slope = float((weight * np.where(from_rate > low, 1.0, exposure)).sum())
        if slope > 0 and cost + slope * (high - low) >= rise:
            return float(low + (rise - cost) / slope)
        low, cost = float(high), cost + slope * (high - low) if slope else cost
    return math.inf


def switching_cost_share(economy: Economy, maker: int, k: int) -> float:
    """Fraction `S` of a design's lifetime chip bill, from the incumbent's factor on its odds."""
    sigma = economy.scenario.sourcing.elasticity
    return float(economy.makers.inertia[maker, k] ** (1 / sigma) - 1) if sigma else 0.0


def _slot(economy: Economy, maker: int, k: int) -> SlotRows:
    return economy.makers.slots(np.array([maker * len(economy.makers.slot_class) + k]))


def _in_place(economy: Economy, maker: int, k: int) -> int:
    """The foundry in place when the slot opens next: the one under qualification, if any."""
    return int(economy.makers.booked_supplier((maker, k)))


def _next_opening(economy: Economy, draws: Draws, maker: int, k: int) -> int | None:
    """The next month (since the start) in which a slot may choose: draws are keyed by month."""
    run, makers = economy.scenario.run, economy.makers
    first = max(economy.month + 1, int(makers.switch_month[maker, k]))
    months = range(first, run.end - run.start + 1)
    return next((m for m in months if openings(economy, draws, m)[1][maker, k]), None)
