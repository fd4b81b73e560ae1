"""From the instruments in force and announced to the policy of a month (MODEL 4.1, 4.2)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tariffsim import kernels as k
from tariffsim.law.duty_tables import Law, Regime
from tariffsim.law.policy_state import PolicyState, PublicFunds
from tariffsim.law.procurement import procurement_log_odds
from tariffsim.law.supply_limits import supply_limits
from tariffsim.policy import Instrument
from tariffsim.policy.shipments import Built, Shipments
from tariffsim.state.constants import AI_MONTHS
from tariffsim.state.economy import Economy
from tariffsim.state.import_counts import ImportCounts
from tariffsim.typing import Float, Int

LARGEST_SHARE = 0.99


def policy_of_month(economy: Economy) -> PolicyState:
    """What the instruments in force and announced mean in the month that has begun."""
    schedule, supply = economy.tariff_schedule, economy.scenario.supply
    rates = rates_given(economy)
    regime = schedule.regime(rates)
    discount = supply.china_price_discount.at(economy.date)
    share = supply.china_capacity_share.at(economy.date)
    made_up = counter_subsidy = 0.0
    for i, rate in regime:
        instrument = schedule.laws[i].instrument
        discount += instrument.price_discount(rate)
        share += instrument.capacity_share(rate)
        made_up += instrument.share_made_up(rate)
        counter_subsidy += instrument.counter_subsidy(rate)
    units, chips, preference = _factors(economy, regime)
    expected = economy.expectations.expected(economy.date, economy.imports)
    return PolicyState(
        rates=rates,
        regime=regime,
        in_force=schedule.tables(regime),
        expected=expected,
        discount=min(max(discount, 0.0), LARGEST_SHARE),
        capacity_share=_planned_share(share + made_up),
        share_before=_planned_share(share),
        capacity_left=_capacity_left(economy, regime),
        counter_subsidy=min(counter_subsidy, 1.0),
        funds=_public_funds(economy, regime),
        units_factor=units,
        chips_factor=chips * _ai_content(economy),
        preference=preference,
        procurement=procurement_log_odds(schedule, rates, expected),
        limits=supply_limits(schedule, economy.chip_origins, rates, expected, economy.date),
    )


def _planned_share(share: float) -> float:
    """China's planned share within its bounds."""
    return min(max(share, 1 - LARGEST_SHARE), LARGEST_SHARE)


def _ai_content(economy: Economy) -> Float:
    """(D, M, 1) chips in a unit relative to the start, as devices become AI-enabled."""
    constants = economy.constants
    now, then = (
        np.array([np.interp(date, AI_MONTHS, path) for path in constants.ai_adoption])
        for date in (economy.date, economy.scenario.run.start)
    )
    factor = k.ai_content(now, then, economy.scenario.trade.ai_chip_uplift)
    return np.where(constants.is_ai_capable[:, None], factor, 1.0)[:, :, None]


def _capacity_left(economy: Economy, regime: Regime) -> Float:
    """(R, K) part of capacity that no measure takes away."""
    codes = economy.constants.codes
    left = np.ones((len(codes.regions), len(codes.classes)))
    for i, rate in regime:
        instrument = economy.tariff_schedule.laws[i].instrument
        if lost := instrument.capacity_loss(rate):
            regions = instrument.chosen("regions", codes.regions)
            classes = instrument.chosen("node_classes", codes.classes)
            left *= 1 - lost * regions[:, None] * classes
    return left


def _public_funds(economy: Economy, regime: Regime) -> PublicFunds:
    """Grants and credits in force; regions share a budget by their base capacity."""
    regions, capacity = economy.constants.codes.regions, economy.investment.base_wafers
    grants, built, credit = (np.zeros(len(regions)) for _ in range(3))
    for i, rate in regime:
        instrument = economy.tariff_schedule.laws[i].instrument
        granted, refunded = instrument.capacity_grant(rate), instrument.investment_credit(rate)
        if granted or refunded:
            chosen = instrument.chosen("regions", regions)
            part = chosen * capacity / max(float(chosen @ capacity), 1e-300)
            grants += granted * part
            built += instrument.granted_investment(rate) * part
            credit += refunded * chosen
    return PublicFunds(grants, built, credit)


