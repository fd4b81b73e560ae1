"""The state of the model: tables of equal-length arrays. `Economy` is the only mutable thing.

Letters in shapes: F foundries, K node classes, R foundry regions, N device makers, L flows,
J importers, D device groups, O countries of assembly, M markets. Money is 2024 USD.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tariffsim.commerce import Cells, Flows, Importers
from tariffsim.figures import Figures
from tariffsim.investment import Investment
from tariffsim.kernels.sums import Runs, over_slots, runs_of, sum_runs
from tariffsim.policy_state import PolicyState
from tariffsim.typing import Bool, Float, Int

if TYPE_CHECKING:
    from tariffsim.claims import Claims
    from tariffsim.scenario.fields import Scenario
    from tariffsim.tariffs import Tariffs

GLOBAL = -1
"""Market of a line sold to every market but China."""


@dataclass
class Foundries:
    """One row a foundry; class arrays are (F, K)."""

    name: list[str]
    region: Int
    """(F,)"""
    is_chinese: Bool
    """(F,)"""
    base_capacity: Float
    """(F, K) chips a month."""
    capacity: Float
    """(F, K) chips a month."""
    planned_capacity: Float
    """(F, K) chips a month, as planned before anybody responds."""
    base_utilisation: Float
    """(F, K) orders over capacity in the base year."""
    utilisation: Float
    """(F, K) orders over capacity of the last month."""
    base_price: Float
    """(F, K) USD a chip."""
    price: Float
    """(F, K) USD a chip, posted."""
    parity_price: Float
    """(F, K) USD a chip, without discount."""
    base_cost: Float
    """(F, K) USD a chip, before learning; China's moves with its discount."""
    unit_cost: Float
    """(F, K) USD a chip."""
    base_experience: Float
    """(F, K) chips already learned from."""
    experience: Float
    """(F, K) chips learned from since."""
    orders: Float
    """(F, K) chips ordered this month."""
    fill: Float
    """(F, K) part of other buyers' orders filled."""
    bloc: Float
    """(2, F) one where a foundry is outside China, or in it: who makes whose overflow."""
    sales: Float
    """(F, K) chips sold this month, own or made by others of the bloc."""
    line_sales: Float
    """(F, K) of these, chips for the lines of device makers."""
    output: Float
    """(F, K) chips made this month."""
    other_base: Float
    """(F, K) chips a month sold to buyers outside the device groups in the base year."""
    other_share: Float
    """(F, K) mix of foundries of those buyers by class."""
    other_orders: Float
    """(F, K) chips ordered by those buyers."""
    subsidy: Float
    """(F, K) USD a chip of public money."""
    revenue: Float
    """(F, K) USD a month from chips, overflow settled."""
    cost: Float
    """(F, K) USD a month."""

    def __len__(self) -> int:
        return len(self.region)


