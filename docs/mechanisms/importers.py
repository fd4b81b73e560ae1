"""Charts of what importers know, declare, pay on and buy ahead."""

from __future__ import annotations

import numpy as np
import pandas as pd
from drawing import Panel, bars, ends_of, lines, listed, look
from runs import Runs

from tariffsim.charts.facts import facts_of, findings, period
from tariffsim.charts.picture import Picture, Words
from tariffsim.experiments.sweep import peak
from tariffsim.record.results import Results
from tariffsim.scenario import Scenario, replace

RATES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
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
        Panel("known_origin_share", "Known content, % of purchases", 0),
        Panel("cn_share", "Chinese share of chips, %"),
        Panel("policy_revenue", "Duty against no policy, bn USD a year", 2, is_change=True),
    ]
    data = of_measures(results, panels, ("policy_revenue",))
    data = data.drop(columns=["known_origin_share_low", "known_origin_share_high"])
    by = data.set_index("label")
    exempt, full = by.loc["Unknown is exempt"], by.loc["All chips taxed"]
    avoided = by.loc["No policy", "cn_share"] - by["cn_share"]
    title = (
        f"Where chips of unknown origin are exempt, importers of "
        f"{exempt['known_origin_share']:.0f} % of purchases can tell and a duty of "
        f"50 % avoids {avoided['Unknown is exempt']:.1f} "
        f"points of Chinese share; where they are taxed, {full['known_origin_share']:.0f} % and "
        f"{avoided['All chips taxed']:.1f} points"
    )
    facts = facts_of(results)
    words = Words(
        title,
        f"50 % duty on Chinese chips inside what {facts.place} buys, by what the law makes of "
        f"chips of unknown origin; {facts.end}; % of purchases, % of chips, bn USD a year",
        f"Grey lines: 95 % intervals of the differences from no policy. {facts.source}",
        f"{title}. Bar chart. {listed(data, panels)}.",
        "% of chips",
    )
    looks = {label: look("component") for label in data["label"]} | {"No policy": look("no policy")}
    return bars("unknown_origin", data, panels, looks, words)


def evasion(runs: Runs) -> Picture:
    """Evasion: revenue and what is hidden over the rate, and if all declared the truth."""
    named = {"Some hide": "full", "All declare": "compliant"}
    tables = []
    for series, behaviour in named.items():
        base = runs.scenario(
            compliance__behaviour=behaviour, compliance__unknown_origin_share=0.0,
            trade__tariffs_in_force=False, run__end="2029-12",
        )  # fmt: skip
        results = runs.compare({_rate(r): _taxed(base, r) for r in RATES}, base)
        tables.append(_curve(results).assign(series=series))
    data = pd.concat(tables, ignore_index=True)
    shown = data.groupby(["series", "at"], sort=False)[["revenue", "evaded"]].mean().reset_index()
    title = _evasion_title(data)
    facts = facts_of(results)
    panels = [Panel("revenue", "Duty revenue, bn USD a year"),
              Panel("evaded", "Hidden by false declarations, % of the duty", 0)]  # fmt: skip
    words = Words(
        title,
        f"Duty on Chinese chips inside what {facts.place} buys, over its rate (% of their value); "
        f"{facts.end}; bn USD a year and % of the duty",
        "All importers can tell where their chips come from; no other new duties. Means over runs. "
        f"{facts.source}",
        f"{title}. Two line charts over the rate. {ends_of(shown, panels)}.",
        "bn USD a year",
    )
    shown["at"] *= 100
    looks = dict(zip(named, (look("component"), look("no policy")), strict=True))
    return lines("evasion", shown, panels, looks, words, at_name="Rate, % of value →")


def _evasion_title(data: pd.DataFrame) -> str:
    """Where revenue is highest, what is hidden there, and what honest importers would pay."""
    found = {series: _peak(rows) for series, rows in data.groupby("series", sort=False)}
    (at, level, is_inside), (honest_at, most, is_honest_inside) = found.values()
    some = data[data["series"] == next(iter(found))].groupby("at")["evaded"].mean()
    hidden = float(np.interp(at, some.index, some))
    where = "is highest at" if is_inside else "still rises at"
    then = "be highest at" if is_honest_inside else "still rise at"
    return (
        f"Revenue of a duty on Chinese chips {where} a rate of {100 * at:.0f} %, {level:.1f} bn "
        f"USD a year, when {hidden:.0f} % of the duty is hidden; if all declared the truth it "
        f"would {then} {100 * honest_at:.0f} %, at {most:.1f} bn"
    )


