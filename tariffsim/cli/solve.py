"""`solve`: the value of one parameter that meets a target."""

from __future__ import annotations

from math import isfinite, nan
from typing import TYPE_CHECKING, Any

import click

from tariffsim.cli.completion import SCENARIO
from tariffsim.cli.experiment import experiment
from tariffsim.cli.options import BASELINE, RunOptions, metric_named, run_options
from tariffsim.cli.screen import (
    Command,
    count,
    number,
    prose,
    show_facts,
    usage_error,
    with_interval,
)

if TYPE_CHECKING:
    from tariffsim.experiments.solve import Setter, Solution
    from tariffsim.record.intervals import Interval
    from tariffsim.scenario import Scenario

RATE = "rate"
"""In place of a key: the tariffs of a scenario, all in proportion."""
SHOCKS = ("price_cut", "capacity_plan")
SIGNIFICANT = 4
"""Significant digits of the solution."""


@click.command(cls=Command, order=30, short_help="Find the value that meets a target.")
@click.argument("file", metavar="FILE", type=SCENARIO)
@click.argument("key", default=RATE, metavar="[KEY]")
@click.option("--target", metavar="METRIC=LEVEL", help="Level of a metric to reach.")
@click.option("--change", metavar="METRIC=CHANGE", help="Difference from the baseline to reach.")
@click.option("--like", metavar="FILE", help="Scenario whose --metric is to be reached.")
@click.option(
    "--against", metavar="KIND=SHARE",
    help="Add a price_cut or capacity_plan (0.1 is 10 pp) to the scenario, and find the value "
    "that brings --metric back to the level of the baseline.",
)  # fmt: skip
@click.option("--metric", default="cn_share", metavar="NAME", help="For --like and --against.")
@click.option("--between", metavar="LOW:HIGH", help="Range to search; default for rates: 0:2.")
@BASELINE
@run_options
def solve(
    options: RunOptions, file: str, key: str, target: str | None, change: str | None,
    like: str | None, against: str | None, metric: str, between: str | None, baseline: str | None,
) -> None:  # fmt: skip
    """Find the value of one parameter at which a metric meets a target, with its interval.

    KEY is a value of the scenario, such as sourcing.elasticity; by default the rate of its tariffs,
    all in proportion. Dates stay: the value of a dated path is its last level, and the earlier
    steps of a policy keep their proportion to it. Every value is run with the same seeds. If none
    meets the target, the nearest that can be reached is reported.

    Examples:
      tariffsim solve component_50 --target cn_share=10
      tariffsim solve component_50 --like whole_product_china --metric duty_revenue
      tariffsim solve component_50 --against price_cut=0.10 --seeds 5
      tariffsim solve component_50 policies.component_tariff.threshold --change welfare=0
    """
    if sum(option is not None for option in (target, change, like, against)) != 1:
        raise usage_error("give one of --target, --change, --like and --against")
    option = "--target" if target else "--change"
    name, level = _named_number(target or change or f"{metric}=0", option)
    known = metric_named(name)
    shock = _named_number(against, "--against") if against else None
    base, scenario, *others = options.load([file, *([like] if like else [])], baseline)
    scenario = _with_shock(scenario, shock)
    question = (target, change, against, metric, key, between)
    at, ends, unit = _search(scenario, key, between)
    with experiment(options, f"solve-{scenario.name}", (base, scenario, *others), question) as runs:
        from tariffsim.experiments.solve import Target
        from tariffsim.experiments.solve import solve as find
        from tariffsim.record.metrics import COMPARED

        reference = None if target else (others or [base])[0]
        runner = runs.runner(base, skips_baseline=name not in COMPARED)
        found = find(at, Target(name, level, reference), ends, runner)
        aim = _aim(level, known.unit, reference.name if reference else "")
        data = {"scenario": scenario.name, "key": key, "unit": unit, "aim": aim}
        words = f"{prose(_sentence(found, key, aim, ends))}\n\n{_table(found, key, unit)}"
        named = {base.name: base, f"{scenario.name}_answer": found.scenario}
        results = runs.results(named, {"solve": found.table()})
        runs.finish(results, words, data | _json(found, ends))


