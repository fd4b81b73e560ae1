"""`solve`: the value of one parameter that meets a target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tariffsim.cli.asking import (
    asking,
    asks,
    metric_of,
    named_number,
    settled,
    spread,
    with_interval,
)
from tariffsim.cli.runs import BASELINE
from tariffsim.cli.screen import CONTEXT, Screen, prose, table

if TYPE_CHECKING:
    from tariffsim.experiments.solve import Setter, Solution
    from tariffsim.scenario import Scenario

RATE = "rate"
"""In place of a key: the tariffs of a scenario, all in proportion."""
SHOCKS = ("price_cut", "capacity_plan")
SIGNIFICANT = 4


@click.command(context_settings=CONTEXT, short_help="Find the value that meets a target.")
@click.argument("file", metavar="FILE")
@click.argument("key", default=RATE, metavar="[KEY]")
@click.option("--target", metavar="MEASURE=LEVEL", help="Level of a measure to reach.")
@click.option("--change", metavar="MEASURE=CHANGE", help="Difference from the baseline to reach.")
@click.option("--like", metavar="FILE", help="Scenario whose --measure is to be reached.")
@click.option(
    "--against", metavar="KIND=POINTS",
    help="Add a price_cut or capacity_plan of so many points (0.1 is ten) to the scenario, and "
    "find what brings --measure back to where the baseline has it.",
)  # fmt: skip
@click.option("--metric", default="cn_share", metavar="NAME", help="For --like and --against.")
@click.option("--between", metavar="LOW:HIGH", help="Where to look; for rates 0:2 if left out.")
@BASELINE
@asks
def solve(
    screen: Screen, file: str, key: str, target: str | None, change: str | None,
    like: str | None, against: str | None, metric: str, between: str | None, baseline: str | None,
    **given: Any,
) -> None:  # fmt: skip
    """Find the value of one parameter at which a measure meets a target, with its interval.

    KEY is a value of the scenario, such as sourcing.elasticity; left out, the rate of its tariffs,
    all in proportion. Dates stay: the value of a dated path is its last level, and the earlier
    steps of a policy keep their proportion to it. Every value is run with the same seeds. Where
    none meets the target, the answer is the nearest that can be had, marked as such.

    Examples:
      tariffsim solve component_50 --target cn_share=10
      tariffsim solve component_50 --like whole_product_china --measure duty_revenue
      tariffsim solve component_50 --against price_cut=0.10 --seeds 5
      tariffsim solve component_50 policies.component_tariff.threshold --change welfare=0
    """
    if sum(asked is not None for asked in (target, change, like, against)) != 1:
        message = "give one of --target, --change, --like and --against"
        raise click.UsageError(message, click.get_current_context())
    option = "--target" if target else "--change"
    name, level = named_number(target or change or f"{metric}=0", option)
    known = metric_of(name)
    shock = named_number(against, "--against") if against else None
    files = [file, *([like] if like else [])]
    base, scenario, *others = settled(files, baseline, given)
    scenario = _shocked(scenario, shock)
    at, ends, unit = _looked_for(scenario, key, between)

    from tariffsim.experiments.solve import Target
    from tariffsim.experiments.solve import solve as find
    from tariffsim.record.metrics import COMPARED

    is_alone = bool(target) and name not in COMPARED
    with asking(screen, f"solve-{scenario.name}", base, is_alone=is_alone, **given) as asked:
        reference = None if target else (others or [base])[0]
        found = find(at, Target(name, level, reference), ends, asked.runs)
        aim = _aim(level, known.unit, reference.name if reference else "")
        facts = {"scenario": scenario.name, "key": key, "unit": unit, "aim": aim}
        text = f"{prose(_sentence(found, key, aim, ends))}\n\n{_lines(found, key, unit)}"
        named = {base.name: base, f"{scenario.name}_answer": found.scenario}
        asked.finish(named, {"solve": found.table()}, text, facts | _data(found, ends))


def _shocked(scenario: Scenario, shock: tuple[str, float] | None) -> Scenario:
    """The scenario with what is to be offset."""
    if shock is None:
        return scenario
    kind, points = shock
    if kind not in SHOCKS:
        message = f"--against must be one of {', '.join(SHOCKS)} with its points"
        raise click.UsageError(message, click.get_current_context())
    from tariffsim.scenario import replace

    start = scenario.model_dump(mode="json")["run"]["start"]
    policy = {"kind": kind, "points": points, "start": start}
    return replace(scenario, policies={f"against_{kind}": policy})


def _looked_for(
    scenario: Scenario, key: str, between: str | None
) -> tuple[Setter, tuple[float, float], str]:
    """How a value is set, between which ends, and its unit."""
    from tariffsim.experiments.designs import factors_of
    from tariffsim.experiments.points import varied
    from tariffsim.experiments.strength import rate_key, strongest, with_strength
    from tariffsim.scenario.factors import RANGE

    is_rate = key == RATE
    at_key = rate_key(scenario) if is_rate else key
    is_path = at_key.startswith("policies.") and at_key.endswith(".rate")
    default = f"0:{strongest(scenario):g}" if is_path else RANGE
    (factor,) = factors_of(scenario, {at_key: between or default}, "--between")
    if factor.low is None or factor.high is None:
        message = "--between must be LOW:HIGH, such as 0:2"
        raise click.UsageError(message, click.get_current_context())

    def at(value: float) -> Scenario:
        return with_strength(scenario, value) if is_rate else varied(scenario, {key: value})

    return at, (factor.low, factor.high), factor.unit


def _aim(level: float, unit: str, reference: str) -> str:
    if not reference:
        return f"{level:g} {unit}"
    points = "points" if unit.startswith("%") else unit
    return f"that of {reference}" + (f" {level:+g} {points}" if level else "")


def _sentence(found: Solution, key: str, aim: str, ends: tuple[float, float]) -> str:
    """What was found, or how near one can get."""
    root, known = found.root, found.target.known
    value = f"{root.value:.{SIGNIFICANT}g}"
    if not root.is_met:
        return (
            f"No {key} between {ends[0]:g} and {ends[1]:g} brings {known.label} to {aim}: the "
            f"nearest is {with_interval(found.reached, known.decimals)} {known.unit}, at {value}."
        )
    if root.is_jump:
        return (
            f"{known.label} jumps past {aim} at {key} {value}: no value meets it exactly, and the "
            f"answer has no interval."
        )
    return f"{key} {value} brings {known.label} to {aim}."


def _lines(found: Solution, key: str, unit: str) -> str:
    root, known = found.root, found.target.known
    n = len(root.at.gaps)
    lines = [
        (f"{key}, {unit}", spread(root.value, root.low, root.high, 3)),
        (f"{known.label}, {known.unit}", with_interval(found.reached, known.decimals + 1)),
        ("found between", " and ".join(f"{end:.{SIGNIFICANT}g}" for end in root.bracket)),
        ("tried", f"{len(root.points)} values, {n} seed{'s'[: n - 1]} each"),
        ("[95 %] of the answer", "that of the mean gap to the target over the slope there"),
    ]
    return table(("", ""), lines if root.is_met and n > 1 else lines[:-1])


def _data(found: Solution, ends: tuple[float, float]) -> dict[str, Any]:
    root = found.root
    return {
        "is_met": root.is_met, "is_jump": root.is_jump, "value": root.value, "low": root.low,
        "high": root.high, "between": ends, "bracket": root.bracket, "slope": root.slope,
        "metric": found.target.metric, "reached": vars(found.reached),
        "tried": len(root.points),
    }  # fmt: skip
