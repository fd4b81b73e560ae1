"""What is varied and how: factors, their bounds, designs, and scenarios at their points."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffsim.errors import ScenarioError
from tariffsim.experiments.designs import (
    factors_of,
    from_unit_cube,
    grid,
    points_of,
)
from tariffsim.policy.time_path import TimePath
from tariffsim.scenario import Scenario, load_scenario, replace, to_yaml
from tariffsim.scenario.factors import Factor, Unfit, factor_of, plausible
from tariffsim.scenario.variation import reaching, varied

RATE = "policies.component_tariff.rate"


@pytest.fixture(scope="module")
def component() -> Scenario:
    return load_scenario("component_50")


# Factors


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ("0:2:0.1", tuple(round(0.1 * i, 1) for i in range(21))),
        ("0.1:0.3:0.1", (0.1, 0.2, 0.3)),
        ("0:1:0.4", (0.0, 0.4, 0.8)),
        ("0,0.25, 1", (0, 0.25, 1)),
        ("0.5", (0.5,)),
        ((0, 0.25), (0, 0.25)),
    ],
)
def test_values_are_those_one_would_write(
    given: str | tuple[float, ...], values: tuple[float, ...], component: Scenario
) -> None:
    assert factor_of(RATE, given, component).values == values


def test_whole_numbers_stay_whole(component: Scenario) -> None:
    values = factor_of("agents.makers", "150:450:150", component).values
    assert values == (150, 300, 450)
    assert all(isinstance(value, int) for value in values)
    assert varied(component, {"agents.makers": values[0]}).agents.makers == 150


def test_texts_and_booleans_can_be_varied(component: Scenario) -> None:
    factor = factor_of("sourcing.foresight", "announced,none", component)
    assert factor.values == ("announced", "none")
    factor = factor_of("policies.component_tariff.covers_home_assembly", "true,false", component)
    assert factor.values == (True, False)
    assert not factor.is_numeric


@pytest.mark.parametrize(
    ("key", "given", "message"),
    [
        ("sourcing.elastcity", "1:2", "is not a key that can be varied"),
        ("policies.component_tarif.rate", "0:1", "is not a policy of this scenario"),
        ("policies.component_tariff.kind", "a,b", "is not a key that can be varied"),
        ("figures.devices.phone.chip_content", "0:1", "is not a figure"),
        ("figures.devices.smartphone.label", "a,b", "is not a figure"),
        ("figures.markets.*.home_assembly_share", "range", "no plausible ranges"),
        ("run.seeds", "range", "has no plausible range"),
        (RATE, "0:9:1", "must be between 0 and 5"),
        (RATE, "1:0:0.1", "must have a step above zero and its stop not below its start"),
        (RATE, "0:1:0", "must have a step above zero"),
        (RATE, "0:1:1e-9", "at most 10,000 values"),
        (RATE, "0:1:2:3", "must be start:stop:step"),
        (RATE, "0:nan", "must be numbers between the colons"),
        (RATE, "1:0", "low end below its high end"),
        (RATE, "0,1,0", "has a value twice"),
        (RATE, "0,high", "must be numbers"),
        (RATE, "", "at least one value"),
        ("sourcing.foresight", "announced,never", "must be announced or none"),
        ("sourcing.foresight", "0:1", "must be announced or none"),
        ("trade.tariffs_in_force", "0:1", "is not a number"),
        ("figures.devices.*.chip_content", "-2:2", "must be between -1 and 1"),
        ("experiment.points", "1:2", "is not a key that can be varied"),
    ],
)
def test_what_cannot_be_varied_is_refused(
    key: str, given: str, message: str, component: Scenario
) -> None:
    with pytest.raises(Unfit, match=message):
        factor_of(key, given, component)


def test_all_problems_of_factors_are_reported_at_once(component: Scenario) -> None:
    with pytest.raises(ScenarioError) as refused:
        factors_of(component, {"a.b": "1:2", RATE: "0:9", "supply.learning": "range"})
    assert [problem.key for problem in refused.value.problems] == ["a.b", RATE]


def test_every_range_is_plausible_for_its_scenario(component: Scenario) -> None:
    """Each end of each range gives a scenario that loads, and differs from the central case."""
    found = plausible(component)
    assert {"sourcing.elasticity", "supply.china_capacity_share"} <= {f.key for f in found}
    assert "figures.devices.*.chip_content" in {f.key for f in found}
    for factor in found:
        hashes = {varied(component, {factor.key: end}).content_hash
                  for end in (factor.low, factor.high)}  # fmt: skip
        assert len(hashes) == 2, factor.key


# Dated paths and columns of tables


def test_earlier_steps_of_a_policy_keep_their_proportion(component: Scenario) -> None:
    rate = varied(component, {RATE: 2.0}).policies["component_tariff"].path
    assert rate.values == (1.0, 2.0)
    assert rate.months == component.policies["component_tariff"].path.months
    assert varied(component, {RATE: 0}).policies["component_tariff"].path.values == (0.0, 0.0)


def test_a_policy_that_ends_is_scaled_to_its_last_level() -> None:
    ending = TimePath(months=(24312, 24324, 24336), values=(0.2, 0.4, 0.0))
    assert reaching(ending, 0.8).values == (0.4, 0.8, 0.0)
    assert reaching(TimePath(values=(0.5,)), 0.3).values == (0.3,)
    never = TimePath(months=(24312, 24324), values=(0.0, 0.0))
    assert reaching(never, 0.3).values == (0.3, 0.3)


def test_an_assumption_over_time_keeps_its_base_year(component: Scenario) -> None:
    path = varied(component, {"supply.china_capacity_share": 0.45}).supply.china_capacity_share
    assert path.values == (0.30, 0.45)
    flat = replace(component, supply__china_capacity_share=0.30)
    path = varied(flat, {"supply.china_capacity_share": 0.45}).supply.china_capacity_share
    assert path.values[-1] == 0.45


@given(level=st.floats(0.001, 5), values=st.lists(st.floats(0.001, 5), min_size=1, max_size=5))
def test_the_requested_level_is_reached(level: float, values: list[float]) -> None:
    path = TimePath(months=tuple(range(24300, 24300 + len(values))), values=tuple(values))
    found = reaching(path, level)
    assert found.values[-1] == level
    ratios = [b / a for a, b in zip(values, found.values, strict=True)]
    assert ratios == pytest.approx([level / values[-1]] * len(values), rel=1e-12)


def test_a_column_of_a_table_moves_together(component: Scenario) -> None:
    key = "figures.devices.*.chip_content"
    own = component.tables().devices
    for position, end in ((-1, "low"), (1, "high")):
        moved = varied(component, {key: position}).tables().devices
        for code in own.codes:
            expected = getattr(own.figures[code, "chip_content"], end)
            assert moved.number(code, "chip_content") == expected
    half = varied(component, {key: 0.5}).tables().devices
    figure = own.figures["smartphone", "chip_content"]
    assert half.number("smartphone", "chip_content") == pytest.approx(
        (figure.value + figure.high) / 2  # type: ignore[operator]
    )
    central = varied(component, {key: 0}).tables().devices
    assert central.numbers("chip_content") == own.numbers("chip_content")


def test_a_policy_the_baseline_lacks_changes_nothing_there() -> None:
    base = load_scenario("baseline")
    assert varied(base, {RATE: 1.0}) is base
    assert varied(base, {RATE: 1.0, "supply.learning": 0.1}).supply.learning == 0.1


# Designs


def test_a_grid_is_all_combinations(component: Scenario) -> None:
    factors = factors_of(component, {RATE: "0:1:0.5", "sourcing.elasticity": (2, 4)})
    points = points_of("grid", factors)
    assert len(points) == 6
    assert points[1] == {RATE: 0.0, "sourcing.elasticity": 4}
    assert points == grid(factors)


def in_ranges(n: int) -> list[Factor]:
    return [Factor(f"x{i}", low=-1.0, high=3.0 + i) for i in range(n)]


@given(count=st.integers(1, 40), seed=st.integers(0, 5))
def test_a_latin_hypercube_has_one_point_in_every_layer(count: int, seed: int) -> None:
    factors = in_ranges(3)
    points = points_of("lhs", factors, count, seed)
    for factor in factors:
        assert factor.low is not None
        assert factor.high is not None
        at = [(p[factor.key] - factor.low) / (factor.high - factor.low) for p in points]  # type: ignore[operator]
        assert sorted(int(count * x) for x in at) == list(range(count))


def test_a_sobol_sequence_is_balanced() -> None:
    """Of 2^m points, one lies in each of 2^m layers of every factor, and a quarter in a quarter."""
    points = points_of("sobol", in_ranges(2), 64, 3)
    unit = np.array([[(p["x0"] + 1) / 4, (p["x1"] + 1) / 5] for p in points])
    for column in unit.T:
        assert sorted(np.floor(64 * column).astype(int)) == list(range(64))
    assert sorted(zip(*np.floor(8 * unit).astype(int).T, strict=True)) == [
        (i, j) for i in range(8) for j in range(8)
    ]


@pytest.mark.parametrize("name", ["lhs", "sobol"])
def test_a_design_depends_on_its_seed_alone(name: str) -> None:
    factors = in_ranges(3)
    assert points_of(name, factors, 16, 1) == points_of(name, factors, 16, 1)
    assert points_of(name, factors, 16, 1) != points_of(name, factors, 16, 2)


def test_whole_factors_take_every_whole_number_as_often() -> None:
    factor = Factor("n", low=2, high=5, is_whole=True)
    values = [p["n"] for p in from_unit_cube([factor], np.linspace(0, 1, 401)[:-1, None])]
    assert {value: values.count(value) for value in values} == dict.fromkeys((2, 3, 4, 5), 100)
    assert from_unit_cube([factor], np.ones((1, 1))) == [{"n": 5}]


def test_shares_of_one_total_add_up_to_one_at_most() -> None:
    keys = ("supply.discount_cost_share", "supply.discount_subsidy_share")
    factors = [Factor(key, low=0.1, high=0.9) for key in keys]
    points = points_of("lhs", factors, 50, 0)
    sums = [sum(p[key] for key in keys) for p in points]  # type: ignore[misc]
    assert max(sums) == pytest.approx(1.0)
    assert min(sums) < 0.6


@pytest.mark.parametrize(
    ("name", "vary", "points", "message"),
    [
        ("grid", {}, None, "varies nothing"),
        ("grid", {RATE: "0:1"}, None, "has no steps"),
        ("lhs", {RATE: "0,1"}, 4, "has no range"),
        ("lhs", {RATE: "0:1"}, None, "needs its number of points"),
        ("sobol", {RATE: "0:1"}, 100, "powers of two"),
        ("lhs", {RATE: "0:1"}, 2_000_000, "too many points"),
    ],
)
def test_factors_that_do_not_fit_the_design_are_refused(
    name: str, vary: dict[str, str], points: int | None, message: str, component: Scenario
) -> None:
    with pytest.raises(ScenarioError, match=message):
        points_of(name, factors_of(component, vary), points)


# The block in a file


def load(folder: Path, text: str) -> Scenario:
    (folder / "x.yaml").write_text(f"extends: component_50\n{text}", encoding="utf-8")
    return load_scenario(folder / "x.yaml")


def test_an_experiment_in_a_file(tmp_path: Path) -> None:
    scenario = load(
        tmp_path,
        f"""
