"""Tables that a report derives from those of a comparison: devices, years, revenue, places."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import pandas as pd

from tariffsim.charts.context import ChartContext, table_label
from tariffsim.record.metrics import LAST
from tariffsim.record.results import Results
from tariffsim.record.statements import Estimate, effect, estimates, number, paired
from tariffsim.report.sheets import Column, Sheet, scaled
from tariffsim.tables import load_tables
from tariffsim.tables.csv_files import shipped_rows

DUTIES = ("duties on products", "duties on unmounted chips")
REFUNDS = "duty refunds"
PP, BILLION, YEARLY = "pp", "bn USD", "bn USD a year"
MOST_PLACES = 8
"""Countries of a table; the others are one row."""
NAMED_DEVICES = 3
"""Device groups of a scenario that sentences name."""


@cache
def conventions() -> dict[str, float]:
    """Figures that only the report uses, by name; `conventions.csv` has their sources."""
    return {row["name"]: float(row["value"]) for row in shipped_rows("conventions")}


def source_of(name: str) -> str:
    """The source of one of `conventions`."""
    return next(row["source"] for row in shipped_rows("conventions") if row["name"] == name)


def _at_end(table: pd.DataFrame, context: ChartContext) -> pd.DataFrame:
    return table[table["month"].isin(context.months[-LAST:])]


def _own(results: Results, name: str) -> pd.DataFrame:
    """Rows of the market that headlines are about."""
    table = results.tables[name]
    return table[table["market"] == results.market]


def _changes(context: ChartContext, unit: str) -> list[Column]:
    """One column a scenario for the change from the baseline."""
    return [Column(context.labels[name], unit) for name in context.others]


def unit_prices(results: Results, context: ChartContext) -> pd.Series[float]:
    """Retail price of a unit in the baseline by device group, USD, mean of the last months."""
    rows = _at_end(_own(results, "market_device"), context)
    totals = rows[rows["scenario"] == context.baseline].groupby("device", sort=False)
    sums = totals[["retail_value", "sold_units"]].sum()
    sums = sums[sums["sold_units"] > 0]
    prices: pd.Series[float] = sums["retail_value"] / sums["sold_units"]
    return prices


def device_costs(results: Results, context: ChartContext) -> dict[str, dict[str, Estimate]]:
    """By device group and scenario: what a unit costs more than in the baseline, USD.

    The change of the group's price index relative to the baseline's, times the retail price of a
    unit in the baseline.
    """
    prices, table = unit_prices(results, context), results.tables["device_end"]
    found = {}
    for device, price in prices.items():
        rows = table[table["device"] == device]
        by_seed = rows.pivot(index="seed", columns="scenario", values="price_index")
        base = float(by_seed[context.baseline].mean())
        if by_seed.notna().all(axis=None):
            each = paired(results, by_seed)
            found[str(device)] = {n: scaled(each[n], price / base) for n in context.others}
    return found


def duty_a_unit(results: Results, context: ChartContext, name: str) -> pd.Series[float]:
    """New duty in the retail price of a unit, less that of the baseline, USD by device group."""
    rows = _at_end(_own(results, "market_device"), context)
    sums = rows.groupby(["scenario", "device"])[["passed_on_value", "sold_units"]].sum()
    each = sums["passed_on_value"] / sums["sold_units"].where(sums["sold_units"] > 0)
    found: pd.Series[float] = each[name] - each[context.baseline]
    return found


def devices(results: Results, context: ChartContext) -> Sheet:
    """Dollars by device."""
    prices = unit_prices(results, context)
    rows: list[list[str | float | Estimate]] = [
        [table_label("devices", device), float(prices[device]), *(each[n] for n in context.others)]
        for device, each in device_costs(results, context).items()
    ]
    return Sheet(
        "dollars_by_device",
        f"What a unit costs more at retail in {context.place}, {context.end}",
        [Column("Device group"), Column("Retail price in the baseline", "USD a unit"),
         *_changes(context, "USD a unit")],
        rows,
        "Change of the price index of the group times the mean retail price of a unit in the "
        "baseline. Units are those of the trade statistics: a group mixes cheap and expensive "
        "products.",
    )  # fmt: skip


def device_sentences(results: Results, context: ChartContext) -> Iterator[str]:
    """The device groups whose unit costs change most, of the scenarios that are set beside."""
    costs = device_costs(results, context)
    for name in context.pair():
        certain = [d for d in costs if costs[d][name].is_certain]
        certain.sort(key=lambda d: -abs(costs[d][name].difference))
        duties = duty_a_unit(results, context, name)
        who = context.in_sentence(name)
        if not certain:
            yield (
                f"No change of the price of a device group by {who} is statistically significant"
                if context.n > 1 else f"One run: no test of significance for {who}"
            )  # fmt: skip
        for device in certain[:NAMED_DEVICES]:
            one = costs[device][name]
            said = effect(one, "the price of a unit", "USD", 2)
            duty, rest = (number(x, 2, sign=True) for x in (
                duties[device], one.difference - duties[device]))  # fmt: skip
            yield (
                f"{table_label('devices', device)}: {who} {said}. New duty in the price: {duty} "
                f"USD; all other costs and margins: {rest} USD (means over runs)"
            )


def _by_year(
    results: Results, context: ChartContext, name: str, value: str
) -> dict[str, dict[str, Estimate]]:
    """By year and scenario: the mean of a column of months, with its paired difference."""
    table = _own(results, name)
    table = table.assign(year=table["month"].str[:4])
    found = {}
    for year, rows in table.groupby("year"):
        by_seed = rows.pivot_table(index="seed", columns="scenario", values=value)
        found[str(year)] = paired(results, by_seed)
    return found


def _by_period(table: pd.DataFrame, period: Callable[[str], str], name: str) -> pd.Series[float]:
    """Sum of `value` by year or fiscal year of one scenario, bn USD."""
    rows = table[table["scenario"] == name]
    return 1e-9 * rows.groupby(rows["month"].map(period))["value"].sum()


def _gated(total: Estimate, change: float) -> float:
    """A mean change without interval; not a number where its total is not significant."""
    return change if total.is_certain or total.n < 2 else float("nan")


def years(results: Results, context: ChartContext) -> Iterator[Sheet]:
    """Effects by year and cumulated, a sheet for each scenario."""
    share = _by_year(results, context, "market_month", "cn_share")
    price = _by_year(results, context, "market_month", "price_index")
    welfare = _own(results, "welfare")
    terms = {"total_consumer_surplus_loss": (welfare[welfare["term"] == "consumers"], -1.0),
             "total_welfare": (welfare, 1.0)}  # fmt: skip
    totals = {metric: estimates(results, metric) for metric in ("run_cn_share", *terms)}
    for n, name in enumerate(context.others, start=1):
        money = {metric: sign * _by_period(table, lambda month: month[:4], name)
                 for metric, (table, sign) in terms.items()}  # fmt: skip
        rows: list[list[str | float | Estimate]] = []
        for year in share:
            row: list[str | float | Estimate] = [
                year, scaled(share[year][name], 100), scaled(price[year][name], 100)
            ]  # fmt: skip
            for metric, by_year in money.items():
                total = totals[metric][name]
                row += [_gated(total, by_year[year]), _gated(total, by_year[:year].sum())]
            rows.append(row)
        cells: list[str | float | Estimate] = ["Whole period", totals["run_cn_share"][name], ""]
        for metric in terms:
            cells += ["", totals[metric][name]]
        yield Sheet(
            f"by_year_{n}", f"{context.labels[name]}: change from the baseline by year",
            [Column("Year"), Column("Chinese share", PP), Column("Basket price", PP),
             Column("Loss of consumer surplus", BILLION), Column("cumulated", BILLION),
             Column("Welfare", BILLION), Column("cumulated", BILLION)],
            [*rows, cells],
        )  # fmt: skip


YEARS_NOTE = (
    "Money: means over runs, not discounted; results keep no interval of a single year, only of "
    "the whole period. A dash: the total is not statistically significant, and its years are not "
    "stated."
)


def fiscal_year(month: str) -> str:
    """The US federal fiscal year of a month: October to September."""
    year, number_of_month = map(int, month.split("-"))
    return f"FY{year + (number_of_month >= 10)}"


def duties_received(results: Results) -> pd.DataFrame:
    """All duties that the market's government levies less refunds, USD by scenario and month."""
    table = results.tables["transaction_flows"]
    own = table[table["sector"] == f"government {results.market}"]
    received = own[own["payment"].isin(DUTIES)].assign(value=lambda t: t["value"].clip(lower=0))
    return pd.concat([received, own[own["payment"] == REFUNDS]])


