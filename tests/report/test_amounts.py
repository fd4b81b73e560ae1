"""The tables that a report derives are those of the results in other units and other sums."""

from __future__ import annotations

import dataclasses
import math

import pytest

from tariffsim.charts.context import chart_context
from tariffsim.record.results import Results
from tariffsim.record.statements import Estimate, Verdict, estimates
from tariffsim.report import amounts
from tariffsim.report.answer import answer, asked, cards, meaning_of, question
from tariffsim.report.limits import limits
from tariffsim.report.sheets import Column, Sheet, change, scaled
from tariffsim.scenario import load_scenario, replace, to_yaml
from tests.charts.chart_results import PAIR, part, single, with_estimate

CERTAIN = {"difference": -6.0, "low": -7.0, "high": -5.0, "is_significant": True}
UNCERTAIN = {"difference": 77.7, "low": -88.8, "high": 244.2, "is_significant": False}


@pytest.fixture(scope="module")
def pair() -> Results:
    return part(PAIR)


def with_total(results: Results, metric: str, **values: object) -> Results:
    for name in PAIR:
        results = with_estimate(results, name, metric, **values)
    return results


def test_fiscal_years_add_up_to_the_revenue_of_the_headline_table(pair: Results) -> None:
    context = chart_context(pair)
    certain = with_total(pair, "total_revenue", is_significant=True, low=1e-9)
    *years, whole = amounts.revenue(certain, context).rows
    totals = estimates(pair, "total_revenue")
    assert sum(row[1] for row in years) == pytest.approx(totals["baseline"].level, rel=1e-9)
    for i, name in enumerate(context.others):
        gross, net = (sum(row[2 + 2 * i + k] for row in years) for k in (0, 1))
        assert gross == pytest.approx(totals[name].difference, rel=1e-6, abs=1e-9)
        assert net == pytest.approx(0.75 * gross)
        assert whole[3 + 2 * i].difference == pytest.approx(0.75 * totals[name].difference)
    assert [row[0] for row in years] == ["FY2025 (9 months)", "FY2026", "FY2027 (3 months)"]


def test_years_add_up_to_the_whole_period(pair: Results) -> None:
    context = chart_context(pair)
    certain = pair
    for metric in ("total_welfare", "total_consumer_surplus_loss"):
        certain = with_total(certain, metric, is_significant=True, low=1e-9)
    for name, sheet in zip(context.others, amounts.years(certain, context), strict=True):
        *years, whole = sheet.rows
        for column, metric in ((3, "total_consumer_surplus_loss"), (5, "total_welfare")):
            total = estimates(pair, metric)[name].difference
            assert sum(row[column] for row in years) == pytest.approx(total, rel=1e-6)
            assert years[-1][column + 1] == pytest.approx(total, rel=1e-6)
            assert whole[column + 1].difference == total


def test_years_of_an_uncertain_total_are_not_stated(pair: Results) -> None:
    context = chart_context(pair)
    doubtful = with_total(pair, "total_revenue", **UNCERTAIN)
    *years, whole = amounts.revenue(doubtful, context).shown()
    assert {cell["value"] for row in years for cell in row[2:]} == {"–"}
    assert {cell["value"] for cell in whole[2:]} == {"n.s."}


def test_a_device_costs_more_by_its_index_times_its_price(pair: Results) -> None:
    context = chart_context(pair)
    table = pair.tables["device_end"].set_index(["device", "scenario", "seed"])["price_index"]
    table = table.sort_index()
    prices = amounts.unit_prices(pair, context)
    sales = pair.tables["market_device"].query("market == 'US' and scenario == 'baseline'")
    end = sales[sales["month"].isin(context.months[-12:])].query("device == 'laptop'")
    assert prices["laptop"] == pytest.approx(end["retail_value"].sum() / end["sold_units"].sum())
    found = amounts.device_costs(pair, context)["laptop"]
    for name in PAIR:
        now, base = table["laptop", name], table["laptop", "baseline"]
        rise = now.mean() / base.mean() - 1
        assert found[name].difference == pytest.approx(prices["laptop"] * rise)


def test_sentences_on_devices_name_only_what_is_certain(pair: Results) -> None:
    context = chart_context(pair)
    costs = amounts.device_costs(pair, context)
    certain = {
        amounts.table_label("devices", device)
        for device, own in costs.items() if any(one.is_certain for one in own.values())
    }  # fmt: skip
    said = [s for s in amounts.device_sentences(pair, context) if "New duty" in s]
    assert {sentence.partition(":")[0] for sentence in said} <= certain


def test_consumer_prices_move_by_the_weight_of_the_basket(pair: Results) -> None:
    context = chart_context(pair)
    sheet = amounts.consumer_prices(pair, context)
    assert sheet is not None
    first = pair.tables["market_month"].query(
        "month == '2025-01' and market == 'US' and scenario == 'baseline'"
    )
    weight = 12 * first["base_expenditure"].mean() / 19.8e12
    assert 0.02 < weight < 0.2
    for _, basket, prices in sheet.rows:
        assert prices.difference == pytest.approx(weight * basket.difference)
    assert amounts.consumer_prices(dataclasses.replace(pair, market="EU"), context) is None


