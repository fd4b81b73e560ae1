"""Where flows are assembled: orders shift among plants, and makers build new ones (MODEL 4.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tariffsim import kernels as k
from tariffsim.behaviour import prices_and_demand
from tariffsim.behaviour.foundries import price_ahead
from tariffsim.law.expectations import Future
from tariffsim.law.expected_burden import CounterSubsidy, ExpectedBurden
from tariffsim.policy.shipments import CHINA, Shipments
from tariffsim.state.constants import PLANT, SHIFT
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.typing import Bool, Float, Int


def flows_looking(economy: Economy, draws: Draws) -> Int:
    """(rows,) flows whose orders may shift to another plant of the maker, none of them shifting."""
    flows, makers, rules = economy.flows, economy.makers, economy.scenario.assembly
    n_markets = makers.importer.shape[1]
    u = draws.uniform("looks for shifts", economy.month, makers.n_lines, n_markets)
    looks = u[flows.line, flows.market] < rules.shift_hazard
    has_others = (makers.plants > 0).sum(axis=1) > 1
    is_free = flows.arrival_month < 0
    return np.flatnonzero(looks & is_free & has_others[flows.line])


def lines_looking(economy: Economy, draws: Draws) -> Int:
    """(rows,) lines whose maker may build a plant in a new country, none of them building."""
    makers = economy.makers
    u = draws.uniform("looks for plants", economy.month, makers.n_lines)
    looks = u < economy.scenario.assembly.plant_hazard
    return np.flatnonzero(looks & (makers.plant_month[: len(u)] < 0))


def places(economy: Economy, flow: Int, kind: int) -> Float:
    """(rows, O) factor `r` by which each country has lost since the base year for some flows.

    As expected at the dates of a kind of choice, SHIFT or PLANT; one where the maker may not go.
    """
    futures, rules = economy.policy.expected.of_kind(kind), economy.scenario.assembly
    months = rules.shift_months if kind == SHIFT else rules.plant_months
    origins = np.arange(len(economy.constants.codes.origins))[None]
    device = economy.makers.device[economy.flows.maker[flow]]
    products: dict[int, CounterfactualProduct] = {}
    landed = []
    for future in futures:  # but for what China rebates, a product is the same while chips enter so
        alike = id(future if economy.policy.counter_subsidy else future.tables.bare)
        if alike not in products:
            products[alike] = product_elsewhere(economy, flow, origins, future, months)
        landed.append(_landed_cost(economy, products[alike], future))
    mean = k.weighted_sum([future.weight[kind, device][:, None] for future in futures], landed)
    base = base_landed_cost(economy, flow, origins)
    return k.landed_factor(mean, base, rules.elasticity)


def landed_cost(economy: Economy, flow: Int, origin: Int, future: Future, months: int = 0) -> Float:
    """(rows, A) ex-works price plus expected duty of flows at some countries, USD a unit.

    As in `product_elsewhere`; `origin` is (rows or 1, A).
    """
    return _landed_cost(economy, product_elsewhere(economy, flow, origin, future, months), future)


def _landed_cost(economy: Economy, product: CounterfactualProduct, future: Future) -> Float:
    return k.total(product.shipments.customs_value, expected_duty(economy, product, future))


def product_elsewhere(
    economy: Economy, flow: Int, origin: Int, future: Future, months: int = 0
) -> CounterfactualProduct:
    """One unit of flows at some countries (rows or 1, A).

    With present suppliers, posted prices and exchange rates, and scarcity as expected so many
    months from now.
    """
    flows, foundries = economy.flows, economy.foundries
    supplier = economy.makers.supplier[flows.maker[flow]]
    ahead = price_ahead(foundries, economy.scenario.supply, months)
    price = k.of_suppliers(ahead, supplier, economy.makers.slot_class)
    product = counterfactual_product(
        economy, flows.maker[flow], supplier, flows.market[flow, None], origin,
        price, future,
    )  # fmt: skip
    return _at_exchange_rates(economy, product)


def base_landed_cost(economy: Economy, flow: Int, origin: Int) -> Float:
    """(rows, A) the same at the prices and duties of the base year, with all else as it is now."""
    flows, none = economy.flows, Future.of((), economy.tariff_schedule)
    supplier = economy.makers.supplier[flows.maker[flow]]
    product = counterfactual_product(
        economy, flows.maker[flow], supplier, flows.market[flow, None], origin,
        economy.foundries.base_price[supplier, economy.makers.slot_class], none,
    )  # fmt: skip
    return k.total(product.shipments.customs_value, expected_duty(economy, product, none))


def begin_shifts(economy: Economy, flow: Int, origin: Int) -> None:
    """Orders of flows go to another plant, at a cost; they arrive later."""
    flows, rules = economy.flows, economy.scenario.assembly
    flows.next_origin[flow] = origin
    flows.arrival_month[flow] = k.months_later(economy.month, rules.shift_months)
    flows.moving_cost[flow] = k.total(flows.moving_cost[flow], np.array(rules.shift_cost))


def begin_plants(economy: Economy, flow: Int, origin: Int) -> None:
    """Makers of flows begin to build in a country, at a cost."""
    makers, flows, rules = economy.makers, economy.flows, economy.scenario.assembly
    line = flows.line[flow]
    makers.new_plant[line] = origin
    makers.plant_month[line] = k.months_later(economy.month, rules.plant_months)
    flows.moving_cost[flow] = k.total(flows.moving_cost[flow], np.array(rules.plant_cost))


def dearest_flows(economy: Economy, line: Int) -> tuple[Int, Float]:
    """(rows,) flow of each line that has lost most where it is, and (rows, O) its factors `r`.

    By base-year value times what its country costs more; lines none of whose flows has lost are
    left out.
    """
    flows, rules = economy.flows, economy.scenario.assembly
    flow = np.flatnonzero(np.isin(flows.line, line))
    factor = places(economy, flow, PLANT)
    here = factor[np.arange(len(flow)), flows.origin[flow]]
    device = economy.makers.device[flows.maker[flow]]
    value = k.times(flows.base_units[flow], economy.constants.unit_value[device])
    loss = k.times(value, k.cost_of_place(here, rules.elasticity))
    dearest = k.largest_within(flows.line[flow], loss)
    found = dearest[loss[dearest] > 0]
    return flow[found], factor[found]


def second_best_places(economy: Economy) -> Float:
    """(L,) USD a unit that flows give up which are not assembled in their base country."""
    flows, makers = economy.flows, economy.makers
    lost = np.zeros(len(flows))
    away = np.flatnonzero(flows.origin != makers.base_origin[flows.maker])
    if not len(away):
        return lost
    here, home = flows.origin[away, None], makers.base_origin[flows.maker[away], None]
    now = Future(economy.policy.regime, economy.policy.in_force, np.ones((1, 1)))
    base = base_landed_cost(economy, away, np.concatenate([here, home], axis=1))
    race = np.take_along_axis(race_times(economy, away), np.concatenate([here, home], axis=1), 1)
    lost[away] = k.second_best_place(
        landed_cost(economy, away, here, now)[:, 0], race[:, 0], race[:, 1], base[:, 0], base[:, 1],
        economy.scenario.assembly.elasticity,
    )  # fmt: skip
    return lost


def made_in_china(economy: Economy) -> Float:
    """(N, 12) share of each line's units of the last twelve months assembled in China."""
    flows, makers, codes = economy.flows, economy.makers, economy.constants.codes
    china = codes.origins.index(CHINA) if CHINA in codes.origins else -1
    is_there = (flows.origin == china).astype(float)
    share = k.mean_over_flows(is_there, _units_or_base(economy), flows.line, makers.n_lines)
    return np.concatenate([makers.china_made[:, 1:], share[makers.line, None]], axis=1)


