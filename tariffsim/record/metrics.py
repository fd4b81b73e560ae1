"""Measures of runs, and of differences between runs with common random numbers.

Functions of what was recorded; no model in sight. Money is USD a month unless a name says
`_bn` (thousand million USD a year).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tariffsim.errors import NotFiniteError
from tariffsim.kernels.welfare import (
    diversion_loss,
    rule_of_half,
    surplus_change,
    undelivered_surplus,
)
from tariffsim.policy.shipments import Codes
from tariffsim.record.dictionary import COSTS, metrics
from tariffsim.record.history import History
from tariffsim.state.ledger import BY_MARKET, PAYMENTS
from tariffsim.typing import Float

WELFARE_TERMS = ("consumers", "government", "importers and makers", "foundries", "match loss")
LAST = 12
"""Months at the end of a run that headline levels are means of."""
NOTED_LOSS = 0.5
"""Per cent of sales lost for lack of chips above which every headline says so."""


@dataclass(frozen=True)
class Context:
    """What a history does not say: the sets, and elasticities.

    Those of consumers' demand (D,), of sourcing, and of the demand of other chip buyers.
    """

    codes: Codes
    demand_elasticity: Float
    sourcing_elasticity: float
    other_elasticity: float


def chinese_share(history: History, market: int) -> Float:
    """(T,) Chinese share of legacy chips in what consumers of a market buy, in units.

    With the chips of the present suppliers of each line: products in stock count when sold.
    """
    cells = history.cells
    return ratio(cells["cn_chips"][:, market].sum(1), cells["chips"][:, market].sum(1))


def chinese_chips(history: History) -> Float:
    """(T, M) Chinese legacy chips a month in the devices that consumers of each market buy."""
    return np.asarray(history.cells["cn_chips"].sum(axis=2))


def basket_price(history: History, market: int) -> Float:
    """(T,) price index of the market's base-year basket of devices, base year 1.

    NaN where no product line is sold, so that there is no basket.
    """
    weight, index = history.cells["base_expenditure"][0, market], history.cells["price_index"]
    if not weight.any():
        return np.full(len(index), np.nan)
    return np.asarray(index[:, market] @ weight / weight.sum())


def world_chinese_share(history: History, context: Context) -> Float:
    """(T,) Chinese share of all legacy chips sold in the world, in units."""
    chips = history.sourcing.sum(axis=(1, 2, 3)) + other_chips_by_region(history, context)
    china = np.array([region == "CN" for region in context.codes.regions])
    return ratio(chips @ china, chips.sum(axis=1))


def other_chips_by_region(history: History, context: Context) -> Float:
    """(T, R) chips bought outside the device groups, by region of fabrication."""
    member = foundry_region(history, context)
    return np.asarray(history.foundries["other_chips"].sum(axis=2) @ member)


def foundry_region(history: History, context: Context) -> Float:
    """(F, R) one where a foundry belongs to a region."""
    return np.eye(len(context.codes.regions))[history.foundry_region]


def consumer_surplus(history: History, context: Context) -> Float:
    """(T, M) consumers' surplus against base-year prices, less that on units not delivered."""
    cells, eta = history.cells, context.demand_elasticity
    surplus = surplus_change(cells["base_expenditure"], cells["price_index"], eta)
    ordered = cells["sold_units"] + cells["lost_units"]
    missing = ratio(cells["lost_units"], ordered)
    spending = cells["retail_value"] + cells["lost_value"]
    return np.asarray((surplus - undelivered_surplus(spending, missing, eta)).sum(axis=2))


def match_loss(history: History, baseline: History, context: Context) -> Float:
    """(T, M) makers' loss from second-best sourcing and assembly (match loss, MODEL 4.7).

    At the scenario's number of chips and units, with the shares of lines that sell what they sold
    in the base year, plus what flows lose by their place of assembly, and compliance distortion.
    """
    price, price_0 = (h.slot_price[:, None, None] + h.slot_duty for h in (history, baseline))
    chips = history.sourcing.sum(axis=-1)
    share, share_0 = (_shares(h.base_sourcing) for h in (history, baseline))
    each = diversion_loss(price_0, price, share_0, share, context.sourcing_elasticity)
    loss = (chips * each).sum(axis=(2, 3))
    for column in ("second_best_place_value", "compliance_distortion_value"):
        loss = loss + (history.cells[column] - baseline.cells[column]).sum(axis=2)
    return np.asarray(loss)


