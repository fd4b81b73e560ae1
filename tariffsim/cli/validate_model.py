"""`validate-model`: published outcomes beside what the model gives for them."""

from __future__ import annotations

from pathlib import Path

import click

from tariffsim.cli.screen import Command, Screen, count, prose, show, usage_error

SEEDS = 4


@click.command(
    cls=Command, name="validate-model", order=107, short_help="Score the model against history."
)
@click.option("--seeds", type=click.IntRange(1, 1000), default=SEEDS, metavar="N",
              help=f"Replications; default: {SEEDS}.")  # fmt: skip
@click.option("--ids", metavar="IDS", help="Outcomes, such as V5,V22; default: all.")
@click.option("-o", "--out", metavar="DIR", default="results/validate-model",
              help="New folder of the report; default: results/validate-model.")  # fmt: skip
def validate_model(screen: Screen, seeds: int, ids: str | None, out: str) -> None:
    """Score the model against published outcomes, each beside a run in which nobody reacts.

    Every scored row of the table of published outcomes: its range, the model's figure with its
    interval over seeds, pass or fail, calibrated or untouched. An outcome passes if two thirds of
    its rows do. Takes about forty seconds a seed.

    Examples:
      tariffsim validate-model
      tariffsim validate-model --ids V5,V8 --seeds 10
    """
    from tariffsim.errors import StorageError, nearest
    from tariffsim.record.disk import write_new_folder
    from tariffsim.report.validation import files
    from tariffsim.tables import load_history
    from tariffsim.validation import score_tables as words
    from tariffsim.validation.scores import by_id, counts, scored_ids, validate

    history = load_history()
    known = scored_ids(history)
    chosen = known if ids is None else list(dict.fromkeys(map(str.strip, ids.split(","))))
    for name in chosen:
        if name not in known:
            raise usage_error(f"no outcome {name!r} is scored; {nearest(name, known)}")
    if (folder := Path(out)).exists():
        raise StorageError(f"{out}: exists, and is not overwritten; name another with --out")
    screen.remark(f"running {count(len(chosen), 'outcome')}, {count(seeds, 'seed')}")
    rows = validate(history, chosen, range(seeds))
    id_columns = ("id", "use", "rows", "verdict", "informative", "verdict_informative", "distance")
    row_columns = ("row", "place", "period", "data", "range", "model", "nobody", "verdict", "note")
    text = [show(words.ids_table(rows), id_columns), show(words.rows_table(rows), row_columns),
            "\n".join(words.totals(rows)), prose(words.READING)]  # fmt: skip
    summary = by_id(rows)
    data = {"seeds": seeds, "counts": counts(summary), "outcomes": summary.to_dict("records"),
            "rows": rows.to_dict("records"), "folder": out}  # fmt: skip
    screen.show("\n\n".join(text), data)
    write_new_folder(folder, files(rows, seeds))
    screen.remark(f"\nReport:  {folder / 'report.html'}")
