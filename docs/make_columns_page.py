"""Write columns.md from the dictionary of results; run it after a change of metrics or columns."""

from __future__ import annotations

import runpy
from pathlib import Path

from tariffsim.record.dictionary import metrics, variables

PAGE = Path(__file__).resolve().parent / "columns.md"
table = runpy.run_path(str(PAGE.parent / "make_parameters_page.py"))["table"]
INTRO = """# Metrics and columns

What every number of the results means. This page is written from the data dictionary of the package
(`variables.csv` and `metrics.csv`) by `docs/make_columns_page.py`; change the dictionary, not this
page. `tariffsim list metrics` shows the metrics; a results folder has the dictionary of its own
columns in `variables.csv`. What each table holds is in
[How to use results](how_to_use_results.md#the-tables).

## Metrics

Columns of `summary`, and rows of `headline`, in these units. *Decimals* are those of printed
tables.
"""
COLUMNS = """
## Columns

Columns of the tables, monthly money in USD a month. *Tables* names those that have the column;
`all` is every table with such a dimension. A sign is given where it is not plain.
"""


def page() -> str:
    """The whole page."""
    of_metrics = (
        [f"`{m.name}`", m.label, m.unit, m.decimals, m.definition] for m in metrics().values()
    )
    of_columns = (
        [f"`{v.name}`", v.label, v.unit, v.tables, v.definition, v.sign]
        for v in variables().values()
    )
    first = table(("metric", "label", "unit", "decimals", "definition"), of_metrics)
    second = table(("column", "label", "unit", "tables", "definition", "sign"), of_columns)
    return f"{INTRO}\n{first}{COLUMNS}\n{second}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
