"""Makers choose a foundry for each node class (MODEL 4.2, 4.6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffsim import kernels as k
from tariffsim.behaviour.foundries import price_ahead
from tariffsim.law.expected_burden import CounterSubsidy, ExpectedBurden
from tariffsim.law.policy_state import DeliveredShare, PolicyState
from tariffsim.law.supply_limits import least_share, share_by_market, share_of_suppliers
from tariffsim.scenario.blocks import Sourcing, Supply
from tariffsim.state.constants import DESIGN, PIN_COMPATIBLE, Constants
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy, Foundries
from tariffsim.state.makers import DeviceMakers, SlotRows
from tariffsim.typing import Bool, Float, Int

BLOCK = 2048
"""Slots at a time, so that a block of (slots, foundries) stays in the cache."""


@dataclass(frozen=True)
class ChoiceSet:
    """All that a choice of foundry depends on this month, gathered once."""

    makers: DeviceMakers
    foundries: Foundries
    constants: Constants
    sourcing: Sourcing
    supply: Supply
    policy: PolicyState
    expected_burden: ExpectedBurden
    counter_subsidy: CounterSubsidy
    base_shares: Float
    """(rows, K, F) shares of foundries in the base year, in units."""
    base_duty: Float
    """(1, cells, K, R) duty on a dollar of chips in a slot in the base year."""
    price: Float
    """(kinds, D, K, F) price of a chip at the scarcity expected when it is delivered, USD."""
    size: Float
    """(K, F) factor on the odds of a foundry that has grown."""
    offer: Float
    """(kinds, D, K, F) the same, times that of its price, which moved since the base year."""
    markup: float
    emergency_share: float
    """Denied share of deliveries that sets off an emergency switch."""

    @property
    def sigma(self) -> float:
        """Elasticity of substitution between foundries at an open design."""
        return self.sourcing.elasticity

    def at_delivery(self, table: Float, slots: SlotRows) -> Float:
        """(rows, F) of a table (kinds, D, K, F) by the month in which a choice delivers."""
        device = self.makers.device[slots.maker]
        row = np.ravel_multi_index((slots.kind, device, slots.node_class), table.shape[:3])
        return np.asarray(table.reshape(-1, table.shape[3]).take(row, axis=0))

    @property
    def origins(self) -> Int:
        """(O,) all origins that chips have in law."""
        return np.arange(self.constants.codes.n_chip_origins)


@dataclass(frozen=True)
class OpenSlots:
    """Slots that draw noise this month, whatever the policy; one row each."""

    rows: SlotRows
    is_free: Bool
    """No other supplier is under qualification."""
    is_open: Bool
    """Opens by itself; otherwise a pin-compatible part of a design that opens."""
    in_design: Bool
    """The whole design opens."""
    draw: Int
    """(rows,) row of `draws`: the versions of a line have the same."""
    draws: Float
    """(slots of lines, F) unit exponentials: the noise of the choice."""

    def take(self, rows: Int | Bool) -> OpenSlots:
        """Some of them."""
        return OpenSlots(
            self.rows.take(rows), self.is_free[rows], self.is_open[rows], self.in_design[rows],
            self.draw[rows], self.draws,
        )  # fmt: skip

    def noise(self, rows: Int | slice = slice(None)) -> Float:
        """(rows, F) the noise of some of them."""
        return self.draws.take(self.draw[rows], axis=0)


def choice_set(economy: Economy, months_factor: float = 1.0) -> ChoiceSet:
    """Prices, duties, sizes and limits of supply of this month.

    `months_factor` is that of the months to delivery in an emergency.
    """
    foundries, sourcing, supply = (
        economy.foundries,
        economy.scenario.sourcing,
        economy.scenario.supply,
    )
    size = k.size_factor(foundries.capacity, foundries.base_capacity, sourcing.size_term).T
    device, kinds = (
        np.arange(len(economy.constants.codes.devices)),
        np.array([[DESIGN], [PIN_COMPATIBLE]]),
    )
    lead = k.shortened(_lead(economy.constants, sourcing, device, kinds), months_factor)
    price = price_ahead(foundries, supply, lead).swapaxes(2, 3)
    return ChoiceSet(
        economy.makers,
        foundries,
        economy.constants,
        sourcing,
        supply,
        economy.policy,
        ExpectedBurden.of(economy),
        CounterSubsidy.of(economy),
        economy.base_shares,
        economy.tariff_schedule.tables(()).slot[None],
        np.ascontiguousarray(price),
        size,
        k.times(size, k.cost_odds(price, foundries.base_price.T, sourcing.elasticity)),
        economy.scenario.trade.markup,
        economy.scenario.orders.emergency_share,
    )


# Which slots open.


def open_slots(economy: Economy, draws: Draws) -> OpenSlots:
    """Which slots open, and their noise: drawn for all lines, free or not."""
    makers = economy.makers
    opens, by_itself = openings(economy, draws, economy.month)
    is_open = by_itself | opens[:, None]
    of_lines = np.flatnonzero((makers.has_slot & is_open)[: makers.n_lines])
    noise = draws.exponential("foundry noise", economy.month, len(of_lines), len(economy.foundries))
    place, at = versions_of(makers, of_lines)
    rows = makers.slots(place)
    return OpenSlots(
        rows,
        makers.switch_month.take(place) < 0,
        by_itself.take(place),
        opens[rows.maker],
        at,
        noise,
    )


def versions_of(makers: DeviceMakers, place: Int) -> tuple[Int, Int]:
    """(rows,) the slots of lines, then those of their versions of their own; where each is from.

    `place` are rows of lines in the ravelled (N, P) columns.
    """
    line, part = np.divmod(place, len(makers.slot_class))
    own = makers.own_version[line]
    two = np.flatnonzero((own >= 0) & makers.is_made[own])
    of_own = makers.place_of(own[two], part[two])
    return np.concatenate([place, of_own]), np.concatenate([np.arange(len(place)), two])


def openings(economy: Economy, draws: Draws, month: int) -> tuple[Bool, Bool]:
    """(N,) designs that open in a month, (N, K) slots that then open by themselves; no policy."""
    makers, constants = economy.makers, economy.constants
    u = draws.uniform("design opens", month, makers.n_lines)[makers.line]
    opens = u < constants.design_hazard[makers.device]
    u = draws.uniform("drop-in opens", month, makers.n_lines, len(makers.slot_class))
    alone = u.take(makers.line, axis=0) < constants.pin_compatible_hazard
    is_pin_compatible = makers.is_pin_compatible
    return opens, (is_pin_compatible & alone) | (~is_pin_compatible & opens[:, None])


# What suppliers cost, and how likely each is to be chosen.


def choose(choices: ChoiceSet, slots: OpenSlots, weights: Float | None = None) -> tuple[Int, Float]:
    """(rows,) supplier that each slot chooses, or has, and what it loses as supply is denied.

    `weights` (rows, F) are those of `choice_weights`, if they are known.
    """
    makers = choices.makers
    choice = makers.supplier.take(slots.rows.place)
    forgone = np.zeros(len(choice))
    for rows in k.blocks(np.flatnonzero(slots.is_free & slots.is_open), BLOCK):
        some, noise = slots.rows.take(rows), slots.noise(rows)
        of_all = choice_weights(choices, some) if weights is None else weights.take(rows, axis=0)
        allowed = among_candidates(choices, some, of_all)
        inertia = makers.inertia.take(some.place)
        choice[rows] = k.draw_choice(k.with_inertia(allowed, choice[rows], inertia), noise)
        forgone[rows] = forgone_match(choices, some, of_all, choice[rows], noise)
    return choice, forgone


def choice_weights(choices: ChoiceSet, slots: SlotRows, triggered: bool = True) -> Float:
    """(rows, F) odds of each foundry at an open slot, `exp(V)`, whatever supply is denied."""
    makers = choices.makers
    odds = k.odds_from_scale(
        choices.base_shares[makers.odds_row[slots.maker], slots.node_class],
        makers.curvature.take(slots.place)[:, None],
        makers.odds_scale.take(slots.place)[:, None],
    )
    some, like = _once_each(choices, slots)
    duty = k.cost_odds(
        relative_cost(choices, some, triggered), base_relative_cost(choices, some), choices.sigma
    )
    region = choices.foundries.region
    return k.choice_odds(
        odds,
        choices.at_delivery(choices.offer, slots),
        k.by_foundry(_preference(choices, some), region).take(like, axis=0),
        _of_foundries(choices, slots, duty.take(like, axis=0)),
    )


def _once_each(choices: ChoiceSet, slots: SlotRows) -> tuple[SlotRows, Int]:
    """Slots whose duties and tastes differ; (rows,) which of these each slot is like.

    Parts of one class of a version are alike, but for the origin of their chips.
    """
    if choices.expected_burden.declarations.counts_chips:
        return slots, np.arange(len(slots))
    kinds, classes = choices.price.shape[0], choices.price.shape[2]
    shape = len(choices.makers), kinds, classes
    of_slots = np.ravel_multi_index((slots.maker, slots.kind, slots.node_class), shape)
    _, first, like = np.unique(of_slots, return_index=True, return_inverse=True)
    return slots.take(first), like


def slot_cost(choices: ChoiceSet, slots: SlotRows, triggered: bool = True) -> Float:
    """(rows, F) price of a chip plus the duty it is expected to cause, USD."""
    cost = _of_foundries(choices, slots, relative_cost(choices, slots, triggered))
    return k.times(price_at_delivery(choices, slots), cost)


def relative_cost(choices: ChoiceSet, slots: SlotRows, triggered: bool = True) -> Float:
    """(rows, O) cost of a chip with the duty it is expected to cause, relative to its price.

    By its origin in law; (rows, F) by foundry where a duty is on the number of chips, which is more
    the cheaper they are.
    """
    makers, policy, burden = choices.makers, choices.policy, choices.expected_burden
    if burden.declarations.counts_chips:
        price = price_at_delivery(choices, slots)
        origins = burden.of_foundries(slots, choices.foundries.region)
    else:
        price, origins = np.ones((len(slots), len(choices.origins))), choices.origins
    rate = duty_over_markets(
        choices, policy.expected.slot, slots, makers.origin.take(slots.maker, axis=0), slots.kind
    )
    net = k.discounted(price, rebated_share(choices, slots, origins, price))
    duty = burden.on_slots(slots, origins, net, policy.expected.futures, triggered)
    return k.ratio(k.cost_with_duty(net, k.by_foundry(rate, origins), duty), price)


def rebated_share(choices: ChoiceSet, slots: SlotRows, origins: Int, price: Float) -> Float | float:
    """(rows, F) share of the price of a chip that China is expected to rebate.

    `origins` (F,) or (rows, F) are those in law of chips at prices (rows, F).
    """
    expected = choices.policy.expected
    return choices.counter_subsidy.share_of_price(
        (expected.chip_value, expected.chip_count), slots.kind[:, None], slots.maker[:, None],
        choices.makers.origin[slots.maker, None], slots.node_class[:, None], origins, price,
    )  # fmt: skip


def base_relative_cost(choices: ChoiceSet, slots: SlotRows) -> Float:
    """The same as `relative_cost` in the base year, where the line was assembled then."""
    origin = choices.makers.base_origin[slots.maker, None]
    whole = slots.for_markets(choices.makers.line_weights.take(slots.maker, axis=0))
    rate = duty_over_markets(choices, choices.base_duty, whole, origin, np.zeros_like(slots.kind))
    burden, one = choices.expected_burden, np.ones(())
    if burden.declarations.counts_chips:
        rate = k.by_foundry(rate, burden.of_foundries(slots, choices.foundries.region))
    return k.cost_with_duty(one, rate, 0.0)


def base_slot_cost(choices: ChoiceSet, slots: SlotRows) -> Float:
    """(rows, F) price and duty of a chip in the base year, where the line was assembled then."""
    price = choices.foundries.base_price.T.take(slots.node_class, axis=0)
    return k.times(price, _of_foundries(choices, slots, base_relative_cost(choices, slots)))


def price_at_delivery(choices: ChoiceSet, slots: SlotRows) -> Float:
    """(rows, F) price of a chip, at the scarcity expected when it is delivered, USD (MODEL 4.1)."""
    return choices.at_delivery(choices.price, slots)


def _of_foundries(choices: ChoiceSet, slots: SlotRows, values: Float) -> Float:
    """(rows, F) of what `relative_cost` gives."""
    burden = choices.expected_burden
    if burden.declarations.counts_chips:
        return values
    return k.by_foundry(values, burden.of_foundries(slots, choices.foundries.region))


def duty_over_markets(
    choices: ChoiceSet, table: Float, slots: SlotRows, origin: Int, kind: Int
) -> Float:
    """(rows, R) mean of a duty table (kinds, cells, K, R) over the markets of each line.

    `origin` (rows, M or 1) is where it assembles what it sells in each.
    """
    makers = choices.makers
    cells = choices.constants.codes.cells_by_market(makers.device[slots.maker, None], origin)
    at = np.ravel_multi_index((kind[:, None], cells, slots.node_class[:, None]), table.shape[:3])
    picked = table.reshape(-1, table.shape[3]).take(at, axis=0)
    return k.over_markets(picked, slots.weights)


def _preference(choices: ChoiceSet, slots: SlotRows) -> Float:
    """(rows, R) odds of a line that moved to or from China, and tastes of its buyers, by region."""
    makers, sourcing, maker = choices.makers, choices.sourcing, slots.maker
    odds = k.assembly_preference(
        sourcing.assembly_odds,
        sourcing.odds_follow,
        makers.china_made[maker].mean(axis=1),
        makers.base_china[maker],
    )
    preference = np.where(choices.constants.is_china, odds[:, None], 1.0)
    log_odds = choices.policy.preference
    if log_odds.any():
        preference = k.times(preference, np.exp(k.over_markets(log_odds[None], slots.weights)))
    if choices.policy.procurement.any():
        avoided = choices.policy.procurement[slots.kind, makers.device[maker]]
        preference = k.times(preference, np.exp(k.over_markets(avoided, slots.weights)))
    return preference


# Supply that measures deny.


def among_candidates(choices: ChoiceSet, slots: SlotRows, weights: Float) -> Float:
    """(rows, F) weights without suppliers whose deliveries are denied.

    A line keeps its incumbent if there is no alternative, and chooses no supplier that it would
    leave in an emergency switch.
    """
    table = choices.policy.limits.expected
    if table is None:
        return weights
    share, leaves = emergency_leavers(choices, slots, table, kind=True)
    allowed = np.where(leaves, 0.0, k.delivered(weights, share))
    incumbent = choices.makers.supplier.take(slots.place)
    stays = np.arange(weights.shape[1]) == incumbent[:, None]
    return np.where(allowed.any(axis=1, keepdims=True), allowed, stays)


def emergency_leavers(
    choices: ChoiceSet, slots: SlotRows, table: DeliveredShare, kind: bool = False
) -> tuple[Float, Bool]:
    """(rows, F) least delivered share, and whether so much is denied that the line would leave.

    It would if the profit lost is more than it costs to requalify all parts that are denied.
    """
    makers, region = choices.makers, choices.foundries.region
    by_market = share_by_market(choices.constants.codes, makers, slots, table, kind)
    least = least_share(makers, slots, by_market, region)
    mean = k.over_markets(by_market, slots.weights)[:, region]
    others, delivered = _other_parts_denied(choices, slots, table, kind)
    cost = makers.requalification_per_unit
    of_others = k.over_slots(np.where(others, cost[slots.maker], 0.0))
    worth_it = k.switch_pays(
        np.minimum(mean, k.least_over_slots(delivered)[:, None]),
        makers.customs_value[slots.maker, None],
        choices.markup,
        k.total(cost.take(slots.place), of_others)[:, None],
    )
    return least, k.is_cut_off(least, choices.emergency_share) & worth_it


def _other_parts_denied(
    choices: ChoiceSet, slots: SlotRows, table: DeliveredShare, kind: bool
) -> tuple[Bool, Float]:
    """(rows, P) other parts of the line that are denied, and how much of each is delivered."""
    makers = choices.makers
    by_market = share_of_suppliers(
        choices.constants.codes, makers, slots.maker, choices.foundries.region, table, kind
    )
    weights = slots.weights
    least = np.where(weights[:, None] > 0, by_market, 1.0).min(axis=2)
    denied = makers.has_slot[slots.maker] & k.is_cut_off(least, choices.emergency_share)
    denied[np.arange(len(slots)), slots.part] = False
    return denied, np.where(denied, k.over_markets(by_market.swapaxes(1, 2), weights), 1.0)


def forgone_match(
    choices: ChoiceSet, slots: SlotRows, weights: Float, choice: Int, noise: Float
) -> Float:
    """(rows,) USD a unit of match loss from choosing while supply is denied (MODEL 4.7).

    Against the best of all suppliers, without the switching cost paid besides; `weights` (rows, F)
    are those of `choice_weights`.
    """
    makers = choices.makers
    if choices.policy.limits.expected is None or choices.sigma == 0.0:
        return np.zeros(len(slots))
    supplier, inertia = makers.supplier.take(slots.place), makers.inertia.take(slots.place)
    with_cost = k.with_inertia(weights, supplier, inertia)
    best = k.draw_choice(with_cost, noise)
    value = value_of_utility(choices, slots, best)
    loss = k.utility_loss(weights, noise, best, choice, value)
    return np.where(np.isfinite(loss), loss, 0.0)


def value_of_utility(choices: ChoiceSet, slots: SlotRows, supplier: Int) -> Float:
    """(rows,) USD a unit that one unit of utility is worth with a supplier, at delivery."""
    price = price_at_delivery(choices, slots)[np.arange(len(slots)), supplier]
    return k.utility_value(choices.makers.chips.take(slots.place), price, choices.sigma)


# Qualification.


def qualify(
    economy: Economy, place: Int, choice: Int, cost: Float, months_factor: float = 1.0
) -> None:
    """Start qualifying the chosen suppliers; the old ones deliver until they take over.

    `place` are rows in the ravelled (N, P) columns of makers, `cost` what each costs, USD a unit.
    """
    makers, month = economy.makers, economy.month
    life = makers.life_months.take(place)
    amortised = k.written_off(
        makers.amortised.take(place),
        k.months_left(makers.amortised_until.take(place), month),
        cost,
        life,
    )
    lead = k.shortened(lead_months(economy, place), months_factor)
    makers.next_supplier.put(place, choice)
    makers.switch_month.put(place, k.months_later(month, lead))
    makers.amortised.put(place, amortised)
    makers.amortised_until.put(place, k.months_later(month, life))


def lead_months(economy: Economy, place: Int) -> Int:
    """(rows,) months from a choice to delivery by the new supplier."""
    slots = economy.makers.slots(place)
    device = economy.makers.device[slots.maker]
    return _lead(economy.constants, economy.scenario.sourcing, device, slots.kind)


def _lead(constants: Constants, sourcing: Sourcing, device: Int, kind: Int) -> Int:
    """(rows,) months to delivery of a choice of a kind for a device."""
    pin_compatible = sourcing.pin_compatible_requalification_months
    return np.where(kind == DESIGN, constants.requalification_months[device], pin_compatible)


def _noise_of_second_sources(economy: Economy, draws: Draws, slots: SlotRows) -> Float:
    """(rows, F) noise of the second sources of slots of lines, and the same of their versions."""
    makers, n_parts = economy.makers, len(economy.makers.slot_class)
    of_line = np.ravel_multi_index(
        (makers.line[slots.maker], slots.part), (makers.n_lines, n_parts)
    )
    places, at = np.unique(of_line, return_inverse=True)
    return draws.exponential("second source", economy.month, len(places), len(economy.foundries))[
        at
    ]


def renew_second_sources(economy: Economy, slots: OpenSlots, draws: Draws) -> None:
    """Slots that open draw another second source, in neither the old nor the new region."""
    makers = economy.makers
    has = np.flatnonzero(makers.has_second_source.take(slots.rows.place) & slots.is_open)
    some = slots.rows.take(has)
    noise = _noise_of_second_sources(economy, draws, some)
    second = k.drawn_elsewhere(
        economy.base_shares[makers.odds_row[some.maker], some.node_class],
        economy.foundries.region,
        makers.supplier.take(some.place),
        makers.booked_supplier((some.maker, some.part)),
        noise,
    )
    makers.second_source.put(some.place, second)
