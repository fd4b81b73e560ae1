"""`decompose` and `timing`: what makes a difference, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tariffsim.cli.asking import asking, asks, metric_of, settled, spread
from tariffsim.cli.runs import BASELINE
from tariffsim.cli.screen import CONTEXT, Screen, prose, table

if TYPE_CHECKING:
    import pandas as pd

    from tariffsim.record.dictionary import Metric

UNSURE = " (not distinguishable)"


@click.command(context_settings=CONTEXT, short_help="What makes two scenarios differ.")
@click.argument("first", metavar="FIRST")
@click.argument("second", metavar="SECOND")
@click.option("--metric", default="cn_share", metavar="NAME", help="Which; default: cn_share.")
@asks
def decompose(screen: Screen, first: str, second: str, metric: str, **given: Any) -> None:
    """Share out the difference between two scenarios among the changes that make it.

    A change is a policy, or a value, that the scenarios do not share. All combinations of changes
    are run with the same seeds; what a change contributes is the mean over all orders of what it
    adds to those made before it (Shapley value). Contributions add up exactly. At most 8 changes;
    more values than that are taken block by block. Welfare is against FIRST.

    Examples:
      tariffsim decompose no_expansion component_50
      tariffsim decompose baseline component_50 --measure consumer_surplus_loss --seeds 5
    """
    known = metric_of(metric)
    one, other = settled([second], first, given)
    name = f"decompose-{one.name}-{other.name}"

    from tariffsim.experiments.decompose import changes_between
    from tariffsim.experiments.decompose import decompose as share_out

    changes = changes_between(one, other)
    screen.remark(f"{len(changes)} changes: {2 ** len(changes)} scenarios")
    with asking(screen, name, one, **given) as asked:
        found = share_out(one, other, asked.runs)
        rows = found[found["metric"] == metric]
        named = {one.name: one, (other.name if other.name != one.name else "second"): other}
        text = f"{prose(_titled(known, asked.runs.market))}\n\n{_waterfall(rows, known)}"
        data = {"metric": metric, "steps": rows.to_dict("records")}
        asked.finish(named, {"decomposition": found}, text, data, metric=metric)


def _titled(known: Metric, market: str) -> str:
    return (
        f"{known.label}, {known.unit}, {market}: contributions of the changes, with 95 % intervals"
    )


def _waterfall(rows: pd.DataFrame, known: Metric) -> str:
    cells = []
    for row in rows.to_dict("records"):
        sign = "+" if row["step"] == "change" else ""
        said = spread(row["contribution"], row["low"], row["high"], known.decimals + 1, sign)
        unsure = row["step"] == "change" and row["n"] > 1 and not row["is_significant"]
        cells.append((row["change"], said + UNSURE * unsure))
    return table(("", f"{known.label}, {known.unit}"), cells)


@click.command(context_settings=CONTEXT, short_help="What acting early is worth.")
@click.argument("file", metavar="FILE")
@click.option(
    "--start", "span", required=True, metavar="FIRST..LAST", help="First months of the policy."
)
@click.option("--step", type=click.IntRange(1, 120), default=6, metavar="MONTHS", help="Default 6.")
@BASELINE
@asks
def timing(
    screen: Screen, file: str, span: str, step: int, baseline: str | None, **given: Any
) -> None:  # fmt: skip
    """What the policies of a scenario reach by the end of the run, by the month they start in.

    All their dates move alike, announcements too, so that a late policy is the early one later.
    Shown are the Chinese share at the end, the share avoided over the whole run in points x
    months, and what it costs; all against never acting, seed by seed.

    Examples:
      tariffsim timing component_50 --start 2025-01..2030-01
      tariffsim timing component_50 --start 2026..2029 --step 12 --seeds 5
    """
    starts = _starts(span, step)
    base, scenario = settled([file], baseline, given)

    from tariffsim.experiments.timing import first_month
    from tariffsim.experiments.timing import timing as by_start

    first_month(scenario)
    with asking(screen, f"timing-{scenario.name}", base, **given) as asked:
        found = by_start(scenario, starts, base, asked.runs)
        named = {base.name: base, scenario.name: scenario}
        text = f"{prose(_about(asked.runs.market, base.name))}\n\n{_curve(found)}"
        asked.finish(named, {"timing": found}, text, {"starts": found.to_dict("records")})


def _starts(span: str, step: int) -> list[int]:
    from tariffsim.typing import parse_month

    first, dots, last = span.partition("..")
    try:
        found = list(range(parse_month(first), parse_month(last if dots else first) + 1, step))
    except ValueError as error:
        message = f"--start must be FIRST..LAST, such as 2025-01..2030-01: {error}"
        raise click.UsageError(message, click.get_current_context()) from None
    if not found:
        message = "--start must not end before it begins"
        raise click.UsageError(message, click.get_current_context())
    return found


def _about(market: str, baseline: str) -> str:
    return (
        f"By first month of the policy: Chinese share of chips in {market} purchases in the last "
        f"12 months; points of share x months avoided, consumers' cost, welfare and revenue over "
        f"the whole run, against {baseline}; [95 %] of the paired differences"
    )


HEADS = {
    "share": ("share\n%", 1, ""), "avoided": ("avoided\npoint-months", 0, ""),
    "total_consumer_surplus_loss": ("consumer cost\nbn USD", 2, "+"),
    "total_welfare": ("welfare\nbn USD", 2, "+"), "total_revenue": ("revenue\nbn USD", 2, "+"),
}  # fmt: skip


def _curve(found: pd.DataFrame) -> str:
    cells = [
        (row["start"], *(spread(row[c], row[f"{c}_low"], row[f"{c}_high"], decimals, sign)
                         for c, (_, decimals, sign) in HEADS.items()))
        for row in found.to_dict("records")
    ]  # fmt: skip
    return table(("start", *(head for head, *_ in HEADS.values())), cells, " rrrrr")
