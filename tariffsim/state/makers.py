"""Device makers and their slots. Letters in shapes are those of `state.economy`."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from tariffsim.kernels.sums import over_slots
from tariffsim.state.rows import Rows
from tariffsim.typing import Bool, Float, Int, Int16

GLOBAL = -1
"""Market of a line sold to every market but China."""


@dataclass
class DeviceMakers(Rows):
    """One row a version of a product line; slot arrays are (N, P), one slot a part.

    First come the lines, then versions of their own that they may give to markets in focus.
    """

    device: Int
    line: Int
    """(N,) the line; the first rows are the lines themselves, in the version that they have."""
    own_version: Int
    """(N,) row of the version for markets in focus; -1 where there can be none."""
    is_made: Bool
    """(N,) whether the version is sold; the first of every line is."""
    is_split: Bool
    """(N,) whether some markets of the line have a version of their own."""
    weighed_month: Int
    """(N,) month in which the line last weighed versions; -1 if it never did."""
    split_gain: Float
    """(N,) USD a unit of the line that a version of its own would then have gained."""
    split_cost: Float
    """(N,) USD a unit of the line that it would have cost."""
    share: Float
    """(N,) share of the line's units that are of this version, in the base year."""
    base_origin: Int
    market: Int
    """(N,) the market it is designed for, or GLOBAL."""
    size: Float
    """(N,) size relative to the value-weighted mean of its device."""
    weights: Float
    """(N, M) share of its units by market in the base year."""
    line_weights: Float
    """(N, M) the same of the whole line."""
    importer: Int
    """(N, M) its importer in each market; -1 where it is not sold."""
    odds_row: Int
    """(N,) row of the tables of base shares: (device, base origin, market or global)."""
    base_china: Float
    """(N,) share of its units assembled in China in the base year."""
    china_made: Float
    """(N, 12) the same in the last twelve months."""
    origin: Int
    """(N, M) country of assembly of what is sold in each market."""
    plants: Int16
    """(N, O) plants of the maker by country; those of the line, whatever the version."""
    new_plant: Int
    """(N,) country in which a plant is being built."""
    plant_month: Int
    """(N,) month from which it stands; -1 when none is being built."""
    other_inputs: Float
    """(N,) USD a unit, at the cost of the base origin."""
    customs_value: Float
    """(N,) USD a unit, ex works, mean over its markets."""
    units: Float
    """(N,) units delivered this month."""
    fill_rate: Float
    """(N,) part of the orders delivered."""
    chip_coverage: Float
    """(N,) part of the orders for which it had chips: the part of the month that it worked."""
    slot_class: Int
    """(P,) node class of each slot."""
    has_slot: Bool
    is_pin_compatible: Bool
    supplier: Int
    """(N, P) foundry that supplies."""
    chip_region: Int
    """(N, P) region in which this month's chips are made."""
    chip_origin: Int
    """(N, P) their origin in law."""
    next_supplier: Int
    """(N, P) foundry under qualification."""
    switch_month: Int
    """(N, P) month from which it supplies; -1 when none is under way."""
    curvature: Float
    """(N, P) kappa of the steady state."""
    odds_scale: Float
    """(N, P) scalar c of the steady state."""
    switching: Float
    """(N, P) cost S of a switch for the whole line."""
    inertia: Float
    """(N, P) factor on the incumbent's odds, (1 + S)^sigma of the version."""
    life_months: Int
    """(N, P) months over which a switch is written off: the discounted life of a choice."""
    line_requalification: Float
    """(N, P) USD a unit of the whole line over that life if the slot switches."""
    requalification_per_unit: Float
    """(N, P) the same a unit of the version."""
    standby_cost: Float
    """(N,) USD a unit of keeping second sources."""
    carrying_cost: Float
    """(N,) USD a unit of holding the usual stock of chips."""
    amortised: Float
    """(N, P) USD a unit being written off."""
    amortised_until: Int
    """(N, P) first month without it."""
    compliance_distortion: Float
    """(N, P) USD a unit of match loss from complying with a trigger, or as supply is denied."""
    chips: Float
    """(N, P) chips in a unit."""
    chip_value: Float
    """(N, P) USD a unit, invoice value of the chips."""
    chip_counter_subsidy: Float
    """(N, P) USD a unit that China pays of their posted price."""
    supplied_since: Int
    """(N, P) month since which the supplier supplies."""
    second_source: Int
    """(N, P) foundry on standby in another region; the supplier itself where there is none."""
    has_second_source: Bool
    """(N, P) whether a second source is kept."""
    stock_months: Float
    """(N,) months of use that the line holds in chips."""
    need: Float
    """(N, P) chips for the units ordered this month."""
    past_need: Float
    """(N, 2, P) the same of the two months before."""
    chip_orders: Float
    """(N, P) chips ordered this month, to refill the stock."""
    delivered_share: Float
    """(N, P) share of the supplier's deliveries that no measure denies."""
    most_denied: Float
    """(N, P) share that measures deny, the most in any market."""
    last_denied: Int
    """(N, P) last month in which that was above zero; -1200 where it never was."""
    opening_stock: Float
    """(N, P) chips in stock at the beginning of the month."""
    stock: Float
    """(N, P) chips in stock."""
    chip_payments: Float
    """(N,) USD paid this month for chips delivered, net of offsets."""
    counter_subsidy_payments: Float
    """(N, P) USD of the price of chips delivered this month that China rebates."""

    def amortised_cost(self, month: int, rows: Int | slice = slice(None)) -> Float:
        """(N,) or (rows,) USD a unit of switching costs being written off in a month."""
        return over_slots(self.amortised[rows] * (self.amortised_until[rows] > month))

    def booked_supplier(self, at: Int | tuple[Int | int, ...] | slice = slice(None)) -> Int:
        """(N, P), or at some of these, foundry that supplies once what is decided is supplied."""
        waits = self.switch_month[at] >= 0
        return np.where(waits, self.next_supplier[at], self.supplier[at])

    @property
    def n_lines(self) -> int:
        """Number of product lines: draws are for lines, whatever versions they have."""
        return int((self.line == np.arange(len(self))).sum())

    def place_of(self, maker: Int, part: Int) -> Int:
        """Rows of slots in the ravelled (N, P) columns."""
        return np.asarray(maker * len(self.slot_class) + part)

    def slots(self, place: Int) -> SlotRows:
        """Slots by their row in the ravelled (N, P) columns."""
        maker, part = np.divmod(place, len(self.slot_class))
        kind = self.is_pin_compatible.take(place).astype(np.intp)
        weights = self.weights.take(maker, axis=0)
        return SlotRows(place, maker, part, self.slot_class[part], kind, weights)


@dataclass(frozen=True)
class SlotRows(Rows):
    """Some chip slots of the lines, one a row."""

    place: Int
    """Row in the ravelled (N, P) columns of makers."""
    maker: Int
    part: Int
    node_class: Int
    kind: Int
    """DESIGN or PIN_COMPATIBLE: whose horizon the choice has."""
    weights: Float
    """(rows, M) share of the units by market for which the choice is made."""

    def for_markets(self, weights: Float) -> SlotRows:
        """The same slots, chosen for other markets (rows, M)."""
        return replace(self, weights=weights)

    def take(self, rows: Int | Bool) -> SlotRows:
        """Some of them."""
        return SlotRows(*(getattr(self, f.name)[rows] for f in fields(self)))
