"""The state of the model: tables of equal-length arrays. `Economy` is the only mutable thing.

Letters in shapes: F foundries, K node classes, R foundry regions, N device makers, L flows,
J importers, D device groups, O countries of assembly, M markets, H months ahead (the first is
next month). Money is 2024 USD.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

import numpy as np

from tariffsim.kernels.sums import over_slots, sum_runs
from tariffsim.policy.shipments import Shipments
from tariffsim.state.constants import Constants
from tariffsim.state.import_counts import ImportCounts
from tariffsim.typing import Bool, Float, Int

if TYPE_CHECKING:
    from tariffsim.law.declarations import Declarations
    from tariffsim.law.duty_tables import Regime, TariffSchedule
    from tariffsim.law.expectations import DutyExpectations
    from tariffsim.law.policy_state import PolicyState
    from tariffsim.scenario import Scenario


class Rows:
    """A table of equal-length columns: one row a thing, the first column named first."""

    def __len__(self) -> int:
        return len(getattr(self, next(iter(vars(self)))))


@dataclass
class Investment:
    """One row a foundry region: its foundries decide alike, by the margin of their industry."""

    chips_per_kwpm: Float
    """(K,) chips a month from a thousand 300 mm wafers a month."""
    base_wafers: Float
    """(R,) capacity in the base year, thousand wafers a month."""
    base_margin: Float
    """(R,) operating margin in the base year."""
    margins: Float
    """(R, 12) operating margins of the last twelve months."""
    growth_ahead: Float
    """(R,) months of planned growth that capacity is ahead of its plan, or behind."""
    growth_due: Float
    """(R, H) what will be added to that, by month."""
    granted: Float
    """(R,) capacity built with grants relative to the other."""
    granted_due: Float
    """(R, H) thousand wafers a month of it that will arrive, by month."""
    grants: Float
    """(R,) USD of capacity grants paid this month."""
    grants_due: Float
    """(R, H) USD that will be paid, by month."""
    credits: Float
    """(R,) USD of investment credits paid this month."""
    credits_due: Float
    """(R, H) USD that will be paid, by month."""
    china_base_utilisation: float
    china_utilisation: Float
    """(12,) orders over capacity of Chinese foundries in the last twelve months, in wafers."""
    plan_gap: Float
    """(K,) part of China's planned capacity that is not built."""


@dataclass
class Importers(Rows):
    """One row an importer: lines of one device into one market."""

    device: Int
    market: Int
    knows_without_tracing: Bool
    """(J,) knows the origin of its chips without tracing them."""
    is_traced: Bool
    """(J,) traces them, at a cost."""
    evasion_cost: Float
    """(J,) non-monetary cost of evasion, for a dollar of value."""
    tracing_rate: Float
    """(J,) cost of tracing as a fraction of customs value."""
    size_rank: Float
    """(J,) share of the market's base imports brought in by larger importers."""
    customs_value: Float
    """(J,) USD a month brought in."""
    duty: Float
    """(J,) USD a month declared and paid."""
    evaded: Float
    """(J, months) USD of duty evaded in the months that audits look back on, not yet found."""
    back_duty: Float
    """(J,) USD this month of evaded duty found."""
    penalty: Float
    """(J,) USD this month on top of it."""
    refund: Float
    """(J,) USD this month of duty paid earlier that is paid back."""
    profit: Float
    """(J,) USD a month."""

    @property
    def knows_origin(self) -> Bool:
        """(J,) knows the origin of its chips."""
        return self.knows_without_tracing | self.is_traced