def _shares(quantities: Float) -> Float:
    """Shares along the last axis."""
    return ratio(quantities, quantities.sum(axis=-1, keepdims=True))


LEAST_ELASTICITY = 0.2
"""Of the demand of other buyers, by which chips that they miss are valued where theirs is lower."""


def other_buyers_surplus(history: History, baseline: History, context: Context) -> Float:
    """(T,) change of surplus of chip buyers outside the device groups, USD a month (MODEL 4.7).

    Rule of a half on what they order, at invoice prices, less the surplus on what is ordered and
    not delivered.
    """
    orders, orders_0 = (h.foundries["other_orders"] for h in (history, baseline))
    price, price_0 = (h.foundries["price"] for h in (history, baseline))
    gained = rule_of_half(orders_0, orders, price_0, price).sum(axis=1)
    missed, missed_0 = (_missed_by_others(h, context) for h in (history, baseline))
    return np.asarray(gained - (missed - missed_0))


def _missed_by_others(history: History, context: Context) -> Float:
    """(T,) surplus of other chip buyers on chips ordered and not delivered, USD a month."""
    orders, chips = (history.foundries[name] for name in ("other_orders", "other_chips"))
    elasticity = np.asarray(max(context.other_elasticity, LEAST_ELASTICITY))
    spending = history.foundries["price"] * orders
    missing = np.where(orders > 0, 1 - ratio(chips, orders), 0.0)
    lost = undelivered_surplus(spending, missing, elasticity)
    return np.asarray(lost.sum(axis=(1, 2)))


def welfare(history: History, baseline: History, context: Context) -> Float:
    """(T, M, 5) change against the baseline with the same seed: the terms of WELFARE_TERMS.

    What importers and makers put into stock is theirs, at base prices.
    """

    def income(sector: str) -> Float:
        left, left_0 = (ledger_of(h, PAYMENTS[-1:], sector, context) for h in (history, baseline))
        return left_0 - left

    more_in_stock = history.stock_value - baseline.stock_value
    put_into_stock = np.diff(more_in_stock, axis=0, prepend=0.0)
    return np.stack(
        [
            consumer_surplus(history, context) - consumer_surplus(baseline, context),
            income("government"),
            income("importers") + income("device makers") + put_into_stock,
            income("foundries"),
            -match_loss(history, baseline, context),
        ],
        axis=-1,
    )


def deadweight_loss(change: Float, history: History, baseline: History, context: Context) -> Float:
    """(T,) minus the world sum of changes (`welfare`), other chip buyers' surplus included.

    What makers save as their currencies fall is lost by those whom they pay in them.
    """
    rest = PAYMENTS.index("exchange"), -1
    paid, paid_0 = (h.ledger[:, *rest] for h in (history, baseline))
    world = change.sum(axis=(1, 2)) + paid - paid_0
    return np.asarray(-(world + other_buyers_surplus(history, baseline, context)))


RATIOS = tuple(metrics()[name] for name in COSTS)
METRICS = tuple(m for m in metrics().values() if m.name not in COSTS)
"""Measures of one run."""
COMPARED = frozenset(
    ("consumer_surplus_loss", "buyers_cost", "welfare", "deadweight_loss",
     "total_consumer_surplus_loss", "total_welfare", *COSTS)
)  # fmt: skip
"""Measures that exist only against a baseline."""
HEADLINE = (
    "cn_share",
    "cn_value_share",
    "basket_price",
    "duty_revenue",
    "consumer_surplus_loss",
    "buyers_cost",
    "welfare",
    "cost_per_pp",
    "world_cn_share",
)
"""Measures of the headline table, in order."""


