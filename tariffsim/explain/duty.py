"""What is due by statute on a product, and on unmounted chips, in a month: law by law."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tariffsim import kernels as k
from tariffsim.calibration.base_duties import base_duties, kind_of_class, region_of
from tariffsim.calibration.build import require_base_year
from tariffsim.calibration.constants import DATA_MARKET
from tariffsim.calibration.tariff_calendar import TariffCalendar
from tariffsim.errors import ChoiceError, nearest
from tariffsim.law.declarations import declared_duties
from tariffsim.law.duty_tables import scope_of
from tariffsim.policy import Instrument
from tariffsim.policy.shipments import CHINA
from tariffsim.scenario import Scenario, ScenarioLike, as_scenario
from tariffsim.state.economy import Economy
from tariffsim.tables import BARE_CHIPS
from tariffsim.typing import format_month, parse_month, part_of_month

if TYPE_CHECKING:
    from tariffsim.law.duty_tables import Law, Regime

ROUNDING = 1e-12


@dataclass(frozen=True)
class DutyRow:
    """One law, or what is counted beside the laws.

    Attributes:
        law: name of the law, or what it is.
        on: what the rate is on.
        rate: by statute while in force, a fraction (USD a chip for `per: chip`); None without one.
        coverage: share of the month's trade to which it applies, by days.
        due: fraction of the value of the product, or of the unmounted chips.
        source: keys of the sources of the rate.
    """

    law: str
    on: str
    rate: float | None
    coverage: float
    due: float
    source: str


@dataclass(frozen=True)
class StatutoryDuty:
    """Duties on imports of a device from a country into a market, origins truly declared.

    Attributes:
        scenario: its name.
        device: group of devices.
        origin: country of assembly; for unmounted chips the country they come from.
        market: where it is levied.
        month: of the duty.
        product: rows on the product; those on its content as a part of the product's value.
        chips: rows on unmounted chips by kind, `bare_ic` and `bare_discrete`.
        total: duty over the product's customs value.
        total_on_chips: duty over the value of unmounted chips by node class.
    """

    scenario: str
    device: str
    origin: str
    market: str
    month: str
    product: tuple[DutyRow, ...]
    chips: dict[str, tuple[DutyRow, ...]]
    total: float
    total_on_chips: dict[str, float]


def duty(
    scenario: ScenarioLike, device: str, origin: str, market: str = DATA_MARKET,
    month: str | int | None = None,
) -> StatutoryDuty:  # fmt: skip
    """What is due by statute, from the tables that customs reads.

    Args:
        scenario: whose law it is: a scenario, its file, or the name of a shipped one.
        device: group of devices.
        origin: country of assembly.
        market: that levies.
        month: such as 2027-06; the first of the run if None.

    Raises:
        ChoiceError: there is no such device, country, market or month.
    """
    scenario = as_scenario(scenario)
    tables = scenario.tables()
    for name, code, known in (
        ("device", device, tables.devices.codes),
        ("origin", origin, tables.origins.codes),
        ("market", market, tables.markets.codes),
    ):
        if code not in known:
            raise ChoiceError(f"there is no {name} {code}; {nearest(code, known)}")
    try:
        date = (
            scenario.run.start
            if month is None
            else parse_month(month if isinstance(month, str) else int(month))
        )
    except ValueError as error:
        raise ChoiceError(f"month {month!r} {error}") from None
    run = scenario.run
    if not run.start <= date <= run.end:
        span = f"{format_month(run.start)} to {format_month(run.end)}"
        raise ChoiceError(f"month {format_month(date)} is not in the run, which is {span}")
    return _Statutes(scenario, device, origin, market, date).duty()


class _Statutes:
    """One question put to the law of a scenario."""

    def __init__(
        self, scenario: Scenario, device: str, origin: str, market: str, date: int
    ) -> None:
        self.scenario, self.device, self.origin = scenario, device, origin
        self.market, self.date = market, date
        self.economy: Economy = require_base_year(scenario)
        self.schedule, tables = self.economy.tariff_schedule, scenario.tables()
        self.codes = self.schedule.codes
        duties = base_duties(scenario, tables, self.codes)
        self.calendar = TariffCalendar(scenario, tables.calendar, duties)
        self.regime: Regime = self.schedule.regime(self.schedule.rates_in_force(date))
        self.cell = int(
            self.codes.cell(
                self.codes.devices.index(device),
                self.codes.origins.index(origin),
                self.codes.markets.index(market),
            )
        )

    def duty(self) -> StatutoryDuty:
        """The answer."""
        total = 0.0
        product: list[DutyRow] = []
        if self.schedule.crosses_border[self.cell]:
            total, product = self._on_product()
        on_content, content = self._on_content()
        totals, chips = self._on_chips()
        return StatutoryDuty(
            self.scenario.name, self.device, self.origin, self.market, format_month(self.date),
            (*product, *content), chips, total + on_content, totals,
        )  # fmt: skip

    def _on_product(self) -> tuple[float, list[DutyRow]]:
        declarations, cell = self.economy.declarations, self.cell
        base = float(self.schedule.base_product[cell, 0])
        total = base + float(declarations.origin_duties(self.regime).rate[cell])
        rows = [*self._base(base, "product"), *self._calendar(self.device, "product")]
        calendar = sum(row.due for row in rows)
        policies = (
            self._of_policy(law, "product", rate, float(law.by_cell(rate)[cell]))
            for _, law, rate in declarations.on_origin(self.regime)
            if not law.is_calendar and law.scope[cell]
        )
        rows += _one_a_law(policies)
        rows += [*self._rest(total, rows, calendar), *self._only_expected(self.device, "product")]
        return total, rows

    def _base(self, rate: float, on: str) -> Iterator[DutyRow]:
        if self.market == DATA_MARKET:
            yield DutyRow("duty of 2024", on, rate, 1.0, rate, "S1")

    def _calendar(self, good: str, on: str) -> Iterator[DutyRow]:
        """Rows in force in the month; what the duty of 2024 has of an instrument is taken off."""
        of_good = good, self.origin
        for of, own in self.calendar.instruments.items():
            if of[1] != self.market:
                continue
            for span in self.calendar.spans(of, of_good):
                if span.row is not None and (
                    part := part_of_month(self.date, span.starts, span.ends)
                ):
                    row, level = span.row, self.calendar.level(span, of_good)
                    name = f"{row.instrument} ({row.id})" if row.id else row.instrument
                    name += ", all-in" if row.all_in else ""
                    name += ", repealed or replaced" if span.kept < 1 else ""
                    covered = part * row.coverage * span.kept
                    yield DutyRow(name, on, row.rate, covered, level * part, row.source)
            if held := self.calendar.in_base.get((of, of_good), 0.0):
                words = f"already in the duty of 2024: {own[0].instrument}"
                yield DutyRow(words, on, None, 1.0, -held, "")

    def _only_expected(self, good: str, on: str) -> Iterator[DutyRow]:
        """What is expected in the month, but never comes into force: nothing is due by it."""
        for (_, market), own in self.calendar.instruments.items():
            for row in own:
                gone = math.inf if row.withdrawn_from is None else row.withdrawn_from
                is_known = not row.is_law and row.known_from <= self.date < gone
                names_it = good in row.devices and self.origin in row.against
                if is_known and names_it and market == self.market:
                    name = f"{row.instrument} ({row.id})" if row.id else row.instrument
                    words = _not_law(name, row.enacted, row.belief)
                    yield DutyRow(words, on, row.rate, row.coverage, 0.0, row.source)
        for name, policy in self.scenario.dated_policies.items():
            is_duty = type(policy).duty is not Instrument.duty
            if policy.is_law or not policy.chance_in(self.date) or not is_duty:
                continue
            scope = scope_of(self.codes, policy)
            covered = float(scope[self.cell] if scope.ndim == 1 else scope.max())
            is_levied = covered and self.market in policy.markets
            if is_levied and policy.taxes_bare_chips == (good in BARE_CHIPS):
                words = _not_law(name, policy.enacted, policy.belief)
                of, rate = policy.source or "scenario", policy.path.from_date(policy.starts)
                base = on if policy.taxes_bare_chips else _base_of(policy)
                yield DutyRow(words, base, rate, covered, 0.0, of)

    def _of_policy(self, law: Law, on: str, rate: float, due: float) -> DutyRow:
        """A policy: its rate while in force, and the part of the month's trade that it covers."""
        one, scope = (
            law.instrument,
            law.scope[self.cell] if law.scope.ndim == 1 else law.scope.max(),
        )
        starts = max(one.starts, one.path.first_moment or 0)
        part = part_of_month(self.date, starts, math.inf if one.ends is None else one.ends) or 1.0
        name = f"{law.name}, all-in" if getattr(one, "all_in", False) else law.name
        return DutyRow(name, on, rate / part, part * float(scope), due, one.source or "scenario")

    def _rest(
        self, total: float, rows: Sequence[DutyRow], calendar: float = 0.0
    ) -> Iterator[DutyRow]:
        """What the rows miss of what is due; `calendar` is their sum without policies."""
        on, floor = rows[0].on if rows else "product", max(0.0, -calendar)
        rest = total - sum(row.due for row in rows) - floor
        for words, part in (
            ("a duty of the base year does not fall below zero", floor),
            (self._other_reason(on), rest),
        ):
            if abs(part) > ROUNDING:
                yield DutyRow(words, on, None, 1.0, part, "")

    def _other_reason(self, on: str) -> str:
        is_part = on in BARE_CHIPS and region_of(self.origin, self.codes) != self.origin
        return (
            "mean of the region's countries"
            if is_part
            else ("only the highest of a stacking group is due")
        )

    def _on_content(self) -> tuple[float, list[DutyRow]]:
        """Duties on what is inside, over the value of the products of the base year."""
        economy, codes = self.economy, self.codes
        flows, makers = economy.flows, economy.makers
        device, market = codes.devices.index(self.device), codes.markets.index(self.market)
        sold = (makers.device[flows.maker] == device) & (flows.market == market)
        here = sold & (economy.flow_cells == self.cell)
        weight = np.where(here if here.any() else sold, flows.units, 0.0)
        shipments = economy.shipments()
        value = float(weight @ np.broadcast_to(shipments.customs_value, weight.shape))
        cells = np.full(len(flows), self.cell)
        rows, groups, due = [], [], []
        for one in declared_duties(economy.declarations, self.regime, shipments, cells):
            group = one.law.group
            groups.append(group)
            due.append(k.over_slots(one.parts))
            each = float(weight @ due[-1]) / value if value else 0.0
            rate = dict(self.regime)[one.number]
            if one.law.scope[self.cell]:
                rows.append(self._of_policy(one.law, _base_of(one.law.instrument), rate, each))
        found = k.stacked([*zip(groups, due, strict=True)]) + np.zeros(len(flows))
        total = float(weight @ found) / value if value else 0.0
        rows = _one_a_law(rows)
        return total, [*rows, *(self._rest(total, rows) if rows else ())]

    def _on_chips(self) -> tuple[dict[str, float], dict[str, tuple[DutyRow, ...]]]:
        """Unmounted chips from the country, entering for assembly in the market."""
        codes, region = self.codes, region_of(self.origin, self.codes)
        market = codes.markets.index(self.market)
        homes = [o for o, home in enumerate(codes.home_market) if home == market]
        at = codes.regions.index(region) if region in codes.regions else None
        if not homes or at is None or codes.region_market[at] == market:
            return {}, {}
        if region == CHINA and codes.chinese_part is not None:
            at += len(codes.regions)
        by_law = self.schedule.tables(self.regime)
        cell = codes.cell(0, homes[0], market)
        totals = by_law.bare[cell, :, at]
        rows: dict[str, tuple[DutyRow, ...]] = {}
        for number, good in enumerate(BARE_CHIPS):
            of_kind = [n for n, kind in enumerate(kind_of_class(codes)) if kind == number]
            if not of_kind:
                continue
            first = of_kind[0]
            base = float(self.schedule.base_bare[homes[0], first, at])
            found = [*self._base(base, good), *self._calendar(good, good)]
            calendar = sum(row.due for row in found)
            due = {i: float(on[homes[0], first, at]) for i, on in by_law.bare_by_law.items()}
            policies = _one_a_law(
                self._of_policy(self.schedule.laws[i], good, dict(self.regime)[i], duty)
                for i, duty in due.items()
                if not self.schedule.laws[i].is_calendar
            )
            found += [row for row in policies if row.due]
            rest = self._rest(float(totals[first]), found, calendar)
            rows[good] = (*found, *rest, *self._only_expected(good, good))
        return dict(zip(codes.classes, totals.tolist(), strict=True)), rows


def _not_law(name: str, is_enacted: bool, belief: float) -> str:
    return f"{name}: {'announced' if is_enacted else 'a threat'}, never law (belief {belief:g})"


def _one_a_law(rows: Iterable[DutyRow]) -> list[DutyRow]:
    """The rows, with those of one law for the parts of a month together."""
    found: dict[tuple[str, str], DutyRow] = {}
    for row in rows:
        one = found.get((row.law, row.on))
        if one is not None and one.rate is not None and row.rate is not None:
            row = replace(one, rate=one.rate + row.rate, due=one.due + row.due)
        found[row.law, row.on] = row
    return list(found.values())


def _base_of(instrument: Instrument) -> str:
    """What a duty that is not on the country of assembly alone is on."""
    if instrument.kind == "rest_of_value_tariff":
        return "rest of value"
    if instrument.taxes_content:
        per_chip = getattr(instrument, "per", "value") == "chip"
        return "number of chips inside" if per_chip else "value of chips inside"
    return "product"
