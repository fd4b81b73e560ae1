"""Tariff-rate quotas: a lower duty within the quota, a higher one above it, by year and market."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tariffsim.errors import ScenarioError
from tariffsim.explain import explain_choice
from tariffsim.policy import INSTRUMENTS, Instrument
from tariffsim.scenario import load_scenario, replace
from tariffsim.state.economy import Economy
from tests.cli.calling import call
from tests.economies import STILL, merged, run, scenario

US = 0
ROUNDING = 1e-9
HELD = {
    "sourcing": {"opening_factor": 1e-9},
    "trade": {"order_adjustment": 1e-9, "front_loading_months": 0.0},
    "orders": {"stock_factor": 0.0},
}
"""Nothing reacts, so that every month's imports are the base year's."""


def quota(**fields: Any) -> dict[str, Any]:
    policy = {
        "kind": "tariff_rate_quota", "rate": 0.5, "in_quota_rate": 0.05, "start": "2025-01",
        "devices": ["laptop"], "quota": 1e6,
    }  # fmt: skip
    return {"policies": {"quota": policy | fields}}


def laptops(economy: Economy) -> np.ndarray:
    """Flows that count: laptops that cross the border of the US."""
    flows, codes = economy.flows, economy.constants.codes
    device = economy.makers.device[flows.maker] == codes.devices.index("laptop")
    return device & (flows.market == codes.markets.index("US")) & economy.is_imported


def a_year(*changes: dict[str, Any], months: int = 12) -> tuple[float, list[float], list[float]]:
    """Units a year in the base year, and by month the rate and the duty charged."""
    rates, charged = [], []
    rules = scenario(STILL, HELD, *changes, makers=150)
    for economy in run(rules, 0, months):
        here = laptops(economy)
        annual = 12 * economy.flows.base_units[here].sum()
        rates.append(economy.policy.rates[0])
        charged.append(float(economy.policy_duty[0]))
        value = economy.makers.customs_value[economy.flows.maker] * economy.flows.units
        assert charged[-1] == pytest.approx(rates[-1] * value[here].sum(), rel=1e-9)
    return annual, rates, charged


@pytest.fixture(scope="module")
def annual() -> float:
    return a_year(quota(), months=1)[0]


def test_the_quota_fills_in_its_month_and_opens_again(annual: float) -> None:
    """A quota of 4.25 months: the lower duty for four, the mean in the fifth, then the higher."""
    _, rates, _ = a_year(quota(quota=4.25 / 12 * annual), months=15)
    assert rates[:4] == pytest.approx([0.05] * 4)
    assert rates[4] == pytest.approx(0.25 * 0.05 + 0.75 * 0.5, rel=1e-3)
    assert rates[5:12] == pytest.approx([0.5] * 7)
    assert rates[12:15] == pytest.approx([0.05] * 3)


def test_large_and_small_quotas_are_plain_tariffs(annual: float) -> None:
    assert a_year(quota(quota=2 * annual))[1] == pytest.approx([0.05] * 12)
    assert a_year(quota(quota=0.0))[1] == pytest.approx([0.5] * 12)


def test_value_counts_at_customs_value(annual: float) -> None:
    constants = next(iter(run(scenario(makers=60), 0, 1))).constants
    unit_value = constants.unit_value[constants.codes.devices.index("laptop")]
    by_units = a_year(quota(quota=annual / 2))[1]
    by_value = a_year(quota(quota=annual / 2 * unit_value, quota_in="value"))[1]
    assert by_value == pytest.approx(by_units, rel=0.05)  # duties elsewhere move ex-works prices


def test_each_market_has_its_own(annual: float) -> None:
    """A coalition's quota is one for each member; a market fills its own."""
    both = quota(quota=annual / 2, markets=["US", "EU"])
    (economy,) = run(scenario(STILL, HELD, both, makers=150), 0, 1)
    names = [law.name for law in economy.tariff_schedule.laws]
    assert names == ["quota, US", "quota, EU"]
    alone = a_year(quota(quota=annual / 2))[1]
    rates = [e.policy.rates[0] for e in run(scenario(STILL, HELD, both, makers=150), 0, 12)]
    assert rates == pytest.approx(alone, rel=1e-9)


def test_from_its_first_month_on(annual: float) -> None:
    """A quota that opens in July counts from July."""
    _, rates, _ = a_year(quota(start="2025-07", quota=annual / 6))
    assert rates == pytest.approx([0.0] * 6 + [0.05] * 2 + [0.5] * 4, abs=1e-3)


def test_a_run_that_starts_in_spring_has_used_a_part(annual: float) -> None:
    started = {"run": {"start": "2025-04"}}
    _, rates, _ = a_year(quota(start="2024-01", quota=annual / 3), started, months=9)
    assert rates == pytest.approx([0.05] + [0.5] * 8, abs=1e-3)


# Expectations.


class Forgetful(INSTRUMENTS["tariff_rate_quota"]):  # type: ignore[misc, name-defined]
    """A quota whose makers expect the higher rate while customs charges the lower one."""

    def rate_given(self, rate: float, imports_to_date: float, imports: float) -> float:
        given = super().rate_given(rate, imports_to_date, imports)
        return rate if imports_to_date == 0.0 and imports > self.quota else given


def mean_charged_and_expected(instrument: Instrument, monthly: float) -> tuple[float, float]:
    """Mean rates over a year of even imports: as customs charges them, and as is expected."""
    charged = [instrument.rate_given(0.5, month * monthly, monthly) for month in range(12)]
    return float(np.mean(charged)), instrument.rate_given(0.5, 0.0, 12 * monthly)


