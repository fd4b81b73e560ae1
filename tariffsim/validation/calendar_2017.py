"""Builds the tariff calendar of a run from 2017: Section 301 and the safeguard on washers.

Each list covers the share of a group's imports from China that was on it: by value of 2017 when
it came into force, and by what is collected in 2024 at the end, in equal yearly steps between
(what is taxed shrinks, and exclusions are granted). The safeguard covers the washers among major
appliances. Nothing of it is in the duties of 2017.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tariffsim.tables import BARE_CHIPS, CalendarRow, History, Tables, load_history, load_tables
from tariffsim.validation.base_year_2017 import BASE, YEAR, imports_of_2017


@dataclass(frozen=True)
class Step:
    """A rate of a list, the month in which it became known, and its first day.

    One that is withdrawn is expected from its announcement until then, and never in force.
    """

    first_day: str
    announced: str
    rate: float
    withdrawn: str = ""


LISTS = {
    "l1": ("Section 301 list 1", (Step("2018-07-06", "2018-04", 0.25),)),
    "l2": ("Section 301 list 2", (Step("2018-08-23", "2018-06", 0.25),)),
    "l3": (
        "Section 301 list 3",
        (
            Step("2018-09-24", "2018-07", 0.10),
            Step("2019-01-01", "2018-09", 0.25, withdrawn="2018-12"),
            Step("2019-05-10", "2019-05", 0.25),
        ),
    ),
    "l4A": (
        "Section 301 list 4A",
        (Step("2019-09-01", "2019-08", 0.15), Step("2020-02-14", "2019-12", 0.075)),
    ),
}
"""By column of the table of shares: name and steps (S12, S44)."""
SHARES_2017 = {"network_gear": {"l3": 0.2, "l4A": 0.8}}
"""Not in the codes of 2017: 0.1 to 0.4 on list 3, from what it collected in 2018-19."""
BARE = {device: {"l2": 1.0} for device in BARE_CHIPS}
"""Unmounted chips are nearly all on list 2."""
SMALL = {"electric_car": {"l1": 1.0}, "drone": {"l1": 0.87}}
"""Groups that the table of shares leaves out."""
ELECTRIC_CARS = Step("2024-09-27", "2024-05", 1.0)
SOURCES = "S12 S38 S44"
WASHERS = {
    "CN": 0.080, "EU": 0.078, "JP": 0.018, "KR": 0.103, "MX": 0.052, "TH": 0.203, "VN": 0.573,
}  # fmt: skip
"""Share of household washers (HS 8450.11, 8450.20) in major appliances from a country in 2024 (S1).

