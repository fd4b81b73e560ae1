"""Charts of responses of China, and of investment elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from drawing import Panel, bars, described, ends_of, lines, of_metrics
from runs import Runs, added_by_scarcity

from tariffsim.charts.context import chart_context
from tariffsim.charts.picture import Picture
from tariffsim.charts.style import CHIPS, capitalised, family_style
from tariffsim.record.results import Results
from tariffsim.record.statements import number
from tariffsim.scenario import replace

LATE = "2036-12"
"""End of the runs that show what recovers."""


def last_year(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the last twelve months."""
    return rows[rows["month"].isin(sorted(rows["month"].unique())[-12:])]


def answers(runs: Runs) -> Picture:
    """Responses to a component tariff: counter-subsidy, tariff on US chips, ban of US chips."""
    ban = {"kind": "import_ban", "denied": 1.0, "when": "component_tariff in force for 3 months"}
    results = runs.compare({
        "50 % duty, no response": runs.scenario("component_50"),
        "Counter-subsidy of half of it": runs.scenario("component_counter_subsidy"),
        "50 % duty on US chips by China": runs.scenario("retaliation"),
        "Ban of US chips by China": runs.scenario("component_50", policies__ban=ban),
    })  # fmt: skip
    panels = [
        Panel("cn_share", "Chinese chips in US purchases, %"),
        Panel("us_share", "US chips in Chinese purchases, %"),
        Panel("us_profit", "US foundries' profit, bn USD a year", 2, is_change=True),
        Panel("china", "China's welfare, bn USD a year", 2, is_change=True),
    ]
    data = of_metrics(results, panels[:1], []).drop(columns=["cn_share_low", "cn_share_high"])
    names = list(results.scenarios)
    data["us_share"] = _share_of(results, "CN", "US")[names].to_numpy()
    gains = 12e-9 * last_year(results.tables["welfare"]).pivot_table(
        "value", "scenario", ["market", "term"], "sum"
    ) / 12  # fmt: skip
    data["us_profit"] = gains["US"]["foundries"][names].to_numpy()
    data["china"] = gains["CN"].sum(axis=1)[names].to_numpy()
    by = data.set_index("label")
    none, subsidy, tax, ban_ = (by.loc[name] for name in names[1:])
    offset = 100 * (subsidy["cn_share"] - none["cn_share"]) / (
        by.loc["No policy", "cn_share"] - none["cn_share"]
    )  # fmt: skip
    title = (
        f"A counter-subsidy of half of the duty offsets {offset:.0f} % of its effect on the "
        "Chinese share; a 50 % duty on US chips changes US foundries' profit by "
        f"{_signed(tax['us_profit'])} bn USD a year against no policy, a ban by "
        f"{_signed(ban_['us_profit'])} bn"
    )
    context = chart_context(results)
    text = context.text(
        title,
        f"50 % duty of the United States on Chinese chips inside its imports, and responses to it; "
        f"{context.end}; % of chips; bn USD a year against no policy",
        "Means over runs.",
        f"Bar chart. {described(data, panels)}",
    )
    styles = dict.fromkeys(data["label"], family_style("component"))
    styles["No policy"] = family_style("no policy")
    return bars("answers", data.assign(unit="% of chips"), panels, styles, text)


def _signed(value: float) -> str:
    return number(value, 1, sign=True)


def _share_of(results: Results, market: str, region: str) -> pd.Series[float]:
    """Share of a region in the chips that a market buys in the last year, %, by scenario."""
    rows = last_year(results.tables["market_region"])
    chips = rows[rows["market"] == market].pivot_table("chips", "scenario", "region", "sum")
    return 100 * chips[region] / chips.sum(axis=1)


def price_war(runs: Runs) -> Picture:
    """Investment: capacity outside China during and after a price war, against planned."""
    war = {"kind": "price_cut", "points": 0.2, "start": "2026-01", "end": "2028-12"}
    named = {"Investment by margins": "responsive", "Investment by plan": "planned"}
    frames = []
    for series, rule in named.items():
        base = runs.scenario(supply__investment=rule, run__end=LATE)
        results = runs.compare({"war": replace(base, policies__price_war=war)}, base)
        frames.append(_under_war(results).assign(series=series))
    data = pd.concat(frames, ignore_index=True)
    built = data[data["series"] == next(iter(named))].set_index("at")["capacity"]
    least, year = float(built.min()), str(built.idxmin())[:4]
    title = (
        f"Three years of Chinese prices 20 pp lower change capacity outside China by "
        f"{_signed(built['2028-12'])} % until they end, by {_signed(least)} % in {year}, at the "
        f"worst, and by {_signed(built.iloc[-1])} % eight years after"
    )
    context = chart_context(results)
    panels = [Panel("capacity", "Capacity outside China, % against no price war", 1, True),
              Panel("share", "Chinese share of US purchases, pp", 1, True)]  # fmt: skip
    text = context.text(
        title,
        "Price war of 2026 to 2028, not announced; capacity in wafers, % change against none; "
        f"Chinese share of chips in purchases of {context.place}, percentage points (pp) against "
        "none",
        "China's own capacity follows its plan in all runs; assumptions are flat after 2030.",
        f"Two line charts by month. {ends_of(data, panels)}",
    )
    data = data.assign(unit="%")
    styles = dict(zip(named, map(family_style, ("several", "no policy")), strict=True))
    return lines("price_war", data, panels, styles, text, {2026.0: "War", 2029.0: "Ends"})


