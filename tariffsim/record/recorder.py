"""Reading the economy after the last phase of a month; recording changes nothing."""

from __future__ import annotations

import numpy as np

from tariffsim.errors import NotFiniteError
from tariffsim.kernels.prices_and_demand import rebate
from tariffsim.kernels.sums import over_slots, sum_by
from tariffsim.policy.shipments import CHINA
from tariffsim.record.choice_set_prices import ChoiceSetPrices
from tariffsim.record.history import History
from tariffsim.state.economy import Economy
from tariffsim.state.makers import GLOBAL
from tariffsim.typing import Float, Int, format_month

SHARED = (
    "origin_value", "sourcing", "base_sourcing", "chip_price", "slot_price", "slot_duty", "ledger",
    "stock_value",
)  # fmt: skip
"""Arrays of `History` by month that do not depend on the names of laws."""


class Recorder:
    """Reads the economy after each month."""

    def __init__(self, economy: Economy, months: int) -> None:
        codes = economy.constants.codes
        self._shape = (len(codes.markets), len(codes.devices))
        self._months = months
        self._rows: dict[tuple[str, str], list[Float]] = {}
        """By field of `History`, if it has columns, and name."""
        self._flows: list[Float] = []
        self._flow_months: list[str] = []
        self._alternatives = ChoiceSetPrices(economy)
        self._laws = economy.tariff_schedule.laws
        self._policy_names, self._policy_of = _distinct([law.name for law in self._laws])
        self._foundries = economy.foundries
        self._chips_per_kwpm = economy.investment.chips_per_kwpm

    def record(self, economy: Economy) -> None:
        """Keep this month."""
        self._keep_cells(economy)
        self._keep_sourcing(economy)
        self._keep_foundries(economy)
        self._keep("policy_rate", np.array(economy.policy.rates))
        self._keep("policy_duty", economy.policy_duty)
        self._keep("ledger", economy.ledger)
        self._keep("stock_value", _stock_value(economy))

    def begin_with(self, past: History, rates: Float, policy_duty: Float) -> None:
        """Take over first months from the history of another run; nothing is recorded yet.

        Rates and duty are (months, laws), by the laws of this run.
        """
        n = len(rates)
        for name in SHARED:
            self._rows["", name] = [*getattr(past, name)[:n]]
        for field in ("cells", "foundries"):
            for name, values in getattr(past, field).items():
                self._rows[field, name] = [*values[:n]]
        self._rows["", "policy_rate"], self._rows["", "policy_duty"] = [*rates], [*policy_duty]
        self._flow_months = [month for month in past.flow_months if month in past.months[:n]]
        self._flows = [*past.flows[: len(self._flow_months)]]

    @property
    def duty_by_law(self) -> Float:
        """(T, laws) USD a month of duty, where `policy_duty` of the history is by name."""
        return np.array(self._rows["", "policy_duty"])

    def history(self, seed: int, start: int) -> History:
        """All months as arrays.

        Raises:
            NotFiniteError: a quantity became NaN or infinite.
        """
        stacked = {name: np.array(rows) for name, rows in self._rows.items()}
        for name in ("policy_rate", "policy_duty"):
            rows = [
                sum_by(self._policy_of, row, len(self._policy_names)) for row in stacked["", name]
            ]
            stacked["", name] = np.array(rows)
        for (field, name), values in stacked.items():
            if not np.isfinite(values).all():
                month = format_month(start + int(np.argwhere(~np.isfinite(values))[0, 0]))
                what = f"foundry {name}" if field == "foundries" else name
                raise NotFiniteError(f"{what} became NaN or infinite in {month}")

        instruments = [law.instrument for law in self._laws]
        cuts = [one.starts for one in instruments if one.restricts_supply and one.is_law]

        def of(field: str) -> dict[str, Float]:
            return {name: values for (its, name), values in stacked.items() if its == field}

        return History(
            seed=seed,
            months=[format_month(start + t) for t in range(len(stacked["", "ledger"]))],
            cells=of("cells"),
            flows=np.array(self._flows),
            foundry_region=self._foundries.region,
            foundry_names=self._foundries.name,
            chips_per_kwpm=self._chips_per_kwpm,
            policy_names=self._policy_names,
            flow_months=self._flow_months,
            cut_from=min(cuts, default=np.inf) - start,
            foundries=of("foundries"),
            **of(""),
        )

    def _keep(self, name: str, values: Float, field: str = "") -> None:
        self._rows.setdefault((field, name), []).append(values)

    def _keep_cells(self, economy: Economy) -> None:
        flows, cells, importers = economy.flows, economy.cells, economy.importers
        of_units, of_sold = _of_each_unit(economy), _of_each_sold(economy)
        wanted = np.where(flows.purchases > 0, flows.purchases, 1)
        short = np.where(flows.purchases > 0, 1 - flows.units / wanted, 0.0)
        of_flows = {
            "units": flows.units,
            "sold_units": flows.sold,
            "lost_units": flows.lost,
            "stock_units": flows.stock,
            "lines": np.ones(len(flows)),
            "stopped_lines": short,
            "retail_value": flows.price * flows.sold,
            "lost_value": flows.price * flows.lost,
        }
        of_flows |= {name: each * flows.units for name, each in of_units.items()}
        of_flows |= {name: each * flows.sold for name, each in of_sold.items()}
        by_cell = economy.by_cell(np.stack([*of_flows.values()]))
        columns = dict(zip(of_flows, by_cell, strict=True))
        cell = importers.market * self._shape[1] + importers.device
        of_importers = {
            "importer_profit": importers.profit,
            "penalty_value": importers.back_duty + importers.penalty,
            "importers": np.ones(len(importers)),
            "importers_knowing_origin": importers.knows_origin.astype(float),
        }
        for name, values in of_importers.items():
            columns[name] = sum_by(cell, values, len(cells.growth))
        columns["longest_stop"] = np.zeros(len(cells.growth))
        if short.any():
            np.maximum.at(columns["longest_stop"], flows.cell, short)
        columns["price_index"] = cells.price_index
        columns["base_expenditure"] = cells.base_expenditure * cells.growth
        for name, column in columns.items():
            self._keep(name, column.reshape(self._shape), "cells")
        shape = (self._shape[0], len(economy.constants.codes.origins))
        at = flows.market * shape[1] + flows.origin
        sold = of_units["customs_value"] * flows.units
        self._keep("origin_value", sum_by(at, sold, int(np.prod(shape))).reshape(shape))

    def _keep_sourcing(self, economy: Economy) -> None:
        flows, makers = economy.flows, economy.makers
        codes = economy.constants.codes
        shape = (*self._shape, len(codes.classes), len(codes.regions))
        slot = codes.slot(0, makers.slot_class, makers.chip_region)
        at = slot.take(flows.maker, axis=0) + codes.slot(flows.cell, 0, 0)[:, None]
        chips = makers.chips.take(flows.maker, axis=0)
        for name, units in (("sourcing", flows.units), ("base_sourcing", flows.base_units)):
            bought = (chips * units[:, None]).ravel()
            self._keep(name, sum_by(at.ravel(), bought, int(np.prod(shape))).reshape(shape))
        for name, values in self._alternatives.of_month(economy).items():
            self._keep(name, values)
        if economy.month == 0 or (economy.date % 12 == 11) or economy.month == self._months - 1:
            self._flows.append(_alluvial(economy))
            self._flow_months.append(format_month(economy.date))

    def _keep_foundries(self, economy: Economy) -> None:
        foundries = economy.foundries
        subsidy = foundries.subsidy * foundries.output
        columns = {
            "capacity": foundries.capacity,
            "planned_capacity": foundries.planned_capacity,
            "orders": foundries.orders,
            "output": foundries.output,
            "utilisation": foundries.utilisation,
            "price": foundries.price,
            "scarcity": foundries.price / foundries.posted_price,
            "unit_cost": foundries.unit_cost,
            "revenue": foundries.revenue,
            "subsidy_value": subsidy,
            "cost_value": foundries.cost,
            "profit": foundries.revenue + subsidy - foundries.cost,
            "other_orders": foundries.other_orders,
            "other_chips": foundries.other_orders * foundries.fill_rate,
        }
        for name, values in columns.items():
            self._keep(name, values, "foundries")


