"""`compare` and `run`: from scenarios to a table, a report and a folder of results."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tariffsim.cli.scenarios import load_all, with_common_settings
from tariffsim.cli.screen import CONTEXT, Screen, shared

if TYPE_CHECKING:
    from tariffsim.scenario import Scenario

Progress = Callable[[int, int], None]
SET_HELP = (
    "Change a value, written as in a file; may be repeated. It holds for the scenarios and the "
    "baseline alike, so that pairs stay comparable; one of a policy holds wherever there is a "
    "policy of that name."
)
RUN_OPTIONS = (
    click.option("-o", "--out", metavar="DIR", help="Folder of results; older ones are replaced."),
    click.option("--seeds", type=click.IntRange(1, 100_000), metavar="N", help="Replications."),
    click.option("--seed", type=click.IntRange(0, 2**31), metavar="FIRST", help="First seed."),
    click.option(
        "--jobs", type=click.IntRange(1, 1024), metavar="N", help="Processes; default: all cores."
    ),
    click.option("--market", default="US", metavar="CODE", help="Whose purchases; default: US."),
    click.option("--set", "settings", multiple=True, metavar="KEY.PATH=VALUE", help=SET_HELP),
    click.option("--details", is_flag=True, help="Every measure, with its interval."),
    shared,
)


def runs(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of all commands that run scenarios."""
    for option in reversed(RUN_OPTIONS):
        function = option(function)
    return function


@click.command(context_settings=CONTEXT, short_help="Run scenarios and compare them.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--baseline", default="baseline", metavar="FILE", help="What to compare with.")
@runs
def compare(screen: Screen, files: tuple[str, ...], baseline: str, **given: Any) -> None:
    """Run scenarios and the baseline, seed by seed, and compare them.

    Each FILE is the path of a scenario or the name of a shipped one. Results, charts and report go
    to results/compare-NAMES unless --out names another folder; how many seeds, the baseline says.

    Examples:
      tariffsim compare whole_product_china component_50 no_expansion
      tariffsim compare my_tariff.yaml --seeds 5 --out results/mine
      tariffsim compare component_50 --market EU --set sourcing.elasticity=6
      tariffsim compare component_50 --set "policies.component_tariff.rate={2027-01: 0.8}"
    """
    base, *scenarios = load_all([baseline, *files])
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
    jobs: int | None,
    settings: tuple[str, ...],
    details: bool,
    seed: int | None,
) -> None:
    base, *others = with_common_settings([base, *scenarios], settings)
    _check_market(market, base)
    default = re.sub(r"[^\w.-]+", "_", name)[:80].strip("._") or "results"
    folder = Path("results", default) if out is None else Path(out)

    from tariffsim import experiments
    from tariffsim.cli.headline import data_of, text_of
    from tariffsim.report import publish
    from tariffsim.results import writing_to
    from tariffsim.scenario.remarks import remarks

    notes = [note for scenario in (base, *others) for note in remarks(scenario)]
    for note in notes:
        screen.remark(f"Note: {note}.")
    many = len({(scenario.name, scenario.content_hash) for scenario in (base, *others)})
    with writing_to(folder) as place:
        with _progress(screen, many, seeds or base.run.seeds) as progress:
            results = experiments.compare(others, base, seeds, seed, jobs, market, progress)
            publish(results)
        results.save(place)
    text = text_of(results, base, details)
    if screen.is_json:
        screen.remark(text)
    screen.show(text, data_of(results, place) | {"notes": notes})
    screen.remark(f"\nReport:  {place / 'report.html'}\nResults: {place}")


def _check_market(market: str, scenario: Scenario) -> None:
    from tariffsim.scenario.text import escaped, nearest

    known = scenario.tables().markets.codes
    if market not in known:
        message = f"there is no market {escaped(market)}; {nearest(market, known)}"
        raise click.UsageError(message, click.get_current_context())


@contextmanager
def _progress(screen: Screen, scenarios: int, seeds: int) -> Iterator[Progress | None]:
    """A bar of runs done on a terminal; elsewhere one line."""
    what = f"running {scenarios} scenario{'s'[: scenarios - 1]}, {seeds} seed{'s'[: seeds - 1]}"
    if screen.is_quiet or sys.stderr is None or not sys.stderr.isatty():
        screen.remark(what)
        yield None
        return
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.TextColumn("{task.description}", markup=False), rich.BarColumn(20),
        rich.MofNCompleteColumn(), rich.TextColumn("runs,"), rich.TimeElapsedColumn(),
        rich.TextColumn("so far,"), rich.TimeRemainingColumn(), rich.TextColumn("to go"),
    )  # fmt: skip
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what.partition(",")[0], total=scenarios * seeds)
        yield lambda done, total: bar.update(task, completed=done)