def summarise(
    history: History, baseline: History, context: Context, market: str, world: Float
) -> dict[str, float]:
    """Every measure of one run against the baseline with the same seed, in the unit of METRICS.

    `world` is the change of `welfare` in all markets.

    Raises:
        NotFiniteError: a measure is not defined, or became NaN or infinite.
    """
    m = context.codes.markets.index(market)
    last = slice(-LAST, None)
    cells = {name: values[:, m].sum(axis=1) for name, values in history.cells.items()}
    cells["owed_value"] = cells["new_duty_value"] + cells["evaded_value"]
    loss = deadweight_loss(world, history, baseline, context)
    others = np.delete(chinese_chips(history)[last], m, axis=1)
    value_share = ratio(cells["cn_chip_value"], cells["chip_value"])
    change = world[:, m]
    year = 12e-9

    def part(one: str, of: str) -> float:
        return float(100 * cells[one][last].mean() / max(cells[of][last].mean(), 1e-300))

    chinese = np.array([context.codes.regions[r] == "CN" for r in history.foundry_region])
    output = history.foundries["output"][last, chinese].sum()
    capacity = history.foundries["capacity"][last, chinese].sum()
    funds = ledger_of(history, ("capacity grants", "investment credits"), "foundries", context)
    sales = cells["retail_value"][last] + cells["lost_value"][last]
    subsidy = history.foundries["subsidy_value"][last].sum(axis=(1, 2))
    duties = ledger_of(
        history, ("duties on products", "duties on unmounted chips"), "government", context
    )
    refunds = ledger_of(history, ("duty refunds",), "government", context)
    duty = np.maximum(duties[:, m], 0) + refunds[:, m]
    found = {
        "cn_share": 100 * float(chinese_share(history, m)[last].mean()),
        "cn_value_share": 100 * float(value_share[last].mean()),
        "cn_device_share": part("cn_device_units", "sold_units"),
        "basket_price": 100 * float(basket_price(history, m)[last].mean()),
        "duty_revenue": year * float(duty[last].mean()),
        "policy_revenue": year * float(cells["new_duty_value"][last].mean()),
        "consumer_surplus_loss": -year * float(change[last, 0].mean()),
        "buyers_cost": -year * float(change[last][:, [0, -1]].sum(axis=1).mean()),
        "welfare": year * float(change[last].sum(axis=1).mean()),
        "deadweight_loss": year * float(loss[last].mean()),
        "world_cn_share": 100 * float(world_chinese_share(history, context)[last].mean()),
        "own_version_share": part("own_version_value", "several_markets_value"),
        "cn_chips": 12e-9 * float(chinese_chips(history)[last, m].mean()),
        "cn_chips_elsewhere": 12e-9 * float(others.sum(axis=1).mean()),
        "cn_assembled_share": part("china_assembled_value", "customs_value"),
        "lost_output": 100 * float((cells["lost_value"][last] / np.maximum(sales, 1e-300)).mean()),
        "china_utilisation": 100 * float(output / max(capacity, 1e-300)),
        "china_subsidy": year * float(subsidy.mean()),
        **capacity_measures(history, context, m),
        "compliance_cost": year * float(cells["compliance_value"][last].mean()),
        "penalties": year * float(cells["penalty_value"][last].mean()),
        "evaded_share": part("evaded_value", "owed_value"),
        "known_origin_share": part("known_origin_value", "customs_value"),
        "known_origin_firms": part("importers_knowing_origin", "importers"),
        "verified_free_share": part("verified_free_units", "sold_units"),
        "grant_spending": 1e-9 * float(funds[:, m].sum()),
        "cutoff_loss": 1e-9 * cutoff_loss(history, m),
        "days_to_stop": days_to_stop(history, baseline, m),
        "recovery_months": recovery_months(history, baseline, m),
        "stopped_share": 100 * stopped_share(history, m),
        "total_consumer_surplus_loss": -1e-9 * float(change[:, 0].sum()),
        "total_welfare": 1e-9 * float(change.sum()),
        "total_revenue": 1e-9 * float(duty.sum()),
        "run_cn_share": 100 * float(chinese_share(history, m).mean()),
    }  # fmt: skip
    wrong = [name for name, value in found.items() if not np.isfinite(value)]
    if not history.cells["lines"][0, m].any():
        raise NotFiniteError(f"no product line is sold in {market}: agents.makers is too small")
    if wrong:
        raise NotFiniteError(f"{', '.join(wrong)} became NaN or infinite")
    return found


def capacity_measures(history: History, context: Context, market: int) -> dict[str, float]:
    """Capacity standing in the last month, in wafers, and against its plan."""
    capacity, planned = (
        (history.foundries[name][-1] / history.chips_per_kwpm).sum(axis=1)
        for name in ("capacity", "planned_capacity")
    )
    china = np.array([context.codes.regions[r] == "CN" for r in history.foundry_region])
    home = np.array([context.codes.region_market[r] == market for r in history.foundry_region])
    share, plan = (
        100 * kwpm[china].sum() / max(kwpm.sum(), 1e-300) for kwpm in (capacity, planned)
    )
    rivals = planned[~china].sum()
    lost = 100 * (1 - capacity[~china].sum() / rivals) if rivals > 0 else 0.0
    return {
        "home_capacity": float(capacity[home].sum()),
        "capacity_outside_china": float(capacity[~china].sum()),
        "capacity_lost": float(lost),
        "china_capacity_share": float(share),
        "china_above_plan": float(share - plan),
    }


