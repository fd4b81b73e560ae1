"""Write the figures of limits.md from runs of the shipped scenarios; run it when numbers move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from tariffsim import compare
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
    ("baseline", "capacity_lost"),
    ("no_expansion_unfilled", "china_utilisation"),
)
DIFFERENCES = (
    ("component_50", "cn_share"),
    ("component_unknown_exempt", "cn_share"),
    ("whole_product_china", "cn_share"),
    ("whole_product_china", "cn_assembled_share"),
    ("component_50", "world_cn_share"),
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
        unit = "pp" if row["unit"] == "%" else row["unit"]
        yield f"{row['label']}, less the baseline's", f"`{place[0]}`", interval, unit
    by_seed = results.tables["summary"].pivot(index="seed", columns="scenario", values="cn_share")
    effect = by_seed["component_50"] - by_seed["baseline"]
    for what, series in (("baseline", by_seed["baseline"]), ("component_50", effect)):
        of = "level" if what == "baseline" else "difference"
        label = f"Chinese share of chips: standard deviation of the {of} between seeds"
        yield label, f"`{what}`", number(float(series.std())), "pp"
    yield from relocation(results)


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
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}{block()}{END}{after}", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
