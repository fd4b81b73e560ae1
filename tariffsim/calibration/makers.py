"""Makers, flows and importers in the base year (MODEL 5), and what importers declare (4.5)."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from tariffsim.calibration.assembly import race_times
from tariffsim.calibration.lines import Lines, evenly, pareto_size
from tariffsim.calibration.shares import LineKinds
from tariffsim.calibration.suppliers import (
    Slots,
    amortised_at_start,
    draw_second_sources,
    pipeline,
)
from tariffsim.errors import CalibrationError, Problem
from tariffsim.kernels.compliance import NEVER_EVADES, tracing_cost_rate, unknown_chance
from tariffsim.kernels.prices_and_demand import chip_carrying_cost, standby_cost
from tariffsim.kernels.sourcing import odds_from_scale
from tariffsim.kernels.sums import over_slots, rank_within, sum_by
from tariffsim.law.declarations import Declarations, Enforcement
from tariffsim.law.duty_tables import TariffSchedule
from tariffsim.policy.shipments import CHINA
from tariffsim.scenario import Scenario
from tariffsim.scenario.checks import blame
from tariffsim.state.chip_origins import ChipOrigins
from tariffsim.state.constants import Constants
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Cells, Flows, Foundries, Importers
from tariffsim.state.makers import DeviceMakers
from tariffsim.typing import Bool, Float, Int, Int16

ROUNDING = 1e-12
"""Of a product's value: chips that are all of it may cost so much more."""
LONG_AGO = -1200
"""Month since which suppliers of the base year supply, and before which none was cut off."""


