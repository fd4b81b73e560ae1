"""Charts of what importers know, declare, pay on and buy ahead."""

from __future__ import annotations

import numpy as np
import pandas as pd
from drawing import Panel, bars, ends_of, lines, listed, look
from runs import Runs

from tariffsim.charts import style
from tariffsim.charts.facts import facts_of, findings
from tariffsim.charts.picture import Picture, Words
from tariffsim.experiments.sweep import peak
from tariffsim.results import Results
from tariffsim.scenario import Scenario

RATES = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
"""Rates of the component tariff over which evasion is shown."""


def of_measures(results: Results, panels: list[Panel], changes: tuple[str, ...]) -> pd.DataFrame:
    """Level, or change against the baseline with its interval, by scenario."""
    rows: dict[str, dict[str, object]] = {}
    for panel in panels:
        for name, found in findings(results, panel.column).items():
            row = rows.setdefault(name, {"label": "No policy" if not rows else name})
            is_change = panel.column in changes
            lift = 0.0 if is_change else found.level - found.difference
            row[panel.column] = found.difference if is_change else found.level
            row[f"{panel.column}_low"] = found.low + lift
            row[f"{panel.column}_high"] = found.high + lift
    return pd.DataFrame(list(rows.values()))


def unknown_origin(runs: Runs) -> Picture:
    """Who cannot tell: what is known, and what is bought, by what unknown origin costs."""
    results = runs.compare({
        "Unknown is exempt": runs.scenario("component_50"),
        "Deemed 30 % Chinese": runs.scenario("component_unknown_deemed"),
        "All chips taxed": runs.scenario("component_unknown_full"),
    })  # fmt: skip
    panels = [
        Panel("can_tell_share", "Known content, % of purchases", 0),
        Panel("cn_share", "Chinese share of chips, %"),
        Panel("policy_revenue", "Duty against no policy, bn USD a year", 2, is_change=True),
    ]
    data = of_measures(results, panels, ("policy_revenue",))
    by = data.set_index("label")
    exempt, full = by.loc["Unknown is exempt"], by.loc["All chips taxed"]
    avoided = by.loc["No policy", "cn_share"] - by["cn_share"]
    title = (
        f"Where chips of unknown origin are exempt, importers of {exempt['can_tell_share']:.0f} % "
        f"of purchases can tell and 50 % duty avoids {avoided['Unknown is exempt']:.1f} points of "
        f"Chinese share; where they are taxed, {full['can_tell_share']:.0f} % and "
        f"{avoided['All chips taxed']:.1f} points"
    )
    facts = facts_of(results)
    words = Words(
        title,
        f"50 % duty on Chinese chips inside what {facts.place} buys, by what the law makes of chips "
        f"of unknown origin; {facts.end}; % of purchases, % of chips, bn USD a year",
        f"Grey lines: 95 % intervals of the differences from no policy. {facts.source}",
        f"{title}. Bar chart. {listed(data, panels)}.",
        "% of chips",
    )
    looks = {label: look("component") for label in data["label"]} | {"No policy": look("no policy")}
    return bars("unknown_origin", data, panels, looks, words)


