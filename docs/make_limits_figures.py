"""Write the figures of limits.md from runs of the shipped scenarios; run it when numbers move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from tariffsim import compare, load_scenario
from tariffsim.calibration import build_economy
from tariffsim.calibration.build import line_plan
from tariffsim.record.dictionary import COSTS
from tariffsim.record.results import Results

PAGE = Path(__file__).resolve().parent / "limits.md"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"
SEEDS = 6
SCENARIOS = (
    "component_50",
    "component_unknown_exempt",
    "whole_product_china",
    "no_expansion",
    "no_expansion_unfilled",
)
LEVELS = (
    ("baseline", "basket_price"),
    ("baseline", "policy_revenue"),
    ("baseline", "evaded_share"),
    ("component_50", "evaded_share"),
    ("component_50", "known_origin_share"),
    ("baseline", "cn_assembled_share"),
    ("baseline", "capacity_lost"),
    ("no_expansion_unfilled", "china_utilisation"),
)
DIFFERENCES = (
    ("component_50", "cn_share"),
    ("component_unknown_exempt", "cn_share"),
    ("whole_product_china", "cn_share"),
    ("whole_product_china", "cn_assembled_share"),
    ("component_50", "world_cn_share"),
    ("component_50", "resource_shuffling"),
    ("no_expansion", "cn_share"),
    ("no_expansion", "capacity_outside_china"),
    ("no_expansion_unfilled", "capacity_outside_china"),
)
HEAD = "| figure | scenario | value | unit |\n|---|---|---|---|\n"


def number(value: float) -> str:
    """A figure as texts quote it: three significant digits at most."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def rows(results: Results) -> Iterator[tuple[str, str, str, str]]:
    """Figure, scenario, value and unit of each row."""
    headline = results.tables["headline"].to_dict("records")
    found = {(row["scenario"], row["metric"]): row for row in headline}
    for place in LEVELS:
        row = found[place]
        yield row["label"], f"`{place[0]}`", number(row["level"]), row["unit"]
    for place in DIFFERENCES:
        row = found[place]
        interval = f"{number(row['difference'])} ({number(row['low'])} to {number(row['high'])})"
        label, unit = row["label"], row["unit"]
        if place[1] not in COSTS:  # those are ratios of differences
            label, unit = f"{label}, less the baseline's", "pp" if unit == "%" else unit
        yield label, f"`{place[0]}`", interval, unit
    summary = results.tables["summary"].pivot(index="seed", columns="scenario", values="cn_share")
    yield from between_seeds("Chinese share of chips", summary)
    devices = results.tables["device_end"]
    drones = devices[devices["device"] == "drone"]
    shares = drones.pivot(index="seed", columns="scenario", values="cn_share")
    yield from between_seeds("Chinese share of chips in drones", 100 * shares)
    yield from first_month(results)
    yield from base_year()
    yield from relocation(results)


def between_seeds(of: str, by_seed: pd.DataFrame) -> Iterator[tuple[str, str, str, str]]:
    """Standard deviations of a share, and of its difference from the baseline's, in per cent."""
    effect = by_seed["component_50"] - by_seed["baseline"]
    for what, series in (("baseline", by_seed["baseline"]), ("component_50", effect)):
        kind = "level" if what == "baseline" else "difference"
        label = f"{of}: standard deviation of the {kind} between seeds"
        yield label, f"`{what}`", number(float(series.std())), "pp"


def first_month(results: Results) -> Iterator[tuple[str, str, str, str]]:
    """Where the baseline starts: what is drawn with the seed, and where products are assembled."""
    months = results.tables["market_month"]
    first = months[(months["scenario"] == "baseline") & (months["month"] == months["month"].min())]
    spread = 100 * first.groupby("market")["cn_share"].std()
    label = "Chinese share of chips in the first month: standard deviation between seeds"
    yield label, "`baseline`", number(spread["US"]), "pp"
    others = spread.drop("US")
    yield (
        f"{label}, least to most of the other markets",
        "`baseline`",
        (f"{number(others.min())} to {number(others.max())}"),
        "pp",
    )
    origins = results.tables["market_origin"]
    is_first = (origins["month"] == origins["month"].min()) & (origins["market"] == "US")
    values = origins[is_first & (origins["scenario"] == "baseline")].set_index("origin")["value"]
    share = 100 * values["CN"] / values.sum()
    yield "Assembled in China in the first month", "`baseline`", number(share), "%"


def base_year() -> Iterator[tuple[str, str, str, str]]:
    """What is known before a month is run: number of lines, and chips by node class."""
    scenario = load_scenario("baseline")
    economy = build_economy(scenario, 0)
    codes, flows, makers = economy.constants.codes, economy.flows, economy.makers
    yield (
        "Lines that carry the trade",
        "`baseline`",
        str(line_plan(scenario, economy.constants).wanted),
        "lines",
    )
    is_us = flows.market == codes.markets.index("US")
    is_drone = makers.device[flows.maker] == codes.devices.index("drone")
    count = len(set(flows.line[is_us & is_drone]))
    yield "Lines of drones in the United States", "`baseline`", str(count), "lines"
    sold = makers.chips[flows.maker[is_us]] * flows.base_units[is_us][:, None]
    share = sold[:, makers.slot_class == codes.classes.index("D")].sum() / sold.sum()
    yield (
        "Chips of class D, of chips bought in the base year",
        "`baseline`",
        number(100 * share),
        "%",
    )


def relocation(results: Results) -> Iterator[tuple[str, str, str, str]]:
    """What moving assembly costs the world's makers, of the last twelve months' customs value."""
    flows, trade = results.tables["transaction_flows"], results.tables["market_month"]
    for scenario in ("baseline", "whole_product_china"):
        paid = last_year(flows[flows["payment"] == "relocation"], scenario)["value"]
        sold = last_year(trade, scenario)["customs_value"]
        share = 0.5 * paid.abs().sum() / (sold.sum() / SEEDS)
        yield "Relocation, of makers' sales", f"`{scenario}`", number(100 * share), "%"


def last_year(table: pd.DataFrame, scenario: str) -> pd.DataFrame:
    """Rows of a scenario in the last twelve months."""
    own = table[table["scenario"] == scenario]
    return own[own["month"].isin(sorted(own["month"].unique())[-12:])]


def block() -> str:
    """The table, as Markdown."""
    results = compare(SCENARIOS, seeds=SEEDS, fixed_parameters=True)
    return HEAD + "".join("| " + " | ".join(row) + " |\n" for row in rows(results))


def main() -> None:
    """Replace what stands between the marks."""
    figures = block()
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}{figures}{END}{after}", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
