"""`compare` and `run`: from scenarios to a table, a report and a folder of results."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tariffsim.cli.engine import end_with, making_runs, on_engine, to_precision
from tariffsim.cli.scenarios import load_all, load_with_baseline, with_common_settings
from tariffsim.cli.screen import CONTEXT, Screen, prose, shared

if TYPE_CHECKING:
    from tariffsim.scenario import Scenario

SET_HELP = (
    "Change a value, written as in a file; may be repeated. It holds for the scenarios and the "
    "baseline alike, so that pairs stay comparable; one of a policy holds wherever there is a "
    "policy of that name."
)
DETAILS = click.option("--details", is_flag=True, help="Every measure, with its interval.")
BASELINE = click.option("--baseline", metavar="FILE", help="What to compare with.")
TORNADO_SEEDS = 3
"""Replications of the search for the assumptions that matter most."""
RUN_OPTIONS = (
    click.option("-o", "--out", metavar="DIR", help="Folder of results; older ones are replaced."),
    click.option("--seeds", type=click.IntRange(1, 100_000), metavar="N", help="Replications."),
    click.option("--seed", type=click.IntRange(0, 2**31), metavar="FIRST", help="First seed."),
    click.option("--market", default="US", metavar="CODE", help="Whose purchases; default: US."),
    click.option("--set", "settings", multiple=True, metavar="KEY.PATH=VALUE", help=SET_HELP),
    DETAILS,
    on_engine,
    shared,
)


def runs(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of all commands that run scenarios."""
    for option in reversed(RUN_OPTIONS):
        function = option(function)
    return function


@click.command(context_settings=CONTEXT, short_help="Run scenarios and compare them.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@BASELINE
@click.option(
    "--equal", type=click.Choice(["effect", "revenue"]), metavar="WHAT",
    help="Scale the rates of all scenarios first: to the effect (Chinese share of chips) or the "
    "revenue of the first FILE.",
)  # fmt: skip
@to_precision
@click.option(
    "--sensitivity", is_flag=True,
    help="Say which three assumptions matter most to each scenario: low and high end of every "
    f"plausible range, {TORNADO_SEEDS} seeds; about a hundred more pairs of runs a scenario.",
)  # fmt: skip
@runs
def compare(screen: Screen, files: tuple[str, ...], baseline: str | None, **given: Any) -> None:
    """Run scenarios and the baseline, seed by seed, and compare them.

    Each FILE is the path of a scenario or the name of a shipped one. Results, charts and report go
    to results/compare-NAMES unless --out names another folder; how many seeds, the baseline says.
    The baseline is `baseline` unless the scenarios say otherwise (`compare_with`) or you do.

    Examples:
      tariffsim compare whole_product_china component_50 no_expansion
      tariffsim compare my_tariff.yaml --seeds 5 --out results/mine
      tariffsim compare component_50 --precision 0.1pp --jobs 2
      tariffsim compare component_50 whole_product_china --equal effect
      tariffsim compare component_50 --market EU --set sourcing.elasticity=6
      tariffsim compare component_50 --set "policies.component_tariff.rate={2027-01: 0.8}"
    """
    base, *scenarios = load_with_baseline(files, baseline)
    name = "-".join(("compare", *(scenario.name for scenario in scenarios)))
    _run_all(screen, base, scenarios, name, **given)


@click.command(context_settings=CONTEXT, short_help="Run one scenario by itself.")
@click.argument("file", metavar="FILE")
@runs
def run(screen: Screen, file: str, **given: Any) -> None:
    """Run one scenario by itself; what it costs needs something to `compare` it with.

    Results, charts and report go to results/NAME unless --out names another folder.

    Examples:
      tariffsim run baseline
      tariffsim run my_tariff.yaml --seeds 1 --out results/mine
    """
    (scenario,) = load_all([file])
    _run_all(screen, scenario, [], scenario.name, **given)


def _run_all(
    screen: Screen,
    base: Scenario,
    scenarios: Sequence[Scenario],
    name: str,
    *,
    out: str | None,
    seeds: int | None,
    market: str,
    settings: tuple[str, ...],
    details: bool,
    seed: int | None,
    precision: float | None = None,
    sensitivity: bool = False,
    equal: str | None = None,
    **engine: Any,
) -> None:
    base, *others = with_common_settings([base, *scenarios], settings)
    check_market(market, base)
    default = re.sub(r"[^\w.-]+", "_", name)[:80].strip("._") or "results"
    folder = Path("results", default) if out is None else Path(out)

    from tariffsim.record.results import writing_to
    from tariffsim.scenario.checks import remarks

    notes = [note for scenario in (base, *others) for note in remarks(scenario)]
    for note in notes:
        screen.remark(f"Note: {note}.")
    said: list[str] = []
    many = len({(scenario.name, scenario.content_hash) for scenario in (base, *others)})
    n = seeds or base.run.seeds
    what = f"running {many} scenario{'s'[: many - 1]}, {n} seed{'s'[: n - 1]}"
    with writing_to(folder) as place:
        from tariffsim import experiments  # heavy, so not before it is known that nobody writes
        from tariffsim.cli.assumptions import in_words
        from tariffsim.cli.headline import data_of, text_of
        from tariffsim.experiments.assumptions import tornados
        from tariffsim.experiments.equal import scaled_alike
        from tariffsim.experiments.paired import Paired
        from tariffsim.experiments.store import discard
        from tariffsim.report.page import publish

        with making_runs(screen, what, place, **engine) as (made, progress):
            if equal and others:
                first = base.run.seed if seed is None else seed
                paired = Paired(base, range(first, first + n), market, made, progress, True)
                scaled = scaled_alike(others, equal, paired)
                others, said = [s.scenario for s in scaled], [str(s) for s in scaled if s.found]
            results = experiments.compare(
                others, base, seeds, seed, made.jobs, market, progress, precision=precision,
                store=made.store, engine=made.engine, scheduler=made.scheduler,
            )  # fmt: skip
            publish(results)
            if sensitivity and len(results.titles) > 1:
                found = tornados(others, base, TORNADO_SEEDS, seed, market, made, progress)
                results.tables["assumptions"] = found
        results.save(place)
        failures = results.provenance["failures"]
        if made.store and not (failures or engine["store"]):
            discard(made.store)
    text, data = (
        text_of(results, base, details),
        data_of(results, place) | {"notes": [*notes, *said]},
    )
    text = "\n".join([text, *map(prose, said)])
    if "assumptions" in results.tables:
        text += f"\n\n{in_words(results.tables['assumptions'], TORNADO_SEEDS)}"
        data["assumptions"] = results.tables["assumptions"].to_dict("records")
    if screen.is_json:
        screen.remark(text)
    screen.show(text, data)
    screen.remark(f"\nReport:  {place / 'report.html'}\nResults: {place}")
    end_with(failures)


def check_market(market: str, scenario: Scenario) -> None:
    """Refuse a market that the tables do not have."""
    from tariffsim.errors import escaped, nearest

    known = scenario.tables().markets.codes
    if market not in known:
        message = f"there is no market {escaped(market)}; {nearest(market, known)}"
        raise click.UsageError(message, click.get_current_context())