def revenue(results: Results, context: ChartContext) -> Sheet:
    """Duty revenue by fiscal year, gross and net of the offset for other taxes."""
    received, kept = duties_received(results), 1 - conventions()["revenue_offset"]
    totals = estimates(results, "total_revenue")
    base = _by_period(received, fiscal_year, context.baseline)
    by_year = {n: _by_period(received, fiscal_year, n).reindex(base.index).fillna(0.0) - base
               for n in context.others}  # fmt: skip
    count = pd.Series(context.months).map(fiscal_year).value_counts()
    rows: list[list[str | float | Estimate]] = []
    for year in count.sort_index().index:
        partial = f" ({count[year]} months)" if count[year] < 12 else ""
        row: list[str | float | Estimate] = [f"{year}{partial}", float(base.get(year, 0.0))]
        for name, values in by_year.items():
            gross = _gated(totals[name], float(values.get(year, 0.0)))
            row += [gross, kept * gross]
        rows.append(row)
    last: list[str | float | Estimate] = ["Whole period", totals[context.baseline].level]
    for name in context.others:
        last += [totals[name], scaled(totals[name], kept)]
    heads = [Column(f"{context.labels[n]}, {what}", BILLION)
             for n in context.others for what in ("gross", "net")]  # fmt: skip
    return Sheet(
        "duty_revenue", f"Duty revenue of {context.place} by fiscal year (October to September)",
        [Column("Fiscal year"), Column("Baseline, gross", BILLION), *heads], [*rows, last],
        "All duties that the market levies, base duties included, less refunds, without penalties: "
        "the definition of the headline table. Scenarios: change from the baseline. Net: less "
        f"{100 * (1 - kept):.0f} % for the income and payroll taxes that a duty reduces, the "
        f"budget convention of the United States ({source_of('revenue_offset')}) "
        "Years are means over runs; only the whole period has an interval, and a dash stands where "
        "it covers zero.",
    )  # fmt: skip