def _named_number(given: str, option: str) -> tuple[str, float]:
    """Name and number of `name=number`."""
    name, _, digits = given.partition("=")
    try:
        value = float(digits)
    except ValueError:
        value = nan
    if not isfinite(value):
        raise usage_error(f"{option} must be NAME=NUMBER, such as cn_share=10")
    return name.strip(), value


def _with_shock(scenario: Scenario, shock: tuple[str, float] | None) -> Scenario:
    """The scenario with the shock that is to be offset."""
    if shock is None:
        return scenario
    kind, points = shock
    if kind not in SHOCKS:
        raise usage_error(f"--against must be one of {', '.join(SHOCKS)} with its size")
    from tariffsim.scenario import replace

    start = scenario.model_dump(mode="json")["run"]["start"]
    policy = {"kind": kind, "points": points, "start": start}
    return replace(scenario, policies={f"against_{kind}": policy})


def _search(
    scenario: Scenario, key: str, between: str | None
) -> tuple[Setter, tuple[float, float], str]:
    """How a value is set, the range that is searched, and its unit."""
    from tariffsim.experiments.designs import factors_of
    from tariffsim.experiments.scaling import max_strength, rate_key, with_strength
    from tariffsim.scenario.factors import RANGE
    from tariffsim.scenario.variation import varied

    is_rate = key == RATE
    at_key = rate_key(scenario) if is_rate else key
    is_path = at_key.startswith("policies.") and at_key.endswith(".rate")
    default = f"0:{max_strength(scenario):g}" if is_path else RANGE
    (factor,) = factors_of(scenario, {at_key: between or default}, "--between")
    if factor.low is None or factor.high is None:
        raise usage_error("--between must be LOW:HIGH, such as 0:2")

    def at(value: float) -> Scenario:
        return with_strength(scenario, value) if is_rate else varied(scenario, {key: value})

    return at, (factor.low, factor.high), factor.unit


def _aim(level: float, unit: str, reference: str) -> str:
    if not reference:
        return f"{level:g} {unit}"
    difference = f" {level:+g} {'pp' if unit.startswith('%') else unit}" if level else ""
    return f"that of {reference}{difference}"


def _interval(value: Interval, decimals: int) -> str:
    return with_interval(number(value.mean, decimals), value.low, value.high, decimals)


def _sentence(found: Solution, key: str, aim: str, ends: tuple[float, float]) -> str:
    """What was found, or how near one can get."""
    root, known = found.root, found.target.known
    value = f"{root.value:.{SIGNIFICANT}g}"
    if isfinite(root.low):
        value += f" (95 % interval {root.low:.{SIGNIFICANT}g} to {root.high:.{SIGNIFICANT}g})"
    if not root.is_met:
        return (
            f"No {key} between {ends[0]:g} and {ends[1]:g} brings {known.label} to {aim}: the "
            f"nearest is {_interval(found.reached, known.decimals)} {known.unit}, at {value}."
        )
    if root.is_jump:
        return (
            f"{known.label} jumps past {aim} at {key} {value}: no value meets it exactly, and the "
            f"solution has no interval."
        )
    return f"{key} {value} brings {known.label} to {aim}."


def _table(found: Solution, key: str, unit: str) -> str:
    root, known = found.root, found.target.known
    n = len(root.at.gaps)
    lines = {
        f"{key}, {unit}": with_interval(number(root.value, 3), root.low, root.high, 3),
        f"{known.label}, {known.unit}": _interval(found.reached, known.decimals + 1),
        "found between": " and ".join(f"{end:.{SIGNIFICANT}g}" for end in root.bracket),
        "tried": f"{count(len(root.evaluations), 'value')}, {count(n, 'seed')} each",
    }
    if root.is_met and n > 1:
        lines["[95 %] of the solution"] = "that of the mean gap to the target over the slope there"
    return show_facts(lines.items())


def _json(found: Solution, ends: tuple[float, float]) -> dict[str, Any]:
    root = found.root
    return {
        "is_met": root.is_met, "is_jump": root.is_jump, "value": root.value, "low": root.low,
        "high": root.high, "between": ends, "bracket": root.bracket, "slope": root.slope,
        "metric": found.target.metric, "reached": vars(found.reached),
        "tried": len(root.evaluations),
    }  # fmt: skip