def _rate(rate: float) -> str:
    return f"{100 * rate:g} %"


def _taxed(base: Scenario, rate: float) -> Scenario:
    tariff = {"kind": "component_tariff", "rate": {"2026-01": rate}, "announced": "2025-07"}
    return replace(base, policies__component_tariff=tariff)


def _curve(results: Results) -> pd.DataFrame:
    """Revenue and part hidden, by rate and seed."""
    rows = results.tables["summary"].set_index("scenario")
    rate = {_rate(rate): rate for rate in RATES}
    rows = rows[rows.index.isin(rate)]
    return pd.DataFrame({
        "at": rows.index.map(rate), "seed": rows["seed"].to_numpy(),
        "revenue": rows["policy_revenue"].to_numpy(), "evaded": rows["evaded_share"].to_numpy(),
    })  # fmt: skip


def _peak(rows: pd.DataFrame) -> tuple[float, float, bool]:
    curves = rows.pivot(index="seed", columns="at", values="revenue")
    found = peak(curves.columns.to_numpy(float), curves.to_numpy(float))
    return found.at, found.level, found.is_inside


def pass_through(runs: Runs) -> Picture:
    """Pass-through: where a duty is, by its age, and what is left after its end."""
    base = runs.scenario(trade__tariffs_in_force=False)
    tariff = {"kind": "product_tariff", "rate": {"2026-01": 0.25}, "end": "2028-12",
              "assembly_countries": ["CN"], "announced": "2026-01"}  # fmt: skip
    results = runs.compare({"tariff": replace(base, policies__product_tariff=tariff)}, base)
    rows = results.tables["market_month"].query("scenario == 'tariff' and market == 'US'")
    mean = rows.groupby("month")[
        ["new_duty_value", "rebate_value", "passed_on_value", "evaded_value"]
    ].mean()
    mean *= 12e-9
    in_force = mean["new_duty_value"] > 0
    parts = (mean.div(mean["new_duty_value"], axis=0) * 100).where(in_force, np.nan)
    border = 100 - parts["rebate_value"]
    age = np.arange(len(mean)) - float(np.flatnonzero(in_force)[0])
    data = pd.concat([
        pd.DataFrame({"series": "Paid at the border, less what makers rebate", "at": age,
                      "part": border, "value": mean["new_duty_value"] - mean["rebate_value"]}),
        pd.DataFrame({"series": "In retail prices", "at": age,
                      "part": parts["passed_on_value"], "value": mean["passed_on_value"]}),
    ], ignore_index=True).query("at >= -3")  # fmt: skip
    shop = parts["passed_on_value"][in_force]
    left = mean["passed_on_value"]
    title = (
        f"Importers pay {border[in_force].iloc[-1]:.0f} % of a duty at once, makers the rest; "
        f"{shop.iloc[5]:.0f} % of it is in retail prices after 6 months, {shop.iloc[23]:.0f} % "
        f"after 24; a year after its end {100 * left['2029-12'] / left['2028-12']:.0f} % of that "
        "is still there"
    )
    facts = facts_of(results)
    panels = [Panel("part", "Part of the duty, %", 0), Panel("value", "Value, bn USD a year")]
    words = Words(
        title,
        f"Duty of 25 % on devices assembled in China, {facts.place}, January 2026 to December "
        "2028, no other new duties; % of duty and bn USD a year",
        facts.source,
        f"{title}. Two line charts by age of the duty. {ends_of(data, panels)}.",
        "bn USD a year",
    )
    looks = {"Paid at the border, less what makers rebate": look("no policy"),
             "In retail prices": look("whole-product")}  # fmt: skip
    return lines(
        "pass_through", data, panels, looks, words, {0.0: "In force", 36.0: "Ends"},
        "Months since the duty came into force →",
    )  # fmt: skip


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
        results = runs.compare({"tariff": replace(base, policies__product_tariff=tariff)}, base)
        facts = facts_of(results)
        frames.append(_imports(results).assign(series=series))
    data = pd.concat(frames, ignore_index=True)
    ahead = data[data["series"] == "Importers buy ahead"].set_index("at")["imports"]
    plain = data[data["series"] == "Nobody buys ahead"].set_index("at")["imports"]
    change = 100 * (ahead / plain - 1)
    top, bottom = change.idxmax(), change.idxmin()
    title = (
        f"Ahead of a duty announced for January 2026 importers buy {change[top]:.0f} % more from "
        f"China than they would otherwise ({period([top])}), and {-change[bottom]:.0f} % less once "
        f"it is in force ({period([bottom])})"
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
