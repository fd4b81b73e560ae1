"""Charts of what importers know, declare, pay and front-load."""

from __future__ import annotations

import numpy as np
import pandas as pd
from drawing import Panel, bars, described, ends_of, lines, of_metrics
from runs import Runs

from tariffsim.charts.context import chart_context
from tariffsim.charts.picture import Picture
from tariffsim.charts.style import family_style, period
from tariffsim.experiments.sweep import peak
from tariffsim.record.results import Results
from tariffsim.scenario import Scenario, replace

RATES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Rates of the component tariff over which evasion is shown."""
BORDER, RETAIL = "Paid at the border, net of makers' rebates", "In retail prices"


def unknown_origin(runs: Runs) -> Picture:
    """Unknown origin: what is known, and what is bought, by the duty on chips of unknown origin."""
    results = runs.compare({
        "Unknown is exempt": runs.scenario("component_unknown_exempt"),
        "Deemed 30 % Chinese": runs.scenario("component_unknown_deemed"),
        "All chips taxed": runs.scenario("component_50"),
    })  # fmt: skip
    panels = [
        Panel("known_origin_share", "Content of known origin, % of purchases", 0),
        Panel("cn_share", "Chinese share of chips, %"),
        Panel("policy_revenue", "Duty against no policy, bn USD a year", 2, is_change=True),
    ]
    data = of_metrics(results, panels, ["policy_revenue"]).assign(unit="% of chips")
    data = data.drop(columns=["known_origin_share_low", "known_origin_share_high"])
    by = data.set_index("label")
    exempt, full = by.loc["Unknown is exempt"], by.loc["All chips taxed"]
    reduction = by.loc["No policy", "cn_share"] - by["cn_share"]
    title = (
        f"Where chips of unknown origin are exempt, importers of "
        f"{exempt['known_origin_share']:.0f} % of purchases know the origin and a duty of 50 % "
        f"reduces the Chinese share by {reduction['Unknown is exempt']:.1f} pp; where they are "
        f"taxed, {full['known_origin_share']:.0f} % and {reduction['All chips taxed']:.1f} pp"
    )
    context = chart_context(results)
    text = context.text(
        title,
        f"50 % duty on Chinese chips inside products bought in {context.place}, by how the law "
        f"treats chips of unknown origin; {context.end}; % of purchases, % of chips, bn USD a year",
        "Grey lines: 95 % intervals of the differences from no policy.",
        f"Bar chart. {described(data, panels)}",
    )
    styles = dict.fromkeys(data["label"], family_style("component"))
    styles["No policy"] = family_style("no policy")
    return bars("unknown_origin", data, panels, styles, text)


def evasion(runs: Runs) -> Picture:
    """Evasion: revenue and the share evaded over the rate, and with full compliance."""
    named = {"With evasion": "full", "Full compliance": "compliant"}
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
    context = chart_context(results)
    panels = [Panel("revenue", "Duty revenue, bn USD a year"),
              Panel("evaded", "Evaded by false declarations, % of the duty", 0)]  # fmt: skip
    text = context.text(
        _evasion_title(data),
        f"Duty on Chinese chips inside products bought in {context.place}, over its rate (% of "
        f"their value); {context.end}; bn USD a year and % of the duty",
        "All importers know the origin of their chips; no other new duties. Means over runs.",
        f"Two line charts over the rate. {ends_of(shown, panels)}",
    )
    shown = shown.assign(at=100 * shown["at"], unit="bn USD a year")
    styles = dict(zip(named, map(family_style, ("component", "no policy")), strict=True))
    return lines("evasion", shown, panels, styles, text, across="Rate, % of value →")


def _evasion_title(data: pd.DataFrame) -> str:
    """Where revenue is highest, the share evaded there, and revenue with full compliance."""
    found = {series: _peak(rows) for series, rows in data.groupby("series", sort=False)}
    (at, level, is_inside), (full_at, most, is_full_inside) = found.values()
    some = data[data["series"] == next(iter(found))].groupby("at")["evaded"].mean()
    evaded = float(np.interp(at, some.index, some))
    where = "is highest at" if is_inside else "still rises at"
    then = "be highest at" if is_full_inside else "still rise at"
    return (
        f"Revenue of a duty on Chinese chips {where} a rate of {100 * at:.0f} %, {level:.1f} bn "
        f"USD a year, when {evaded:.0f} % of the duty is evaded; with full compliance it would "
        f"{then} {100 * full_at:.0f} %, at {most:.1f} bn"
    )


def _rate(rate: float) -> str:
    return f"{100 * rate:g} %"


def _taxed(base: Scenario, rate: float) -> Scenario:
    tariff = {"kind": "component_tariff", "rate": {"2026-01": rate}, "announced": "2025-07"}
    return replace(base, policies__component_tariff=tariff)


def _curve(results: Results) -> pd.DataFrame:
    """Revenue and share evaded, by rate and seed."""
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
    """Pass-through: incidence of a duty by its age, and what remains in prices after its end."""
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
    shares = (mean.div(mean["new_duty_value"], axis=0) * 100).where(in_force, np.nan)
    border = 100 - shares["rebate_value"]
    age = np.arange(len(mean)) - float(np.flatnonzero(in_force)[0])
    data = pd.concat([
        pd.DataFrame({"series": BORDER, "at": age, "share": border,
                      "value": mean["new_duty_value"] - mean["rebate_value"]}),
        pd.DataFrame({"series": RETAIL, "at": age, "share": shares["passed_on_value"],
                      "value": mean["passed_on_value"]}),
    ], ignore_index=True).query("at >= -3")  # fmt: skip
    retail = shares["passed_on_value"][in_force]
    left = mean["passed_on_value"]
    title = (
        f"Importers pay {border[in_force].iloc[-1]:.0f} % of a duty at once, makers the rest; "
        f"{retail.iloc[5]:.0f} % of it is in retail prices after 6 months, {retail.iloc[23]:.0f} % "
        f"after 24; a year after its end {100 * left['2029-12'] / left['2028-12']:.0f} % of that "
        "remains"
    )
    context = chart_context(results)
    panels = [Panel("share", "Share of the duty, %", 0), Panel("value", "Value, bn USD a year")]
    text = context.text(
        title,
        f"Duty of 25 % on devices assembled in China, {context.place}, January 2026 to December "
        "2028, no other new duties; % of duty and bn USD a year",
        "",
        f"Two line charts by age of the duty. {ends_of(data, panels)}",
    )
    data = data.assign(unit="bn USD a year")
    styles = {BORDER: family_style("no policy"), RETAIL: family_style("whole-product")}
    return lines(
        "pass_through", data, panels, styles, text, {0.0: "In force", 36.0: "Ends"},
        "Months since the duty came into force →",
    )  # fmt: skip


def front_loading(runs: Runs) -> Picture:
    """Front-loading: imports before a duty that was announced, and the drop after it."""
    tariff = {"kind": "product_tariff", "rate": {"2026-01": 0.25}, "announced": "2025-07",
              "assembly_countries": ["CN"]}  # fmt: skip
    named = {"With front-loading": 3.0, "Without front-loading": 0.0}
    frames = []
    for series, months in named.items():
        base = runs.scenario(
            trade__tariffs_in_force=False, trade__front_loading_months=months, run__end="2027-06"
        )
        results = runs.compare({"tariff": replace(base, policies__product_tariff=tariff)}, base)
        frames.append(_imports(results).assign(series=series))
    data = pd.concat(frames, ignore_index=True)
    wide = data.pivot(index="at", columns="series", values="imports")
    change = 100 * (wide["With front-loading"] / wide["Without front-loading"] - 1)
    top, bottom = change.idxmax(), change.idxmin()
    title = (
        f"Before a duty announced for January 2026 importers buy {change[top]:.0f} % more from "
        f"China than without front-loading ({period([top])}), and {-change[bottom]:.0f} % less "
        f"once it is in force ({period([bottom])})"
    )
    context = chart_context(results)
    panels = [Panel("imports", "Devices bought from China, no duty = 100", 0),
              Panel("stock", "Stocks of importers, months of sales", 2)]  # fmt: skip
    text = context.text(
        title,
        f"Duty of 25 % on devices assembled in China, {context.place}, announced in July 2025; "
        "value of purchases from China, % of that without the duty; stocks in months of sales",
        "No other new duties.",
        f"Two line charts by month. {ends_of(data, panels)}",
    )
    data = data.assign(unit="%")
    styles = dict(zip(named, map(family_style, ("whole-product", "no policy")), strict=True))
    return lines(
        "front_loading", data, panels, styles, text, {2025.5: "Announced", 2026.0: "In force"}
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
