"""Works out the figures of a run from 2017 that differ from those of 2024, and prints them.

China's share of capacity and of the chips in devices is lower in proportion; chips cost what they
did; and units bought grow so that, at the prices of the start, what the market imports follows the
totals of the sectors of each group.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import root

from tariffsim.kernels.prices_and_demand import device_growth
from tariffsim.tables import FigureTable, History, Tables, load_history, load_tables
from tariffsim.typing import Float, Int, format_month, parse_month
from tariffsim.validation.base_year_2017 import BASE, YEAR, sectors_of_groups

CHINA_SHARE = {YEAR: 0.18, BASE: 0.30}
"""China's share of capacity for legacy chips; that of 2017 is an assumption (0.15 to 0.22)."""
CHIP_PRICES = {"A": (0.62, 0.89), "B": (0.62, 0.89), "C": (0.62, 0.89), "D": (0.035, 0.036)}
"""Mean USD of Chinese circuits and discretes entering the US in 2017 and 2024, by class (S2)."""
MARKET = "US"
STEM = "extra_growth_from_"
Figures = dict[str, dict[str, dict[str, float]]]


def figures_of_2017(history: History, tables: Tables) -> Figures:
    """By table, code and parameter."""
    ratio = CHINA_SHARE[YEAR] / CHINA_SHARE[BASE]
    devices = tables.devices
    growth = growth_of_devices(history, tables)
    of_devices = {
        device: {"cn_share": devices.number(device, "cn_share") * ratio} | growth[device]
        for device in devices.codes
    }
    prices = {
        code: {"chip_price_usd": tables.node_classes.number(code, "chip_price_usd") * was / now}
        for code, (was, now) in CHIP_PRICES.items()
    }
    fixed = tables.markets.number("CN", "cn_share_fixed") * ratio
    return {
        "foundry_regions": _shares_of_capacity(tables.foundry_regions, ratio),
        "node_classes": prices,
        "devices": of_devices,
        "markets": {"CN": {"cn_share_fixed": fixed}},
    }


def _shares_of_capacity(regions: FigureTable, ratio: float) -> dict[str, dict[str, float]]:
    """China's shares times the ratio; what it lacks the others have in proportion."""
    found: dict[str, dict[str, float]] = {code: {} for code in regions.codes}
    for parameter in ("share_a", "share_b", "share_c", "share_d"):
        china = regions.number("CN", parameter)
        others = (1 - ratio * china) / (1 - china)
        for code in regions.codes:
            scale = ratio if code == "CN" else others
            found[code][parameter] = regions.number(code, parameter) * scale
    return found


def demand_path(history: History) -> pd.DataFrame:
    """(device, year) total imports of the sectors of each group, relative to 2017."""
    months = history.by_month[history.by_month["country"] == "TOTAL"]
    months = months.assign(year=months["month"].str[:4].astype(int))
    by = months.groupby(["sector", "year"])["imports_usd_m"].sum().unstack("year")
    parts = sectors_of_groups(history)
    return parts @ by.loc[parts.columns, YEAR:BASE].div(by[YEAR], axis=0)


def growth_of_devices(history: History, tables: Tables) -> dict[str, dict[str, float]]:
    """Dated growth of each group on top of that of the market; its years follow the path."""
    market = tables.markets.number(MARKET, "growth_per_year")
    path = demand_path(history)
    years = range(YEAR + 1, BASE + 1)
    dates = np.array([parse_month(f"{year}-01") for year in years])
    found = {}
    for device in tables.devices.codes:
        rates = _rates(dates, market, path.loc[device].to_numpy())
        names = (f"{STEM}{format_month(int(date))}" for date in dates)
        later = (
            name for at, name in tables.devices.figures if at == device and name.startswith(STEM)
        )
        last = dict.fromkeys(later, float(rates[-1]))
        found[device] = dict(zip(names, map(float, rates), strict=True)) | last
    return found


def _rates(dates: Int, market: float, path: Float) -> Float:
    """Rates a year at the dates with which the years relative to the first are on the path."""
    start = parse_month(f"{YEAR}-01")
    years = np.arange(12 * len(path)) / 12

    def miss(rates: Float) -> Float:
        months = range(start, start + len(years))
        extra = [device_growth(dates, rates[None], start, month)[0] for month in months]
        by_year = ((1 + market) ** years * extra).reshape(len(path), 12).mean(axis=1)
        return np.asarray(by_year[1:] / by_year[0] - path[1:])

    return np.asarray(root(miss, np.diff(path) / path[:-1]).x)


def main() -> int:
    """Print the block `figures` of the scenario."""
    print("figures:")
    for table, codes in figures_of_2017(load_history(), load_tables()).items():
        print(f"  {table}:")
        for code, figures in codes.items():
            pairs = ", ".join(f"{name}: {round(value, 6)}" for name, value in figures.items())
            print(f"    {code}: {{{pairs}}}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
