from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import matplotlib
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tariffsim.charts import CHARTS, Chart, LeftOut, Picture, draw_all, pictures, style
from tariffsim.charts.facts import facts_of, family_of, findings, period
from tariffsim.charts.labels import spread
from tariffsim.charts.lint import lint
from tariffsim.record.results import Results
from tests.charts.chart_results import (
    HOSTILE,
    PAIR,
    cut_off,
    hostile,
    part,
    shipped,
    single,
    with_finding,
)

RESULTS: dict[str, Callable[[], Results]] = {
    "all shipped scenarios": shipped,
    "hostile and long names": hostile,
    "whole product against component": lambda: part(PAIR),
    "two component tariffs": lambda: part(["component_50", "component_late"]),
    "one policy": lambda: part(["bare_chip_2027"]),
    "baseline alone": lambda: part([]),
    "one seed, three months": single,
    "cut-offs": cut_off,
    "cut-offs with hostile titles": lambda: replace(
        cut_off(),
        titles={name: HOSTILE[n % len(HOSTILE)] for n, name in enumerate(cut_off().titles)},
    ),
    "cut-offs of one seed that cost nothing": lambda: without_loss(),
}
BY_KEY = {chart.key: chart for chart in CHARTS}
CUTS = BY_KEY["cut_off"]
ALWAYS = [chart for chart in CHARTS if chart is not CUTS]
"""Charts that any comparison has."""


def without_loss() -> Results:
    """Cut-offs from which nobody loses anything, seen once."""
    results = cut_off()
    tables = {
        name: table.assign(lost_value=0.0) if "lost_value" in table else table
        for name, table in results.tables.items()
    }
    seeds = tables["market_month"]["seed"]
    tables["market_month"] = tables["market_month"][seeds == 0]
    return replace(results, tables=tables)


@pytest.mark.parametrize("name", RESULTS)
def test_no_chart_has_a_fault(name: str) -> None:
    made, left_out = pictures(RESULTS[name]())
    assert {picture.name: lint(picture) for picture in made} == {p.name: [] for p in made}
    assert len(made) + len(left_out) == len(CHARTS)
    assert all(reason for reason in left_out.values())


def test_files_of_a_comparison() -> None:
    files = draw_all(part(PAIR))
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
            assert b"<text" not in data
        elif name.endswith("csv"):
            assert len(pd.read_csv(io.BytesIO(data)))
        else:
            assert len(data.split()) > 8


def test_the_baseline_alone_leaves_out_what_compares() -> None:
    made, left_out = pictures(part([]))
    alone = ["01_chinese_share", "07_foundries", "14_base_year_fit"]
    assert [picture.name for picture in made] == alone
    assert left_out.pop(CUTS.name) == "it needs a scenario that cuts chips off"
    assert set(left_out.values()) == {"it needs a scenario beside the baseline"}
    assert "baseline" not in made[0].words.title


def test_without_a_base_year_the_fit_is_left_out() -> None:
    results = part([])
    results.tables["base_year"] = results.tables["base_year"].iloc[:0]
    with pytest.raises(LeftOut, match="no base year"):
        BY_KEY["base_year_fit"].picture(results)


def test_redrawn_files_are_the_same_bytes_whatever_the_settings_of_the_user() -> None:
    once = draw_all(part(PAIR))
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red", "svg.fonttype": "none"}):
        assert draw_all(part(PAIR)) == once


def test_drawing_leaves_the_settings_of_the_user_alone() -> None:
    before = dict(matplotlib.rcParams)
    draw_all(part([]))
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.key)
def test_a_chart_draws_a_table_into_the_axes_it_is_given(chart: Chart) -> None:
    table = chart.table(cut_off() if chart is CUTS else part(PAIR))
    ax = Figure(figsize=(9, 5)).add_axes((0.3, 0.1, 0.4, 0.8))
    assert chart.draw(table, ax) is ax
    assert isinstance(chart.draw(table, None), Axes)