def test_places_and_markets_are_those_of_the_tables(pair: Results) -> None:
    context = chart_context(pair)
    for sheet in amounts.places(pair, context):
        for column in range(1, len(sheet.columns)):
            assert sum(row[column] for row in sheet.rows) == pytest.approx(100.0)
    markets = {(row[0], row[1]): row for row in amounts.markets(pair, context).rows}
    for name in PAIR:
        share = estimates(pair, "cn_share")[name]
        own = markets["United States", context.labels[name]]
        assert own[2] == pytest.approx(share.level)
        assert own[3].difference == pytest.approx(share.difference)


def test_the_answer_states_no_effect_whose_interval_covers_zero(pair: Results) -> None:
    for metric in ("cn_share", "buyers_cost", "duty_revenue"):
        for values, said in ((CERTAIN, "reduces"), (UNCERTAIN, "no statistically significant")):
            results = with_total(pair, metric, **values)
            text = " ".join(answer(results, chart_context(results)))
            assert said in text
            if values is UNCERTAIN:
                assert "77.7" not in text
    assert "One run only" in " ".join(answer(single(), chart_context(single())))


def test_the_first_screen_answers_six_questions(pair: Results) -> None:
    context = chart_context(pair)
    assert "Chinese share" in question(context)
    told = asked(pair, context)
    assert "the United States" in told
    assert "baseline" in told
    assert "2 runs each" in told
    effect, cost, sure = answer(pair, context)
    assert "Chinese share" in effect
    assert "cost to buyers" in cost
    assert "95 % intervals" in sure
    assert "would change it" in sure


def test_the_four_numbers_are_those_of_the_headline_table(pair: Results) -> None:
    results = with_total(pair, "cn_share", **CERTAIN)
    shown = cards(results, chart_context(results))
    assert len(shown) == 4
    for row in shown[0]["rows"]:
        assert (row["value"], row["interval"]) == ("−6.0", "−7.0 to −5.0")
        assert row["from"] < row["dot"] < row["to"] < shown[0]["zero"]
        assert row["is_certain"]
    doubtful = with_total(pair, "buyers_cost", **UNCERTAIN)
    row = cards(doubtful, chart_context(doubtful))[2]["rows"][0]
    assert row["value"] == "n.s."
    assert not row["is_certain"]


def limits_of(results: Results, **values: object) -> str:
    """The limits in words if the baseline had these values."""
    own = to_yaml(replace(load_scenario("baseline"), **values))
    changed = dataclasses.replace(results, scenarios=results.scenarios | {"baseline": own})
    return " ".join(
        f"{limit.what} {limit.text}" for limit in limits(changed, chart_context(changed))
    )


def test_limits_follow_from_the_resolved_scenario(pair: Results) -> None:
    default = limits_of(pair)
    assert "Of the importers 60 % do not know the origin" in default
    assert "free of cost" not in default
    assert "free of cost" in limits_of(pair, compliance__behaviour="compliant")
    assert "Of the importers 30 %" in limits_of(pair, compliance__unknown_origin_share=0.3)
    assert "are left out" in limits_of(pair, trade__tariffs_in_force=False)
    assert "decided by owner" in limits_of(pair, trade__origin_rule="owner")
    assert "5 % of a year's customs value to shift" in limits_of(pair, assembly__shift_cost=0.05)
    assert "follow the mean duty" in limits_of(pair, trade__currency_offset=0.4)
    both = part([*PAIR, "retaliation"])
    assert "2 of 3 have no response" in limits_of(both)
    assert "as the scenario states them" in limits_of(both)
    assert "as the scenario states them" not in default


def test_a_parameter_is_called_by_its_meaning() -> None:
    assert meaning_of("figures.devices.*.cn_share").startswith("Chinese share of the legacy chips")
    assert meaning_of("sourcing.elasticity") == "long-run substitution between foundries"


def test_files_have_intervals_in_columns_and_no_formulas() -> None:
    one = Estimate(math.nan, 1.0, 0.5, 1.5, True, 4)
    sheet = Sheet("x", "X", [Column("Name"), Column("Change", "pp")], [["=1+1", one]])
    head, units, row = sheet.flat()
    assert head == ["Name", "Change", "Change, lower end", "Change, upper end",
                    "Change, significant"]  # fmt: skip
    assert units == ["", "pp", "pp", "pp", "true or false"]
    assert row == ["=1+1", 1.0, 0.5, 1.5, True]
    assert sheet.csv().decode().splitlines()[2] == "'=1+1,1.0,0.5,1.5,True"
    assert scaled(one, 2.0).high == 3.0


@pytest.mark.parametrize(
    ("values", "n", "value", "interval"),
    [((1.0, 0.5, 1.5, True), 4, "+1.0", "+0.5 to +1.5"),
     ((1.0, -0.5, 1.5, False), 4, "n.s.", "−0.5 to +1.5"),
     ((0.004, 0.002, 0.006, True), 4, "+0.004", "+0.002 to +0.006"),
     ((0.0, 0.0, 0.0, False), 4, "0.0", "same in every run"),
     ((1.0, math.nan, math.nan, False), 1, "+1.0", "one run")],
)  # fmt: skip
def test_a_change_is_shown_as_its_interval_allows(
    values: tuple[float, float, float, bool], n: int, value: str, interval: str
) -> None:
    found = Estimate(math.nan, *values, n)
    assert found.verdict in Verdict
    assert change(found, 1) == {"value": value, "interval": interval}
