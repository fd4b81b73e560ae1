"""Reading the economy after the last phase of a month; recording changes nothing."""

from __future__ import annotations

import numpy as np

from tariffsim.alternatives import Alternatives
from tariffsim.economy import Economy
from tariffsim.errors import NotFiniteError
from tariffsim.history import CELL_COLUMNS, FOUNDRY_COLUMNS, History
from tariffsim.kernels.pricing import rebate
from tariffsim.kernels.sums import over_slots, sum_by
from tariffsim.kernels.supply import foundry_cost
from tariffsim.phases.accounts import overflow_payments
from tariffsim.phases.trade import border_crossing
from tariffsim.typing import Float, Int, format_month


class Recorder:
    """Reads the economy after each month."""

    def __init__(self, economy: Economy, months: int) -> None:
        codes = economy.figures.codes
        self._shape = (len(codes.markets), len(codes.devices))
        self._months = months
        self._rows: dict[str, list[Float]] = {}
        self._flows: list[Float] = []
        self._flow_months: list[str] = []
        self._alternatives = Alternatives(economy)
        self._foundries = economy.foundries
        self._policies = [law.name for law in economy.tariffs.laws]

    def record(self, economy: Economy) -> None:
        """Keep this month.

        Raises:
            NotFiniteError: a quantity became NaN or infinite.
        """
        self._keep_cells(economy)
        self._keep_sourcing(economy)
        self._keep_foundries(economy)
        self._keep("policy_rate", np.array(economy.law.rates))
        self._keep("policy_duty", economy.policy_duty)
        self._keep("ledger", economy.ledger)
        newest = {name: rows[-1] for name, rows in self._rows.items()}
        if not np.isfinite(sum(float(values.sum()) for values in newest.values())):
            wrong = [name for name, values in newest.items() if not np.isfinite(values).all()]
            month = format_month(economy.date)
            raise NotFiniteError(f"{', '.join(wrong)} became NaN or infinite in {month}")

    def history(self, seed: int, start: int) -> History:
        """All months as arrays."""
        stacked = {name: np.array(rows) for name, rows in self._rows.items()}
        names = [*CELL_COLUMNS, "price_index", "base_expenditure", "importer_profit"]
        return History(
            seed=seed,
            months=[format_month(start + t) for t in range(len(self._rows["ledger"]))],
            cells={name: stacked[name] for name in names},
            flows=np.array(self._flows),
            foundry_region=self._foundries.region,
            foundry_names=self._foundries.name,
            policy_names=self._policies,
            flow_months=self._flow_months,
            foundries={name: stacked[f"foundry {name}"] for name in FOUNDRY_COLUMNS},
            **{
                name: stacked[name]
                for name in (
                    "origin_value", "sourcing", "base_sourcing", "base_assembly", "assembly_price",
                    "slot_price", "slot_duty",
                    "policy_rate", "policy_duty", "ledger",
                )
            },
        )  # fmt: skip

    def _keep(self, name: str, values: Float) -> None:
        self._rows.setdefault(name, []).append(values)

    def _keep_cells(self, economy: Economy) -> None:
        flows, makers, trade = economy.flows, economy.makers, economy.scenario.trade
        maker, units = flows.maker, flows.units
        lost = flows.orders - units
        is_cn = economy.foundries.is_chinese[makers.supplier]
        chips, value = over_slots(makers.chips), over_slots(makers.chip_value)
        cn_chips = over_slots(makers.chips * is_cn)
        cn_value = over_slots(makers.chip_value * is_cn)
        customs_value = makers.customs_value[maker] * units
        china = (
            economy.figures.codes.origins.index("CN")
            if "CN" in economy.figures.codes.origins
            else -1
        )
        columns = {
            "units": units,
            "lost_units": lost,
            "retail_value": flows.price * units,
            "lost_value": flows.price * lost,
            "customs_value": customs_value,
            "import_value": customs_value * border_crossing(economy),
            "china_assembled_value": customs_value * (makers.origin[maker] == china),
            "duty_value": (flows.base_duty + flows.new_duty) * units,
            "new_duty_value": flows.new_duty * units,
            "passed_on_value": flows.passed_on * units,
            "rebate_value": rebate(flows.new_duty, trade.border_pass_through) * units,
            "chips": chips[maker] * units,
            "cn_chips": cn_chips[maker] * units,
            "chip_value": value[maker] * units,
            "cn_chip_value": cn_value[maker] * units,
            "cn_device_units": (cn_chips > 0)[maker] * units,
            "trigger_sacrifice_value": over_slots(makers.plan_sacrifice)[maker] * units,
        }
        n_cells = self._shape[0] * self._shape[1]
        for name, values in columns.items():
            self._keep(name, sum_by(flows.cell, values, n_cells).reshape(self._shape))
        cells = economy.cells
        self._keep("price_index", cells.price_index.reshape(self._shape))
        expenditure = cells.base_expenditure * cells.growth
        self._keep("base_expenditure", expenditure.reshape(self._shape))
        importers = economy.importers
        cell = importers.market * self._shape[1] + importers.device
        profit = sum_by(cell, importers.profit, n_cells)
        self._keep("importer_profit", profit.reshape(self._shape))
        n_origins = len(economy.figures.codes.origins)
        at = flows.market * n_origins + makers.origin[maker]
        by_origin = sum_by(at, customs_value, self._shape[0] * n_origins)
        self._keep("origin_value", by_origin.reshape(self._shape[0], n_origins))

    def _keep_sourcing(self, economy: Economy) -> None:
        flows, makers, foundries = economy.flows, economy.makers, economy.foundries
        codes = economy.figures.codes
        n_classes, n_regions = len(codes.classes), len(codes.regions)
        region = foundries.region[makers.supplier]
        at = (flows.cell[:, None] * n_classes + np.arange(n_classes)) * n_regions
        at = at + region[flows.maker]
        chips = makers.chips[flows.maker] * flows.units[:, None]
        shape = (*self._shape, n_classes, n_regions)
        counted = sum_by(at.ravel(), chips.ravel(), int(np.prod(shape))).reshape(shape)
        self._keep("sourcing", counted)
        chips_then = makers.chips[flows.maker] * flows.base_units[:, None]
        then = sum_by(at.ravel(), chips_then.ravel(), int(np.prod(shape))).reshape(shape)
        self._keep("base_sourcing", then)
        for name, values in self._alternatives.of_month(economy).items():
            self._keep(name, values)
        if economy.month == 0 or (economy.date % 12 == 11) or economy.month == self._months - 1:
            self._flows.append(_alluvial(economy, region, chips))
            self._flow_months.append(format_month(economy.date))

    def _keep_foundries(self, economy: Economy) -> None:
        foundries = economy.foundries
        given, taken = overflow_payments(foundries)
        revenue = foundries.price * foundries.sales - given + taken
        subsidy = foundries.subsidy * foundries.output
        cost = foundry_cost(
            foundries.output,
            foundries.capacity,
            foundries.unit_cost,
            foundries.base_utilisation,
            economy.scenario.supply.variable_cost_share,
        )
        columns = {
            "capacity": foundries.capacity,
            "orders": foundries.orders,
            "output": foundries.output,
            "utilisation": foundries.utilisation,
            "price": foundries.price,
            "unit_cost": foundries.unit_cost,
            "revenue": revenue,
            "subsidy_value": subsidy,
            "cost_value": cost,
            "profit": revenue + subsidy - cost,
            "other_chips": foundries.other_orders * foundries.fill,
        }
        for name, values in columns.items():
            self._keep(f"foundry {name}", values)


def _alluvial(economy: Economy, region: Int, chips: Float) -> Float:
    """(R, O, M) chips a month from fab region over country of assembly to market."""
    codes, flows, makers = economy.figures.codes, economy.flows, economy.makers
    shape = (len(codes.regions), len(codes.origins), len(codes.markets))
    at = region[flows.maker] * shape[1] + makers.origin[flows.maker][:, None]
    at = at * shape[2] + flows.market[:, None]
    return sum_by(at.ravel(), chips.ravel(), int(np.prod(shape))).reshape(shape)