def _distinct(names: list[str]) -> tuple[list[str], Int]:
    """The names once each, and the place among them of every one: parts of months share a name."""
    once = list(dict.fromkeys(names))
    return once, np.array([once.index(name) for name in names], dtype=np.intp)


def _of_each_unit(economy: Economy) -> dict[str, Float]:
    """(L,) what each unit that a flow delivers adds to the columns of its cell."""
    flows, makers, codes = economy.flows, economy.makers, economy.constants.codes
    from_china = np.array([code == CHINA for code in codes.origins])[flows.origin]
    customs_value = flows.customs_value
    is_own = makers.is_split[flows.line] & (flows.maker != flows.line)
    return {
        "customs_value": customs_value,
        "several_markets_value": customs_value * (makers.market[flows.line] == GLOBAL),
        "own_version_value": customs_value * is_own,
        "import_value": customs_value * economy.is_imported,
        "china_assembled_value": customs_value * from_china,
        "duty_value": flows.base_duty + flows.new_duty,
        "new_duty_value": flows.new_duty,
        "passed_on_value": flows.passed_on,
        "rebate_value": rebate(flows.new_duty, economy.scenario.trade.border_pass_through),
        "evaded_value": flows.evaded_duty,
        "compliance_value": flows.compliance_cost,
        "known_origin_value": customs_value * economy.importers.knows_origin[flows.importer],
        "compliance_distortion_value": over_slots(makers.compliance_distortion).take(flows.maker),
        "second_best_place_value": flows.second_best_place,
    }


