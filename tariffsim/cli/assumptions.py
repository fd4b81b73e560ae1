"""`sensitivity`: which assumptions an answer depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from tariffsim.cli.numbers import number_of
from tariffsim.cli.screen import CONTEXT, Screen, prose, table
from tariffsim.cli.sweeps import asked, at_points, running, seeds_said

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "tornado": (("at_low", ""), ("at_high", ""), ("swing", "swing")),
    "morris": (("mu_star", "mu_star"), ("mu", ""), ("sigma", "")),
    "sobol": (("total_order", "total_order"), ("first_order", "first_order")),
}
"""Columns shown, and the stem of those of their interval."""
HEADS = {
    "at_low": "At low", "at_high": "At high", "swing": "Swing [95 %]",
    "mu_star": "Mean size\n[95 %]", "mu": "Mean", "sigma": "Spread",
    "total_order": "Total [95 %]", "first_order": "First order [95 %]",
}  # fmt: skip
MOST_ROWS = 15


@click.command(context_settings=CONTEXT, short_help="Which assumptions an answer depends on.")
@click.argument("file", metavar="FILE")
@click.option(
    "--method", type=click.Choice(list(COLUMNS)), default="tornado", metavar="NAME",
    help="One at a time, low and high (tornado, the default), or all together: morris screens, "
    "sobol splits the variance; the latter two need the extra `sensitivity`.",
)  # fmt: skip
@click.option(
    "--metric", default="cn_share", metavar="NAME",
    help="Whose change is asked about; default: cn_share. See: tariffsim list metrics.",
)  # fmt: skip
@click.option(
    "--points", type=click.IntRange(2, 100_000), metavar="N",
    help="Trajectories of morris (10), or base points of sobol (64), a power of two.",
)  # fmt: skip
@at_points
def sensitivity(
    screen: Screen, file: str, method: Any, metric: str, points: int | None,
    vary: tuple[str, ...], seeds: int | None, seed: int | None, market: str, **given: Any,
) -> None:  # fmt: skip
    """Rank the assumptions by how far they move what a scenario does.

    The answer is the paired difference to the baseline, which gets the same values. Every
    assumption with a plausible range is moved, or those of --vary; figures of a data table move
    together, all from low to high. Runs of the scenario: tornado 2 for each assumption, morris
    points x (assumptions + 1), sobol points x (assumptions + 2), times --seeds (5).

    Examples:
      tariffsim sensitivity component_50 --seeds 3
      tariffsim sensitivity component_50 --measure welfare --vary sourcing.elasticity=3:6
      tariffsim sensitivity component_50 --method sobol --vary sourcing.elasticity --points 16
    """
    with running(screen, "sensitivity", file, market=market, **given) as runs:
        from tariffsim.experiments.assumptions import sensitivity as analyse

        results = analyse(
            runs.own, runs.base, method, metric, asked(vary), points, seeds, seed, market,
            runs.settings, runs.progress,
        )  # fmt: skip
        found = results.tables["sensitivity"]
        text = f"{_lines(found, method)}\n\n{prose(_notes(results.provenance, found))}"
        data = {"method": method, "metric": metric, "sensitivity": found.to_dict("records")}
        runs.finish(results, text, data)


def _lines(found: pd.DataFrame, method: str) -> str:
    rows = found.head(MOST_ROWS).to_dict("records")
    columns = COLUMNS[method]
    cells = [
        [str(row["factor"]), f"{_end(row['low_end'])} to {_end(row['high_end'])}",
         *(_cell(row, column, stem) for column, stem in columns)]  # type: ignore[arg-type]
        for row in rows
    ]  # fmt: skip
    text = table(["", "range", *(HEADS[c] for c, _ in columns)], cells, " r" + "r" * len(columns))
    more = len(found) - MOST_ROWS
    return f"{text}\n... {more} weaker ones: see sensitivity.csv" if more > 0 else text


def _cell(row: Mapping[str, Any], column: str, stem: str) -> str:
    sign = "+" if column in ("swing", "mu") else ""
    value = number_of(row[column], 2, sign)
    if not stem or row[f"{stem}_low"] != row[f"{stem}_low"]:
        return value
    low, high = (number_of(row[f"{stem}_{end}"], 2, sign) for end in ("low", "high"))
    return f"{value} [{low}, {high}]"


def _end(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _notes(facts: Mapping[str, Any], found: pd.DataFrame) -> str:
    from tariffsim.record.dictionary import metrics

    known = metrics()[facts["metric"]]
    unit = "points" if known.unit == "%" else known.unit
    units = "parts of the variance" if facts["method"] == "sobol" else unit
    central = f" As it is: {found['central'].iloc[0]:+.2f} {unit}." if "central" in found else ""
    return (
        f"{most_important(found)}{central} Answer: {known.label}, change from the baseline with "
        f"the same values ({units}); {seeds_said(facts)}. A range of -1 to 1 "
        "is that of a column of a table: all low, as it is at 0, all high."
    )


def most_important(found: pd.DataFrame) -> str:
    """The first three of a ranking, in words."""
    names: Sequence[str] = [str(name) for name in found["factor"].head(3)]
    return f"The {len(names)} assumptions that matter most: {', '.join(names)}."


def in_words(found: pd.DataFrame, seeds: int) -> str:
    """The three assumptions that matter most to each of several scenarios."""
    lines = [
        f"The three assumptions that matter most to the change of the Chinese share, in points, "
        f"with each at its low and high end ({seeds} seeds):"
    ]
    for name, rows in found.groupby("scenario", sort=False):
        each = "; ".join(
            f"{row['factor']} {_end(row['low_end'])} to {_end(row['high_end'])}: "
            f"{number_of(row['at_low'], 1, '+')} to {number_of(row['at_high'], 1, '+')}"
            for row in rows.head(3).to_dict("records")
        )
        lines.append(f"{name} ({number_of(rows['central'].iloc[0], 1, '+')}): {each}.")
    return prose(*lines)