@dataclass
class Flows(Rows):
    """One row a maker x market, handled by one importer; rows are in the order of cells."""

    maker: Int
    market: Int
    importer: Int
    cell: Int
    """(L,) market x D + device."""
    base_units: Float
    """(L,) units a month."""
    base_share: Float
    """(L,) share of the cell's retail expenditure."""
    base_landed: Float
    """(L,) USD a unit."""
    base_price: Float
    """(L,) USD a unit, retail."""
    orders: Float
    """(L,) units that consumers order, without what they wait for."""
    backlog: Float
    """(L,) units that consumers still wait for from last month."""
    wanted: Float
    """(L,) units that consumers want this month: orders, and what they wait for."""
    purchases: Float
    """(L,) units that the importer orders from the maker."""
    units: Float
    """(L,) units that the maker delivers."""
    sold: Float
    """(L,) units sold to consumers."""
    lost: Float
    """(L,) units that consumers wanted, did not get and wait for no longer."""
    stock: Float
    """(L,) units in the importer's stock."""
    denied_share: Float
    """(L,) share of the chips of the worst class that measures deny."""
    base_duty: Float
    """(L,) USD a unit of duties of the base year."""
    new_duty: Float
    """(L,) USD a unit of duties since, as declared."""
    evaded_duty: Float
    """(L,) USD a unit of duties evaded by false declarations."""
    penalty_cost: Float
    """(L,) USD a unit of back duty and penalty to be expected for them."""
    compliance_cost: Float
    """(L,) USD a unit of tracing."""
    passed_on: Float
    """(L,) USD a unit of new duty in the retail price."""
    price: Float
    """(L,) USD a unit, retail."""


@dataclass
class Cells:
    """One row a (market, device): market x D + device."""

    base_expenditure: Float
    """USD a month at retail."""
    growth: Float
    """Demand relative to the base year at base prices."""
    price_index: Float
    """CES price index, base year 1."""


GLOBAL = -1
"""Market of a line sold to every market but China."""


@dataclass
class Foundries(Rows):
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
    fill_rate: Float
    """(F, K) part of other buyers' orders filled."""
    bloc: Float
    """(2, F) one where a foundry is outside China, or in it; overflow stays within a bloc."""
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


@dataclass
class DeviceMakers(Rows):
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
    """(N, M) its importer in each market; -1 where it is not sold."""
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
    """(N,) USD a unit, chips and the duty on unmounted chips on them."""
    units: Float
    """(N,) units delivered this month."""
    fill_rate: Float
    """(N,) part of the orders delivered."""
    relocation: Float
    """(N,) USD paid this month for moving assembly."""
    has_slot: Bool
    is_pin_compatible: Bool
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
    compliance_distortion: Float
    """(N, K) USD a unit of match loss from complying with a trigger, or as supply is denied."""
    chips: Float
    """(N, K) chips in a unit."""
    chip_value: Float
    """(N, K) USD a unit, invoice value of the chips."""
    chip_counter_subsidy: Float
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
    delivered_share: Float
    """(N, K) share of the supplier's deliveries that no measure denies."""
    opening_stock: Float
    """(N, K) chips in stock at the beginning of the month."""
    stock: Float
    """(N, K) chips in stock."""
    chip_payments: Float
    """(N,) USD paid this month for chips delivered, net of offsets."""
    counter_subsidy_payments: Float
    """(N, K) USD of the price of chips delivered this month that China rebates."""

    def amortised_cost(self, month: int, rows: Int | slice = slice(None)) -> Float:
        """(N,) or (rows,) USD a unit of switching costs being written off in a month."""
        return over_slots(self.amortised[rows] * (self.amortised_until[rows] > month))

    def slots(self, place: Int) -> SlotRows:
        """Slots by their row in the ravelled (N, K) columns."""
        maker, node_class = np.divmod(place, self.supplier.shape[1])
        return SlotRows(
            place, maker, node_class, self.is_pin_compatible.take(place).astype(np.intp)
        )


@dataclass(frozen=True)
class SlotRows(Rows):
    """Some chip slots of the lines, one a row."""

    place: Int
    """Row in the ravelled (N, K) columns of makers."""
    maker: Int
    node_class: Int
    kind: Int
    """DESIGN or PIN_COMPATIBLE: whose horizon the choice has."""

    def take(self, rows: Int | Bool) -> SlotRows:
        """Some of them."""
        return SlotRows(*(getattr(self, f.name)[rows] for f in fields(self)))


