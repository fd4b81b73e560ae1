"""Write robustness.md from the table robustness.csv, which `tasks.py robustness` makes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from tariffsim.validation.robustness import CENTRAL, FAILS, HOLDS, UNCERTAIN

FOLDER = Path(__file__).resolve().parent
HEAD = """# Robustness: which conclusions survive other assumptions

Every conclusion says that a metric of the United States is lower in one scenario than in
another. The gap is how much lower: a mean of paired differences over seeds with its 95 % interval,
in the last twelve months (to December 2030) or over the run. A conclusion *holds* under a variant
if the interval is above zero, *fails* if it is below, and is *not certain* if it covers zero.
Intervals are one by one: were all gaps zero, one in forty would hold by chance.

The baseline and all scenarios have the assumption of the variant. Other parameters stay at their
defaults and variants change one thing at a time: joint uncertainty is not here. Nested demand and
responsive mark-ups are those of [section 4.4](model.md#44-prices-and-demand) of the model.

The table is made by `python3 tasks.py robustness` (half an hour), this page from it by
`python3 tasks.py docs`. All gaps by variant are in [robustness.csv](robustness.csv).
"""


def lines(table: pd.DataFrame, facts: dict[str, str]) -> Iterator[str]:
    """The page, part by part."""
    yield HEAD
    named = ", ".join(f"{name} {value}" for name, value in facts.items())
    yield f"Made with {named}.\n"
    variants = [name for name in table["variant"].unique() if name != CENTRAL.name]
    yield f"Variants ({len(variants)}): {'; '.join(variants)}.\n"
    yield "| conclusion | central gap | unit | smallest gap | holds | not certain | fails |"
    yield "|---|---|---|---|---|---|---|"
    for name, rows in table.groupby("conclusion", sort=False):
        central = rows[rows["variant"] == CENTRAL.name].iloc[0]
        others = rows[rows["variant"] != CENTRAL.name]
        least = others.loc[others["gap"].idxmin()]
        holds, uncertain, fails = (
            others.loc[others["verdict"] == verdict, "variant"].tolist()
            for verdict in (HOLDS, UNCERTAIN, FAILS)
        )
        doubt = "" if central["verdict"] == HOLDS else f", {central['verdict']}"
        cells = (
            f"{name} (`{central['metric']}`)",
            f"{_interval(central)}{doubt}",
            central["unit"],
            f"{_interval(least)}, {least['variant']}",
            f"{len(holds)} of {len(others)}",
            "; ".join(uncertain),
            "; ".join(fails),
        )
        yield f"| {' | '.join(cells)} |"
    yield ""


def _interval(row: pd.Series) -> str:
    return f"{row['gap']:.2f} ({row['low']:.2f} to {row['high']:.2f})"


def page(path: Path = FOLDER / "robustness.csv") -> str:
    """The page from the stored table."""
    text = path.read_text(encoding="utf-8").splitlines()
    facts = dict(line[2:].split(": ", 1) for line in text if line.startswith("# "))
    facts["data"] = facts["data"][:12]
    return "\n".join(lines(pd.read_csv(path, comment="#"), facts))


if __name__ == "__main__":
    (FOLDER / "robustness.md").write_text(page(), encoding="utf-8", newline="\n")
