"""Write units.md from the data tables; run it after any change of a unit value or an import."""

from __future__ import annotations

import math
import runpy
from pathlib import Path

import pandas as pd

from tariffsim.tables import load_history, load_tables
from tariffsim.validation.units import units_of_devices

PAGE = Path(__file__).resolve().parent / "units.md"
table = runpy.run_path(str(PAGE.parent / "make_data_page.py"))["table"]
INTRO = """# Units

Do the units of the model exist? What the United States buys of a device group is what it imports
over the value of a unit, and what it assembles at home on top (`unit_value_usd` and
`us_home_assembly_share` in [Data](data.md)). This page holds that against published sizes of
markets (`units_sold_us.csv`, S58). It is written from the tables by `docs/make_units_page.py`;
change a table, not this page.

- Ratios near one are no test where the unit value, or the home share, was set so that units meet
  the published ones: smartphone, server, television, game_console, major_appliance, hvac,
  combustion_car, electric_car. They are one of laptop, whose value is that of trade statistics.
- What is published of imports alone is a test of the groups set so: see the notes of smartphone
  and combustion_car.
- Where a unit is a convention, numbers of units mean nothing by themselves. Shares and sums of
  money do not depend on it, as long as `design_units_month` is stated in the same unit.

Millions of units a year in 2024, unless the note names another year:

"""
DESIGNS = """
**Designs** are the units that all markets of the model buy a year, over twelve times
`design_units_month`: how many different designs the volume of one implies in the world. A design
pays for a new qualification with what it ships, so its volume sets how willing makers are to
switch. The fewest are {fewest} ({least}), the most {most:,} ({largest}):
plausible orders of magnitude, none of which has a source. The range of the parameter (a third to
three times) allows as much around them.
"""


def number(value: float) -> str:
    """Three significant digits, or nothing."""
    if math.isnan(value):
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def row_of(device: str, row: pd.Series) -> list[str]:
    """One line of the table."""
    range_ = "" if math.isnan(row["low"]) else f"{number(row['low'])} to {number(row['high'])}"
    ratio = "" if math.isnan(row["ratio"]) else f"{row['ratio']:.2f}"
    sizes = [number(row[name]) for name in ("imported", "implied", "published")]
    year = f"{row['period']:.0f}: " if row["period"] < 2024 else ""
    return [device, *sizes, range_, ratio, number(row["designs"]), f"{year}{row['note']}"]


def page() -> str:
    """The whole page."""
    units = units_of_devices(load_tables(), load_history())
    head = (
        "device",
        "imported",
        "implied",
        "published or estimated",
        "range",
        "ratio",
        "designs",
        "note",
    )
    body = table(head, (row_of(str(device), row) for device, row in units.iterrows()))
    designs = units["designs"].round().astype(int)
    least, largest = designs.idxmin(), designs.idxmax()
    text = DESIGNS.format(
        fewest=designs[least], least=least, most=designs[largest], largest=largest
    )
    return INTRO + body + text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
