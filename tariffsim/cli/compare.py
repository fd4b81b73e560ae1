"""`compare` and `run`: from scenarios to a table, a report and a folder of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from tariffsim.cli.completion import SCENARIO
from tariffsim.cli.experiment import Experiment, experiment
from tariffsim.cli.headline import by_metric, json_of, static_text, text_of
from tariffsim.cli.options import BASELINE, RunOptions, load_all, run_options
from tariffsim.cli.screen import Command, count, prose, usage_error
from tariffsim.cli.variation import in_words

if TYPE_CHECKING:
    import pandas as pd

    from tariffsim.scenario import Scenario

TORNADO_SEEDS = 3
"""Replications of the search for the assumptions that matter most."""
DETAILS = click.option("--details", is_flag=True, help="Every metric, with its interval.")


def _percentage_points(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> float | None:
    """Percentage points, written as 0.1pp or 0.1."""
    if value is None:
        return None
    try:
        points = float(value.removesuffix("pp"))
    except ValueError:
        points = 0.0
    if not 0 < points < 100:
        message = f"{value!r} is not a number of percentage points such as 0.1pp"
        raise click.BadParameter(message, ctx, param)
    return points


@click.command(cls=Command, order=10, short_help="Run scenarios and compare them.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=SCENARIO)
@BASELINE
@click.option(
    "--equal", type=click.Choice(["effect", "revenue"]), metavar="WHAT",
    help="First scale the rates of all scenarios to the effect (Chinese share of chips) or the "
    "revenue of the first FILE, at central parameters.",
)  # fmt: skip
@click.option(
    "--precision", callback=_percentage_points, metavar="PP",
    help="Add seeds, from 5 to 40, until the part of the interval of each change of the Chinese "
    "share that is due to seeds reaches no further than so many percentage points to either side, "
    "such as 0.1pp; default: 0.2pp. Not with --seeds, which fixes their number.",
)  # fmt: skip
@click.option(
    "--sensitivity", is_flag=True,
    help="Report the three assumptions that matter most to each scenario: low and high end of "
    f"every plausible range, {TORNADO_SEEDS} seeds; about a hundred more paired runs a scenario.",
)  # fmt: skip
@click.option(
    "--static", "is_static", is_flag=True,
    help="The static limit in place of runs: where choices, prices and demand come to rest under "
    "the law of the last month. Seconds; prints a table, writes nothing.",
)  # fmt: skip
@click.option(
    "--fixed-parameters", is_flag=True,
    help="Leave all parameters at their defaults; otherwise they are drawn for the seeds (every "
    "fourth has the draw before it), and intervals cover seeds and parameters.",
)  # fmt: skip
@DETAILS
@run_options
def compare(
    options: RunOptions, files: tuple[str, ...], baseline: str | None, is_static: bool, **given: Any
) -> None:
    """Run scenarios and the baseline, seed by seed, and compare them.

    Each FILE is the path of a scenario or the name of a shipped one. Results, charts and report go
    to results/compare-NAMES unless --out names another folder. Seeds are added until the change
    of the Chinese share is known to --precision, unless --seeds or the `run.seeds` of a scenario
    fixes their number. The baseline is `baseline` unless the scenarios name another
    (`compare_with`) or --baseline does.

    Examples:
      tariffsim compare whole_product_china component_50 no_expansion
      tariffsim compare my_tariff.yaml --seeds 5 --out results/mine
      tariffsim compare component_50 --precision 0.1pp --jobs 2
      tariffsim compare component_50 whole_product_china --equal effect
      tariffsim compare component_50 whole_product_china --static
      tariffsim compare component_50 --market EU --set sourcing.elasticity=6
      tariffsim compare component_50 --set "policies.component_tariff.rate={2027-01: 0.8}"
    """
    (base, *scenarios), notes = options.load_with_notes(files, baseline)
    if options.seeds and given["precision"]:
        raise usage_error("--seeds is a fixed number of seeds: leave out --precision")
    if is_static:
        return _static(options, base, scenarios, given)
    name = "-".join(("compare", *(scenario.name for scenario in scenarios)))
    _run_all(options, name, base, scenarios, notes, **given)


def _static(
    options: RunOptions, base: Scenario, scenarios: Sequence[Scenario], given: Mapping[str, Any]
) -> None:
    """The comparison in the static limit, as a table."""
    runs: dict[str, object] = {"out": options.out, "store": options.store}
    if unfit := [
        f"--{name.replace('_', '-')}" for name, value in {**given, **runs}.items() if value
    ]:
        raise usage_error(f"--static makes no runs: leave out {', '.join(unfit)}")
    from tariffsim.experiments.comparative_statics import LEFT_OUT, compare_static

    found = compare_static(scenarios, base, options.seeds, options.seed, options.market)
    options.screen.show(
        static_text(found, options.market, LEFT_OUT),
        {"static": True, "headline": by_metric(found, "scenario"), "left_out": LEFT_OUT},
    )


@click.command(cls=Command, order=20, short_help="Run one scenario by itself.")
@click.argument("file", metavar="FILE", type=SCENARIO)
@DETAILS
@run_options
def run(options: RunOptions, file: str, details: bool) -> None:
    """Run one scenario by itself; its costs need something to `compare` it with.

    Parameters are at their central values. Results, charts and report go to results/NAME
    unless --out names another folder.

    Examples:
      tariffsim run baseline
      tariffsim run my_tariff.yaml --seeds 1 --out results/mine
    """
    from tariffsim.scenario.focus import focus_remarks

    (scenario,) = options.prepared(load_all([file]))
    notes = [*focus_remarks([scenario], options.market)]
    _run_all(options, scenario.name, scenario, [], notes, details, fixed_parameters=True)


def _run_all(
    options: RunOptions, name: str, base: Scenario, scenarios: Sequence[Scenario],
    on_focus: Sequence[str], details: bool, fixed_parameters: bool,
    precision: float | None = None, sensitivity: bool = False, equal: str | None = None,
) -> None:  # fmt: skip
    from tariffsim.explain.remarks import levied_elsewhere, remarks

    notes = [*on_focus, *(note for scenario in (base, *scenarios) for note in remarks(scenario))]
    notes += [n for scenario in scenarios for n in levied_elsewhere(scenario, options.market)]
    for note in _once(notes):
        options.screen.remark(f"Note: {note}.")
    n = len({(scenario.name, scenario.content_hash) for scenario in (base, *scenarios)})
    what = f"{count(n, 'scenario')}, {_seeds(options, base, scenarios, precision)}"
    question = f"{equal} with {'central' if fixed_parameters else 'drawn'} parameters"
    with experiment(options, name, (base, *scenarios), question, what, False) as runs:
        from tariffsim import experiments

        scaled: list[str] = []
        if equal and scenarios:
            scenarios, scaled = _scaled(runs, base, scenarios, equal)
        settings = runs.settings
        results = experiments.compare(
            scenarios, base, options.seeds, options.seed, settings.jobs, options.market,
            runs.progress, precision=precision, store=settings.store, engine=settings.engine,
            scheduler=settings.scheduler, fixed_parameters=fixed_parameters,
        )  # fmt: skip
        text = "\n".join([text_of(results, base, details), *map(prose, scaled)])
        data = json_of(results, runs.folder) | {"notes": [*notes, *scaled]}
        if sensitivity and len(results.titles) > 1:
            found = _tornadoes(runs, base, scenarios)
            results.tables["assumptions"] = found
            text += f"\n\n{in_words(found, TORNADO_SEEDS)}"
            data["assumptions"] = found.to_dict("records")
        runs.finish(
            results, text, data, f"Report:  {runs.folder / 'report.html'}\n", has_report=True
        )


def _once(notes: Sequence[str]) -> list[str]:
    """Notes that say the same of several scenarios as one, with all their names."""
    found: dict[str, list[str]] = {}
    for note in notes:
        name, _, text = note.partition(": ")
        found.setdefault(text or note, []).append(name if text else "")
    return [f"{', '.join(names)}: {text}" if names[0] else text for text, names in found.items()]


def _seeds(
    options: RunOptions, base: Scenario, scenarios: Sequence[Scenario], precision: float | None
) -> str:
    """How many seeds are to be run."""
    from tariffsim.scenario import written_seeds

    fixed = options.seeds or (written_seeds([base, *scenarios]) if precision is None else None)
    if scenarios and fixed is None:
        return "as many seeds as the precision takes"
    return count(fixed or base.run.seeds, "seed")


def _scaled(
    runs: Experiment, base: Scenario, scenarios: Sequence[Scenario], equal: str
) -> tuple[list[Scenario], list[str]]:
    """The scenarios scaled to the effect or revenue of the first, and what was done to them."""
    from tariffsim.experiments.scaling import scaled_to_first

    found = list(scaled_to_first(scenarios, equal, runs.runner(base, skips_baseline=True)))
    return [one.scenario for one in found], [str(one) for one in found if one.solution]


def _tornadoes(runs: Experiment, base: Scenario, scenarios: Sequence[Scenario]) -> pd.DataFrame:
    """One row a scenario and assumption: the Chinese share at its low and its high end."""
    import pandas as pd

    from tariffsim.experiments.sensitivity import sensitivity

    options = runs.options
    found = [
        sensitivity(
            scenario, base, seeds=TORNADO_SEEDS, seed=options.seed, market=options.market,
            settings=runs.settings, progress=runs.progress,
        ).tables["sensitivity"].assign(scenario=scenario.name)
        for scenario in scenarios
        if scenario != base
    ]  # fmt: skip
    return pd.concat(found, ignore_index=True)
