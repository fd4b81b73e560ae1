"""Charts of comparisons: no faults, and titles and tables that say what the numbers say."""

from __future__ import annotations

import dataclasses
import io
import re
from itertools import pairwise

import matplotlib
import pandas as pd
import pytest

from tariffsim.charts import CHARTS, NotApplicable, pictures
from tariffsim.charts.context import chart_context, family_of
from tariffsim.charts.lettering import printable, spread, text_width, wrap
from tariffsim.charts.picture import ChartText
from tariffsim.charts.style import period, series_styles
from tariffsim.record.results import Results
from tariffsim.record.statements import estimates
from tariffsim.scenario import load_scenario, to_yaml
from tariffsim.scenario.scenario_files import shipped_names
from tests.charts.chart_results import (
    COMPARISONS,
    HOSTILE,
    MORE_COMPARISONS,
    PAIR,
    SOME,
    cut_off,
    drawn,
    files_of_pair,
    hostile,
    part,
    shipped,
    single,
    some,
    undecided,
    with_estimate,
    without_loss,
)
from tests.charts.lint import lint

SIX = (*PAIR, *[name for name in SOME if name not in PAIR][:4])
OF_COMPARISONS = [chart for chart in CHARTS if chart.kind == "comparison"]
BY_KEY = {chart.key: chart for chart in OF_COMPARISONS}
CUTS = BY_KEY["cut_off"]
ALWAYS = [chart for chart in OF_COMPARISONS if chart is not CUTS]
"""Charts that any comparison has."""


@pytest.mark.parametrize("name", COMPARISONS)
def test_no_chart_has_a_fault(name: str) -> None:
    made, left_out = drawn(name)
    assert {picture.name: lint(picture) for picture in made} == {p.name: [] for p in made}
    assert len(made) + len(left_out) == len(OF_COMPARISONS)
    assert all(reason for reason in left_out.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", MORE_COMPARISONS)
def test_no_chart_of_any_comparison_has_a_fault(name: str) -> None:
    made, _ = pictures(MORE_COMPARISONS[name]())
    assert made
    assert {picture.name: lint(picture) for picture in made} == {p.name: [] for p in made}


@pytest.mark.slow
@pytest.mark.parametrize("many", [1, 2, 8])
def test_labels_are_clear_of_each_other_whatever_is_compared(many: int) -> None:
    """Points of every shipped scenario alone, and of its neighbours in the list with it."""
    names = [name for name in shipped().titles if name != "baseline"]
    for first in range(0, len(names) - many + 1, 2 if many == 8 else 1):
        picture = BY_KEY["buys_and_costs"].picture(part(names[first : first + many], of=shipped()))
        assert lint(picture) == [], names[first : first + many]


def test_files_of_a_comparison() -> None:
    files = files_of_pair()
    names = {
        f"charts/{chart.name}.{kind}" for chart in ALWAYS for kind in ("svg", "png", "csv", "txt")
    }
    assert set(files) == names
    assert {"charts/01_chinese_share.svg", "charts/14_base_year_fit.csv"} <= names
    for name, data in files.items():
        if name.endswith("png"):
            assert data.startswith(b"\x89PNG")
        elif name.endswith("svg"):
            assert data.startswith(b'<svg role="img"')
            assert b"<title " in data
            assert b"<desc " in data
            assert b"<!--" not in data
            assert b"<text" in data, "text can be selected"
        elif name.endswith("csv"):
            assert len(pd.read_csv(io.BytesIO(data)))
        else:
            assert len(data.split()) > 8


def test_the_baseline_alone_leaves_out_what_compares() -> None:
    made, left_out = drawn("baseline alone")
    left_out = dict(left_out)
    alone = ["01_chinese_share", "07_foundries", "14_base_year_fit"]
    assert [picture.name for picture in made] == alone
    assert left_out.pop(CUTS.name) == "it needs a scenario that restricts the supply of chips"
    assert set(left_out.values()) == {"it needs a scenario beside the baseline"}
    assert "baseline" not in made[0].text.title


def test_without_a_base_year_the_fit_is_left_out() -> None:
    results = part([])
    results.tables["base_year"] = results.tables["base_year"].iloc[:0]
    with pytest.raises(NotApplicable, match="no base year"):
        BY_KEY["base_year_fit"].picture(results)


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param(["buys_and_costs", "who_pays"], id="some"),
        pytest.param([chart.key for chart in ALWAYS], id="all", marks=pytest.mark.slow),
    ],
)
def test_files_neither_depend_on_the_settings_of_the_user_nor_change_them(keys: list[str]) -> None:
    once = files_of_pair()
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red", "svg.fonttype": "none"}):
        before = dict(matplotlib.rcParams)
        for key in keys:
            for name, data in BY_KEY[key].picture(part(PAIR)).files().items():
                assert data == once[f"charts/{name}"], "redrawn files are not the same bytes"
        assert dict(matplotlib.rcParams) == before


