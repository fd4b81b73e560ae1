"""What is due on a product under the law of a scenario, by the month's own duty functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from tariffsim import kernels as k
from tariffsim.behaviour.compliance import declared_by
from tariffsim.calibration.build import require_base_year
from tariffsim.explain import month_of_run
from tariffsim.explain.duty import DutyRow, duty
from tariffsim.kernels.compliance import NEVER_EVADES, evasion_threshold
from tariffsim.law.duty_tables import Regime
from tariffsim.law.expected_burden import ImporterBeliefs
from tariffsim.policy.shipments import CHINA, Shipments
from tariffsim.product.bill import Chip, Product
from tariffsim.scenario import Scenario
from tariffsim.state.economy import Economy, Foundries
from tariffsim.typing import Bool, format_month

ON_PRODUCT = "product"
NEGLIGIBLE = 1e-9
"""USD a unit that are rounding."""


@dataclass(frozen=True)
class Due:
    """Duty on a unit of a product, USD."""

    total: float
    """All of it, if the importer knows the origin of the chips and declares the truth."""
    by_law: dict[str, float]
    """What is new since the base year, by law; what is left is the duty of the base year."""
    unknown_origin: float
    """All of it, if the importer does not know the origin of any chip."""
    cases: tuple[float, ...]
    """All of it, region by region, if that is where all chips of unknown region come from."""

    @property
    def low(self) -> float:
        """The least of the cases."""
        return min(self.cases)

    @property
    def high(self) -> float:
        """The most of the cases."""
        return max(self.cases)

    @property
    def new(self) -> float:
        """What is new since the base year."""
        return sum(self.by_law.values())


@dataclass(frozen=True)
class Step:
    """Duty from a month on."""

    month: str
    due: Due


@dataclass(frozen=True)
class AuditLine:
    """One law in the duty on a unit: what the rate is on, and what it comes to."""

    law: str
    on: str
    rate: float | None
    coverage: float
    amount: float
    """USD a unit."""
    source: str

    def __str__(self) -> str:
        rate = "" if self.rate is None else f"{100 * self.rate:.4g} % of the {self.on}"
        part = "" if self.coverage == 1 else f", for {100 * self.coverage:.3g} % of the trade"
        return f"{self.law}: {f'{rate}{part}, ' if rate else ''}{self.amount:,.4f} USD a unit" + (
            f" (source: {self.source})" if self.source else ""
        )


@dataclass(frozen=True)
class Alternative:
    """Buying a Chinese chip of the product elsewhere, at the prices of the base year."""

    chip: Chip
    premium: float
    """USD a unit by which chips of other regions cost more: `price x (others / China - 1)`."""
    duty: float
    """USD a unit of duty that the Chinese chip causes in the month."""

    @property
    def break_even_rate(self) -> float:
        """Duty on the chip, fraction of its price, from which the other is cheaper."""
        return self.premium / self.chip.value

    @property
    def saving(self) -> float:
        """USD a unit saved by the change; negative if it does not pay."""
        return self.duty - self.premium


@dataclass(frozen=True)
class Priced:
    """A product under the law of one scenario in one month."""

    product: Product
    scenario: str
    title: str
    month: str
    due: Due
    landed: float
    """USD a unit: customs value, freight and all duty."""
    retail: float
    """USD a unit, once the new duty is passed on as far as it will be: see MODEL 4.4."""
    retail_rise: float
    """Of it, what the new duty adds."""
    audit: tuple[AuditLine, ...]
    """They add up to the duty on a unit."""
    steps: tuple[Step, ...]
    """The duty from each month of the run in which it changes."""
    alternatives: tuple[Alternative, ...]
    """For each line of Chinese chips."""
    evasion_rate: float
    """Rate of a duty on declared content above which the median importer would evade it."""
    back_duty: float
    """USD of back duty and penalty that evading one USD is expected to cost."""
    marginal_content: float
    """USD of duty a unit on one more USD of Chinese chips in it; see `break_even_share`."""
    without_chinese: float
    """USD of duty a unit if none of its chips were Chinese."""


def price(product: Product, scenario: Scenario, month: str | None = None) -> Priced:
    """What is due on a product in a month of a scenario, and what it does to its price.

    Laws whose rate depends on what happens in the run (quotas, answers of other countries) count
    as they would at its start.

    Args:
        product: the bill of materials.
        scenario: whose law it is.
        month: such as 2028-06; the last of the run if None.

    Raises:
        ChoiceError: the month is not in the run.
    """
    run = scenario.run
    wanted = run.end if month is None else month_of_run(month, scenario)
    one = _Pricing(product, scenario)
    due = one.due(one.regime(wanted))
    steps: list[Step] = []
    for date in range(run.start, run.end + 1):
        found = one.due(one.regime(date))
        if not steps or found != steps[-1].due:
            steps.append(Step(format_month(date), found))
    base, trade = due.total - due.new, scenario.trade
    landed = float(k.landed_cost(np.array(product.customs_value), trade.freight, np.array(base)))
    passed_on = trade.pass_through * due.new
    retail = k.retail_price(
        np.array(landed), np.array(landed), trade.retail_margin, np.array(passed_on)
    )
    exposure, evasion_cost = one.enforcement(one.regime(wanted))
    return Priced(
        product, scenario.name, scenario.short_name, format_month(wanted), due, landed + due.new,
        float(retail), passed_on, tuple(one.audit(wanted)), tuple(steps),
        tuple(one.alternatives(one.regime(wanted))), float(evasion_threshold(
            np.array(evasion_cost), np.array(exposure))), exposure, one.marginal(wanted),
        one.without_chinese(wanted),
    )  # fmt: skip


def break_even_share(whole: Priced, content: Priced) -> float | None:
    """Part of the customs value that Chinese chips may be before a duty on them costs more.

    Args:
        whole: the product under a duty that does not depend on its chips.
        content: the product under one that does.

    Returns:
        A fraction, above one if it never costs more; None if the first depends on Chinese chips,
        the second does not, or the first costs no more than the second on no Chinese chips.
    """
    excess = whole.due.total - content.without_chinese
    if content.marginal_content <= 0 or whole.marginal_content or excess < NEGLIGIBLE:
        return None
    return excess / (content.marginal_content * whole.product.customs_value)


class _Pricing:
    """A product at the customs of a scenario."""

    def __init__(self, product: Product, scenario: Scenario) -> None:
        self.product, self.scenario = product, scenario
        self.economy: Economy = require_base_year(scenario)
        codes = self.codes = self.economy.constants.codes
        self.market = codes.markets.index(product.sold_in)
        self.device = codes.devices.index(product.device)
        origin = codes.origins.index(product.assembled_in)
        self.cell = np.array([codes.cell(self.device, origin, self.market)])
        self._known: dict[Regime, Due] = {}
        self._elsewhere = next(code for code in codes.regions if code != CHINA)

    def regime(self, date: int) -> Regime:
        """Laws in force in a month, with their rates."""
        schedule = self.economy.tariff_schedule
        return schedule.regime(schedule.rates_in_force(date))

    def due(self, regime: Regime) -> Due:
        """Duty on a unit under a regime."""
        if regime not in self._known:
            total, by_law = self._declared(regime, self.product, knows=True)
            unknown, _ = self._declared(regime, self.product, knows=False)
            cases = [self._declared(regime, case, knows=True)[0] for case in self._cases()]
            self._known[regime] = Due(total, by_law, unknown, tuple(cases))
        return self._known[regime]

    def _cases(self) -> Iterator[Product]:
        """The product with chips of unknown region all from one region, for each of them."""
        for region in self.codes.regions:
            chips = (replace(c, region=c.region or region) for c in self.product.chips)
            yield replace(self.product, chips=tuple(chips))

    def _declared(
        self, regime: Regime, product: Product, knows: bool
    ) -> tuple[float, dict[str, float]]:
        """All duty, and the new duty by law; chips of unknown region are taken as not Chinese."""
        economy, schedule = self.economy, self.economy.tariff_schedule
        who = ImporterBeliefs(np.array([knows]), np.array([NEVER_EVADES]), np.array([0.0]))
        shipments = self._shipments(product)
        found = declared_by(who, economy.declarations, regime, shipments, self.cell)
        base = k.ad_valorem(schedule.base_product[self.cell, 0], shipments.customs_value)
        by_law: dict[str, float] = {}
        for number, each in found.duty.items():
            name = schedule.laws[number].name
            by_law[name] = by_law.get(name, 0.0) + float(each[0])
        by_law = {name: each for name, each in by_law.items() if each}
        return float(base[0]) + sum(by_law.values()), by_law

    def _shipments(self, product: Product) -> Shipments:
        """One unit at the border."""
        codes, chips = self.codes, product.chips
        return Shipments(
            codes,
            np.array([product.customs_value]),
            self.economy.tariff_schedule.crosses_border[self.cell],
            np.array([[chip.value for chip in chips]]).reshape(1, -1),
            np.array([[chip.count for chip in chips]]).reshape(1, -1),
            np.array([[self._origin(chip.region) for chip in chips]], dtype=np.intp),
            np.array([codes.classes.index(chip.node_class) for chip in chips], dtype=np.intp),
        )

    def _origin(self, region: str | None) -> int:
        """Origin in law: where chips may count as Chinese elsewhere, it is as the file says."""
        regions = self.codes.regions
        if region is None:
            return regions.index(self._elsewhere)
        counts_as_china = region == CHINA and self.codes.chinese_part is not None
        return regions.index(region) + counts_as_china * len(regions)

    def audit(self, date: int) -> Iterator[AuditLine]:
        """The laws behind the duty: their amounts add up to it."""
        product, due = self.product, self.due(self.regime(date))
        statute = duty(
            self.scenario, product.device, product.assembled_in, product.sold_in, format_month(date)
        )
        told = 0.0
        for row in statute.product:
            amount = self._amount(row, due)
            if amount or row.due:
                told += amount
                yield AuditLine(row.law, row.on, row.rate, row.coverage, amount, row.source)
        if abs(due.total - told) > 1e-9 * max(product.customs_value, 1.0):
            rest = "other laws, and what stacking takes off"
            yield AuditLine(rest, ON_PRODUCT, None, 1.0, due.total - told, "")

    def _amount(self, row: DutyRow, due: Due) -> float:
        """USD a unit of one row: of the product's value, or of what is inside."""
        if row.on == ON_PRODUCT:
            return row.due * self.product.customs_value
        return due.by_law.get(row.law.removesuffix(", all-in"), 0.0)

    def alternatives(self, regime: Regime) -> Iterator[Alternative]:
        """What Chinese chips would cost elsewhere, and the duty that they cause."""
        foundries, codes, product = self.economy.foundries, self.codes, self.product
        total = self.due(regime).total
        for i, chip in enumerate(product.chips):
            if chip.region != CHINA:
                continue
            node_class = codes.classes.index(chip.node_class)
            own, others = (
                _mean_price(foundries, of, node_class)
                for of in (foundries.is_chinese, ~foundries.is_chinese)
            )
            chips = list(product.chips)
            chips[i] = replace(chip, region=self._elsewhere)
            without, _ = self._declared(regime, replace(product, chips=tuple(chips)), knows=True)
            yield Alternative(chip, chip.value * (others / own - 1), total - without)

    def marginal(self, date: int) -> float:
        """USD of duty on one more USD of Chinese chips, of the class that the product has most."""
        chips = sorted(self.product.chips, key=lambda chip: -chip.value)
        if not chips:
            return 0.0
        regime, more = self.regime(date), replace(chips[0], price=1.0, count=1.0, region=CHINA)
        with_more = replace(self.product, chips=(*self.product.chips, more))
        totals = (self._declared(regime, p, knows=True)[0] for p in (with_more, self.product))
        rise = next(totals) - next(totals)
        return rise if abs(rise) > 1e-12 else 0.0

    def without_chinese(self, date: int) -> float:
        """USD of duty a unit with all Chinese chips bought elsewhere."""
        chips = tuple(
            replace(c, region=self._elsewhere if c.region == CHINA else c.region)
            for c in self.product.chips
        )
        return self._declared(self.regime(date), replace(self.product, chips=chips), knows=True)[0]

    def enforcement(self, regime: Regime) -> tuple[float, float]:
        """Cost expected for a USD evaded, and the median non-monetary cost of evasion."""
        importers = self.economy.importers
        here = (importers.market == self.market) & (importers.device == self.device)
        cost = importers.evasion_cost[here] if here.any() else importers.evasion_cost
        found = self.economy.declarations.enforcement(regime).exposure[self.market]
        return float(found), float(np.median(cost))


def _mean_price(foundries: Foundries, of: Bool, node_class: int) -> float:
    """USD a chip of some foundries, weighted by capacity."""
    capacity, price_of = foundries.capacity[of, node_class], foundries.price[of, node_class]
    return float(capacity @ price_of / capacity.sum())