@given(st.floats(0, 1e6), st.floats(1, 1e5), st.floats(0, 0.5))
def test_expected_over_a_year_is_what_is_charged(
    size: float, monthly: float, in_quota: float
) -> None:
    fields = {"kind": "tariff_rate_quota", "rate": 0.5, "quota": size, "in_quota_rate": in_quota}
    made = INSTRUMENTS["tariff_rate_quota"].model_validate(fields | {"start": "2025-01"})
    charged, expected = mean_charged_and_expected(made, monthly)
    assert expected == pytest.approx(charged, abs=1e-9)


def test_the_check_fails_for_an_instrument_that_expects_what_nobody_pays() -> None:
    fields = {"kind": "tariff_rate_quota", "rate": 0.5, "quota": 5.0, "start": "2025-01"}
    charged, expected = mean_charged_and_expected(Forgetful.model_validate(fields), 1.0)
    assert expected != pytest.approx(charged, abs=0.1)


@pytest.mark.parametrize(
    "dates",
    [{}, {"start": "2025-07", "announced": "2025-01"}, {"end": "2025-08"}, {"end": "2026-03"}],
)
def test_expected_is_charged_where_a_quota_starts_or_ends_within_a_year(
    dates: dict[str, str], annual: float
) -> None:
    """Over every calendar year, with imports that stay the same."""
    law = quota(quota=annual / 5, **dates)
    _, charged, _ = a_year(law, months=24)
    (first,) = run(scenario(STILL, HELD, law, makers=150), 0, 1)
    expected = [dict(first.regime_ahead(months)).get(0, 0.0) for months in range(24)]
    assert max(charged) == pytest.approx(0.5)
    for year in (slice(0, 12), slice(12, 24)):
        assert np.mean(expected[year]) == pytest.approx(np.mean(charged[year]), rel=1e-6)


def test_what_importers_expect_to_save_by_tracing_is_what_will_be_due(annual: float) -> None:
    """A quota that is never full takes nothing, one without units the statutory rate."""
    for size, due in ((100 * annual, 0.0), (0.0, 24 * 0.5)):
        rules = scenario(STILL, quota(quota=size, in_quota_rate=0.0), makers=150)
        (economy,) = run(rules, 0, 1)
        ahead = economy.expectations.summed(economy.date, 24, economy.imports)
        assert dict(ahead).get(0, 0.0) == pytest.approx(due)


def test_makers_weigh_the_mean_of_the_year(annual: float) -> None:
    """What lines expect does not move with the months: no front-loading for a yearly pattern."""
    rules = scenario(STILL, {"orders": {"stock_factor": 0.0}}, quota(quota=annual / 2), makers=150)
    for economy in run(rules, 0, 8):
        expected = {dict(f.regime).get(0, 0.0) for f in economy.policy.expected.futures}
        assert len(expected) == 1
        assert 0.05 < expected.pop() < 0.5
        assert not economy.flows.stock.any()


# Files.


def test_within_the_quota_the_duty_is_never_higher() -> None:
    """So that a search over rates meets no refusal on its way down to zero."""
    made = replace(load_scenario("baseline"), **quota(in_quota_rate=0.6)).policies["quota"]
    assert {made.rate_given(0.5, used, 10.0) for used in (0.0, 1e6 - 5, 2e6)} == {0.5}


def test_a_quota_in_a_stacking_group_is_refused() -> None:
    """The highest duty of each month would not be the highest of the year's means."""
    with pytest.raises(ScenarioError, match="stacking_group"):
        replace(load_scenario("baseline"), **quota(stacking_group="one"))


def test_the_explanation_says_what_is_used_and_what_is_expected(annual: float) -> None:
    rules = scenario(STILL, HELD, quota(quota=annual / 2), makers=150)
    (found,) = explain_choice(rules, 0, "2025-05").rates_to_date
    assert found.name == "quota"
    assert found.statutory == 0.5
    assert found.now == pytest.approx(0.05)
    assert found.expected == pytest.approx((0.05 + 0.5) / 2, rel=1e-3)
    assert found.imports_to_date == pytest.approx(annual / 3, rel=1e-3)
    assert "units" in str(found)


def test_the_explanation_expects_what_makers_do(annual: float) -> None:
    """Also before a quota that counts half a year's imports is in force."""
    law = quota(quota=annual / 4, start="2025-07", announced="2025-01")
    rules = scenario(STILL, HELD, law, makers=150)
    (found,) = explain_choice(rules, 0, "2025-05").rates_to_date
    assert (found.statutory, found.now) == (0.5, 0.0)
    assert found.expected == pytest.approx((0.05 + 0.5) / 2, rel=1e-3)


def test_the_command_says_it_too(tmp_path: Path) -> None:
    fields = quota()["policies"]["quota"]
    file = tmp_path / "quota.yaml"
    small = {"agents": {"makers": 60}, "run": {"end": "2025-03"}}
    file.write_text(yaml.safe_dump({"extends": "baseline", "policies": {"quota": fields}} | small))
    code, out, err = call("explain", file, "--maker", "0", "--month", "2025-02")
    assert code == 0, err
    assert "units imported this year before the month; rate" in " ".join(out.split())


def test_with_the_same_rate_on_both_sides_it_is_a_product_tariff(annual: float) -> None:
    """Equal duties within and above: to the last bit the plain tariff."""
    plain = {"kind": "product_tariff", "rate": 0.3, "start": "2025-01", "devices": ["laptop"]}
    same = quota(rate=0.3, in_quota_rate=0.3, quota=annual / 3)
    for one, other in zip(
        run(scenario(merged(same), makers=150), 1, 6),
        run(scenario({"policies": {"quota": plain}}, makers=150), 1, 6),
        strict=True,
    ):
        np.testing.assert_allclose(one.ledger, other.ledger, rtol=1e-12, atol=1e-3)