def test_kinds_of_scenarios_have_fixed_colours() -> None:
    families = {n: family_of(to_yaml(load_scenario(n))) for n in shipped_names()}
    assert families["baseline"] == "no policy"
    assert families["no_expansion"] == "other"
    assert families["component_50"] == families["specific_per_chip"] == "component"
    assert families["whole_product_content"] == "whole-product"
    assert families["bare_chip_2027"] == "unmounted chip"
    styles = series_styles({name: families[name] for name in ("baseline", *PAIR)})
    assert [style.colour for style in styles.values()] == ["#3D3D3D", "#F46A25", "#12436D"]
    assert styles["whole_product_china"].text == "#B04A10"
    assert len({style.marker for style in styles.values()}) == 3
    assert len({str(style.dash) for style in styles.values()}) == 3
    greys = {"#3D3D3D", "#A6A6A6"}
    coloured = [s for s in series_styles(families).values() if s.colour not in greys]
    assert len(coloured) == 4, "at most four lines are in colour"


def test_mixed_and_other_policies_have_kinds_of_their_own() -> None:
    text = "policies:\n  a: {kind: %s}\n  b: {kind: %s}\n"
    assert family_of(text % ("component_tariff", "product_tariff")) == "several"
    assert family_of(text % ("component_tariff", "price_cut")) == "component"
    assert family_of(text % ("price_cut", "capacity_plan")) == "other"
    assert family_of("policies: {}\n") == "no policy"


def _title(results: Results, key: str) -> str:
    return BY_KEY[key].text(BY_KEY[key].table(results), results).title


def _known(results: Results) -> Results:
    """Results with headline numbers of our choice."""
    found = {
        ("baseline", "cn_share"): (17.0, 0.0, False),
        ("component_50", "cn_share"): (10.0, -7.0, True),
        ("component_50", "basket_price"): (104.2, 0.2, True),
        ("component_50", "cn_assembled_share"): (8.0, 0.01, False),
        ("whole_product_china", "cn_share"): (16.5, -0.5, True),
        ("whole_product_china", "basket_price"): (105.2, 1.2, True),
        ("whole_product_china", "cn_assembled_share"): (5.0, -3.0, True),
    }
    for (scenario, metric), (level, difference, is_significant) in found.items():
        results = with_estimate(
            results, scenario, metric, level=level, difference=difference,
            low=difference - 0.1, high=difference + 0.1, is_significant=is_significant,
        )  # fmt: skip
    return results


def test_titles_say_what_the_numbers_say() -> None:
    results = _known(part(PAIR))
    title = _title(results, "chinese_share")
    assert title.startswith("In the baseline the Chinese share of chips ")
    assert " % in January 2025 to 17.0 % in 2026; " in title
    assert title.endswith(
        "; it is 10.0 % with the component tariff and 16.5 % with the whole-product tariff"
    )
    assert _title(results, "buys_and_costs") == (
        "The component tariff reduces the Chinese share by 7.0 pp and raises prices by 0.20 %; "
        "the whole-product tariff reduces the Chinese share by 0.5 pp and raises prices by 1.20 %"
    )


def test_titles_when_nothing_is_significant() -> None:
    results = _known(part(PAIR))
    for scenario in PAIR:
        for metric in ("cn_share", "basket_price", "cn_assembled_share"):
            results = with_estimate(results, scenario, metric, is_significant=False)
    assert "is not statistically significant" in _title(results, "chinese_share")
    assert _title(results, "buys_and_costs").startswith("No scenario has a statistically sig")


