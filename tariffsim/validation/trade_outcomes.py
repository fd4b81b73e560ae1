"""Outcomes of trade policy from 2018 on, as a run from 2017 gives them: V1, V2, V19, V21 to V27."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from tariffsim.tables import History, OutcomeRow
from tariffsim.typing import Float
from tariffsim.validation.base_year_2017 import sectors_of_groups
from tariffsim.validation.hindcast import CHINA, CIRCUITS, DISCRETES, Months

Period = tuple[str, str]
"""First and last month."""
NUMBER_IN_BRACKETS = re.compile(r"NAICS (\d+)")


@dataclass(frozen=True, eq=False)
class TradeOutcomes:
    """Figures of the rows of published outcomes that a run from 2017 has."""

    history: History
    months: Months

    def figure(self, row: OutcomeRow) -> float:
        """The run's figure for a row.

        Raises:
            KeyError: the run says nothing of it.
        """
        return _FIGURES[row.id](self, row)

    @cached_property
    def parts(self) -> pd.DataFrame:
        """(device, sector) part of each group in each sector."""
        return sectors_of_groups(self.history)

    def share_of_sector(self, sector: int, country: str, period: Period) -> float:
        """A country's share of what the groups import of a sector."""
        imports = self._of_sector(self.months.imports, sector, period)
        return float(imports[self.months.origins.index(country)] / imports.sum())

    def duty_rate(self, sector: int, country: str, period: Period) -> float:
        """Duty on a country's imports of a sector over these."""
        at = self.months.origins.index(country)
        duty, imports = (
            self._of_sector(values, sector, period)[at]
            for values in (self.months.duty, self.months.imports)
        )
        return float(duty / imports)

    def imports_of_sector(self, sector: int, country: str, period: Period) -> float:
        """USD of a country's imports of a sector."""
        imports = self._of_sector(self.months.imports, sector, period)
        return float(imports[self.months.origins.index(country)])

    def duty_rate_of_product(self, product: int, period: Period) -> float:
        """Duty on all imports of a product (NAICS6) over these."""
        of = self.history.products
        parts = of[of["naics6"] == product].set_index("device")["share_of_device"]
        weights = parts.reindex(self.months.devices, fill_value=0.0).to_numpy()
        duty, imports = (
            values[self.months.rows(*period)].sum(axis=(0, 2)) @ weights
            for values in (self.months.duty, self.months.imports)
        )
        return float(duty / imports)

    def chips(self, classes: tuple[str, ...], period: Period) -> float:
        """Chinese chips of some classes that entered unmounted."""
        return float(self._of_classes(self.months.chips, classes, period).sum())

    def chip_value(self, classes: tuple[str, ...], period: Period) -> float:
        """USD of the same, before duty."""
        value = np.nan_to_num(self.months.chip_price) * self.months.chips
        return float(self._of_classes(value, classes, period).sum())

    def _of_classes(self, values: Float, classes: tuple[str, ...], period: Period) -> Float:
        columns = [self.months.classes.index(name) for name in classes]
        return values[self.months.rows(*period)][:, columns]

    def _of_sector(self, values: Float, sector: int, period: Period) -> Float:
        """(O,) sums of a period over the groups, each with its part in a sector."""
        parts = self.parts[sector].reindex(self.months.devices, fill_value=0.0).to_numpy()
        return np.asarray(parts @ values[self.months.rows(*period)].sum(axis=0))


def period(text: str) -> Period:
    """First and last month of a year (2019) or a quarter (2019Q1)."""
    year, _, quarter = text.partition("Q")
    first = 3 * int(quarter or 1) - 2
    last = first + 2 if quarter else 12
    return f"{year}-{first:02d}", f"{year}-{last:02d}"


def _periods(row: OutcomeRow) -> list[Period]:
    """Both periods of `2019 over 2018` or `2019 less 2017`, the later one first."""
    return [period(word) for word in re.split(" over | less ", row.period)]


def _sector(row: OutcomeRow) -> int:
    found = NUMBER_IN_BRACKETS.search(row.case)
    if found is None:
        raise KeyError(row.name)
    return int(found[1])


def _country(row: OutcomeRow) -> str:
    return row.place.split()[-1]


def _of_chips(classes: tuple[str, ...]) -> Callable[[TradeOutcomes, OutcomeRow], float]:
    """Chinese chips bought unmounted: change of their number, its logarithm, or of their price."""

    def figure(run: TradeOutcomes, row: OutcomeRow) -> float:
        numbers = [run.chips(classes, each) for each in _periods(row)]
        if row.quantity == "pre-duty unit value":
            values = [run.chip_value(classes, each) for each in _periods(row)]
            numbers = [value / n for value, n in zip(values, numbers, strict=True)]
        ratio = numbers[0] / numbers[1]
        return float(np.log(ratio)) if row.unit == "ln ratio" else ratio - 1

    return figure


def _change_of_share(run: TradeOutcomes, row: OutcomeRow) -> float:
    now, before = (run.share_of_sector(_sector(row), _country(row), p) for p in _periods(row))
    return float(np.log(now / before))


def _change_of_share_of_china(run: TradeOutcomes, row: OutcomeRow) -> float:
    now, before = (run.share_of_sector(_sector(row), CHINA, p) for p in _periods(row))
    return float(np.log(now / before))


def _change_of_duty(run: TradeOutcomes, row: OutcomeRow) -> float:
    now, before = (run.duty_rate(_sector(row), CHINA, p) for p in _periods(row))
    return now - before


def _change_of_growth(run: TradeOutcomes, row: OutcomeRow) -> float:
    """Growth on the year before of one quarter less that of the one before it."""

    def growth(now: Period) -> float:
        before = tuple(f"{int(month[:4]) - 1}{month[4:]}" for month in now)
        of = [run.imports_of_sector(_sector(row), CHINA, p) for p in (now, (before[0], before[1]))]
        return of[0] / of[1] - 1

    after, ahead = (growth(p) for p in _periods(row))
    return after - ahead


def _duty_of_product(run: TradeOutcomes, row: OutcomeRow) -> float:
    return run.duty_rate_of_product(_sector(row), period(row.period))


def _keep_rate(run: TradeOutcomes, row: OutcomeRow) -> float:
    return run.months.kept


_FIGURES: dict[str, Callable[[TradeOutcomes, OutcomeRow], float]] = {
    "V1": _of_chips(DISCRETES),
    "V2": _of_chips(CIRCUITS),
    "V19": _keep_rate,
    "V21": _change_of_share,
    "V22": _change_of_share,
    "V24": _change_of_duty,
    "V25": _change_of_share_of_china,
    "V26": _change_of_growth,
    "V27": _duty_of_product,
}