def _of_each_sold(economy: Economy) -> dict[str, Float]:
    """(L,) what each unit that consumers buy adds: chips of the present suppliers of its line.

    What importers put into stock counts when it is sold, so that buying ahead moves no share.
    """
    makers, flows = economy.makers, economy.flows
    is_cn = economy.foundries.is_chinese.take(makers.supplier)
    cn_chips = over_slots(makers.chips * is_cn)
    of_makers = {
        "chips": over_slots(makers.chips),
        "cn_chips": cn_chips,
        "chip_value": over_slots(makers.chip_value),
        "cn_chip_value": over_slots(makers.chip_value * is_cn),
        "cn_device_units": (cn_chips > 0).astype(float),
    }
    found = {name: of_makers[name].take(flows.maker) for name in of_makers}
    is_known = economy.importers.knows_origin[flows.importer]
    return found | {"verified_free_units": is_known * (1.0 - found["cn_device_units"])}


def _stock_value(economy: Economy) -> Float:
    """(M,) USD: chips that home makers and products that importers hold, at base prices."""
    flows, makers, constants = economy.flows, economy.makers, economy.constants
    n_markets = len(constants.codes.markets)
    products = sum_by(flows.market, flows.base_landed * flows.stock, n_markets)
    chips = over_slots(makers.stock * constants.chip_price[makers.slot_class])
    return products + sum_by(economy.home, economy.of_flows(chips), n_markets)


def _alluvial(economy: Economy) -> Float:
    """(R, O, M) chips a month from fab region over country of assembly to market."""
    codes, flows, makers = economy.constants.codes, economy.flows, economy.makers
    shape = (len(codes.regions), len(codes.origins), len(codes.markets))
    chips = makers.chips[flows.maker] * flows.units[:, None]
    at = makers.chip_region[flows.maker] * shape[1] + flows.origin[:, None]
    at = at * shape[2] + flows.market[:, None]
    return sum_by(at.ravel(), chips.ravel(), int(np.prod(shape))).reshape(shape)