@dataclass
class DeviceMakers:
    """One row a product line; slot arrays are (N, K), one slot a node class."""

    device: Int
    base_origin: Int
    market: Int
    """(N,) the market it is designed for, or GLOBAL."""
    size: Float
    """(N,) size relative to the value-weighted mean of its device."""
    weights: Float
    """(N, M) share of its units by market in the base year."""
    importer: Int
    """(N, M) who brings it into each market; -1 where it is not sold."""
    odds_row: Int
    """(N,) row of the tables of base shares: (device, base origin, market or global)."""
    origin: Int
    """(N,) country of assembly now."""
    next_origin: Int
    """(N,) country it is moving to."""
    move_month: Int
    """(N,) month from which it assembles there; -1 when not moving."""
    other_inputs: Float
    """(N,) USD a unit, at the cost of the base origin."""
    unit_cost: Float
    """(N,) USD a unit."""
    customs_value: Float
    """(N,) USD a unit, ex works."""
    chip_bill: Float
    """(N,) USD a unit, chips and the bare-chip duty on them."""
    units: Float
    """(N,) units delivered this month."""
    fill: Float
    """(N,) part of the orders delivered."""
    relocation: Float
    """(N,) USD paid this month for moving assembly."""
    has_slot: Bool
    is_drop_in: Bool
    supplier: Int
    """(N, K) foundry that supplies."""
    chip_region: Int
    """(N, K) region in which this month's chips are made."""
    next_supplier: Int
    """(N, K) foundry under qualification."""
    switch_month: Int
    """(N, K) month from which it supplies; -1 when none is under way."""
    curvature: Float
    """(N, K) kappa of the steady state."""
    odds_scale: Float
    """(N, K) scalar c of the steady state."""
    inertia: Float
    """(N, K) factor on the incumbent's odds, (1 + S)^sigma."""
    life_months: Int
    """(N, K) months over which a switch is written off: the discounted life of a choice."""
    requalification_per_unit: Float
    """(N, K) USD a unit over that life if the slot switches."""
    amortised: Float
    """(N, K) USD a unit being written off."""
    amortised_until: Int
    """(N, K) first month without it."""
    plan_sacrifice: Float
    """(N, K) USD a unit given up to keep clear of a trigger."""
    chips: Float
    """(N, K) chips in a unit."""
    chip_value: Float
    """(N, K) USD a unit, invoice value of the chips."""
    chip_offset: Float
    """(N, K) USD a unit that China pays of their posted price."""
    bare_duty: Float
    """(N, K) USD a unit of duty on chips entering bare where the line is assembled."""
    supplied_since: Int
    """(N, K) month since which the supplier supplies."""
    second_source: Int
    """(N, K) foundry on standby in another region; the supplier itself where there is none."""
    has_second_source: Bool
    """(N, K) whether a second source is kept."""
    stock_months: Float
    """(N,) months of use that the line holds in chips."""
    need: Float
    """(N, K) chips for the units ordered this month."""
    past_need: Float
    """(N, 2, K) the same of the two months before."""
    chip_orders: Float
    """(N, K) chips ordered this month, to refill the stock."""
    let_through: Float
    """(N, K) part of the supplier's deliveries that no measure keeps back."""
    opening_stock: Float
    """(N, K) chips in stock at the beginning of the month."""
    stock: Float
    """(N, K) chips in stock."""
    chip_payments: Float
    """(N,) USD paid this month for chips delivered, net of offsets."""
    offset_payments: Float
    """(N, K) USD of the price of chips delivered this month that is given back."""

    def __len__(self) -> int:
        return len(self.device)

    def amortised_cost(self, month: int, rows: Int | slice = slice(None)) -> Float:
        """(N,) or (rows,) USD a unit of switching costs being written off in a month."""
        return over_slots(self.amortised[rows] * (self.amortised_until[rows] > month))


@dataclass
class Economy:
    """All tables, the month, and what the month's policy means for prices and plans."""

    scenario: Scenario
    figures: Figures
    base_shares: Float
    """(rows, K, F) shares of foundries in units by (device, origin, market or global)."""
    origin_odds: Float
    """(rows, O) odds of the countries of assembly, by the same rows."""
    foundries: Foundries
    investment: Investment
    makers: DeviceMakers
    importers: Importers
    flows: Flows
    cells: Cells
    base_chips: Float
    """(M, K) chips a month in the devices each market bought in the base year."""
    tariffs: Tariffs
    claims: Claims | None
    """What importers declare; None if all know and declare the truth."""
    month: int = -1
    """Months since the start; -1 before the first."""
    policy: PolicyState | None = None
    instrument_duty: dict[int, Float] = field(default_factory=dict)
    """USD a unit due on each flow by law in force."""
    policy_duty: Float = field(default_factory=lambda: np.zeros(0))
    """(laws,) USD of duty by instrument this month."""
    chips_entered: Float = field(default_factory=lambda: np.zeros((1, 1, 1)))
    """(O, K, R) USD this month of chips that entered a country of assembly."""
    ledger: Float = field(default_factory=lambda: np.zeros((1, 1)))
    """(payments, sectors) USD this month."""

    @cached_property
    def _runs(self) -> Runs:
        return runs_of(self.flows.cell, len(self.cells.growth))

    def by_cell(self, values: Float) -> Float:
        """(cells,) sum of values of the flows."""
        return sum_runs(values, self._runs)

    @property
    def law(self) -> PolicyState:
        """This month's policy; there is none before the first month."""
        if self.policy is None:
            raise RuntimeError("no month has been simulated yet")
        return self.policy

    @property
    def date(self) -> int:
        """The month as a count from year 0."""
        return self.scenario.run.start + self.month