def make_makers(
    scenario: Scenario,
    constants: Constants,
    schedule: TariffSchedule,
    lines: Lines,
    rows: LineKinds,
    shares: Float,
    slots: Slots,
    supplier: Int,
    foundries: Foundries,
    plants: Int16,
    chip_origins: ChipOrigins,
    draws: Draws,
) -> DeviceMakers:
    """Makers in month 0.

    Raises:
        CalibrationError: chips cost more than the whole product.
    """
    n, n_parts = supplier.shape
    slot_class = constants.slot_class
    slot_row = (rows.of_line[:, None] * shares.shape[1] + slot_class).ravel()
    following, month = pipeline(
        shares.reshape(-1, shares.shape[2]),
        slot_row,
        supplier.ravel(),
        slots.inertia.ravel(),
        slots.hazard.ravel(),
        slots.lead_months.ravel(),
        slots.curvature.ravel(),
        slots.scale.ravel(),
        draws,
        "pipeline",
    )
    device = lines.device
    value = lines.value.sum(axis=1)
    chip_price = foundries.base_price[supplier, slot_class]
    region = foundries.region[supplier]
    bare = schedule.base_bare[lines.origin[:, None], slot_class, region]
    chips = constants.chips_per_part[device]
    bill = (chips * chip_price * (1 + bare)).sum(axis=1)
    other = constants.unit_value[device] / (1 + scenario.trade.markup) - bill
    own = odds_from_scale(
        shares[rows.of_line[:, None], slot_class, supplier], slots.curvature, slots.scale
    )
    amortised, amortised_until = amortised_at_start(slots, own, other, draws)
    month, following = month.reshape(n, n_parts), following.reshape(n, n_parts)
    has_second, second = draw_second_sources(
        shares, rows.of_line, slot_class, slots, constants.second_source_share[device],
        foundries.region, supplier, np.where(month >= 0, following, supplier), draws,
    )  # fmt: skip
    stock_months, orders = constants.stock_months[device], scenario.orders
    standby = standby_cost(chips * chip_price, has_second, orders.standby_cost)
    carrying = chip_carrying_cost(chips * chip_price, stock_months, orders.chip_carrying_cost)
    other = other - over_slots(amortised * (amortised_until > 0)) - standby - carrying
    is_short = other < -ROUNDING * constants.unit_value[device]
    if is_short.any():
        codes = sorted({constants.codes.devices[d] for d in device[is_short]})
        raise CalibrationError([_dearer_than_product(scenario, code) for code in codes])
    units = value / constants.unit_value[device]
    china = constants.codes.origins.index(CHINA) if CHINA in constants.codes.origins else -1
    in_china = (lines.origin == china).astype(float)
    need = units[:, None] * chips
    stock = stock_months[:, None] * need
    return DeviceMakers(
        device=device,
        line=np.arange(n),
        own_version=np.full(n, -1),
        is_made=np.ones(n, dtype=bool),
        is_split=np.zeros(n, dtype=bool),
        weighed_month=np.full(n, -1),
        split_gain=np.zeros(n),
        split_cost=np.zeros(n),
        share=np.ones(n),
        base_origin=lines.origin,
        market=lines.market,
        size=lines.size,
        weights=lines.value / value[:, None],
        line_weights=lines.value / value[:, None],
        importer=np.full(lines.value.shape, -1),
        odds_row=rows.of_line,
        base_china=in_china,
        china_made=np.repeat(in_china[:, None], 12, axis=1),
        origin=np.repeat(lines.origin[:, None], lines.value.shape[1], axis=1),
        plants=plants,
        new_plant=lines.origin.copy(),
        plant_month=np.full(n, -1),
        other_inputs=np.maximum(other, 0.0),
        customs_value=constants.unit_value[device],
        units=units,
        fill_rate=np.ones(n),
        chip_coverage=np.ones(n),
        slot_class=slot_class,
        has_slot=slots.has_slot,
        is_pin_compatible=slots.is_pin_compatible,
        supplier=supplier,
        chip_region=region,
        chip_origin=chip_origins.in_duties(np.arange(n)[:, None], np.arange(n_parts), region),
        next_supplier=following,
        switch_month=month,
        curvature=slots.curvature,
        odds_scale=slots.scale,
        switching=slots.switching,
        inertia=slots.inertia,
        life_months=slots.life_months,
        line_requalification=slots.requalification_per_unit,
        requalification_per_unit=slots.requalification_per_unit,
        standby_cost=standby,
        carrying_cost=carrying,
        amortised=amortised,
        amortised_until=amortised_until,
        compliance_distortion=np.zeros((n, n_parts)),
        chips=chips,
        chip_value=chips * chip_price,
        chip_counter_subsidy=np.zeros((n, n_parts)),
        supplied_since=np.full((n, n_parts), LONG_AGO),
        has_second_source=has_second,
        second_source=second,
        stock_months=stock_months,
        need=need,
        past_need=np.stack([need, need], axis=1),
        chip_orders=need.copy(),
        delivered_share=np.ones((n, n_parts)),
        most_denied=np.zeros((n, n_parts)),
        last_denied=np.full((n, n_parts), LONG_AGO),
        opening_stock=stock.copy(),
        stock=stock,
        chip_payments=over_slots(need * chip_price),
        counter_subsidy_payments=np.zeros((n, n_parts)),
    )


def with_own_versions(makers: DeviceMakers, in_focus: Bool) -> DeviceMakers:
    """The makers, and rows for own versions of lines sold in markets in focus (M,) and in others.

    Nothing is sold of them until their line splits.
    """
    sold = makers.line_weights > 0
    lines = np.flatnonzero((sold & in_focus).any(axis=1) & (sold.sum(axis=1) > 1))
    n = len(makers)
    columns = {f.name: getattr(makers, f.name) for f in fields(makers) if f.name != "slot_class"}
    found = {name: np.concatenate([column, column[lines]]) for name, column in columns.items()}
    own = np.arange(n, n + len(lines))
    found["own_version"][lines] = own
    found["has_slot"][own] = found["is_made"][own] = False
    for name in STANDING:
        found[name][own] = 0
    return DeviceMakers(slot_class=makers.slot_class, **found)


STANDING = (
    "units", "need", "past_need", "chip_orders", "opening_stock", "stock", "chip_payments",
)  # fmt: skip
"""Columns of what a version has or does; zero where there is none."""


