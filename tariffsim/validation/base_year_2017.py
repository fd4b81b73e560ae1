"""Builds the base year of 2017: what the United States imported then, by device group and country.

China, Vietnam, Mexico and Taiwan are known. Other countries are the imports of 2024 times what
their imports of the sector were in 2017 over 2024: an assumption. Nothing is fitted to totals of
sectors, which mostly hold other goods; they are only ceilings.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

from tariffsim.tables import BARE_CHIPS, History, Tables, load_history, load_tables

YEAR, BASE = 2017, 2024
AT_CUSTOMS_VALUE = "TW"
"""Its imports are at customs value in the table of past years; the others' hold freight."""
LEAST_MUSD = 1.0
"""Imports of 2024 below which a ratio to them says nothing."""
WITHOUT_CODE = {"drone": (2022, 0.1)}
"""Groups without a code of their own in 2017: a year whose mix stands in, and its share."""
COLUMNS = (
    "device", "hs_codes", "origin", "customs_value_musd", "calculated_duty_musd", "source",
    "confidence",
)  # fmt: skip


def imports_of_2017(history: History, tables: Tables) -> pd.DataFrame:
    """Rows of a table of imports like that of 2024, USD m, with source and confidence."""
    known = _known(history, tables)
    ratio = sector_ratios(history)
    rates = history.collected.set_index("device")["rate_of_others_same_hs10"]
    rows = []
    for row in tables.imports:
        key = row.device, row.origin
        now = row.customs_value_usd / 1e6
        is_known = key in known.index
        value = known[key] if is_known else now * ratio.loc[key]
        if row.device in WITHOUT_CODE and not is_known:
            value = now * WITHOUT_CODE[row.device][1]
        paid = row.calculated_duty_usd / row.customs_value_usd if row.customs_value_usd else 0.0
        rate = rates[row.device] if row.origin == "CN" else paid
        source, confidence = ("S53 S1", "data") if is_known else ("S1 S35", "assumption")
        cells = (*key, round(value, 3), round(value * rate, 3), source, confidence)
        rows.append((cells[0], row.hs_codes, *cells[1:]))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _known(history: History, tables: Tables) -> pd.Series:
    """(device, country) imports of the countries in the table of past years, at customs value."""
    by = history.by_year.set_index(["year", "device", "country"])["imports_musd"]
    now = pd.Series({(r.device, r.origin): r.customs_value_usd / 1e6 for r in tables.imports})
    found = by[YEAR].copy()
    for device, (year, share) in WITHOUT_CODE.items():
        of_device = share * by[year][device]
        for country, value in of_device.items():
            found[device, country] = value
    found = found[found.index.isin(now.index) & (found > 0)]
    freight = freight_ratios(by[BASE], now)
    return cast(pd.Series, found / freight.reindex(found.index))


def freight_ratios(with_freight: pd.Series, now: pd.Series) -> pd.Series:
    """(device, country) imports of 2024 in the table of past years over those at customs value.

    The median of its country where a group is too small to tell; one for Taiwan.
    """
    ratio = with_freight / now.reindex(with_freight.index)
    tells = now.reindex(with_freight.index) >= LEAST_MUSD
    country = pd.Series(with_freight.index.get_level_values("country"), with_freight.index)
    median = ratio[tells].groupby(level="country").median()
    ratio = ratio.where(tells, country.map(median))
    return ratio.where(country != AT_CUSTOMS_VALUE, 1.0)


def sector_ratios(history: History) -> pd.Series:
    """(device, country) imports of the sectors of a group in 2017 over those of 2024."""
    months = history.by_month.assign(year=history.by_month["month"].str[:4].astype(int))
    by = months.groupby(["year", "sector", "country"])["imports_usd_m"].sum()
    ratio = (by[YEAR] / by[BASE]).unstack("country")
    parts = sectors_of_groups(history)
    return cast(pd.Series, (parts @ ratio.loc[parts.columns]).stack())


def sectors_of_groups(history: History) -> pd.DataFrame:
    """(device, sector) part of each group's imports of 2024 that is of each sector (NAICS3)."""
    weights = history.products.assign(sector=history.products["naics6"] // 1000)
    by = weights.groupby(["device", "sector"])["value_2024_usd_m"].sum()
    parts = by.unstack("sector", fill_value=0)
    return parts.div(parts.sum(axis=1), axis=0)


def shares_of_sectors(imports: pd.DataFrame, history: History) -> pd.DataFrame:
    """(sector, country) imports of the groups of 2017 over those of their sector: at most one."""
    months = history.by_month[history.by_month["month"].str.startswith(str(YEAR))]
    sector = months.groupby(["sector", "country"])["imports_usd_m"].sum().unstack("country")
    value = imports.pivot(index="device", columns="origin", values="customs_value_musd").fillna(0.0)
    parts = sectors_of_groups(history)
    groups = parts.T @ value.loc[parts.index]
    return groups / sector.loc[groups.index, groups.columns]


def main(arguments: list[str] | None = None) -> int:
    """Write the table, and say what the groups are of their sectors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="CSV file to write")
    chosen = parser.parse_args(arguments)
    history, tables = load_history(), load_tables()
    imports = imports_of_2017(history, tables)
    imports.to_csv(chosen.file, index=False, lineterminator="\n")
    print(shares_of_sectors(imports, history).round(2).to_string())
    goods = imports[~imports["device"].isin(BARE_CHIPS)]
    known = goods.loc[goods["confidence"] == "data", "customs_value_musd"].sum()
    total = np.round(goods["customs_value_musd"].sum() / 1e3, 1)
    print(f"devices {total} bn USD, of which {100 * known / goods['customs_value_musd'].sum():.0f}"
          " % from countries whose imports of 2017 are known")  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
