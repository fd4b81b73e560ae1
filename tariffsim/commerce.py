"""Tables of who brings what to which market, and what is bought; letters as in `economy`."""

from __future__ import annotations

from dataclasses import dataclass

from tariffsim.typing import Bool, Float, Int


@dataclass
class Importers:
    """One row an importer: lines of one device into one market."""

    device: Int
    market: Int
    can_tell: Bool
    """(J,) knows the origin of its chips without tracing them."""
    is_traced: Bool
    """(J,) traces them, at a cost."""
    honesty: Float
    """(J,) cost of hiding a dollar of value, not money."""
    tracing_rate: Float
    """(J,) cost of tracing as a fraction of customs value."""
    size_rank: Float
    """(J,) part of the market's base imports that larger importers bring in."""
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
    profit: Float
    """(J,) USD a month."""

    @property
    def knows(self) -> Bool:
        """(J,) knows the origin of its chips."""
        return self.can_tell | self.is_traced

    def __len__(self) -> int:
        return len(self.device)


@dataclass
class Flows:
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
    blocked: Float
    """(L,) part of the chips of the worst class that measures keep back."""
    base_duty: Float
    """(L,) USD a unit of duties of the base year."""
    new_duty: Float
    """(L,) USD a unit of duties since, as declared."""
    evaded_duty: Float
    """(L,) USD a unit of duties hidden by false declarations."""
    penalty_cost: Float
    """(L,) USD a unit of back duty and penalty to be expected for them."""
    compliance_cost: Float
    """(L,) USD a unit of tracing."""
    passed_on: Float
    """(L,) USD a unit of new duty in the retail price."""
    price: Float
    """(L,) USD a unit, retail."""

    def __len__(self) -> int:
        return len(self.maker)


@dataclass
class Cells:
    """One row a (market, device): market x D + device."""

    base_expenditure: Float
    """USD a month at retail."""
    growth: Float
    """Demand relative to the base year at base prices."""
    price_index: Float
    """CES price index, base year 1."""
