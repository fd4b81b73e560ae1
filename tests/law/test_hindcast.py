"""The world before 2018, and scenarios that name what they are compared with."""

from __future__ import annotations

import numpy as np
import pytest

from tariffsim.calibration import build_economy
from tariffsim.errors import ScenarioError
from tariffsim.experiments import compare
from tariffsim.law.expectations import DutyExpectations
from tariffsim.scenario import Scenario, baseline_of, load_scenario, replace
from tariffsim.typing import parse_month
from tests.economies import scenario


def law(rules: Scenario) -> DutyExpectations:
    return build_economy(replace(rules, agents__makers=60), 0).tariff_schedule


def test_china_owed_what_japan_does() -> None:
    before, now = (
        law(scenario({"trade": {"base_duties": base}})) for base in ("before_301", "observed")
    )
    codes = before.codes
    shape = (len(codes.devices), len(codes.origins), len(codes.markets))
    rate, rate_now = (t.base_product.reshape(shape) for t in (before, now))
    china, japan = codes.origins.index("CN"), codes.origins.index("JP")
    np.testing.assert_allclose(rate[:, china], rate[:, japan], rtol=1e-12)
    assert (rate[:, china] <= rate_now[:, china] + 1e-12).all()
    others = [o for o in range(shape[1]) if o != china]
    np.testing.assert_array_equal(rate[:, others], rate_now[:, others])


@pytest.mark.parametrize(
    ("month", "bare", "parts"),
    [
        ("2018-07", 0.0, 0.0),
        ("2018-08", 0.25 * 9 / 31, 0.0),  # from 23 August
        ("2018-09", 0.25, 0.95 * 0.10 * 7 / 30),  # from 24 September, on 95 % of the group
        ("2018-10", 0.25, 0.95 * 0.10),
        ("2019-05", 0.25, 0.95 * (0.10 * 9 + 0.25 * 22) / 31),  # 25 % from 10 May
        ("2019-06", 0.25, 0.95 * 0.25),
    ],
)
def test_duties_come_as_they_came(month: str, bare: float, parts: float) -> None:
    schedule = law(load_scenario("section_301_2018"))
    regime = schedule.regime(schedule.rates_in_force(parse_month(month)))
    economy = build_economy(replace(load_scenario("section_301_2018"), agents__makers=60), 0)
    codes = schedule.codes
    us, china = codes.markets.index("US"), codes.origins.index("CN")
    auto_parts = codes.cell(codes.devices.index("auto_parts"), china, us)
    chip = codes.cell(0, codes.origins.index("US"), us)
    found = economy.declarations.origin_duties(regime).rate
    assert found[auto_parts] == pytest.approx(parts)
    # base duty is Japan's, which is none on chips
    np.testing.assert_allclose(
        schedule.tables(regime).bare[chip, :, codes.regions.index("CN")], bare
    )


def test_scenarios_name_what_they_are_compared_with() -> None:
    hindcast, other = load_scenario("section_301_2018"), load_scenario("component_50")
    assert baseline_of([hindcast]).name == "before_301"
    assert baseline_of([other]).name == "baseline"
    assert baseline_of([]).name == "baseline"
    with pytest.raises(ScenarioError, match="different baselines"):
        baseline_of([hindcast, other])
    small = {"agents__makers": 60, "run__end": "2017-06"}
    base = replace(load_scenario("before_301"), **small)
    assert compare([replace(hindcast, **small)], base, seeds=1).baseline == "before_301"