def test_chinas_rows_are_the_changes_of_the_headline() -> None:
    """One definition, one number: shares in the chart are those of the table."""
    results = part(PAIR)
    table = BY_KEY["what_moved"].table(results)
    china = table[table["code"] == "CN"].set_index("block")
    for n, name in enumerate(PAIR, start=1):
        for block, metric in (("Country of assembly", "cn_assembled_share"),
                              ("Origin of chips", "cn_share")):  # fmt: skip
            known = estimates(results, metric)[name]
            row = china.loc[block]
            assert row[f"moved_{n}"] == pytest.approx(known.difference, rel=1e-9, abs=1e-12)
            assert row[f"moved_{n}_low"] == pytest.approx(known.low, rel=1e-9, abs=1e-12)
            assert row[f"is_moved_{n}_significant"] == known.is_significant


def test_ends_of_lines_name_the_period_of_their_values() -> None:
    ax = drawn("whole product against component")[0][0].figure.axes[0]
    ends = [text.get_text().replace("\u00a0", " ") for text in ax.texts]
    assert all(end.replace("\n", " ").endswith(" % in 2026") for end in ends)


def test_price_effects_are_in_percentage_points() -> None:
    """A device is named only if no other may have risen more."""
    results = part(PAIR)
    assert " most, by" not in _title(results, "device_prices")
    ends = results.tables["device_end"].copy()
    is_laptop = (ends["device"] == "laptop") & (ends["scenario"] == "component_50")
    ends.loc[is_laptop, "price_index"] += 2
    moved = dataclasses.replace(results, tables=results.tables | {"device_end": ends})
    title = _title(moved, "device_prices")
    assert re.search(r"the component tariff raises prices of laptops.* most, by [\d.]+ pp", title)


@pytest.mark.parametrize("names", [PAIR[:1], PAIR, SIX], ids=["one", "two", "six"])
def test_no_title_states_an_effect_where_every_interval_covers_zero(names: tuple[str, ...]) -> None:
    results = undecided(part(names))
    for chart in ALWAYS:
        if chart.key == "base_year_fit":
            continue  # of the base year, which no policy changes
        title = chart.text(chart.table(results), results).title
        claims = re.findall(r"(?:raise|reduce|lower|move|cost|fall|gain)s? [^;]* by [\d.]+", title)
        assert not claims, (chart.key, title)
        assert " most" not in title, (chart.key, title)
        assert "significant" in title, (chart.key, title)


def test_one_run_claims_nothing() -> None:
    results = single()
    texts = {c.key: c.text(c.table(results), results) for c in ALWAYS}
    assert all("1 run" in text.note for text in texts.values())
    texts.pop("base_year_fit")  # is about lines drawn once
    assert all("One run" in t.title or "(one run" in t.title for t in texts.values())


def test_several_scenarios_of_a_kind_are_named_by_their_titles() -> None:
    results = part(["component_50", "component_late"])
    context = chart_context(results)
    assert context.in_sentence("component_50") == f"“{results.titles['component_50']}”"
    assert context.pair() == ("component_50", "component_late")
    assert chart_context(part(PAIR)).pair() == PAIR


def test_scenarios_with_one_title_have_different_labels() -> None:
    results = part(PAIR, dict.fromkeys(PAIR, "A tariff"))
    labels = chart_context(results).labels
    assert labels["component_50"] == "component_50: A tariff"
    assert len(set(labels.values())) == 3


