"""Write validation.md from the stored scores; run it after `python3 tasks.py scores`."""

from __future__ import annotations

import runpy
from collections.abc import Iterable, Mapping
from pathlib import Path

from scipy.stats import binom

from tariffsim.validation.about import COMPUTED
from tariffsim.validation.crps import devices_predicted_better, stored_skill
from tariffsim.validation.score_tables import (
    FORECAST_COLUMNS,
    ID_COLUMNS,
    READING,
    ROW_COLUMNS,
    forecasts_in_short,
    forecasts_table,
    ids_table,
    rows_table,
    totals,
    worst,
)
from tariffsim.validation.scores import stored_scores

PAGE = Path(__file__).resolve().parent / "validation.md"
markdown_table = runpy.run_path(str(PAGE.parent / "make_data_page.py"))["table"]
INTRO = """# Validation

Published outcomes of trade policy beside what the model gives for them, with its defaults. This
page is written from the stored scores by `docs/make_validation_page.py`; change those, not this
page. The outcomes with their sources are in [data.md](data.md). No figure of the model is typed
in: `python3 tasks.py scores` computes all of them again, which takes minutes, and a test holds
some of the stored ones against new runs.
"""
COMMANDS = """
```sh
tariffsim validate-model --ids V5,V8 --seeds 2 --out results/history
```

prints these tables for some outcomes, or for all, with any number of seeds, and writes them as a
page (`report.html`) and as CSV.
"""
FORECASTS = """The parameters are those fitted on the moments of 2018-2021 alone
([calibration](calibration.md)); demand follows what was imported in all. The naive rule holds the
share of 2021, with a normal spread of the yearly changes of 2015-2021 that grows with the root of
time. Some groups differ by less than a digit that is printed, and so many of {devices} would be
better by chance with a probability of {chance:.2f}. Shares and scores are means of the three years.
The score is the continuous ranked probability score (Hersbach 2000), in parts of the three
countries' imports: smaller is better.
"""
PREDICTIONS = """## Predictions that can be scored later

```sh
tariffsim predict --from 2026-01 --months 2 --seeds 2 --out predicted.csv
tariffsim score predicted.csv observed.csv
```

`predict` runs the baseline and writes duty over imports (`duty_rate`) and the parts of imports
that come from each country (`origin_share`), by month and device, `ALL` being all of them:
intervals of 50 and 80 %, and every run, with drawn parameters. Without options it takes the next
24 months. The first line of the file is a hash of the rest, so that a prediction that was changed
is refused. `score` holds it against observed figures, in a file of this form (the figures are made
up; leave the name of the file out):

```csv
# observed.csv
month,device,origin,quantity,value
2026-01,laptop,VN,origin_share,0.3
2026-01,ALL,ALL,duty_rate,0.08
```

and prints the mean continuous ranked probability score (Hersbach 2000), in the unit of the figure,
and how many figures are in the intervals. Smaller is better; where all runs agree it is the
absolute error.
"""


def table(columns: Mapping[str, str], rows: Iterable[Mapping[str, str]]) -> str:
    """A table of some keys of rows, under their headings."""
    cells = ([row[key] for key in columns] for row in rows)
    return str(markdown_table([*columns.values()], cells)).rstrip("\n")


def page() -> str:
    """The whole page."""
    stored = stored_scores()
    rows, fails = stored.rows, worst(stored.rows)
    touched = {"id": "Id", "distance": "Distance", "touches": "What it puts in doubt"}
    ids = list(dict.fromkeys(rows["id"]))
    skill = stored_skill()
    better, devices = devices_predicted_better(skill)
    parts = [
        INTRO, *(f"- {total}" for total in (*totals(rows), forecasts_in_short(skill))), COMMANDS,
        "## How to read it\n",
        f"{READING} Here these are {stored.seeds} seeds, with the default number of lines.\n",
        "## Outcomes\n",
        table(ID_COLUMNS, ids_table(rows)), "\n## Failures, the farthest first\n",
        table(touched, fails), "\n## How each is computed\n",
        *(f"- **{name}**: {COMPUTED[name]}" for name in ids),
        "\n## Fitted on 2018-2021, predicting 2022-2024\n",
        forecasts_in_short(skill),
        "\n" + FORECASTS.format(devices=devices, chance=binom.sf(better - 1, devices, 0.5)),
        table(FORECAST_COLUMNS, forecasts_table(skill)), f"\n{PREDICTIONS}", "## Rows\n",
        table(ROW_COLUMNS, rows_table(rows)), "",
    ]  # fmt: skip
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