def _factors(economy: Economy, regime: Regime) -> tuple[Float, Float, Float]:
    """Demand shifts by (market, device) and by (device, market, class); preference by region."""
    codes = economy.constants.codes
    n_devices, n_markets = len(codes.devices), len(codes.markets)
    units = np.ones((n_markets, n_devices))
    chips = np.ones((n_devices, n_markets, len(codes.classes)))
    preference = np.zeros((n_markets, len(codes.regions)))
    for i, rate in regime:
        law = economy.tariff_schedule.laws[i]
        factors, log_odds = law.instrument.demand_factors(rate), law.instrument.preference(rate)
        if not factors and log_odds == 0.0:
            continue
        reach = law.scope.reshape(n_devices, len(codes.origins), n_markets).max(axis=1)
        units *= 1 + reach.T * (factors.get("units", 1.0) - 1)
        classes = law.instrument.chosen("node_classes", codes.classes)
        chips *= 1 + reach[:, :, None] * classes * (factors.get("chips", 1.0) - 1)
        regions = law.instrument.chosen("chip_regions", codes.regions)
        preference += log_odds * reach.max(axis=0)[:, None] * regions
    return units.ravel(), chips, preference


# What laws with a memory remember: imports of the year, and capacity built since they are in force.


def base_imports(economy: Economy) -> ImportCounts:
    """Counts before the first month: every month before was like the base year's."""
    monthly = _covered(economy)
    start = economy.scenario.run.start
    months = range(start - start % 12, start)
    laws = economy.tariff_schedule.laws
    in_force = np.array(
        [sum(law.instrument.rate_in_force(month) != 0.0 for month in months) for law in laws]
    )
    capacity, none = _capacity(economy), np.zeros(len(laws))
    return ImportCounts(
        monthly * in_force,
        np.repeat(monthly[:, None], 12, axis=1),
        np.repeat(capacity[None], len(laws), axis=0),
        *(none, none, none),
        capacity,
    )


def count_imports(economy: Economy) -> ImportCounts:
    """Counts at the beginning of a month: last month's imports join those of the year."""
    counts, schedule = economy.imports, economy.tariff_schedule
    if not schedule.with_memory or economy.month == 0:
        return counts
    newest, rates = _covered(economy), np.array(schedule.rates_in_force(economy.date - 1))
    to_date = counts.to_date + newest * (rates != 0.0)
    past_year = np.concatenate([counts.past_year[:, 1:], newest[:, None]], axis=1)
    first = np.array([law.instrument.first_month for law in schedule.laws])
    is_new, capacity = (economy.date <= first)[:, None, None], _capacity(economy)
    before = np.where(is_new, capacity, counts.capacity_before)
    waived = counts.waived + counts.relief * rates * newest
    if economy.is_january:
        to_date = np.zeros_like(to_date)
    none = np.zeros(len(waived))
    found = ImportCounts(to_date, past_year, before, waived, none, none, capacity)
    now, expected = _relief(economy, found, counts.capacity)
    return replace(found, relief=now, expected_relief=expected)