def test_kinds_of_scenarios_have_fixed_colours() -> None:
    families = facts_of(shipped()).families
    assert families["baseline"] == families["no_expansion"] == "no policy"
    assert families["component_50"] == families["specific_per_chip"] == "component"
    assert families["whole_product_content"] == "whole-product"
    assert families["bare_chip_2027"] == "bare chip"
    looks = style.looks({name: families[name] for name in ("baseline", *PAIR)})
    assert [look.colour for look in looks.values()] == ["#3D3D3D", "#F46A25", "#12436D"]
    assert looks["whole_product_china"].text == "#B04A10"
    assert len({look.marker for look in looks.values()}) == 3
    assert len({str(look.dash) for look in looks.values()}) == 3


def test_at_most_four_lines_are_in_colour() -> None:
    looks = style.looks(facts_of(shipped()).families)
    greys = {"#3D3D3D", "#A6A6A6"}
    assert sum(look.colour not in greys for look in looks.values()) == 4


def test_mixed_and_other_policies_have_kinds_of_their_own() -> None:
    text = "policies:\n  a: {kind: %s}\n  b: {kind: %s}\n"
    assert family_of(text % ("component_tariff", "product_tariff")) == "several"
    assert family_of(text % ("component_tariff", "price_cut")) == "component"
    assert family_of(text % ("price_cut", "capacity_plan")) == "other"
    assert family_of("policies: {}\n") == "no policy"


def _title(results: Results, key: str) -> str:
    return BY_KEY[key].picture(results).words.title


def _known(results: Results) -> Results:
    """Results with findings of our choice."""
    found = {
        ("baseline", "cn_share"): (17.0, 0.0, False),
        ("component_50", "cn_share"): (10.0, -7.0, True),
        ("component_50", "basket_price"): (104.2, 0.2, True),
        ("component_50", "cn_assembled_share"): (8.0, 0.01, False),
        ("whole_product_china", "cn_share"): (16.5, -0.5, True),
        ("whole_product_china", "basket_price"): (105.2, 1.2, True),
        ("whole_product_china", "cn_assembled_share"): (5.0, -3.0, True),
    }
    for (scenario, metric), (level, difference, sure) in found.items():
        results = with_finding(
            results, scenario, metric, level=level, difference=difference,
            low=difference - 0.1, high=difference + 0.1, is_significant=sure,
        )  # fmt: skip
    return results


def test_titles_say_what_the_numbers_say() -> None:
    results = _known(part(PAIR))
    title = _title(results, "chinese_share")
    assert title.startswith("In the baseline the Chinese share of chips ")
    assert " % in January 2025 to 17.0 % in 2026; " in title
    assert title.endswith(
        "; then it is 10.0 % with the component tariff and 16.5 % with the whole-product tariff"
    )
    assert _title(results, "buys_and_costs") == (
        "The component tariff avoids 7.0 points of Chinese share for +0.20 % on prices; "
        "the whole-product tariff avoids 0.5 points of Chinese share for +1.20 % on prices"
    )
    assert _title(results, "what_moved") == (
        "The whole-product tariff moves 3.0 points of assembly and 0.5 points of chips out of "
        "China; the component tariff moves no distinguishable share of assembly and 7.0 points "
        "of chips out of China"
    )


def test_titles_when_nothing_is_distinguishable() -> None:
    results = _known(part(PAIR))
    for scenario in PAIR:
        for metric in ("cn_share", "basket_price", "cn_assembled_share"):
            results = with_finding(results, scenario, metric, is_significant=False)
    assert "not distinguishable" in _title(results, "chinese_share")
    assert _title(results, "buys_and_costs").startswith("No scenario avoids")
    assert "neither assembly nor chips distinguishably" in _title(results, "what_moved")