def _units_or_base(economy: Economy) -> Float:
    """(L,) units delivered, or those of the base year where the whole line delivers none."""
    flows, n_lines = economy.flows, economy.makers.n_lines
    of_line = k.sum_by(flows.line, flows.units, n_lines)
    return np.where(of_line[flows.line] > 0, flows.units, flows.base_units)


# Products with other suppliers, or assembled in another country.


@dataclass(frozen=True)
class CounterfactualProduct:
    """One unit of lines (rows), for some markets or countries of assembly (A)."""

    maker: Int
    """(rows,)"""
    market: Int
    """(rows or 1, A or 1)"""
    cell: Int
    """(rows, A) cells of the duty tables."""
    bare_duty: Float
    """(rows, A) USD a unit of duty on chips that enter unmounted there."""
    shipments: Shipments
    """(rows, A) as customs would see them."""


def counterfactual_product(
    economy: Economy,
    maker: Int,
    supplier: Int,
    market: Int,
    origin: Int,
    price: Float,
    future: Future,
) -> CounterfactualProduct:
    """Lines with these suppliers (rows, P), sold in markets from countries, under a future.

    `price` (rows, P) is that of their chips before any rebate, USD a chip; `market` and `origin`
    broadcast to (rows, A).
    """
    makers, constants, tables = economy.makers, economy.constants, future.tables
    classes = makers.slot_class
    region, parts = economy.foundries.region[supplier], np.arange(len(classes))
    chip = economy.chip_origins.in_duties(makers.line[maker][:, None], parts, region)
    count, each = makers.chips[maker], price
    rebate = _rebate(economy, maker, market, origin, chip, price, future)
    value = k.times(count[:, None], k.discounted(each[:, None], rebate))
    cell = constants.codes.cell(makers.device[maker, None], origin, market)
    amortised = makers.amortised_cost(economy.month, maker)
    extra = k.total(amortised, economy.version_overhead(maker))[:, None]
    bare_duty = np.zeros(cell.shape)
    row, place = np.nonzero(np.broadcast_to(tables.levies_bare[origin], cell.shape))
    if len(row):
        here = np.broadcast_to(origin, cell.shape)[row, place]
        at_home = constants.codes.cell(makers.device[maker[row]], here, 0)[:, None]
        bare = tables.bare.take(constants.codes.taxed_chip(at_home, classes, chip[row]))
        entering = np.broadcast_to(value, (*cell.shape, len(classes)))[row, place]
        bare_duty[row, place] = k.over_slots(k.ad_valorem(bare, entering))
    upkeep = prices_and_demand.upkeep(economy, value, maker[:, None])
    cost = k.unit_cost(
        makers.other_inputs[maker, None],
        constants.relative_cost[makers.base_origin[maker, None], origin],
        k.total(k.over_slots(value), *upkeep, bare_duty),
        extra,
    )
    shipments = Shipments(
        constants.codes,
        k.ex_works_price(cost, economy.scenario.trade.markup),
        economy.tariff_schedule.crosses_border[cell],
        value,
        count[:, None],
        chip[:, None],
        classes,
    )
    return CounterfactualProduct(maker, market, cell, bare_duty, shipments)