def ledger_of(history: History, payments: Sequence[str], sector: str, context: Context) -> Float:
    """(T, M) what a kind of sector received by kinds of payment, USD a month; paid is negative."""
    n = len(context.codes.markets)
    first = BY_MARKET.index(sector) * n
    rows = [PAYMENTS.index(payment) for payment in payments]
    return np.asarray(history.ledger[:, rows, first : first + n].sum(axis=1))


def ratio(top: Float, bottom: Float) -> Float:
    """The ratio; zero where there is nothing to divide by."""
    return np.asarray(top / np.where(bottom > 0, bottom, 1.0))


DAYS_A_MONTH = 365 / 12
LEAST_STOP = 1e-6
"""Part of a month that counts as a stop: less is rounding."""
RECOVERED = 0.01
"""Output is back when so small a part of sales is lost."""


def lost_share(history: History, market: int) -> Float:
    """(T,) share of sales lost for lack of a chip."""
    lost = history.cells["lost_value"][:, market].sum(axis=1)
    sales = history.cells["retail_value"][:, market].sum(axis=1) + lost
    return ratio(lost, sales)


def cutoff_loss(history: History, market: int) -> float:
    """Retail value of products not delivered for lack of a chip, USD, sum over the run."""
    return float(history.cells["lost_value"][:, market].sum())


def stopped_share(history: History, market: int) -> float:
    """Part of all line-months of the run in which lines stand still."""
    stopped, lines = (history.cells[name][:, market].sum() for name in ("stopped_lines", "lines"))
    return float(stopped / max(lines, 1.0))


def days_to_stop(history: History, baseline: History, market: int) -> float:
    """Days from the first cut-off to the first line that stops; the rest of the run if none does.

    Within a month a line works for the part of it that it has chips for. Stops that the baseline
    has as well do not count. Without a cut-off it is zero.
    """
    months = len(history.months)
    if not history.cut_from < months:
        return 0.0
    longest, usual = (h.cells["longest_stop"][:, market].max(axis=1) for h in (history, baseline))
    stops = np.flatnonzero(longest > usual + LEAST_STOP)
    stops = stops[stops >= int(history.cut_from)]
    moment = stops[0] + 1 - longest[stops[0]] if len(stops) else months
    return max(float(moment - history.cut_from), 0.0) * DAYS_A_MONTH


def recovery_months(history: History, baseline: History, market: int) -> float:
    """Months from the first cut-off until lost sales stay within 1 % of those of the baseline.

    Zero if they never leave it, or without a cut-off; the rest of the run if they stay out.
    """
    if not history.cut_from < len(history.months):
        return 0.0
    excess = lost_share(history, market) - lost_share(baseline, market)
    out = np.flatnonzero(excess > RECOVERED)
    out = out[out >= int(history.cut_from)]
    return float(out[-1] + 1 - history.cut_from) if len(out) else 0.0


def pass_through(columns: Mapping[str, Float]) -> dict[str, Float]:
    """(T, M) shares of new duty that makers do not absorb, and that is in retail prices; its age.

    `columns` are sums over the products of a market.
    """
    duty = columns["new_duty_value"]
    due = np.where(duty > 0, duty, 1.0)
    return {
        "border_pass_through": np.where(duty > 0, 1 - columns["rebate_value"] / due, 0.0),
        "retail_pass_through": columns["passed_on_value"] / due * (duty > 0),
        "duty_age": duty_age(columns),
    }


def duty_age(columns: Mapping[str, Float]) -> Float:
    """(T, M) mean age of new duty, months: each rise of its rate is as old as the time since."""
    rate = columns["new_duty_value"] / np.maximum(columns["customs_value"], 1e-300)
    age = np.zeros_like(rate)
    for t in range(1, len(rate)):
        kept = np.minimum(rate[t - 1] / np.where(rate[t] > 0, rate[t], 1.0), 1.0)
        age[t] = np.where(rate[t] > 0, kept * (age[t - 1] + 1), 0.0)
    return age