@dataclass(frozen=True, eq=False)
class DutyPaid:
    """Duty that one law took in one month, where a refund of it is foreseen in the scenario."""

    law: int
    month: int
    """Month count."""
    by_importer: Float
    """(J,) USD, as declared."""
    by_market: Float
    """(M,) USD on unmounted chips, paid by the makers that assembled there."""


@dataclass
class Economy:
    """All tables, the month, and what the month's policy means for prices and plans."""

    scenario: Scenario
    constants: Constants
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
    tariff_schedule: TariffSchedule
    expectations: DutyExpectations
    declarations: Declarations
    imports: ImportCounts = field(default_factory=ImportCounts.of_no_laws)
    month: int = -1
    """Months since the start; -1 before the first."""
    policy_state: PolicyState | None = None
    instrument_duty: dict[int, Float] = field(default_factory=dict)
    """USD a unit due on each flow by law in force."""
    policy_duty: Float = field(default_factory=lambda: np.zeros(0))
    """(laws,) USD of duty by instrument this month."""
    duty_paid: dict[DutyPaid, float] = field(default_factory=dict)
    """Duty of the months before that may be refunded, and the share paid back so far."""
    maker_refund: Float = field(default_factory=lambda: np.zeros(0))
    """(M,) USD this month of duty on unmounted chips that is paid back to makers."""
    chips_entered: Float = field(default_factory=lambda: np.zeros((1, 1, 1)))
    """(O, K, R) USD this month of chips that entered a country of assembly."""
    ledger: Float = field(default_factory=lambda: np.zeros((1, 1)))
    """(payments, sectors) USD this month."""

    def by_cell(self, values: Float) -> Float:
        """(..., cells) sums of values (..., L) of the flows."""
        return sum_runs(values, self.flows.cell, len(self.cells.growth))

    @property
    def policy(self) -> PolicyState:
        """This month's policy; there is none before the first month."""
        if self.policy_state is None:
            raise RuntimeError("no month has been simulated yet")
        return self.policy_state

    @property
    def date(self) -> int:
        """The month as a count from year 0."""
        return self.scenario.run.start + self.month

    def regime_ahead(self, months: int) -> Regime:
        """The legal regime that agents expect so many months from now."""
        return self.expectations.regime_ahead(self.date, months, self.imports)

    def regime_of_today(self) -> Regime:
        """The regime of the month, with duties in full that came as a surprise within it."""
        return self.expectations.regime_of_today(self.date, self.imports)

    @property
    def years(self) -> float:
        """Years since the start."""
        return self.month / 12

    @property
    def is_january(self) -> bool:
        """Whether a calendar year begins."""
        return self.date % 12 == 0

    def start_month(self) -> None:
        """Another month begins."""
        self.month += 1

    @property
    def is_imported(self) -> Bool:
        """(L,) whether a flow crosses a border: assembled in another market than it is sold in."""
        origin = self.makers.origin[self.flows.maker]
        return np.asarray(self.constants.origin_market[origin] != self.flows.market)

    @property
    def flow_cells(self) -> Int:
        """(L,) cells of the duty tables: device, country of assembly, market."""
        makers, flows = self.makers, self.flows
        device, origin = makers.device[flows.maker], makers.origin[flows.maker]
        return np.asarray(self.constants.codes.cell(device, origin, flows.market))

    def shipments(self) -> Shipments:
        """One unit of every flow as customs sees it."""
        makers, maker = self.makers, self.flows.maker
        return Shipments(
            self.constants.codes,
            makers.customs_value[maker],
            self.is_imported,
            makers.chip_value.take(maker, axis=0),
            makers.chips.take(maker, axis=0),
            makers.chip_region.take(maker, axis=0),
            np.arange(makers.supplier.shape[1]),
        )