def test_marks_of_china_are_hollow_where_nothing_is_distinguishable() -> None:
    table = BY_KEY["what_moved"].table(_known(part(PAIR)))
    sure = ["is_moved_1_distinguishable", "is_moved_2_distinguishable"]
    china = table[table["code"] == "CN"].set_index("block")[sure]
    assert china.loc["Country of assembly"].tolist() == [True, False]
    assert china.loc["Origin of chips"].tolist() == [True, True]
    assert table[table["code"] != "CN"][sure].isna().all().all()


def test_ends_of_lines_say_of_when_their_figures_are() -> None:
    ax = BY_KEY["chinese_share"].picture(part(PAIR)).figure.axes[0]
    ends = [text.get_text().replace("\u00a0", " ") for text in ax.texts]
    assert all(end.replace("\n", " ").endswith(" % in 2026") for end in ends)


def test_prices_rise_by_points_of_what() -> None:
    title = _title(part(PAIR), "device_prices")
    assert " prices of " in title
    assert title.endswith(" points")


def test_long_titles_are_cut_between_words() -> None:
    names = ["component_50", "component_late"]
    facts = facts_of(part(names, {"component_50": HOSTILE[1]}))
    whole = HOSTILE[1].split()
    cut = facts.short("component_50").strip("“”").removesuffix("…").split()
    assert cut == whole[: len(cut)]
    assert len(cut) > 8


def test_one_run_claims_nothing() -> None:
    made, _ = pictures(single())
    claims = [picture.words.title for picture in made if picture.name != "14_base_year_fit"]
    assert all("One run" in claim or "(one run" in claim for claim in claims)
    assert all("1 run" in picture.words.note for picture in made)


def test_several_scenarios_of_a_kind_are_named_by_their_titles() -> None:
    results = part(["component_50", "component_late"])
    facts = facts_of(results)
    assert facts.short("component_50") == "“50 % duty on Chinese foundational chips inside imports”"
    assert facts.pair() == ("component_50", "component_late")
    assert facts_of(part(PAIR)).pair() == PAIR


def test_scenarios_with_one_title_are_told_apart() -> None:
    results = part(PAIR, dict.fromkeys(PAIR, "A tariff"))
    labels = facts_of(results).labels
    assert labels["component_50"] == "component_50: A tariff"
    assert len(set(labels.values())) == 3


def test_what_is_drawn_is_what_the_tables_hold() -> None:
    results = part(PAIR)
    drawn = BY_KEY["buys_and_costs"].table(results).set_index("scenario")
    headline = results.tables["headline"].set_index(["scenario", "metric"])
    for name in PAIR:
        row = headline.loc[(name, "cn_share")]
        assert drawn.loc[name, "share_avoided"] == -row["difference"]
        assert drawn.loc[name, "share_low"] == -row["high"]
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
    assert sums.abs().max().max() < 1e-9


def test_who_pays_adds_up_to_what_the_world_loses() -> None:
    results = part(PAIR)
    data = BY_KEY["who_pays"].table(results)
    headline = results.tables["headline"].set_index(["scenario", "metric"])["level"]
    welfare = results.tables["welfare"].groupby(["scenario", "market", "term"])["value"]
    last = welfare.apply(lambda values: 12e-9 * values.iloc[-12:].mean())
    for n, name in enumerate(PAIR, start=1):
        gain = (data[f"end_{n}"] - data[f"start_{n}"]).set_axis(data["label"])
        net = gain.pop("Net change in the world")
        assert net == pytest.approx(gain.sum())
        assert net == pytest.approx(-headline[name, "deadweight_loss"])
        assert gain["Treasury"] == pytest.approx(last[name, "US", "government"])
        assert gain["Consumers"] == pytest.approx(-headline[name, "consumer_surplus_loss"])
        assert gain["Foundries in China"] == pytest.approx(last[name, "CN", "foundries"])


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


def test_a_cut_off_is_drawn_where_chips_are_cut_off_and_only_there() -> None:
    assert CUTS.name in {picture.name for picture in pictures(cut_off())[0]}
    assert pictures(part(PAIR))[1][CUTS.name] == "it needs a scenario that cuts chips off"
    assert "1 more cut-offs are not shown" in CUTS.picture(cut_off()).words.note


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