def consumer_prices(results: Results, context: ChartContext) -> Sheet | None:
    """Contribution to the level of consumer prices; of the United States only."""
    if results.market != "US":
        return None
    rows = _own(results, "market_device")
    first = rows[(rows["month"] == context.months[0]) & (rows["scenario"] == context.baseline)]
    weight = 12 * float(first["base_expenditure"].sum()) / conventions()["consumption_usd"]
    found = estimates(results, "basket_price")
    return Sheet(
        "consumer_prices", f"Contribution to consumer prices in {context.place}, {context.end}",
        [Column("Scenario"), Column("Basket price", PP), Column("Consumer prices, at most", PP)],
        [[context.labels[n], found[n], scaled(found[n], weight)] for n in context.others],
        f"Price of the basket times its size relative to consumer spending, {100 * weight:.1f} %: "
        "base-year retail sales of the device groups over personal consumption "
        f"({source_of('consumption_usd')}) An upper bound: the groups include equipment that firms "
        "buy, whose prices reach consumers late or in part.",
    )  # fmt: skip


def production(results: Results, context: ChartContext) -> Sheet:
    """Home production of chips and of devices."""
    homes = load_tables().markets.figures.get((results.market, "home_origins"))
    codes = str(homes.value).split() if homes is not None else [results.market]
    rows = _at_end(_own(results, "market_origin"), context)
    total = rows.groupby("scenario")["value"].sum()
    own = rows[rows["origin"].isin(codes)].groupby("scenario")["value"].sum()
    share = 100 * own.reindex(total.index).fillna(0.0) / total
    capacity, china = (estimates(results, m) for m in ("home_capacity", "cn_assembled_share"))
    wafers = "thousand wafers a month"
    return Sheet(
        "home_production", f"Production of chips and devices in {context.place}, {context.end}",
        [Column("Scenario"), Column("Home foundry capacity, last month", wafers),
         Column("Change of it", wafers), Column("Purchases assembled at home", "%"),
         Column("Purchases assembled in China", "%"), Column("Change of it", PP)],
        [[context.labels[n], capacity[n].level, "" if n == context.baseline else capacity[n],
          share[n], china[n].level, "" if n == context.baseline else china[n]]
         for n in context.labels],
        "Levels are means over runs. Purchases by ex-works value; the results keep no interval of "
        "what is assembled at home.",
    )  # fmt: skip