def evasion(runs: Runs) -> Picture:
    """Evasion: revenue and what is hidden over the rate, and if all declared the truth."""
    tables, facts = [], None
    named = {"As importers are": "full", "If all knew and declared": "compliant"}
    for series, behaviour in named.items():
        base = runs.scenario(compliance__behaviour=behaviour, run__end="2029-12")
        results = runs.compare({_rate(r): _taxed(base, r) for r in RATES}, base)
        facts = facts_of(results)
        tables.append(_curve(results).assign(series=series))
    data = pd.concat(tables, ignore_index=True)
    peaks = {series: _peak(rows) for series, rows in data.groupby("series", sort=False)}
    by_rate = data[data["series"] == "As importers are"].groupby("at")["evaded"].mean()
    shown = data.groupby(["series", "at"], sort=False)[["revenue", "evaded"]].mean().reset_index()
    (here, level, is_inside), (honest, most, _) = (peaks[series] for series in named)
    where = f"is highest at {100 * here:.0f} %" if is_inside else "rises to the end of the range"
    title = (
        f"Revenue of a duty on Chinese chips {where}, {level:.1f} bn USD a year, when "
        f"{float(np.interp(here, by_rate.index, by_rate)):.0f} % of new duty is hidden; if all knew "
        f"and declared it would be {most:.1f} bn at {100 * honest:.0f} %"
    )
    assert facts is not None
    panels = [Panel("revenue", "New duty revenue against a rate of zero, bn USD a year"),
              Panel("evaded", "Hidden by false declarations, % of new duty")]  # fmt: skip
    words = Words(
        title,
        f"Duty on Chinese chips inside what {facts.place} buys, over its rate (% of their value); "
        f"{facts.end}; bn USD a year and % of all new duty on products",
        f"Chips of unknown origin are deemed 30 % Chinese. {facts.source}",
        f"{title}. Two line charts over the rate. {ends_of(shown, panels)}.",
        "bn USD a year",
    )
    shown["at"] *= 100
    looks = dict(zip(named, (look("component"), look("no policy")), strict=True))
    return lines("evasion", shown, panels, looks, words, at_name="Rate, % of value →")


def _rate(rate: float) -> str:
    return f"{100 * rate:g} %"


def _taxed(base: Scenario, rate: float) -> Scenario:
    tariff = {"kind": "component_tariff", "rate": {"2026-01": rate}, "announced": "2025-07",
              "unknown_origin_rule": "deemed_share", "deemed_share": 0.3}  # fmt: skip
    return base.with_(policies__component_tariff=tariff)


def _curve(results: Results) -> pd.DataFrame:
    """Revenue over that at a rate of zero, and part hidden, by rate and seed."""
    summary = results.tables["summary"].set_index(["scenario", "seed"])
    zero = summary.loc[_rate(0.0), "policy_revenue"]
    made = []
    for rate in RATES:
        rows = summary.loc[_rate(rate)]
        made.append(pd.DataFrame({
            "at": rate, "seed": rows.index, "revenue": rows["policy_revenue"] - zero,
            "evaded": rows["evaded_share"],
        }))  # fmt: skip
    return pd.concat(made, ignore_index=True)


def _peak(rows: pd.DataFrame) -> tuple[float, float, bool]:
    curves = rows.pivot(index="seed", columns="at", values="revenue")
    found = peak(curves.columns.to_numpy(float), curves.to_numpy(float))
    return found.at, found.level, found.is_inside


def pass_through(runs: Runs) -> Picture:
    """Pass-through: where a duty is, by its age, and what is left after its end."""
    base = runs.scenario(trade__tariffs_in_force=False)
    tariff = {"kind": "product_tariff", "rate": {"2026-01": 0.25}, "end": "2028-12",
              "assembly_countries": ["CN"], "announced": "2026-01"}  # fmt: skip
    results = runs.compare({"tariff": base.with_(policies__product_tariff=tariff)}, base)
    rows = results.tables["market_month"].query("scenario == 'tariff' and market == 'US'")
    mean = rows.groupby("month")[
        ["new_duty_value", "rebate_value", "passed_on_value", "evaded_value"]
    ].mean()
    mean *= 12e-9
    in_force = mean["new_duty_value"] > 0
    parts = (mean.div(mean["new_duty_value"], axis=0) * 100).where(in_force, np.nan)
    border = 100 - parts["rebate_value"]
    data = pd.concat([
        pd.DataFrame({"series": "Paid at the border, less what makers rebate", "at": mean.index,
                      "part": border, "value": mean["new_duty_value"] - mean["rebate_value"]}),
        pd.DataFrame({"series": "In retail prices", "at": mean.index,
                      "part": parts["passed_on_value"], "value": mean["passed_on_value"]}),
    ], ignore_index=True)  # fmt: skip
    shop = parts["passed_on_value"][in_force]
    left = mean["passed_on_value"]
    title = (
        f"{border[in_force].iloc[-1]:.0f} % of a duty is paid at the border at once; "
        f"{shop.iloc[5]:.0f} % of it is in retail prices after 6 months, {shop.iloc[23]:.0f} % after "
        f"24; a year after its end {100 * left['2029-12'] / left['2028-12']:.0f} % of that is still "
        "there"
    )
    facts = facts_of(results)
    panels = [Panel("part", "Part of the duty, %", 0), Panel("value", "Value, bn USD a year")]
    words = Words(
        title,
        f"Duty of 25 % on devices assembled in China, {facts.place}, January 2026 to December 2028, "
        "no other new duties; % of duty and bn USD a year",
        f"{facts.source}",
        f"{title}. Two line charts by month. {ends_of(data, panels)}.",
        "bn USD a year",
    )
    looks = {"Paid at the border, less what makers rebate": look("no policy"),
             "In retail prices": look("whole-product")}  # fmt: skip
    return lines("pass_through", data, panels, looks, words)