def _relief(economy: Economy, counts: ImportCounts, last: Float) -> tuple[Float, Float]:
    """(laws,) share of each duty waived for what was built in its market: now, and as expected.

    `last` (R, K) is the capacity of a month ago.
    """
    laws, rates = economy.tariff_schedule.laws, economy.tariff_schedule.rates_in_force(economy.date)
    now, expected = np.zeros(len(laws)), np.zeros(len(laws))
    per_kwpm = _by_class(economy, economy.investment.chips_per_kwpm)
    for i in economy.tariff_schedule.with_memory:
        one, imports = laws[i].instrument, float(counts.annual[i]) / 12
        chips, capital = _added(economy, one, counts.capacity - counts.capacity_before[i])
        _, a_month_ago = _added(economy, one, last - counts.capacity_before[i])
        standing, _ = _added(economy, one, counts.capacity)
        of_class = _by_class(economy, standing), per_kwpm, _by_class(economy, chips)
        newest = max(capital - a_month_ago, 0.0)
        built = Built(economy.date, *of_class, capital, newest, float(counts.waived[i]))
        now[i] = one.relief(rates[i], imports, built)
        expected[i] = one.expected_relief(rates[i], imports, built)
    return now, expected


def _by_class(economy: Economy, values: Float) -> dict[str, float]:
    return dict(zip(economy.constants.codes.classes, values.tolist(), strict=True))


def _added(economy: Economy, instrument: Instrument, added: Float) -> tuple[Float, float]:
    """(K,) chips a month of added capacity (R, K) in the markets of a law; USD of its cost."""
    constants = economy.constants
    here = instrument.chosen("markets", constants.codes.markets)[constants.region_market]
    in_markets = added * here[:, None]
    wafers = k.wafers(in_markets, economy.investment.chips_per_kwpm)
    capital = float(np.maximum(wafers, 0.0) @ constants.capital_cost)
    return np.maximum(in_markets.sum(axis=0), 0.0), capital


def _capacity(economy: Economy) -> Float:
    """(R, K) chips a month of capacity that stands."""
    foundries, n = economy.foundries, len(economy.constants.codes.regions)
    return np.stack([k.sum_by(foundries.region, one, n) for one in foundries.capacity.T], axis=1)


def rates_given(economy: Economy) -> list[float]:
    """Strength of every law this month, given the imports of the year and what was built.

    This month's imports are assumed to equal last month's.
    """
    counts, schedule = economy.imports, economy.tariff_schedule
    rates = schedule.rates_in_force(economy.date)
    for i in schedule.with_memory:
        instrument, newest = schedule.laws[i].instrument, float(counts.past_year[i, -1])
        given = instrument.rate_given(rates[i], float(counts.to_date[i]), newest)
        rates[i] = float(1 - counts.relief[i]) * given
    return rates


def _covered(economy: Economy) -> Float:
    """(laws,) imports of the last month that count towards each law, in its own unit."""
    schedule, flows = economy.tariff_schedule, economy.flows
    n_parts = len(economy.makers.slot_class)
    origin, units = np.repeat(flows.origin, n_parts), np.repeat(flows.units, n_parts)
    of_products = economy.shipments(), economy.flow_cells, economy.flows.units
    of_chips = _unmounted_chips(economy, origin), origin, units
    found = np.zeros(len(schedule.laws))
    for i in schedule.with_memory:
        law: Law = schedule.laws[i]
        shipments, place, units = of_chips if law.instrument.taxes_bare_chips else of_products
        part = law.scope[place].max(axis=1) if law.scope.ndim > 1 else law.scope[place]
        found[i] = (law.instrument.counted(shipments) * part) @ units
    return found


def _unmounted_chips(economy: Economy, origin: Int) -> Shipments:
    """The chips of one unit of every flow by slot (L x P rows), as they enter for assembly."""
    makers, constants, maker = economy.makers, economy.constants, economy.flows.maker
    region = makers.chip_region.take(maker, axis=0).ravel()
    return Shipments(
        constants.codes,
        np.zeros(len(region)),
        constants.region_market[region] != constants.origin_market[origin],
        makers.chip_value.take(maker, axis=0).reshape(-1, 1),
        makers.chips.take(maker, axis=0).reshape(-1, 1),
        makers.chip_origin.take(maker, axis=0).reshape(-1, 1),
        np.tile(makers.slot_class, len(maker))[:, None],
    )