def places(results: Results, context: ChartContext) -> Iterator[Sheet]:
    """Where what the market buys is assembled, and where its chips are made."""
    for key, table, by, value, what in (
        ("assembly", "market_origin", "origin", "value", "assembled, % of ex-works value"),
        ("chips", "market_region", "region", "chips", "made (legacy chips), % of units"),
    ):  # fmt: skip
        rows = _at_end(_own(results, table), context)
        sums = rows.pivot_table(index=by, columns="scenario", values=value, aggfunc="sum")
        shares = (100 * sums / sums.sum()).fillna(0.0)
        order = shares.max(axis=1).sort_values(ascending=False).index
        named, rest = order[:MOST_PLACES], order[MOST_PLACES:]
        names = "origins" if by == "origin" else "foundry_regions"
        lines = [[table_label(names, str(c)), *(shares.loc[c, n] for n in context.labels)]
                 for c in named]  # fmt: skip
        if len(rest):
            lines.append(["Others", *(shares.loc[rest, n].sum() for n in context.labels)])
        yield Sheet(
            f"where_{key}",
            f"Where purchases of {context.place} are {what}, {context.end}",
            [Column("Place"), *(Column(label, "%") for label in context.labels.values())], lines,
            "Levels, means over runs; the results keep no interval by place.",
        )  # fmt: skip


def markets(results: Results, context: ChartContext) -> Sheet:
    """The Chinese share and the price of the basket in all markets."""
    table = _at_end(results.tables["market_month"], context)
    rows: list[list[str | float | Estimate]] = []
    for market in table["market"].unique():
        own, found = table[table["market"] == market], []
        for column in ("cn_share", "price_index"):
            by_seed = own.pivot_table(index="seed", columns="scenario", values=column, dropna=False)
            found.append(paired(results, 100 * by_seed))
        share, price = found
        rows += [[table_label("markets", market), context.labels[n], share[n].level, share[n],
                  price[n]] for n in context.others]  # fmt: skip
    return Sheet(
        "markets", f"All markets, {context.end}",
        [Column("Market"), Column("Scenario"), Column("Chinese share", "%"),
         Column("Change of it", PP), Column("Basket price, change", PP)], rows,
        "Only imports of the United States are data; others buy in the same pattern, scaled.",
    )  # fmt: skip


def gains(results: Results, context: ChartContext) -> Sheet:
    """Who gains and who loses."""
    heads = {
        "consumer_surplus_loss": "Loss of consumers", "buyers_cost": "Buyers' cost",
        "duty_revenue": "Duty revenue", "welfare": "Welfare of the market",
        "deadweight_loss": "Loss of the world", "china_subsidy": "Chinese subsidy",
    }  # fmt: skip
    found = {metric: estimates(results, metric) for metric in heads}
    return Sheet(
        "gains_and_losses", f"Gains and losses, change from the baseline, {context.end}",
        [Column("Scenario"), *(Column(head, YEARLY) for head in heads.values())],
        [[context.labels[n], *(found[m][n] for m in heads)] for n in context.others],
        "Buyers' cost is the loss of consumer surplus plus the loss from second-best sourcing. "
        "Welfare counts duty revenue as a gain. A positive loss or cost is a loss, a negative one "
        "a gain.",
    )  # fmt: skip
