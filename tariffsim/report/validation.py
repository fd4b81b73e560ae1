"""Scores against history as a self-contained HTML page."""

from __future__ import annotations

from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from tariffsim import __version__
from tariffsim.validation import score_tables as words
from tariffsim.validation.crps import stored_skill
from tariffsim.validation.scores import Stored, by_id


def page(rows: pd.DataFrame, seeds: int) -> bytes:
    """The page of some scores."""
    environment = Environment(
        loader=PackageLoader("tariffsim.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    text = environment.get_template("validation.html.j2").render(
        version=__version__, seeds=seeds,
        totals=[*words.totals(rows), words.forecasts_in_short(stored_skill())],
        reading=words.READING,
        id_columns=words.ID_COLUMNS, ids=words.ids_table(rows), worst=words.worst(rows),
        row_columns=words.ROW_COLUMNS, rows=words.rows_table(rows),
    )  # fmt: skip
    return text.encode()


def in_short(stored: Stored) -> dict[str, Any]:
    """What the report of a comparison says of the scores that come with the package."""
    return {
        "n": len(by_id(stored.rows)), "rows": len(stored.rows), "seeds": stored.seeds,
        "totals": [*words.totals(stored.rows), words.forecasts_in_short(stored_skill())],
        "worst": words.worst(stored.rows, words.WORST),
    }  # fmt: skip


def files(rows: pd.DataFrame, seeds: int) -> dict[str, bytes]:
    """The folder of a report: the page, and the tables by row and by outcome."""
    return {
        "report.html": page(rows, seeds),
        "rows.csv": rows.to_csv(index=False, lineterminator="\n").encode(),
        "outcomes.csv": by_id(rows).to_csv(index=False, lineterminator="\n").encode(),
    }