experiment:
  vary: {{{RATE}: 0:2:0.5, sourcing.elasticity: [2, 4], supply.learning: range}}
  design: lhs
  points: 10
""",
    )
    plan = scenario.experiment
    assert plan.vary == {RATE: "0:2:0.5", "sourcing.elasticity": (2, 4), "supply.learning": "range"}
    assert (plan.design, plan.points, plan.seeds) == ("lhs", 10, None)
    assert scenario.content_hash == load_scenario("component_50").content_hash
    (tmp_path / "y.yaml").write_text(to_yaml(scenario), encoding="utf-8")
    assert load_scenario(tmp_path / "y.yaml").experiment == plan


def test_all_problems_of_an_experiment_are_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as refused:
        load(
            tmp_path,
            f"""
experiment:
  vary: {{{RATE}: 0:9:1, sourcing.elasticty: [2], supply.learning: [], run.end: {{a: 1}}}}
  design: gird
  points: 0
""",
        )
    said = {p.key: p for p in refused.value.problems}
    assert said[f"experiment.vary.{RATE}"].line == 4
    assert "did you mean sourcing.elasticity" in said["experiment.vary.sourcing.elasticty"].hint
    assert said.keys() >= {
        "experiment.vary.supply.learning", "experiment.vary.run.end", "experiment.design",
        "experiment.points",
    }  # fmt: skip


def test_steps_are_even(component: Scenario) -> None:
    values = factor_of(RATE, "0:2:0.05", component).values
    assert {round(float(b) - float(a), 9) for a, b in pairwise(values)} == {0.05}
