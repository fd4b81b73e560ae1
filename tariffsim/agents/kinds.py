"""The three kinds of agents and what can be asked of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tariffsim.agents.population import Population
from tariffsim.agents.rows import Column, Row, names
from tariffsim.explain.slot import candidates_of, switching_cost_share
from tariffsim.explain.version import versions_of_line
from tariffsim.typing import Float, format_month

if TYPE_CHECKING:
    import pandas as pd

    from tariffsim.state.economy import Economy
    from tariffsim.state.makers import DeviceMakers


def _mean(values: Float, weights: Float) -> Any:
    """Mean over node classes; zero where all weights are."""
    total = weights.sum(axis=-1)
    return (values * weights).sum(axis=-1) / np.where(total > 0, total, 1.0)


def _main_country(economy: Economy, row: Any) -> Any:
    """Country in which most units of lines are assembled, at the base year's mix of markets."""
    makers, n = economy.makers, len(economy.constants.codes.origins)
    weights, origin = makers.line_weights[row], makers.origin[row]
    by_country = (weights[..., None] * (origin[..., None] == np.arange(n))).sum(axis=-2)
    return by_country.argmax(axis=-1)


def _over_versions(economy: Economy, row: Any, value: Callable[[DeviceMakers, Any], Any]) -> Any:
    """Sums over the versions that lines sell of a value of rows of makers."""
    makers = economy.makers
    own = makers.own_version[row]
    has_two = (own >= 0) & makers.is_made[own]
    return value(makers, row) + np.where(has_two, value(makers, own), 0.0)


def _china_share(economy: Economy, row: Any) -> Any:
    """Share of the chips of lines that are Chinese, by number, mean over versions."""
    is_chinese = economy.foundries.is_chinese.astype(float)
    return _over_versions(
        economy, row, lambda m, i: m.share[i] * _mean(is_chinese[m.supplier[i]], m.chips[i])
    )


def _waiting(makers: DeviceMakers, row: Any) -> Any:
    """Slots of rows of makers with a supplier under qualification."""
    return (makers.switch_month[row] >= 0).sum(axis=-1)


class Foundry(Row):
    """A chip foundry. Quantities are over all node classes; `by_class` splits them."""

    in_economy = "foundries"
    name = Column("text", "name", lambda e, i: names(e.foundries.name, i))
    region = Column("code", "region of fabrication", codes="regions")
    is_chinese = Column("yes or no", "whether in China")
    capacity = Column("chips a month", "capacity")
    orders = Column("chips a month", "chips ordered")
    output = Column("chips a month", "chips made")
    utilisation = Column(
        "fraction",
        "orders over capacity",
        lambda e, i: _mean(
            e.foundries.orders[i] / np.maximum(e.foundries.capacity[i], 1e-300),
            e.foundries.capacity[i],
        ),
    )
    price = Column(
        "USD a chip",
        "posted price, mean over capacity",
        lambda e, i: _mean(e.foundries.price[i], e.foundries.capacity[i]),
    )
    unit_cost = Column(
        "USD a chip",
        "unit cost, mean over capacity",
        lambda e, i: _mean(e.foundries.unit_cost[i], e.foundries.capacity[i]),
    )
    revenue = Column(
        "USD a month",
        "sales at posted prices",
        lambda e, i: (e.foundries.price[i] * e.foundries.sales[i]).sum(axis=-1),
    )
    market_share = Column(
        "fraction",
        "share of all chips sold in the month",
        lambda e, i: e.foundries.sales[i].sum(axis=-1) / max(e.foundries.sales.sum(), 1e-300),
    )

    def _label(self) -> tuple[Any, ...]:
        return (self.name,)

    @property
    def customers(self) -> Population:
        """Makers that this foundry supplies in some node class."""
        makers = self.model.economy.makers
        supplies = (makers.has_slot & (makers.supplier == self.row)).any(axis=1)
        return Population.of(self.model, DeviceMaker, np.unique(makers.line[supplies]))