def _dearer_than_product(scenario: Scenario, code: str) -> Problem:
    keys = (*(f"figures.devices.{code}.{name}" for name in ("chip_content", "foundational_share")),
            "trade.markup")  # fmt: skip
    message = f"makes the chips of {code} cost more than the whole product may cost its maker"
    return blame(scenario, keys, message, "lower chip_content, foundational_share or trade.markup")


def make_flows(
    scenario: Scenario, constants: Constants, schedule: TariffSchedule, lines: Lines, plants: Int16,
    footprint: Float, draws: Draws,
) -> tuple[Flows, Cells]:  # fmt: skip
    """Flows of the lines at base prices, and the (market, device) cells they make up.

    `plants` (N, O) of makers and the footprint (D, O) of plants say how near other places are.
    """
    trade = scenario.trade
    market, maker = np.nonzero(lines.value.T > 0)
    device = lines.device[maker]
    n_devices = len(constants.codes.devices)
    unit_value = constants.unit_value[device]
    origin, none = lines.origin[maker], np.zeros(len(maker))
    law_cell = constants.codes.cell(device, origin, market)
    base_duty = schedule.base_product[law_cell, 0] * unit_value
    landed = unit_value * (1 + trade.freight) + base_duty
    price = landed * (1 + trade.retail_margin)
    units = lines.value[maker, market] / unit_value
    cell = market * n_devices + device
    spending = sum_by(cell, price * units, n_devices * len(constants.codes.markets))
    flows = Flows(
        line=maker,
        maker=maker.copy(),
        market=market,
        importer=np.zeros(len(maker), dtype=np.intp),
        cell=cell,
        race=race_times(
            plants, footprint, scenario.assembly.new_place_power, lines, maker, market, draws
        ),
        origin=origin.copy(),
        next_origin=origin.copy(),
        arrival_month=np.full(len(maker), -1),
        unit_cost=unit_value / (1 + trade.markup),
        ex_works=unit_value,
        exchange=np.ones(len(maker)),
        customs_value=unit_value,
        bare_duty=none.copy(),
        moving_cost=none.copy(),
        relocation=none.copy(),
        second_best_place=none.copy(),
        base_units=units,
        base_share=price * units / spending[cell],
        base_landed=landed,
        base_price=price,
        orders=units.copy(),
        backlog=np.zeros(len(maker)),
        wanted=units.copy(),
        purchases=units.copy(),
        units=units.copy(),
        sold=units.copy(),
        lost=np.zeros(len(maker)),
        stock=np.zeros(len(maker)),
        denied_share=np.zeros(len(maker)),
        base_duty=base_duty,
        new_duty=np.zeros(len(maker)),
        evaded_duty=np.zeros(len(maker)),
        penalty_cost=np.zeros(len(maker)),
        compliance_cost=np.zeros(len(maker)),
        passed_on=np.zeros(len(maker)),
        price=price.copy(),
    )
    return flows, Cells(spending, np.ones(len(spending)), np.ones(len(spending)))


def base_chips(constants: Constants, makers: DeviceMakers, flows: Flows) -> Float:
    """(M, K) chips a month in the devices each market bought in the base year."""
    device = makers.device[flows.maker]
    n_devices, n_markets = len(constants.codes.devices), len(constants.codes.markets)
    units = sum_by(flows.market * n_devices + device, flows.base_units, n_devices * n_markets)
    return np.asarray(units.reshape(n_markets, n_devices) @ constants.chips_per_unit)


