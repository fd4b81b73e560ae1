"""`decompose` and `timing`: which changes make a difference, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tariffsim.cli.completion import SCENARIO
from tariffsim.cli.experiment import experiment
from tariffsim.cli.options import BASELINE, RunOptions, metric_named, run_options
from tariffsim.cli.screen import (
    NOT_SIGNIFICANT,
    Column,
    Command,
    Row,
    count,
    prose,
    show,
    usage_error,
)

if TYPE_CHECKING:
    import pandas as pd

    from tariffsim.record.dictionary import Metric


@click.command(cls=Command, order=70, short_help="Attribute the difference of two scenarios.")
@click.argument("first", metavar="FIRST")
@click.argument("second", metavar="SECOND")
@click.option("--metric", default="cn_share", metavar="NAME", help="Which; default: cn_share.")
@run_options
def decompose(options: RunOptions, first: str, second: str, metric: str) -> None:
    """Attribute the difference between two scenarios to the changes between them.

    A change is a policy, or a value, in which the scenarios differ. All combinations of changes
    are run with the same seeds; the contribution of a change is the mean over all orders of what it
    adds to those made before it (Shapley value). Contributions add up exactly. At most 8 changes;
    more values than that are taken block by block. Welfare is relative to FIRST.

    Examples:
      tariffsim decompose no_expansion component_50
      tariffsim decompose baseline component_50 --metric consumer_surplus_loss --seeds 5
    """
    known = metric_named(metric)
    one, other = options.load([second], first)

    from tariffsim.experiments.decompose import changes_between
    from tariffsim.experiments.decompose import decompose as attribute

    changes = changes_between(one, other)
    options.screen.remark(f"{count(len(changes), 'change')}: {2 ** len(changes)} scenarios")
    name = f"decompose-{one.name}-{other.name}"
    with experiment(options, name, (one, other)) as runs:
        found = attribute(one, other, runs.runner(one))
        rows = found[found["metric"] == metric]
        named = {one.name: one, (other.name if other.name != one.name else "second"): other}
        results = runs.results(named, {"decomposition": found}, metric=metric)
        data = {"metric": metric, "steps": rows.to_dict("records")}
        runs.finish(results, _waterfall(rows, known, options.market), data)


def _waterfall(rows: pd.DataFrame, known: Metric, market: str) -> str:
    about = (
        f"{known.label}, {known.unit}, {market}: contributions of the changes, with 95 % "
        f"intervals. {NOT_SIGNIFICANT}: not statistically significant."
    )
    rows = rows.rename(columns={"low": "contribution_low", "high": "contribution_high"})
    columns = ("change", "contribution", Column("", _significance, is_number=False))
    return f"{prose(about)}\n\n{show(rows, columns)}"


def _significance(row: Row) -> str:
    is_certain = row["step"] != "change" or row["n"] < 2 or row["is_significant"]
    return "" if is_certain else NOT_SIGNIFICANT


@click.command(cls=Command, order=80, short_help="The value of early action.")
@click.argument("file", metavar="FILE", type=SCENARIO)
@click.option(
    "--start", "span", required=True, metavar="FIRST..LAST", help="First months of the policy."
)
@click.option("--step", type=click.IntRange(1, 120), default=6, metavar="MONTHS", help="Default 6.")
@BASELINE
@run_options
def timing(options: RunOptions, file: str, span: str, step: int, baseline: str | None) -> None:
    """Effect of the policies of a scenario by the end of the run, by their first month.

    All their dates move by the same number of months, announcements too.
    Shown are the Chinese share at the end, the reduction of the share over the whole run in
    percentage points x months, and the costs; all relative to the baseline, seed by seed.

    Examples:
      tariffsim timing component_50 --start 2025-01..2030-01
      tariffsim timing component_50 --start 2026..2029 --step 12 --seeds 5
    """
    starts = _starts(span, step)
    base, scenario = options.load([file], baseline)

    from tariffsim.experiments.timing import TOTALS, first_month
    from tariffsim.experiments.timing import timing as by_start

    first_month(scenario)  # refuses a scenario without policies before anything is run
    with experiment(options, f"timing-{scenario.name}", (base, scenario), (span, step)) as runs:
        found = by_start(scenario, starts, base, runs.runner(base))
        results = runs.results({base.name: base, scenario.name: scenario}, {"timing": found})
        about = (
            f"By first month of the policy: Chinese share of chips in {options.market} purchases in"
            " the last 12 months; reduction of the share, loss of consumer surplus, welfare and"
            f" revenue over the whole run, relative to {base.name}; [95 %] of paired differences"
        )
        columns = ("start", "share", "share_reduction", *TOTALS)
        words = f"{prose(about)}\n\n{show(found, columns)}"
        runs.finish(results, words, {"starts": found.to_dict("records")})


def _starts(span: str, step: int) -> list[int]:
    from tariffsim.typing import parse_month

    first, dots, last = span.partition("..")
    try:
        found = list(range(parse_month(first), parse_month(last if dots else first) + 1, step))
    except ValueError as error:
        message = f"--start must be FIRST..LAST, such as 2025-01..2030-01: {error}"
        raise usage_error(message) from None
    if not found:
        raise usage_error("--start must not end before it begins")
    return found