def test_what_is_drawn_is_what_the_tables_hold() -> None:
    results = part(PAIR)
    points = BY_KEY["buys_and_costs"].table(results).set_index("scenario")
    headline = results.tables["headline"].set_index(["scenario", "metric"])
    for name in PAIR:
        row = headline.loc[(name, "cn_share")]
        assert points.loc[name, "share_reduction"] == -row["difference"]
        assert points.loc[name, "share_reduction_low"] == -row["high"]
    ends = (
        results.tables["device_end"]
        .set_index(["scenario", "device", "seed"])["price_index"]
        .sort_index()
    )
    prices = BY_KEY["device_prices"].table(results).set_index("device")
    change = 100 * (ends.loc["component_50", "laptop"] - ends.loc["baseline", "laptop"])
    assert prices.loc["laptop", "rise_2"] == pytest.approx(change.mean(), rel=1e-12)
    gaps = (prices["rise_1"] - prices["rise_2"]).abs().tolist()
    assert gaps == sorted(gaps, reverse=True)
    moved = BY_KEY["what_moved"].table(results)
    sums = moved.groupby("block")[["moved_1", "moved_2"]].sum()
    assert sums.loc["Country of assembly"].abs().max() < 1e-9
    assert sums.loc["Origin of chips"].abs().max() < 0.5  # sold, against delivered into stocks


def test_who_pays_adds_up_to_what_the_world_loses() -> None:
    results = part(PAIR)
    data = BY_KEY["who_pays"].table(results).set_index("label")
    headline = results.tables["headline"].set_index(["scenario", "metric"])
    welfare = results.tables["welfare"].groupby(["scenario", "market", "term"])["value"]
    last = welfare.apply(lambda values: 12e-9 * values.iloc[-12:].mean())
    sums = ["Buyers together", "Welfare at home", "Net change in the world"]
    for n, name in enumerate(PAIR, start=1):
        gain, level = data[f"gain_{n}"], headline["level"][name]
        assert gain["Treasury"] == pytest.approx(last[name, "US", "government"])
        assert gain["Consumers"] == pytest.approx(-level["consumer_surplus_loss"])
        assert gain["Foundries in China"] == pytest.approx(last[name, "CN", "foundries"])
        assert gain["Buyers together"] == pytest.approx(-level["buyers_cost"])
        net = gain.drop(sums, errors="ignore").sum()
        assert net == pytest.approx(-level["deadweight_loss"])
        for label, metric in (
            ("Welfare at home", "welfare"),
            ("Consumers", "consumer_surplus_loss"),
        ):
            sign = 1 if metric == "welfare" else -1
            known = headline.loc[(name, metric)]
            ends = sorted((sign * known["low"], sign * known["high"]))
            assert gain[label] == pytest.approx(sign * known["difference"])
            assert data.loc[label, [f"gain_{n}_low", f"gain_{n}_high"]].tolist() == pytest.approx(
                ends
            )


def test_the_world_has_a_bar_only_where_its_sign_is_known() -> None:
    results = part(PAIR)
    known = estimates(results, "deadweight_loss")
    drawn_bar = "Net change in the world" in set(BY_KEY["who_pays"].table(results)["label"])
    assert drawn_bar == all(known[name].is_certain for name in PAIR)


def test_scenarios_that_are_not_shown_are_counted() -> None:
    for key in ("who_pays", "device_prices", "where_chips_go", "what_moved", "foundries"):
        chart, results = BY_KEY[key], some()
        subtitle = chart.text(chart.table(results), results).subtitle
        assert subtitle.endswith("2 of 10 scenarios shown"), key


def test_chips_that_leave_a_market_add_up() -> None:
    results = part(PAIR)
    data = BY_KEY["where_chips_go"].table(results).set_index("label")
    for column in ("change_1", "change_2"):
        *markets, world = data[column]
        assert world == pytest.approx(sum(markets))
    share = results.tables["headline"].set_index(["scenario", "metric"])["level"]
    for place, column, name, metric in (
        ("United States", "share_2", "component_50", "cn_share"),
        ("The world", "share_0", "baseline", "world_cn_share"),
    ):  # a share of sums over months, against a mean of shares of months
        assert data.loc[place, column] == pytest.approx(share[name, metric], abs=0.1)


def test_foundries_have_all_capacity_and_start_at_the_discount() -> None:
    results = part(PAIR)
    data = BY_KEY["foundries"].table(results)
    shares = data.groupby(["scenario", "quarter"])["capacity_share"].sum()
    assert shares.to_numpy() == pytest.approx(100.0)
    start = data[data["quarter"] == data["quarter"].min()].set_index(["scenario", "region"])
    assert start.loc[("baseline", "CN"), "price"] == pytest.approx(80, abs=1)  # 20 % discount
    assert start.loc[("baseline", "TW"), "price"] == pytest.approx(100, abs=1)