def make_importers(
    scenario: Scenario, constants: Constants, flows: Flows, draws: Draws
) -> Importers:
    """Importers of each (market, device) with flows; each flow is given to one of them."""
    n_devices, n_cells = len(constants.codes.devices), len(constants.codes.markets)
    n_cells *= n_devices
    of_cell = np.bincount(flows.cell, minlength=n_cells)
    least, most = scenario.agents.importers_min, scenario.agents.importers_max
    drawn = least + (draws.uniform("importers", 0, n_cells) * (most - least + 1)).astype(np.intp)
    count = np.minimum(drawn, of_cell)
    pick = draws.uniform("portfolio", 0, int(flows.maker.max()) + 1, len(constants.codes.markets))
    flows.importer = _dealt(
        flows.cell, pick[flows.maker, flows.market], count, _firm_sizes(scenario, count, draws)
    )
    market, device = np.divmod(np.repeat(np.arange(n_cells), count), n_devices)
    value = constants.unit_value[device] * sum_by(flows.importer, flows.base_units, len(device))
    size, rank, place = _sizes(value, market)
    compliance = scenario.compliance
    unknown = unknown_chance(
        compliance.unknown_origin_share, compliance.unknown_origin_slope, place
    )
    does_not_know = evenly(unknown[:, None], market, [device], size, draws, "importer can tell")
    is_compliant = compliance.behaviour == "compliant"
    evasion_cost = compliance.evasion_cost * draws.exponential("honesty", 0, len(device))
    return Importers(
        device=device,
        market=market,
        knows_without_tracing=~does_not_know[:, 0] | is_compliant,
        is_traced=np.zeros(len(device), dtype=bool),
        evasion_cost=np.full(len(device), NEVER_EVADES) if is_compliant else evasion_cost,
        tracing_rate=tracing_cost_rate(
            size,
            compliance.firm_turnover_usd,
            compliance.tracing_cost_usd,
            compliance.tracing_value_share,
        ),
        size_rank=rank,
        customs_value=value,
        evaded=np.zeros((len(device), compliance.lookback_months)),
        **{
            name: np.zeros(len(device))
            for name in ("duty", "back_duty", "penalty", "refund", "profit")
        },
    )


def _firm_sizes(scenario: Scenario, count: Int, draws: Draws) -> Float:
    """(J,) Pareto sizes of importers, so many in each cell."""
    agents, u = scenario.agents, draws.uniform("importer size", 0, int(count.sum()))
    return pareto_size(u, agents.size_pareto, agents.size_limit)


def _dealt(cell: Int, random: Float, count: Int, size: Float) -> Int:
    """(L,) importer of each flow: one each in random order, the others by size.

    Importers are numbered in the order of cells, `count` (cells,) in each; `size` is (J,).
    """
    first, n_flows = np.cumsum(count) - count, np.bincount(cell, minlength=len(count))
    order = np.lexsort((random, cell))
    place = np.empty(len(cell), dtype=np.intp)
    place[order] = rank_within(cell[order])
    of_importer = np.repeat(np.arange(len(count)), count)
    reach = np.cumsum(size)
    reach -= (reach - size)[first[of_importer]]
    reach /= sum_by(of_importer, size, len(count))[of_importer]
    more = place - count[cell]
    part = (more + 0.5) / np.maximum(n_flows - count, 1)[cell]
    by_size = np.searchsorted(of_importer + reach, cell + part, side="right")
    last = (first + count - 1)[cell]
    return np.where(more < 0, first[cell] + place, np.minimum(by_size, last))


def _sizes(value: Float, market: Int) -> tuple[Float, Float, Float]:
    """Of each importer in its market, largest first.

    Size over the mean, the part of imports that larger ones bring, and its place in (0, 1).
    """
    size, rank, place = (np.ones(len(value)) for _ in range(3))
    for m in np.unique(market):
        own = np.flatnonzero(market == m)
        own = own[np.argsort(-value[own], kind="stable")]
        share = value[own] / value[own].sum()
        size[own] = share * len(own)
        rank[own] = np.cumsum(share) - share
        place[own] = (np.arange(len(own)) + 0.5) / len(own)
    return size, rank, place


def make_declarations(
    scenario: Scenario, schedule: TariffSchedule, constants: Constants
) -> Declarations:
    """What importers declare, and the audits without any programme."""
    compliance = scenario.compliance
    everywhere = np.ones(len(constants.codes.markets))
    enforcement = Enforcement(
        compliance.audit_rate * everywhere,
        compliance.detection * everywhere,
        compliance.penalty_multiple * everywhere,
        compliance.lookback_months,
    )
    return Declarations(schedule, constants.trade.ravel() > 0, enforcement)