def test_words_of_a_cut_off_follow_its_numbers() -> None:
    results = cut_off()
    words = CUTS.picture(results).words
    months = CUTS.table(results).query("block == 'month'")
    worst = (months["lost_1"] - months["lost_0"]).max()  # some is lost without a cut-off
    assert words.title.startswith(f"“Scenario cut” costs up to {worst:.1f} % of a month's sales (")
    days = findings(results, "days_to_stop")["cut"].level
    assert days > 0
    (key,) = [key.text for key in words.keys if key.text.startswith("Scenario cut:")]
    assert key.endswith(f"the first line stops after {days:.0f} days")
    moved = with_finding(results, "cut", "days_to_stop", level=0.0)
    assert any(key.text.endswith("the first line stops at once")
               for key in CUTS.picture(moved).words.keys)  # fmt: skip
    assert "cannot be told from chance" in CUTS.picture(without_loss()).words.title


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
        rows = style.wrap(text, 8, 120, lines=3).split("\n")
        assert len(rows) <= 3
        assert all(style.text_width(row, 8) <= 120 for row in rows)
        assert style.wrap(text, 8, 120, lines=1, tail=": 5\u00a0%").endswith(": 5\u00a0%")
    assert "\ufffd" in style.printable("🚢")


# The linter: a sound picture, and one broken for each rule.


def _sound() -> Picture:
    return BY_KEY["buys_and_costs"].picture(part(PAIR))


def _cut_off(p: Picture) -> Picture:
    p.figure.text(0.95, 0.5, "far too long to fit on the page")
    return p


def _overlapping(p: Picture) -> Picture:
    p.figure.text(0.5, 0.5, "one text")
    p.figure.text(0.5, 0.505, "another text")
    return p


def _small(p: Picture) -> Picture:
    p.figure.text(0.5, 0.5, "fine print", size=6)
    return p


def _upright(p: Picture) -> Picture:
    p.figure.text(0.9, 0.5, "upright", rotation=90)
    return p


def _same_ticks(p: Picture) -> Picture:
    p.figure.axes[0].set_xticks([0.1, 0.2], ["1", "1"])
    return p


def _no_unit(p: Picture) -> Picture:
    return replace(p, words=replace(p.words, unit="kg"))


def _no_alt(p: Picture) -> Picture:
    return replace(p, words=replace(p.words, alt=" "))


def _no_title(p: Picture) -> Picture:
    return replace(p, words=replace(p.words, title=""))


def _other_numbers(p: Picture) -> Picture:
    return replace(p, table=p.table.assign(price_rise=p.table["price_rise"] * 1.001))


def _column_missing(p: Picture) -> Picture:
    return replace(p, table=p.table.drop(columns="price_rise"))


def _column_too_many(p: Picture) -> Picture:
    return replace(p, table=p.table.assign(secret=0.5))


def _untold(p: Picture) -> Picture:
    for artist in p.figure.findobj(lambda a: str(a.get_label()).startswith("_drawn")):
        artist.set_label("")
    return p


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (_cut_off, "text cut off"),
        (_overlapping, "texts overlap"),
        (_small, "small text: 6 pt"),
        (_upright, "text is not horizontal"),
        (_same_ticks, "tick label twice"),
        (_no_unit, "no unit"),
        (_no_alt, "no alt text"),
        (_no_title, "no title"),
        (_other_numbers, "CSV unlike what is drawn: price_rise"),
        (_column_missing, "CSV lacks what is drawn: price_rise"),
        (_column_too_many, "CSV column is not drawn: secret"),
        (_untold, "nothing drawn says"),
    ],
)
def test_the_linter_catches(broken: Callable[[Picture], Picture], fault: str) -> None:
    faults = lint(broken(_sound()))
    assert any(found.startswith(fault) for found in faults), faults
