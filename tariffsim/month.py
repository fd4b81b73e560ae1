"""One month of the model: PHASES, in order, are its timing assumption (MODEL 3).

A phase gathers columns of the economy, calls what an actor does (`behaviour`) or computes
(`kernels`), and assigns whole columns.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tariffsim import kernels as k
from tariffsim.behaviour import (
    accounts,
    assembly,
    compliance,
    decisions,
    delivery,
    emergency,
    front_loading,
    platforms,
    prices_and_demand,
    refunds,
    sourcing,
)
from tariffsim.behaviour import foundries as industry
from tariffsim.law.expected_burden import CounterSubsidy
from tariffsim.law.policy_of_month import count_imports, policy_of_month
from tariffsim.state.constants import SHIFT
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.state.incomes import net_incomes
from tariffsim.state.ledger import new_ledger

Phase = Callable[[Economy, Draws], None]


def announce_policy(economy: Economy, draws: Draws) -> None:
    """Policy: instruments in force, and those announced, become known; currencies follow duty."""
    economy.start_month()
    economy.exchange = prices_and_demand.exchange(economy)
    economy.imports = count_imports(economy)
    economy.policy_state = policy_of_month(economy)


def trace_origins(economy: Economy, draws: Draws) -> None:
    """Importers: those who do not know the origin of chips trace it if it pays, or if obliged."""
    if compliance.is_time_to_trace(economy):
        economy.importers.is_traced = compliance.traces(economy)


def add_capacity(economy: Economy, draws: Draws) -> None:
    """Foundries: what was decided arrives; China's capacity follows its plan given the others'."""
    foundries, investment = economy.foundries, economy.investment
    chinese, region = foundries.is_chinese[:, None], foundries.region
    growth = economy.constants.region_growth[region][:, None]
    before = foundries.planned_capacity
    foundries.planned_capacity = industry.planned_capacity(economy, growth)
    arrived = industry.come_due(investment)
    investment.plan_gap = industry.china_plan_gap(economy, before)
    ahead = investment.growth_ahead[region][:, None]
    gap = np.where(chinese, investment.plan_gap, 0.0)
    own = k.capacity_after(foundries.planned_capacity, growth, ahead, gap)
    granted = k.granted_share(arrived, industry.standing_wafers(economy, own))
    investment.granted = k.total(investment.granted, granted)
    built = k.with_grants(own, investment.granted[region][:, None])
    foundries.capacity = k.times(built, economy.policy.capacity_left[region])


def post_prices(economy: Economy, draws: Draws) -> None:
    """Foundries: unit cost falls with learning; prices are posted."""
    foundries, supply = economy.foundries, economy.scenario.supply
    base_price = economy.constants.chip_price
    discount = np.where(foundries.is_chinese[:, None], economy.policy.discount, 0.0)
    learned = k.learning_index(foundries.experience, foundries.base_experience, supply.learning)
    foundries.unit_cost = k.chip_unit_cost(
        foundries.base_cost, supply.discount_cost_share, discount, base_price, learned
    )
    foundries.parity_price = parity = k.parity_price(
        base_price,
        learned,
        foundries.utilisation,
        foundries.base_utilisation,
        supply.utilisation_price_response,
    )
    target = k.discounted(parity, discount)
    posted = k.posted_price(foundries.posted_price, target, supply.price_adjustment)
    foundries.posted_price, foundries.price = posted, k.times(posted, foundries.scarcity)
    foundries.subsidy = k.subsidy_on_chip(supply.discount_subsidy_share, discount, parity)


def switch_suppliers(economy: Economy, draws: Draws) -> None:
    """Makers: new suppliers whose qualification is complete begin to deliver."""
    makers = economy.makers
    due = makers.switch_month == economy.month
    makers.supplier = np.where(due, makers.next_supplier, makers.supplier)
    makers.supplied_since = np.where(due, economy.month, makers.supplied_since)
    makers.switch_month = np.where(due, -1, makers.switch_month)


def move_assembly(economy: Economy, draws: Draws) -> None:
    """Makers: orders arrive at the plants they shifted to; new plants are ready."""
    makers, flows = economy.makers, economy.flows
    due = flows.arrival_month == economy.month
    flows.origin = np.where(due, flows.next_origin, flows.origin)
    flows.arrival_month = np.where(due, -1, flows.arrival_month)
    makers.origin[flows.line, flows.market] = flows.origin
    makers.origin = makers.origin.take(makers.line, axis=0)
    ready = np.flatnonzero(makers.plant_month == economy.month)
    makers.plants[ready, makers.new_plant[ready]] = 1
    makers.plant_month[ready] = -1


def emergency_switch(economy: Economy, draws: Draws) -> None:
    """Makers: lines that are cut off choose another supplier, in fewer months than usual."""
    makers, limits = economy.makers, economy.policy.limits
    if limits.now is None:
        return
    choices = sourcing.choice_set(economy)
    place, is_cut = emergency.slots_cut_off(economy, choices, limits.now)
    following, waits = makers.next_supplier.take(place), makers.switch_month.take(place) >= 0
    waits &= ~is_cut[np.arange(len(place)), following]
    emergency.bring_forward(economy, place[waits])
    if not waits.all():
        emergency.switch_in_emergency(economy, choices, draws, place[~waits], ~is_cut[~waits])


def choose_foundries(economy: Economy, draws: Draws) -> None:
    """Makers: designs and pin-compatible parts that open choose a foundry for each node class."""
    choices, slots = sourcing.choice_set(economy), sourcing.open_slots(economy, draws)
    stands = decisions.decide(choices, economy, slots)
    decision = platforms.reconsider(economy, choices, slots, stands)
    decisions.carry_out(economy, decision)
    sourcing.renew_second_sources(economy, decision.slots, draws)
    platforms.unite(economy)


def shift_assembly(economy: Economy, draws: Draws) -> None:
    """Makers: orders of flows shift to the plant that is best now, if that is worth its cost."""
    flows, rules = economy.flows, economy.scenario.assembly
    flows.moving_cost = np.zeros(len(flows))
    flow = assembly.flows_looking(economy, draws)
    if not len(flow):
        return
    factor, has_plant = assembly.places(economy, flow, SHIFT), assembly.has_plant(economy, flow)
    hurdle = k.moving_factor(rules.shift_cost, rules.elasticity)
    race = assembly.race_times(economy, flow)
    best, shifts = k.shifts_to(race, factor, has_plant, flows.origin[flow], hurdle)
    assembly.begin_shifts(economy, flow[shifts], best[shifts])


def build_plants(economy: Economy, draws: Draws) -> None:
    """Makers: a plant in a new country is built where it is worth its cost to the dearest flow."""
    flows, rules = economy.flows, economy.scenario.assembly
    line = assembly.lines_looking(economy, draws)
    flow, factor = assembly.dearest_flows(economy, line)
    if not len(flow):
        return
    has_plant = assembly.has_plant(economy, flow)
    hurdle = k.moving_factor(rules.shift_cost, rules.elasticity)
    building = k.moving_factor(max(rules.plant_cost, rules.shift_cost), rules.elasticity)
    race, here = assembly.race_times(economy, flow), flows.origin[flow]
    best, builds = k.builds_in(race, factor, has_plant, here, hurdle, building)
    assembly.begin_plants(economy, flow[builds], best[builds])


def price_products(economy: Economy, draws: Draws) -> None:
    """Makers: unit costs follow chip prices and country of assembly; ex-works prices are set."""
    makers, flows, in_force = economy.makers, economy.flows, economy.policy.in_force
    lines, classes, trade = (
        np.arange(len(makers))[:, None], makers.slot_class, economy.scenario.trade
    )  # fmt: skip
    makers.chips = prices_and_demand.chips_in_units(economy)
    makers.chip_region = economy.foundries.region.take(makers.supplier)
    makers.chip_origin = prices_and_demand.origins_of_chips(economy)
    price = k.of_suppliers(economy.foundries.price, makers.supplier, classes)
    duties = in_force.chip_value[None], in_force.chip_count[None]
    rebate = CounterSubsidy.of(economy).share_of_price(
        duties, 0, lines, makers.origin[:, None], classes, makers.chip_origin, price
    )
    posted = k.times(makers.chips, price)
    makers.chip_counter_subsidy = k.times(posted, rebate)
    makers.chip_value = k.left_over(posted, makers.chip_counter_subsidy)
    makers.standby_cost, makers.carrying_cost = prices_and_demand.upkeep(
        economy, makers.chip_value, np.arange(len(makers))
    )
    flows.bare_duty = prices_and_demand.duty_on_chips(economy, in_force.bare)
    of_makers = k.over_slots(makers.chip_value), makers.standby_cost, makers.carrying_cost
    flows.unit_cost = k.unit_cost(
        makers.other_inputs[flows.maker],
        economy.constants.relative_cost[makers.base_origin[flows.maker], flows.origin],
        k.total(k.total(*of_makers)[flows.maker], flows.bare_duty),
        k.total(makers.amortised_cost(economy.month), economy.version_overhead())[flows.maker],
    )
    target = k.ex_works_price(flows.unit_cost, prices_and_demand.markup(economy))
    flows.ex_works = k.following(flows.ex_works, target, trade.maker_pass_through_months)
    flows.exchange = np.where(economy.is_imported, economy.exchange[flows.market], 1.0)
    flows.customs_value = k.times(flows.ex_works, flows.exchange)
    makers.customs_value = prices_and_demand.mean_of_lines(economy, flows.customs_value)
    flows.second_best_place = assembly.second_best_places(economy)


def assess_duties(economy: Economy, draws: Draws) -> None:
    """Customs: base duties, and every instrument in force as importers declare for it."""
    flows, importers = economy.flows, economy.importers
    customs_value = flows.customs_value
    base_rate = economy.tariff_schedule.base_product[economy.flow_cells, 0]
    enforcement = economy.declarations.enforcement(economy.policy.regime)
    exposure = enforcement.exposure[flows.market]
    found = compliance.declared(economy, exposure)
    flows.base_duty = k.ad_valorem(base_rate, customs_value)
    flows.new_duty = k.total(np.zeros(len(flows)), *found.duty.values())
    flows.evaded_duty, flows.penalty_cost = found.evaded, k.times(exposure, found.evaded)
    tracing = np.where(importers.is_traced, importers.tracing_rate, 0.0)[flows.importer]
    flows.compliance_cost = k.ad_valorem(tracing, customs_value)
    economy.instrument_duty = found.duty


def set_retail_prices(economy: Economy, draws: Draws) -> None:
    """Importers: duty is passed on slowly; retail prices are set."""
    flows, trade = economy.flows, economy.scenario.trade
    customs_value = flows.customs_value
    flows.passed_on = k.passed_on_duty(
        flows.passed_on,
        k.total(flows.new_duty, flows.penalty_cost),
        trade.pass_through,
        trade.pass_through_months,
    )
    landed = k.landed_cost(customs_value, trade.freight, flows.base_duty)
    landed = k.total(landed, flows.compliance_cost)
    flows.price = k.retail_price(landed, flows.base_landed, trade.retail_margin, flows.passed_on)


def order_units(economy: Economy, draws: Draws) -> None:
    """Consumers: demand for each line follows prices; orders adjust to it."""
    flows, cells, constants = economy.flows, economy.cells, economy.constants
    n_markets, n_devices = len(constants.codes.markets), len(constants.codes.devices)
    elasticity = np.tile(constants.substitution_elasticity, n_markets)
    ratio = k.ratio(flows.price, flows.base_price)
    power = k.ces_power(ratio, elasticity[flows.cell])
    if (nesting := economy.scenario.trade.nesting) != 1:
        nest = prices_and_demand.nests(economy)
        power = k.nested_power(power, flows.base_share, nest, nesting)
        elasticity = k.between_nests(elasticity, nesting)
    cells.price_index = k.ces_price_index(
        power, flows.base_share, flows.cell, len(elasticity), elasticity
    )
    growth = np.repeat(constants.market_growth, n_devices)
    extra = k.device_growth(
        constants.growth_dates, constants.extra_growth, economy.scenario.run.start, economy.date
    )
    cells.growth = k.demand_growth(
        growth, economy.years, np.tile(extra, n_markets), economy.policy.units_factor
    )
    of_device = np.tile(constants.demand_elasticity, n_markets)
    demand = k.cell_demand(cells.price_index, elasticity, of_device, cells.growth)
    desired = k.units_demanded(flows.base_units, ratio, power, demand[flows.cell])
    flows.orders = k.adjusted_orders(flows.orders, desired, economy.scenario.trade.order_adjustment)


def front_load(economy: Economy, draws: Draws) -> None:
    """Importers: order what consumers want, and stock up ahead of a duty rise."""
    flows, trade = economy.flows, economy.scenario.trade
    flows.wanted = k.total(flows.orders, flows.backlog)
    months_left, saved = front_loading.rise_ahead(economy)
    if not saved.any() and not flows.stock.any():
        flows.purchases = flows.wanted
        return
    value = flows.customs_value
    months = k.months_worth_holding(saved, value, trade.carrying_cost, trade.front_loading_months)
    flows.purchases = k.purchases(flows.wanted, flows.stock, months, months_left)


def order_chips(economy: Economy, draws: Draws) -> None:
    """Makers and other buyers order chips from foundries."""
    makers, flows, foundries = economy.makers, economy.flows, economy.foundries
    units = k.sum_by(flows.maker, flows.purchases, len(makers))
    makers.need = makers.chip_orders = k.times(units[:, None], makers.chips)
    makers.opening_stock = makers.stock
    if economy.scenario.orders.stock_factor > 0:
        target = k.stock_target(makers.need, makers.past_need, makers.stock_months[:, None])
        makers.chip_orders = k.refill_orders(makers.need, makers.stock, target)
    makers.past_need = np.stack([makers.need, makers.past_need[:, 0]], axis=1)
    denied = delivery.denied_to_flows(economy, makers.supplier)
    flows.denied_share = denied.max(axis=1) if denied.ndim else np.zeros(len(flows))
    makers.delivered_share = delivery.delivered_to_lines(economy, makers.supplier, denied)
    makers.chip_orders = delivery.only_for_use(economy, makers.chip_orders, denied)
    delivery.order_for_others(economy)
    deliverable = k.delivered(makers.chip_orders, makers.delivered_share)
    for_lines = k.by_supplier(deliverable, makers.supplier, makers.slot_class, len(foundries))
    foundries.orders = k.total(for_lines, foundries.other_orders)
    foundries.booked_utilisation = industry.booked_utilisation(economy, deliverable)


def deliver(economy: Economy, draws: Draws) -> None:
    """Foundries fill orders, second sources step in; lines assemble; goods are delivered."""
    makers, flows, foundries = economy.makers, economy.flows, economy.foundries
    sent, second, met = delivery.deliveries(economy)
    rest = delivery.left_of_restart(economy, makers.chip_coverage)
    makers.chip_coverage = delivery.lowest_coverage(economy, met)
    makers.fill_rate = np.minimum(makers.chip_coverage, rest)
    flows.units = delivery.units_to_flows(economy)
    makers.units = k.sum_by(flows.maker, flows.units, len(makers))
    makers.china_made = assembly.made_in_china(economy)
    flows.sold, flows.stock, flows.backlog, flows.lost = k.sold_from_stock(
        flows.wanted, flows.stock, flows.units, economy.scenario.orders.backlog_share
    )
    delivery.pay_for_chips(economy, *delivery.use_chips(economy, sent, second))
    others = k.delivered(foundries.other_orders, foundries.fill_rate)
    foundries.sales = k.total(foundries.line_sales, others)
    foundries.output = k.output_with_overflow(foundries.sales, foundries.capacity, foundries.bloc)
    gained = k.experience(foundries.output, economy.scenario.supply.learning_spillover)
    foundries.experience = k.total(foundries.experience, gained)
    foundries.utilisation = k.utilisation_of(
        foundries.orders, foundries.capacity, foundries.base_utilisation
    )
    supply = economy.scenario.supply
    busy = k.bloc_utilisation(foundries.orders, foundries.capacity, foundries.bloc)
    foundries.scarcity = k.scarcity_after(
        foundries.scarcity, busy, 1, supply.scarcity_elasticity, supply.scarcity_cap
    )


def audit_importers(economy: Economy, draws: Draws) -> None:
    """Customs: audits find duty evaded in the months before; it is due, and a penalty on top."""
    importers, flows, n = economy.importers, economy.flows, len(economy.importers)
    enforcement = economy.declarations.enforcement(economy.policy.regime)
    newest = k.sum_by(flows.importer, k.times(flows.evaded_duty, flows.units), n)
    evaded = k.evaded_lately(importers.evaded, newest, economy.month)
    chance = k.audit_chance(enforcement.audits)[importers.market]
    audited = draws.uniform("audits", economy.month, n) < chance
    finds = draws.uniform("audit finds", economy.month, n) < enforcement.detection[importers.market]
    found = audited & finds
    importers.back_duty = np.where(found, evaded.sum(axis=1), 0.0)
    importers.penalty = k.times(enforcement.penalty[importers.market], importers.back_duty)
    importers.evaded = np.where(found[:, None], 0.0, evaded)


def keep_accounts(economy: Economy, draws: Draws) -> None:
    """Customs and everybody else: duty, subsidies, costs and profits are booked."""
    flows = economy.flows
    flows.relocation = k.moving_payment(flows.moving_cost, flows.customs_value, flows.units)
    ledger = new_ledger(len(economy.constants.codes.markets))
    refunds.pay_back(economy)
    accounts.book_products(economy, ledger)
    accounts.book_makers(economy, ledger)
    accounts.book_chips(economy, ledger)
    ledger.close(net_incomes(economy))
    economy.ledger = ledger.values
    refunds.keep_duty_paid(economy)


def invest(economy: Economy, draws: Draws) -> None:
    """Foundries: the year's margin decides what is built or closed; grants are awarded."""
    foundries, investment, constants = economy.foundries, economy.investment, economy.constants
    industry.look_back(economy)
    decided = industry.decided_growth(economy)
    closing = np.full_like(constants.build_lag, economy.scenario.supply.closure_months)
    due = k.at_month(investment.growth_due, k.growth_above_plan(decided), constants.build_lag)
    investment.growth_due = k.at_month(due, np.minimum(decided, 0.0), closing)
    standing = industry.standing_wafers(economy, foundries.capacity)
    growth = np.where(constants.is_china, 0.0, constants.region_growth)
    industry.award(economy, k.capacity_added(standing, growth, decided))


PHASES: tuple[Phase, ...] = (
    announce_policy,
    trace_origins,
    add_capacity,
    post_prices,
    switch_suppliers,
    move_assembly,
    emergency_switch,
    choose_foundries,
    shift_assembly,
    build_plants,
    price_products,
    assess_duties,
    set_retail_prices,
    order_units,
    front_load,
    order_chips,
    deliver,
    audit_importers,
    keep_accounts,
    invest,
)
"""The phases of a month, in order."""
