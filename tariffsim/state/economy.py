"""The state of the model: tables of equal-length arrays. `Economy` is the only mutable thing.

Letters in shapes: F foundries, K node classes, P parts, R foundry regions, N device makers, L
flows, J importers, D device groups, O countries of assembly, M markets, H months ahead (the first
is next month). Money is 2024 USD.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tariffsim.kernels.sourcing import share_of_bill
from tariffsim.kernels.sums import sum_by, sum_runs
from tariffsim.policy.shipments import Shipments
from tariffsim.state.chip_origins import ChipOrigins
from tariffsim.state.constants import Constants
from tariffsim.state.import_counts import ImportCounts
from tariffsim.state.makers import DeviceMakers
from tariffsim.state.rows import Rows
from tariffsim.typing import Bool, Float, Float32, Int

if TYPE_CHECKING:
    from tariffsim.law.declarations import Declarations
    from tariffsim.law.duty_tables import Regime, TariffSchedule
    from tariffsim.law.expectations import DutyExpectations
    from tariffsim.law.policy_state import PolicyState
    from tariffsim.scenario import Scenario


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

    line: Int
    maker: Int
    """(L,) row of makers: the version of the line that is sold here."""
    market: Int
    importer: Int
    cell: Int
    """(L,) market x D + device."""
    race: Float32
    """(L, O) race times of the countries of assembly, single precision: least `e r` wins."""
    origin: Int
    """(L,) country of assembly now."""
    next_origin: Int
    """(L,) country that its orders are shifting to."""
    arrival_month: Int
    """(L,) month from which it is assembled there; -1 when it is not shifting."""
    unit_cost: Float
    """(L,) USD a unit."""
    ex_works: Float
    """(L,) USD a unit at the maker's gate, at the exchange rates of the base year."""
    exchange: Float
    """(L,) that price in the market's money, relative to the exchange rates of the base year."""
    customs_value: Float
    """(L,) USD a unit, ex works."""
    bare_duty: Float
    """(L,) USD a unit of duty on chips entering unmounted where it is assembled."""
    moving_cost: Float
    """(L,) cost of what was decided this month, fraction of a year's customs value."""
    relocation: Float
    """(L,) USD paid this month for a shift or a plant."""
    second_best_place: Float
    """(L,) USD a unit given up by not assembling in the base country."""
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
    posted_price: Float
    """(F, K) USD a chip, at which chips are offered while there are enough."""
    scarcity: Float
    """(F, K) factor on it where orders are above the capacity of the bloc; one else."""
    booked_utilisation: Float
    """(F, K) orders over capacity of the bloc once all that is under qualification is supplied."""
    price: Float
    """(F, K) USD a chip, invoiced: the posted price times scarcity."""
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
    chip_origins: ChipOrigins
    exchange: Float
    """(M,) prices of foreign makers in a market's money, relative to rates of the base year."""
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
    """(O, K, R) USD this month of chips that entered a country of assembly, by origin in law."""
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
        return np.asarray(self.constants.origin_market[self.flows.origin] != self.flows.market)

    def share_of_line(self) -> Float:
        """(L,) each flow's share of the units of its line.

        By the units of the base year in a month in which a line delivers none.
        """
        flows, units = self.flows, self.makers.units
        base = sum_by(flows.maker, flows.base_units, len(units))
        taken = np.where(units[flows.maker] > 0, flows.units, flows.base_units)
        return np.asarray(taken / np.where(units > 0, units, base)[flows.maker])

    def version_overhead(self, rows: Int | slice = slice(None)) -> Float:
        """(N,) or (rows,) USD a unit that a version of its own costs while its line is split."""
        makers, price = self.makers, self.constants.chip_price[self.makers.slot_class]
        is_own = makers.is_split[makers.line[rows]] & (makers.line != np.arange(len(makers)))[rows]
        share = np.where(is_own, self.scenario.sourcing.version_overhead, 0.0)
        return share_of_bill(share, makers.chips[rows], price)

    def of_flows(self, values: Float) -> Float:
        """(L,) what lines (N,) hold or pay, shared out by the units that their flows take."""
        return np.asarray(values[self.flows.maker] * self.share_of_line())

    @property
    def home(self) -> Int:
        """(L,) market that the country belongs to in which each flow is assembled."""
        return np.asarray(self.constants.origin_market[self.flows.origin])

    @property
    def flow_cells(self) -> Int:
        """(L,) cells of the duty tables: device, country of assembly, market."""
        makers, flows = self.makers, self.flows
        device = makers.device[flows.maker]
        return np.asarray(self.constants.codes.cell(device, flows.origin, flows.market))

    def shipments(self) -> Shipments:
        """One unit of every flow as customs sees it."""
        makers, maker = self.makers, self.flows.maker
        return Shipments(
            self.constants.codes,
            self.flows.customs_value,
            self.is_imported,
            makers.chip_value.take(maker, axis=0),
            makers.chips.take(maker, axis=0),
            makers.chip_origin.take(maker, axis=0),
            makers.slot_class,
        )