def front_loading(runs: Runs) -> Picture:
    """Front-loading: imports before a duty that was announced, and the hangover."""
    tariff = {"kind": "product_tariff", "rate": {"2026-01": 0.25}, "announced": "2025-07",
              "assembly_countries": ["CN"]}  # fmt: skip
    named = {"Importers buy ahead": 3.0, "Nobody buys ahead": 0.0}
    frames, facts = [], None
    for series, months in named.items():
        base = runs.scenario(
            trade__tariffs_in_force=False, trade__front_loading_months=months, run__end="2027-06"
        )
        results = runs.compare({"tariff": base.with_(policies__product_tariff=tariff)}, base)
        facts = facts_of(results)
        frames.append(_imports(results).assign(series=series))
    data = pd.concat(frames, ignore_index=True)
    ahead = data[data["series"] == "Importers buy ahead"].set_index("at")["imports"]
    plain = data[data["series"] == "Nobody buys ahead"].set_index("at")["imports"]
    gap = ahead - plain
    top, bottom = gap.idxmax(), gap.idxmin()
    title = (
        f"Before a duty announced for January 2026 imports from China are {gap[top]:.0f} % of normal "
        f"above what they would be if nobody bought ahead ({_month(top)}), and {-gap[bottom]:.0f} % "
        f"below it after ({_month(bottom)})"
    )
    assert facts is not None
    panels = [Panel("imports", "Devices bought from China, no duty = 100", 0),
              Panel("stock", "Stocks of importers, months of sales", 2)]  # fmt: skip
    words = Words(
        title,
        f"Duty of 25 % on devices assembled in China, {facts.place}, announced in July 2025; value "
        "of purchases from China, % of that without the duty; stocks in months of sales",
        f"No other new duties. {facts.source}",
        f"{title}. Two line charts by month. {ends_of(data, panels)}.",
        "%",
    )
    looks = dict(zip(named, (look("whole-product"), look("no policy")), strict=True))
    return lines(
        "front_loading", data, panels, looks, words, {2025.5: "Announced", 2026.0: "In force"}
    )


def _month(month: str) -> str:
    from tariffsim.charts.facts import period

    return period([month])


def _imports(results: Results) -> pd.DataFrame:
    rows = results.tables["market_month"].query("market == 'US'")
    mean = rows.groupby(["scenario", "month"], sort=False)[
        ["china_assembled_value", "stock_units", "sold_units"]
    ].mean()
    own, base = mean.loc["tariff"], mean.loc[results.baseline]
    return pd.DataFrame({
        "at": own.index,
        "imports": 100 * own["china_assembled_value"] / base["china_assembled_value"],
        "stock": own["stock_units"] / own["sold_units"],
    })  # fmt: skip