def test_a_disruption_is_drawn_where_supply_is_restricted_and_only_there() -> None:
    picture = CUTS.picture(hostile(cut_off()))
    assert lint(picture) == []
    assert (
        drawn("whole product against component")[1][CUTS.name]
        == "it needs a scenario that restricts the supply of chips"
    )
    assert "1 more scenarios with supply disruptions" in _text(cut_off()).note


def test_a_cut_off_shows_what_is_lost_by_month_and_by_device() -> None:
    results = cut_off()
    data = CUTS.table(results)
    assert data["scenario_1"].iloc[0] == "cut"
    months = data[data["block"] == "month"].set_index("at")["lost_1"]
    rows = results.tables["market_month"].query("scenario == 'cut' and market == 'US'")
    sums = rows.groupby("month")[["lost_value", "retail_value"]].sum()
    lost = 100 * sums["lost_value"] / sums.sum(axis=1)
    assert months.to_numpy() == pytest.approx(lost[months.index].to_numpy())
    worst = months.idxmax()
    assert "2026-03" <= worst <= "2026-05"  # days 70 to 150 of the year
    assert months.index[0] < "2026-03"
    devices = data[data["block"] == "device"]
    order = devices[["lost_1", "lost_2", "lost_3"]].max(axis=1).tolist()
    assert order == sorted(order, reverse=True)
    whole = results.tables["market_device"].query("scenario == 'cut' and market == 'US'")
    whole = whole[whole["month"].isin(months.index)].groupby("device")
    sums = whole[["lost_value", "retail_value"]].sum()
    each = 100 * sums["lost_value"] / sums.sum(axis=1)
    assert devices["lost_1"].to_numpy() == pytest.approx(each[devices["at"]].to_numpy())


def _text(results: Results) -> ChartText:
    return CUTS.text(CUTS.table(results), results)


def test_text_of_a_cut_off_follows_its_numbers() -> None:
    results = cut_off()
    text = _text(results)
    assert text.title == "No supply disruption has a statistically significant effect on sales"
    known = results
    for name in ("cut", "cut_later", "half", "ban"):
        lost = 5.0 if name == "cut" else 0.1
        known = with_estimate(known, name, "cutoff_loss", difference=lost, low=0.8 * lost,
                              high=1.2 * lost, is_significant=True)  # fmt: skip
    assert _text(known).title == (
        "“Scenario cut”, the costliest, raises sales lost for lack of chips by 5.0 bn USD "
        "(4.0 to 6.0)"
    )
    near = with_estimate(known, "half", "cutoff_loss", difference=4.9, low=4.0, high=5.8)
    assert _text(near).title.endswith("; which costs most is not clear")
    days = estimates(results, "days_to_stop")["cut"].level
    assert days > 0
    (key,) = [key for key in text.legend if key.startswith("Scenario cut:")]
    assert key.endswith(f"the first line stops after {days:.0f} days (means)")
    moved = with_estimate(results, "cut", "days_to_stop", level=0.0)
    assert any(key.endswith("the first line stops at once (means)") for key in _text(moved).legend)
    assert _text(without_loss()).title.startswith("One run: no test of significance")


def test_periods_in_words() -> None:
    assert period(["2030-01", "2030-12"]) == "2030"
    assert period(["2029-07", "2030-06"]) == "July 2029 to June 2030"
    assert period(["2025-03"]) == "March 2025"


def test_labels_are_spread_without_overlap() -> None:
    centres = spread([50, 49, 48, 2], [10, 10, 10, 10], 60)
    assert all(a - b >= 10 for a, b in pairwise(centres))
    assert centres[0] <= 55
    assert centres[-1] >= 5


def test_text_is_wrapped_and_cut_to_its_room() -> None:
    for text in HOSTILE:
        rows = wrap(text, 8, 120, lines=3).split("\n")
        assert len(rows) <= 3
        assert all(text_width(row, 8) <= 120 for row in rows)
        assert wrap(text, 8, 120, lines=1, tail=": 5\u00a0%").endswith(": 5\u00a0%")
    assert "\ufffd" in printable("🚢")
