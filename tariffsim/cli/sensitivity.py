"""`sensitivity`: which assumptions a result depends on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from tariffsim.cli.experiment import experiment, with_charts
from tariffsim.cli.headline import seeds_text
from tariffsim.cli.options import BASELINE, RunOptions, run_options
from tariffsim.cli.screen import Command, prose
from tariffsim.cli.sweep import VARY, varied
from tariffsim.cli.tables import Column, Row, number, short, show

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "tornado": ("at_low", "at_high", "swing"),
    "morris": ("mu_star", "mu", "sigma"),
    "sobol": ("total_order", "first_order"),
}
"""Columns shown by method."""
MAX_ROWS = 15


@click.command(cls=Command, order=50, short_help="Which assumptions a result depends on.")
@click.argument("file", metavar="FILE")
@click.option(
    "--method", type=click.Choice(list(COLUMNS)), default="tornado", metavar="NAME",
    help="One at a time, low and high (tornado, the default), or all together: morris screens, "
    "sobol splits the variance; the latter two need the extra `sensitivity`.",
)  # fmt: skip
@click.option(
    "--metric", default="cn_share", metavar="NAME",
    help="The result; default: cn_share. See: tariffsim list metrics.",
)  # fmt: skip
@click.option(
    "--points", type=click.IntRange(2, 100_000), metavar="N",
    help="Trajectories of morris (10), or base points of sobol (64), a power of two.",
)  # fmt: skip
@VARY
@BASELINE
@run_options
def sensitivity(
    options: RunOptions, file: str, method: Any, metric: str, points: int | None,
    vary: tuple[str, ...], baseline: str | None,
) -> None:  # fmt: skip
    """Rank the assumptions by how far they move the effect of a scenario.

    The effect is the paired difference from the baseline, which gets the same values. Every
    assumption with a plausible range is varied, or those of --vary; figures of a data table move
    together, all from low to high. Runs of the scenario: tornado 2 for each assumption, morris
    points x (assumptions + 1), sobol points x (assumptions + 2), times --seeds (5).

    Examples:
      tariffsim sensitivity component_50 --seeds 3
      tariffsim sensitivity component_50 --metric welfare --vary sourcing.elasticity=3:6
      tariffsim sensitivity component_50 --method sobol --vary sourcing.elasticity --points 16
    """
    base, own = options.load([file], baseline)
    with experiment(options, f"sensitivity-{own.name}") as runs:
        from tariffsim.experiments.sensitivity import sensitivity as analyse

        results = analyse(
            own, base, method, metric, varied(vary), points, options.seeds, options.seed,
            options.market, runs.settings, runs.progress,
        )  # fmt: skip
        found = results.tables["sensitivity"]
        words = f"{_table(found, method)}\n\n{prose(_notes(results.provenance, found))}"
        data = {"method": method, "metric": metric, "factors": results.provenance["factors"],
                "sensitivity": found.to_dict("records")}  # fmt: skip
        runs.finish(with_charts(results), words, data)


def _table(found: pd.DataFrame, method: str) -> str:
    columns: list[str | Column] = ["factor", Column("range", _range), *COLUMNS[method]]
    table = show(found.head(MAX_ROWS), columns)
    more = len(found) - MAX_ROWS
    return f"{table}\n... {more} weaker ones: see sensitivity.csv" if more > 0 else table


def _range(row: Row) -> str:
    return f"{short(row['low_end'])} to {short(row['high_end'])}"


def _notes(facts: Mapping[str, Any], found: pd.DataFrame) -> str:
    from tariffsim.record.dictionary import metrics

    known = metrics()[facts["metric"]]
    unit = "pp" if known.unit == "%" else known.unit
    units = "shares of the variance" if facts["method"] == "sobol" else unit
    central = (
        f" Central case: {found['central'].iloc[0]:+.2f} {unit}." if "central" in found else ""
    )
    names = [str(name) for name in found["factor"].head(3)]
    return (
        f"The {len(names)} assumptions that matter most: {', '.join(names)}.{central} Result: "
        f"{known.label}, change from the baseline with the same values ({units}); "
        f"{seeds_text(facts)}. A range of -1 to 1 is that of a column of a table: all low, central "
        "case at 0, all high."
    )


def in_words(found: pd.DataFrame, seeds: int) -> str:
    """The three assumptions that matter most to each of several scenarios."""
    lines = [
        "The three assumptions that matter most to the change of the Chinese share, pp, at their "
        f"low and high ends ({seeds} seeds):"
    ]
    for name, rows in found.groupby("scenario", sort=False):
        top = "; ".join(
            f"{row['factor']} {_range(row)}: {number(row['at_low'], 1, '+')} to "
            f"{number(row['at_high'], 1, '+')}"
            for row in rows.head(3).to_dict("records")
        )
        lines.append(f"{name} ({number(rows['central'].iloc[0], 1, '+')}): {top}.")
    return prose(*lines)
