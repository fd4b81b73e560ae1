"""What was measured: published outcomes that the model is held against, and US imports to 2024."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import BeforeValidator, ValidationInfo, field_validator

from tariffsim.errors import DataError, Problem
from tariffsim.tables.csv_files import (
    SHIPPED,
    BadCell,
    Filled,
    RowModel,
    one_of,
    parse_number,
    read_rows,
    without_repeats,
)
from tariffsim.tables.wide_tables import KnownCodes, parse_rows

if TYPE_CHECKING:
    import pandas as pd

HISTORY = {
    "us_imports_by_device_2015_2024": (
        "imports by device group from CN, VN, MX and TW, US$ m a year",
        "S53 S1",
    ),
    "us_imports_monthly": (
        "imports for consumption and calculated duty by sector (NAICS3) and country, US$ m a month",
        "S35",
    ),
    "us_imports_naics6": (
        "imports for consumption and calculated duty by product (NAICS6), all countries, US$ m a "
        "month",
        "S36",
    ),
    "device_naics6": ("shares that tie device groups to products", "S36 S1"),
    "s301_coverage_2017": (
        "shares of each group's imports from China on lists 1, 2, 3 and 4A, by value of 2017 and "
        "of 2024",
        "S2 S38",
    ),
    "s301_collected_2024": (
        "duty collected on imports from China in 2024, what others pay on the same goods, and "
        "Section 301 by law",
        "S1 S37 S38",
    ),
    "units_sold_us": ("units that the US buys a year, as published, by device group", "S58"),
}
"""Tables of imports and of units sold: what they hold, and sources."""
LAST_YEAR = 2024
"""Volumes of later years are kept out of the tables, for a test from outside."""


def _number_or_nothing(text: str) -> float | None:
    return parse_number(text) if text else None


NumberOrNothing = Annotated[float | None, BeforeValidator(_number_or_nothing)]


class OutcomeRow(RowModel):
    """One published figure; `use` says whether it may be fitted, is a test or is only shown."""

    id: Filled
    part: Annotated[int, BeforeValidator(lambda text: int(parse_number(text)))]
    use: Annotated[str, one_of("calibration", "test", "data")]
    case: Filled
    quantity: Filled
    place: Filled
    period: Filled
    unit: Filled
    value: NumberOrNothing
    low: NumberOrNothing
    high: NumberOrNothing
    level: NumberOrNothing
    """The figure behind a value that is a change."""
    source: Filled

    key_column: ClassVar[str] = "part"

    @property
    def keys(self) -> tuple[str, ...]:
        """One row for each part of an outcome."""
        return (self.name,)

    @property
    def name(self) -> str:
        """Such as V5.2."""
        return f"{self.id}.{self.part}"

    @property
    def is_scored(self) -> bool:
        """Whether the model's figure is held against its range."""
        return self.use != "data"

    def holds(self, figure: float) -> bool:
        """Whether a figure is inside the range; a bound that is not given is open."""
        above = self.low is None or figure >= self.low
        return above and (self.high is None or figure <= self.high)

    @field_validator("high")
    @classmethod
    def _is_range(cls, high: float | None, info: ValidationInfo) -> float | None:
        value, low = info.data.get("value"), info.data.get("low")
        if info.data.get("use") == "data":
            return high
        if low is None and high is None:
            raise BadCell("must have a bound, as it is scored")
        outside = (low is not None and value is not None and value < low) or (
            high is not None and value is not None and value > high
        )
        if outside:
            raise BadCell("does not hold its value with low")
        return high


@dataclass(frozen=True, eq=False)
class History:
    """Published outcomes, and US imports of past years; columns are those of the files."""

    outcomes: tuple[OutcomeRow, ...]
    by_year: pd.DataFrame
    """By device group and country, US$ m a year."""
    by_month: pd.DataFrame
    """By sector and country, US$ m a month, with duty."""
    by_product: pd.DataFrame
    """By product, US$ m a month, with duty."""
    products: pd.DataFrame
    """What device groups have of products."""
    list_shares: pd.DataFrame
    """What device groups from China have on the lists of Section 301."""
    collected: pd.DataFrame
    """Duty rates on device groups from China in 2024, and on the same goods of others."""
    units_sold: pd.DataFrame
    """Million units a year that the US buys of device groups, as published."""

    def outcomes_of(self, id: str) -> tuple[OutcomeRow, ...]:
        """The rows of one outcome, in order."""
        return tuple(row for row in self.outcomes if row.id == id)


@lru_cache(maxsize=1)
def load_history() -> History:
    """The shipped tables.

    Raises:
        DataError: with every problem of the published outcomes.
    """
    import pandas as pd

    problems: list[Problem] = []
    file = "validation_public.csv"
    rows = read_rows(
        SHIPPED / file, file, OutcomeRow.columns(), OutcomeRow.optional_columns(), problems
    )
    outcomes = parse_rows(OutcomeRow, rows, KnownCodes(), problems)
    if problems:
        raise DataError(without_repeats(problems))
    frames = (pd.read_csv(SHIPPED / f"{name}.csv") for name in HISTORY)
    return History(outcomes, *frames)
