"""Charts of supply disruptions and shortages: stocks, second sources, price of scarcity."""

from __future__ import annotations

import dataclasses

import pandas as pd
from drawing import Panel, ends_of, lines
from runs import Runs, added_by_scarcity

from tariffsim.charts import cut_off as chart
from tariffsim.charts.context import chart_context
from tariffsim.charts.picture import Picture
from tariffsim.charts.style import family_style
from tariffsim.record.results import Results
from tariffsim.record.statements import estimates
from tariffsim.scenario import replace

FIRST = "2028-01"
CUT = {"kind": "chip_cutoff", "first_day": f"{FIRST}-01", "days": 180, "denied": 1.0}
"""No Chinese chips for US purchases for half a year, without announcement."""


def cut_off(runs: Runs) -> Picture:
    """A cut-off: sales lost with stocks, without, and after years of a component tariff."""
    base = runs.scenario(run__end="2029-12")
    results = runs.compare({
        "Cut-off": replace(base, policies__cut_off=CUT),
        "Cut-off after two years of 50 % duty": runs.scenario(
            "component_50", run__end="2029-12", policies__cut_off=CUT
        ),
        "Cut-off, no stocks of chips": replace(
            base, policies__cut_off=CUT, orders__stock_factor=0.0
        ),
    }, base)  # fmt: skip
    return dataclasses.replace(chart.CHART.picture(results), name="cut_off")


def requalification(runs: Runs) -> Picture:
    """Second sources and emergency requalification: sales lost with and without them."""
    base = runs.scenario(run__end="2029-12")
    nearly = CUT | {"denied": 0.99, "days": 365}  # below an emergency share of 1
    cut = replace(base, policies__cut_off=nearly)
    named = {
        "Neither": replace(cut, orders__emergency_share=1.0, orders__second_source_factor=0.0),
        "Second sources": replace(cut, orders__emergency_share=1.0),
        "Emergency requalification": replace(cut, orders__second_source_factor=0.0),
        "Both": cut,
    }
    results = runs.compare(named, base)
    data = _lost(results, list(named))
    loss = {name: estimates(results, "cutoff_loss")[name].level for name in named}
    title = (
        f"A year without Chinese chips costs {loss['Neither']:.0f} bn USD of sales, "
        f"{loss['Second sources']:.0f} bn with second sources, "
        f"{loss['Emergency requalification']:.0f} bn with emergency requalification and "
        f"{loss['Both']:.0f} bn with both"
    )
    context = chart_context(results)
    panels = [Panel("lost", "Sales lost for lack of a chip, % of sales", 0),
              Panel("share", "Chinese share of chips bought, %", 0)]  # fmt: skip
    text = context.text(
        title,
        f"99 % of Chinese chips denied to purchases of {context.place}, all of 2028; sales lost, "
        "% of sales; Chinese share, % of chips",
        "",
        f"Two line charts by month. {ends_of(data, panels)}",
    )
    data = data.assign(unit="% of sales")
    kinds = ("no policy", "other", "unmounted chip", "component")
    styles = dict(zip(named, map(family_style, kinds), strict=True))
    return lines(
        "requalification", data, panels, styles, text, {2028.0: "Cut-off", 2029.0: "Lifted"}
    )


def _lost(results: Results, names: list[str]) -> pd.DataFrame:
    """Sales lost and Chinese share by month, %."""
    rows = results.tables["market_month"].query("market == 'US' and month >= '2027-07'")
    mean = rows.groupby(["scenario", "month"], sort=False)[
        ["lost_value", "retail_value", "cn_chips", "chips"]
    ].mean()
    lost = 100 * mean["lost_value"] / (mean["lost_value"] + mean["retail_value"])
    share = 100 * mean["cn_chips"] / mean["chips"]
    data = pd.DataFrame({"lost": lost, "share": share}).loc[names].reset_index()
    return data.rename(columns={"scenario": "series", "month": "at"})


def scarcity(runs: Runs) -> Picture:
    """A gap that nobody fills: what scarce chips cost, and what is rationed without a price."""
    unfilled = runs.scenario("no_expansion_unfilled")
    named = {
        "Others build instead": runs.scenario("no_expansion"),
        "Nobody does": unfilled,
        "Nobody does, scarcity without a price": replace(unfilled, supply__scarcity_elasticity=0.0),
    }
    results = runs.compare(named)
    data = _scarce(results, list(named))
    end = data.groupby("series").tail(12).groupby("series")[["price", "unmet"]].mean()
    filled, priced, free = (end.loc[name] for name in named)
    title = (
        "If nobody builds what China does not, scarcity makes Chinese chips "
        f"{priced['price']:.0f} % dearer by {chart_context(results).end} and {priced['unmet']:.1f} "
        f"% of chips ordered are missing, {free['unmet']:.1f} % without a price; if others build, "
        f"{filled['unmet']:.1f} %"
    )
    context = chart_context(results)
    panels = [Panel("price", "Added to Chinese chip prices by scarcity, %", 0),
              Panel("unmet", "Chips ordered beyond capacity, % of orders", 1)]  # fmt: skip
    text = context.text(
        title,
        "China's share of capacity stays at 30 %; mean of what scarcity adds to prices of Chinese "
        "chips, by orders; orders of the world beyond the capacity of a bloc",
        "",
        f"Two line charts by month. {ends_of(data, panels)}",
    )
    data = data.assign(unit="%")
    styles = dict(zip(named, map(family_style, ("no policy", "component", "other")), strict=True))
    return lines("scarcity", data, panels, styles, text)


def _scarce(results: Results, names: list[str]) -> pd.DataFrame:
    """What scarcity adds to Chinese prices, and orders that no capacity meets, by month; %."""
    table = results.tables["foundries"].query("scenario in @names")
    table = table.assign(bloc=table["region"] == "CN")
    months = ["scenario", "month"]
    by_bloc = table.groupby([*months, "bloc", "node_class"], sort=False)[["orders", "capacity"]]
    bloc = by_bloc.sum()
    bloc["unmet"] = (bloc["orders"] - bloc["capacity"]).clip(lower=0)
    world = bloc.groupby(months, sort=False)[["unmet", "orders"]].sum()
    price, unmet = added_by_scarcity(table, months), 100 * world["unmet"] / world["orders"]
    data = pd.DataFrame({"price": price, "unmet": unmet}).loc[names].reset_index()
    return data.rename(columns={"scenario": "series", "month": "at"})