class DeviceMaker(Row):
    """A product line: one device, assembled in one country, designed for one market or for all."""

    in_economy = "makers"
    device = Column("code", "device group", codes="devices")
    origin = Column(
        "code",
        "country of assembly of the largest part of its units",
        lambda e, i: names(e.constants.codes.origins, _main_country(e, i)),
    )
    base_origin = Column("code", "country of assembly in the base year", codes="origins")
    market = Column(
        "code",
        "market it is designed for; GLOBAL: every one but China",
        lambda e, i: names((*e.constants.codes.markets, "GLOBAL"), e.makers.market[i]),
    )
    size = Column("fraction", "size over the mean of its device")
    units = Column(
        "units a month",
        "units delivered",
        lambda e, i: _over_versions(e, i, lambda m, rows: m.units[rows]),
    )
    fill_rate = Column(
        "fraction",
        "part of the orders delivered, mean over versions",
        lambda e, i: _over_versions(e, i, lambda m, rows: m.share[rows] * m.fill_rate[rows]),
    )
    customs_value = Column(
        "USD a unit",
        "ex-works price, mean over its markets",
        lambda e, i: _over_versions(e, i, lambda m, rows: m.share[rows] * m.customs_value[rows]),
    )
    chips = Column("chips a unit", "chips of all classes")
    china_share = Column(
        "fraction",
        "share of its chips that are Chinese, by number",
        _china_share,
    )
    is_split = Column("yes or no", "whether some of its markets have a version of their own")
    is_requalifying = Column(
        "yes or no",
        "whether a new supplier is under qualification",
        lambda e, i: _over_versions(e, i, _waiting) > 0,
    )

    def _label(self) -> tuple[Any, ...]:
        return (self.row, self.device, self.origin, self.market)

    @property
    def parts(self) -> list[str]:
        """Parts with chips: the node class, numbered where there are several of it."""
        return list(self._slots())

    @property
    def countries(self) -> dict[str, str]:
        """Country in which what it sells in each market is assembled."""
        economy, row = self.model.economy, self.row
        codes, sold = economy.constants.codes, economy.makers.line_weights[row] > 0
        return {
            codes.markets[m]: codes.origins[economy.makers.origin[row, m]]
            for m in np.flatnonzero(sold)
        }

    @property
    def plants(self) -> list[str]:
        """Countries in which it has a plant."""
        economy = self.model.economy
        has = np.flatnonzero(economy.makers.plants[self.row])
        return [economy.constants.codes.origins[o] for o in has]

    @property
    def pin_compatible(self) -> list[str]:
        """Pin-compatible parts, which change supplier without a new design."""
        is_pin_compatible = self.model.economy.makers.is_pin_compatible[self.row]
        return [name for name, k in self._slots().items() if is_pin_compatible[k]]

    @property
    def suppliers(self) -> dict[str, str]:
        """Foundry that supplies each part; of a split line, for the markets it does not set apart.

        See `versions`.
        """
        return self._suppliers(self.row)

    @property
    def versions(self) -> dict[tuple[str, ...], dict[str, str]]:
        """Foundry that supplies each part, by the markets of each version of the product."""
        economy = self.model.economy
        return {
            version.markets: self._suppliers(version.row)
            for version in versions_of_line(economy, self.row)
        }

    def _suppliers(self, row: int) -> dict[str, str]:
        economy = self.model.economy
        supplier = economy.makers.supplier[row]
        return {name: economy.foundries.name[supplier[k]] for name, k in self._slots().items()}

    @property
    def coming(self) -> dict[str, tuple[str, str]]:
        """Foundry under qualification and the month it takes over, by part."""
        economy, found = self.model.economy, {}
        for name, k in self._slots().items():
            month = int(economy.makers.switch_month[self.row, k])
            if month >= 0:
                foundry = economy.foundries.name[economy.makers.next_supplier[self.row, k]]
                found[name] = (foundry, format_month(economy.scenario.run.start + month))
        return found

    @property
    def switching_cost(self) -> dict[str, float]:
        """Cost of a new supplier as a fraction of a design's lifetime bill of the part, by part."""
        economy, slots = self.model.economy, self._slots()
        return {name: switching_cost_share(economy, self.row, k) for name, k in slots.items()}

    @property
    def importers(self) -> Population:
        """Importers that handle it."""
        flows = self.model.economy.flows
        rows = np.unique(flows.importer[flows.line == self.row])
        return Population.of(self.model, Importer, rows)

    def cost_stack(self, part: str) -> pd.DataFrame:
        """What each foundry would cost in one slot, USD a chip: see `explain.slot.candidates_of`.

        Raises:
            KeyError: the line has no such part.
        """
        slots = self._slots()
        if part not in slots:
            raise KeyError(f"{self} has no part {part!r}, only {[*slots]}")
        return candidates_of(self.model.economy, self.row, slots[part])

    def _slots(self) -> dict[str, int]:
        """Positions of its parts by name."""
        has_slot = self.model.economy.makers.has_slot[self.row]
        parts = self.model.economy.constants.part_names
        return {name: k for k, name in enumerate(parts) if has_slot[k]}


class Importer(Row):
    """An importer: lines of one device into one market."""

    in_economy = "importers"
    device = Column("code", "device group", codes="devices")
    market = Column("code", "market it sells in", codes="markets")
    customs_value = Column("USD a month", "value brought in, ex works")
    knows_origin = Column("yes or no", "knows where its chips come from")
    is_traced = Column("yes or no", "traces its chips")
    evasion_cost = Column(
        "fraction", "duty on a dollar of value above which it evades, if evasion were never found"
    )
    duty = Column("USD a month", "duty declared and paid")
    evaded = Column("USD", "duty evaded that audits may still find")
    penalty = Column(
        "USD a month",
        "back duty and penalty",
        lambda e, i: e.importers.back_duty[i] + e.importers.penalty[i],
    )
    refund = Column("USD a month", "duty of earlier months that is paid back")
    profit = Column("USD a month", "profit")

    def _label(self) -> tuple[Any, ...]:
        return (self.row, self.device, self.market)

    @property
    def lines(self) -> Population:
        """Makers whose products it handles."""
        flows = self.model.economy.flows
        rows = np.unique(flows.line[flows.importer == self.row])
        return Population.of(self.model, DeviceMaker, rows)