def _rebate(
    economy: Economy, maker: Int, market: Int, origin: Int, chip: Int, price: Float, future: Future
) -> Float | float:
    """(rows, A, P) share of the price of chips that China would rebate; see above."""
    subsidy, makers, tables = CounterSubsidy.of(economy), economy.makers, future.tables
    if not subsidy.share:
        return 0.0
    is_sold_here = np.arange(makers.origin.shape[1]) == np.asarray(market)[..., None]
    places = np.where(is_sold_here, origin[..., None], makers.origin[maker][:, None])
    return subsidy.share_of_price(
        (tables.chip_value[None], tables.chip_count[None]), 0, maker[:, None, None],
        places[:, :, None], makers.slot_class, chip[:, None], price[:, None],
    )  # fmt: skip


def _at_exchange_rates(economy: Economy, product: CounterfactualProduct) -> CounterfactualProduct:
    """The same in the money of its market, at the exchange rates of the month."""
    shipments = product.shipments
    factor = np.where(shipments.crosses_border, economy.exchange[product.market], 1.0)
    value = k.times(shipments.customs_value, factor)
    return replace(product, shipments=replace(shipments, customs_value=value))


def expected_duty(
    economy: Economy, product: CounterfactualProduct, future: Future, triggers_only: bool = False
) -> Float:
    """(rows, A) USD a unit due at the border, or through triggers."""
    burden, regime = ExpectedBurden.of(economy), future.regime
    importer = economy.makers.importer[product.maker[:, None], product.market]
    who = burden.beliefs(regime, importer, product.market)
    at = who, product.shipments, product.cell, regime
    if triggers_only:
        return burden.on_content(*at, triggered_only=True)
    base = economy.tariff_schedule.base_product[product.cell, 0]
    duty = k.ad_valorem(base, product.shipments.customs_value)
    return k.total(duty, burden.on_product(*at))


def race_times(economy: Economy, flow: Int) -> Float:
    """(rows, O) race times of some flows, in double precision."""
    return economy.flows.race[flow].astype(float)


def has_plant(economy: Economy, flow: Int) -> Bool:
    """(rows, O) countries in which the maker of each flow has a plant."""
    return np.asarray(economy.makers.plants[economy.flows.line[flow]] > 0)