def _under_war(results: Results) -> pd.DataFrame:
    """Capacity outside China, %, and yearly mean of the Chinese share, pp, against no war."""
    rows = results.tables["foundries"]
    outside = rows[rows["region"] != "CN"]
    kwpm = outside.groupby(["scenario", "month"])["capacity_kwpm"].sum()
    us = results.tables["market_month"].query("market == 'US'")
    chips = us.groupby(["scenario", "month"])[["cn_chips", "chips"]].mean()
    share = 100 * chips["cn_chips"] / chips["chips"]
    own, base = "war", results.baseline
    change = (share[own] - share[base]).rolling(6, center=True, min_periods=1).mean()
    return pd.DataFrame({
        "at": kwpm[own].index, "capacity": (100 * (kwpm[own] / kwpm[base] - 1)).to_numpy(),
        "share": change.to_numpy(),
    })  # fmt: skip


def grants(runs: Runs) -> Picture:
    """Capacity grants: what they add, and who buys from it, with and without a tariff."""
    names = {"Grants": "chips_act", "50 % duty": "component_50",
             "Grants and duty": "chips_act_component"}  # fmt: skip
    results = runs.compare({label: runs.scenario(name) for label, name in names.items()})
    panels = [
        Panel("home_capacity", "US capacity, thousand wafers a month", 0),
        Panel("used", "Its utilisation, %", 1),
        Panel("us_share", "US chips in US purchases, %"),
        Panel("cn_share", "Chinese chips in them, %"),
    ]
    data = of_metrics(results, [panels[0], panels[3]], [])[["label", "home_capacity", "cn_share"]]
    order = list(results.scenarios)
    rows = last_year(results.tables["foundries"]).query("region == 'US'")
    made = rows.groupby("scenario")[["output", "capacity"]].sum()
    data["used"] = (100 * made["output"] / made["capacity"])[order].to_numpy()
    data["us_share"] = _share_of(results, "US", "US")[order].to_numpy()
    by = data.set_index("label")
    gain = by - by.loc["No policy"]
    title = (
        f"Grants add {gain.loc['Grants', 'home_capacity']:.0f} thousand wafers a month with or "
        f"without a duty; US chips gain {gain.loc['Grants', 'us_share']:.1f} pp of US "
        f"purchases by grants, {gain.loc['50 % duty', 'us_share']:.1f} by a duty and "
        f"{gain.loc['Grants and duty', 'us_share']:.1f} by both"
    )
    context = chart_context(results)
    text = context.text(
        title,
        "4 bn USD of grants in 2025 and a credit of 25 %, with and without a 50 % duty on Chinese "
        f"chips inside imports; {context.place}, {context.end}; thousand wafers a month, %",
        "Means over runs.",
        f"Bar chart. {described(data, panels)}",
    )
    data = data.assign(unit="thousand wafers a month")
    kinds = map(family_style, ("no policy", "other", "component", "several"))
    return bars("grants", data, panels, dict(zip(data["label"], kinds, strict=True)), text)


def older_nodes(runs: Runs) -> Picture:
    """AI-enabled devices and export controls: demand for older chips, and their origin."""
    names = {"AI+ plan met": "ai_plus", "Export controls": "export_controls",
             "Controls lifted in 2028": "export_controls_reversed"}  # fmt: skip
    results = runs.compare({label: runs.scenario(name) for label, name in names.items()})
    data = _in_china(results, list(names))
    last = data[data["at"] == data["at"].max()].set_index("series")
    ai, controls, lifted = (last.loc[name] for name in names)
    title = (
        f"AI-enabled devices add {ai['chips']:.1f} % to the chips in what China buys; export "
        f"controls change China's share of them by {_signed(controls['share'])} pp, of which "
        f"{_signed(lifted['share'])} remain when they are lifted, and add "
        f"{controls['price']:.1f} % to prices of Chinese chips, which are scarcer"
    )
    context = chart_context(results)
    panels = [Panel("chips", "Chips in what China buys, %", 1, True),
              Panel("share", "Chinese share of them, pp", 1, True),
              Panel("price", "Chinese chip prices by scarcity, %", 1, True)]  # fmt: skip
    text = context.text(
        title,
        f"{capitalised(CHIPS)} in devices bought in China, change against no policy, % of chips, "
        "percentage points (pp), and % of prices of Chinese chips for what scarcity adds; yearly "
        "means",
        "The effect of controls on older nodes is assumed, not derived.",
        f"Three line charts by year. {ends_of(data, panels)}",
    )
    data = data.assign(unit="% of chips")
    styles = dict(
        zip(names, map(family_style, ("unmounted chip", "several", "other")), strict=True)
    )
    return lines("older_nodes", data, panels, styles, text)


def _in_china(results: Results, names: Sequence[str]) -> pd.DataFrame:
    """By year against no policy: chips bought in China, Chinese share of them, scarcity."""
    rows = results.tables["market_month"].query("market == 'CN'")
    year = rows["month"].str[:4].astype(float)
    sums = rows.assign(at=year).groupby(["scenario", "at"])[["chips", "cn_chips"]].sum()
    share, base = 100 * sums["cn_chips"] / sums["chips"], results.baseline
    foundries = results.tables["foundries"]
    foundries = foundries.assign(at=foundries["month"].str[:4].astype(float))
    price = 1 + added_by_scarcity(foundries, ["scenario", "at"]) / 100
    return pd.concat([
        pd.DataFrame({
            "chips": 100 * (sums["chips"][name] / sums["chips"][base] - 1),
            "share": share[name] - share[base],
            "price": 100 * (price[name] / price[base] - 1),
        }).reset_index().assign(series=name)
        for name in names
    ], ignore_index=True)  # fmt: skip
