"""`predict` and `score`: duty rates and origin shares of the next months, and how they did."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import click

from tariffsim.cli.options import load_all
from tariffsim.cli.screen import Column, Command, Row, Screen, prose, show, usage_error

MONTHS = 24
RUNS, FEW = 20, 10


@click.command(cls=Command, order=103, short_help="Predict duty rates and origin shares.")
@click.option("--from", "start", metavar="MONTH", help="First month; default: the next one.")
@click.option("--months", type=click.IntRange(1, 120), default=MONTHS, metavar="N",
              help=f"How many; default: {MONTHS}.")  # fmt: skip
@click.option("--seeds", type=click.IntRange(1, 1000), default=RUNS, metavar="N",
              help=f"Replications; default: {RUNS}.")  # fmt: skip
@click.option("--scenario", "file", default="baseline", metavar="FILE", help="Default: baseline.")
@click.option("--fixed-parameters", is_flag=True,
              help="All runs with the scenario's own parameters, not drawn ones.")  # fmt: skip
@click.option("-o", "--out", metavar="FILE", help="Default: predicted-DATE.csv; must not exist.")
def predict(
    screen: Screen, start: str | None, months: int, seeds: int, file: str,
    fixed_parameters: bool, out: str | None,
) -> None:  # fmt: skip
    """Predict collected duty and origins of US imports by month and device.

    Duty rates are duty over imports; origin shares are parts of imports. Both have intervals of
    50 and 80 %, from runs with different seeds and parameters drawn from their distribution
    (every fourth seed has the draw of the one before it). Changes of law that the scenario does
    not have are not in them. The file is dated and carries a hash, so that `score` can tell later
    how good it was.

    Examples:
      tariffsim predict
      tariffsim predict --from 2026-01 --months 12 --seeds 5 --out mine.csv
    """
    from tariffsim.experiments.parameter_draws import draws_of
    from tariffsim.record.disk import write_whole
    from tariffsim.typing import format_month, parse_month
    from tariffsim.validation import predictions

    today = date.today()
    target = _new_file(out or f"predicted-{today}.csv")
    (scenario,) = load_all([file])
    try:
        first = parse_month(start) if start else 12 * today.year + today.month
    except ValueError as error:
        raise usage_error(f"--from {start!r} {error}") from None
    last, run = first + months - 1, scenario.run
    if not (run.start <= first and last <= run.end):
        raise usage_error(
            f"{scenario.name} has the months {format_month(run.start)} to {format_month(run.end)}, "
            f"not all of {format_month(first)} to {format_month(last)}"
        )
    if seeds < FEW:
        screen.remark(f"Note: intervals from {seeds} runs are rough; {RUNS} is the default")
    screen.remark(f"running {seeds} times to {format_month(last)}")
    draws = None if fixed_parameters else draws_of(range(seeds))
    table = predictions.predict(scenario, first, months, range(seeds), draws)
    text = predictions.to_text(table, scenario, today, draws is not None)
    write_whole(target, text.encode())
    of_all = table[(table["device"] == "ALL") & (table["quantity"] == "duty_rate")]
    digest = text.partition("\n")[0].split()[-1]
    data = {"file": str(target), "sha256": digest, "rows": len(table),
            "all_devices": of_all.to_dict("records")}  # fmt: skip
    rows = of_all.to_dict("records")
    columns: list[str | Column] = ["month"]
    columns += [Column(name, _percent(name)) for name in predictions.QUANTILES]
    words = prose("Duty over US imports of all device groups, %, with intervals of 50 and 80 %")
    screen.show(f"{words}\n{show(rows, columns)}", data)
    screen.remark(f"\nPrediction: {target}, {len(table)} rows, SHA-256 {digest}")


@click.command(cls=Command, order=105, short_help="Score a prediction against what happened.")
@click.argument("file", metavar="FILE")
@click.argument("observed", metavar="OBSERVED.csv")
@click.option("-o", "--out", metavar="FILE", help="Table of each figure with its score.")
def score(screen: Screen, file: str, observed: str, out: str | None) -> None:
    """Score a file of `predict` against observed figures.

    OBSERVED.csv has columns month, device, origin, quantity and value, in any number of rows that
    the prediction has too. The score is the continuous ranked probability score, in the unit of
    the figure: smaller is better, and the absolute error where all runs agree. Beside it, how
    many figures are in the intervals of 50 and 80 %. A file that was changed since is refused.

    Example:
      tariffsim score predicted-2026-12-01.csv observed.csv
    """
    from tariffsim.record.disk import write_whole
    from tariffsim.validation import predictions

    target = _new_file(out) if out else None
    scored = predictions.score(predictions.read_prediction(Path(file)), Path(observed))
    summary = predictions.summary(scored).to_dict("records")
    if target:
        write_whole(target, scored.to_csv(index=False, lineterminator="\n").encode())
    columns: list[str | Column] = ["quantity", "rows", "crps"]
    columns += [Column(f"in {name} %", _percent(f"in_{name}")) for name in ("50", "80")]
    screen.show(show(summary, columns), {"summary": summary, "figures": scored.to_dict("records")})


def _new_file(name: str) -> Path:
    """A file that is not there yet, in a folder that is; found out before anything is run."""
    from tariffsim.errors import StorageError

    path = Path(name)
    if path.exists():
        raise StorageError(f"{name}: exists, and is not overwritten")
    if not os.access(path.parent, os.W_OK):
        raise StorageError(f"{name}: there is no folder {path.parent} that may be written to")
    return path


def _percent(name: str) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        return f"{100 * row[name]:.1f}"

    return cell