That it was the same in 2017 is an assumption (half to one and a half times), except of China,
whose washers of 2017 are published. Canada and developing countries but Thailand are exempt; so
is all that is not named. Parts of washers are left out.
"""
WASHER_USD = 384.0
"""Customs value of a washer (S1)."""
QUOTA_WASHERS = 1.2e6
"""Washers a year at the lower rate."""
SAFEGUARD_KNOWN = {2018: "2018-01", 2021: "2021-01"}
"""When the first three years of the safeguard were proclaimed, and the last two (S61)."""
SAFEGUARD = (
    (2018, 0.20, 0.50), (2019, 0.18, 0.45), (2020, 0.16, 0.40), (2021, 0.15, 0.35),
    (2022, 0.14, 0.30),
)  # fmt: skip
"""Year from 7 February, rate within the quota and above it (S61)."""
SAFEGUARD_ENDS = "2023-02-08"


def shares_on_lists(history: History) -> pd.DataFrame:
    """(device, list) shares in 2017 and 2024, columns `first` and `last`.

    Those of 2024 are scaled to the duty collected that year.
    """
    collected = history.collected.set_index("device")["s301_collected"]
    tables = {
        year: of.set_index("device")[list(LISTS)]
        for year, of in history.list_shares.groupby("weights")
    }
    first, last = tables[YEAR].copy(), tables[BASE].copy()
    for device, shares in (SHARES_2017 | SMALL | BARE).items():
        first.loc[device] = pd.Series(shares).reindex(list(LISTS), fill_value=0.0)
    for device in SMALL | BARE:
        last.loc[device] = first.loc[device]
    by_law = last @ pd.Series({name: steps[-1].rate for name, (_, steps) in LISTS.items()})
    scale = (collected.reindex(last.index) / by_law).where(by_law > 0, 1.0)
    scale["electric_car"] = 1.0  # collected at two rates in 2024
    last = last.mul(scale, axis=0).clip(upper=1.0)
    return pd.DataFrame({"first": first.stack(), "last": last.stack()})


def calendar_of_2017(history: History, tables: Tables) -> pd.DataFrame:
    """Rows of a tariff calendar, one for each list, group, step and year in which it changes.

    Those of the safeguard come last, one for each year, country and side of the quota.
    """
    shares = shares_on_lists(history)
    rows = [
        row
        for at, (first, last) in zip(shares.index, shares.to_numpy(), strict=True)
        if max(first, last) > 0
        for row in _rows(str(at[0]), str(at[1]), float(first), float(last))
    ]
    table = pd.DataFrame([*rows, *safeguard_on_washers(history, tables)])
    table.insert(0, "id", [f"H{n:03d}" for n in range(1, len(table) + 1)])
    columns = (*CalendarRow.columns(), *CalendarRow.optional_columns())
    return table.reindex(columns=[c for c in columns if c in table]).fillna("")


def _rows(device: str, name: str, first: float, last: float) -> Iterator[dict[str, object]]:
    title, steps = LISTS[name]
    if device == "electric_car":
        steps = (*steps, ELECTRIC_CARS)
    days = {step.first_day: step for step in steps}
    in_force = [step for step in steps if not step.withdrawn]
    if first != last:
        for year in range(YEAR + 1, BASE + 1):
            new_year = f"{year}-01-01"
            before = [step for step in in_force if step.first_day <= new_year]
            if before:
                days.setdefault(new_year, before[-1])
    in_place = (0.0, 0.0)
    for day, step in sorted(days.items()):
        year = int(day[:4])
        coverage = round(first + (last - first) * (year - YEAR) / (BASE - YEAR), 4)
        if (step.rate, coverage) == in_place:
            continue
        if not step.withdrawn:
            in_place = step.rate, coverage
        yield {
            "date": day[:7], "ends": "", "levied_by": "US", "against": "CN",
            "base": "bare_chips" if device in BARE_CHIPS else "product", "instrument": title,
            "rate": step.rate, "in_2024_base": "no", "devices": device,
            "scope": "share on the list by value, from 2017 to what is collected in 2024",
            "source": SOURCES, "coverage": coverage,
            "announced": min(step.announced if day == step.first_day else day[:7], day[:7]),
            "date_day": day, "withdrawn": step.withdrawn, "in_baseline": "yes",
            "confidence": "assumption",
        }  # fmt: skip


def washers_of_2017(history: History, tables: Tables) -> pd.DataFrame:
    """What the US imported of washers under the safeguard in 2017, by country.

    `musd` is their value, `share` that of what it imported of major appliances.
    """
    imports = imports_of_2017(history, tables).query("device == 'major_appliance'")
    group = imports.set_index("origin")["customs_value_musd"]
    washers = (group * pd.Series(WASHERS)).dropna()
    washers["CN"] = next(row.level for row in history.outcomes_of("V8") if row.part == 2)
    return pd.DataFrame({"musd": washers, "share": washers / group.loc[washers.index]})


def safeguard_on_washers(history: History, tables: Tables) -> Iterator[dict[str, object]]:
    """Rows of the calendar: what of the washers is within the quota, by number, and the rest.

    The part within it is that of 2017, of every country alike.
    """
    washers = washers_of_2017(history, tables)
    within = min(1.0, QUOTA_WASHERS * WASHER_USD / (1e6 * washers["musd"].sum()))
    for year, *rates in SAFEGUARD:
        ends = f"{year + 1}-02-07" if year < SAFEGUARD[-1][0] else SAFEGUARD_ENDS
        known = max(month for of, month in SAFEGUARD_KNOWN.items() if of <= year)
        for part, rate, side in zip((within, 1 - within), rates, ("within", "above"), strict=True):
            for country, share in washers["share"].items():
                yield {
                    "date": f"{year}-02", "ends": ends[:7], "levied_by": "US", "against": country,
                    "base": "product", "instrument": f"Safeguard on washers, {side} the quota",
                    "rate": rate, "in_2024_base": "no", "devices": "major_appliance",
                    "scope": "share of washers in the group, and what of them is on this side",
                    "source": "S1 S17 S61", "coverage": round(share * part, 4),
                    "announced": known, "date_day": f"{year}-02-07", "ends_day": ends,
                    "end_known": "yes", "withdrawn": "", "in_baseline": "yes",
                    "confidence": "assumption",
                }  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="CSV file to write")
    chosen = parser.parse_args(arguments)
    table = calendar_of_2017(load_history(), load_tables())
    table.to_csv(chosen.file, index=False, lineterminator="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
