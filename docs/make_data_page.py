"""Write data.md from the data tables; run it after any change of a table."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from tariffsim.tables import (
    BARE_CHIPS,
    FIGURE_TABLES,
    CalendarRow,
    Figure,
    FigureTable,
    History,
    Tables,
    load_history,
    load_tables,
)
from tariffsim.tables.history import HISTORY
from tariffsim.typing import format_moment

PAGE = Path(__file__).resolve().parent / "data.md"
TITLES = {
    "devices": ("Device groups", "What is in a device, who buys it and how long its design lives."),
    "foundry_regions": ("Foundry regions", "Capacity, growth and cost of making chips."),
    "node_classes": ("Node classes", "The four classes of legacy chips."),
    "markets": ("Markets", "Where devices are sold; the United States is the yardstick."),
    "origins": ("Countries of assembly", "The market each belongs to and its assembly cost."),
    "origin_rules": (
        "Rules of origin of a chip",
        "Share of a fab region's chips that counts as Chinese under three rules of origin.",
    ),
}
INTRO = """# Data

Every figure the model starts from. This page is written from the tables under `tariffsim/data/`
by `docs/make_data_page.py`; change a table, not this page.

A figure's **confidence** is one of

- `data`: from an official statistic or our own aggregation of one;
- `seen`: as reported by a company, an agency, a study or a tracker, or between two such reports;
- `assumption`: nobody has published it. Where a source stands beside the word, that source anchors
  the order of magnitude and the figure is still ours.

**Low and high** bound what is plausible and feed the sensitivity analysis. A scenario can override
any single figure (`figures`) or replace a whole table by a file of its own (`data`); see
[Replacing figures](#replacing-figures).
"""
REPLACING = """## Replacing figures

A table of figures is a CSV file (UTF-8, commas) with one figure a row and the columns
`{columns}`; `note` may be left out. Parameters, units and codes are those shown above. The tables
of imports and duties have one row an observation and the columns of the
shipped files. A file is refused, with every problem it has, for: missing or unknown columns,
unknown or missing parameters and codes, figures given twice, numbers that are none, negative or out
of their bounds, ranges that do not hold their value, a unit other than the one shown, figures
without source or confidence, shares that do not sum to one, requalification as long as a design
cycle, codes another table does not know, text that is not UTF-8, control characters, and anything
that is not a plain file of at most 10 MB.

Places of problems are `file:line:column` as in scenario files: the column counts the characters
of the line from 1 and is where the cell begins; what is wrong with a whole column is placed at its
name. Rows whose cells are all empty are skipped. What a spreadsheet does to a whole file
(semicolons or tabs between columns, decimal commas, rows above the header) is one problem, at its
first line.

Amounts of money and of thousands are compared with those shipped: imports that are in total, or in
the middle one of their cells, more than thirty times as large or small are refused as being in
another unit, and so are columns of figures by their median, and duties that are more than the
imports they are due on.

Imports of another year come from customs data with the columns
`year,hs10,country,customs_value_usd,calculated_duty_usd`, one row a code and country:
`python -m tariffsim.tables.rebuild_imports EXTRACT.csv --year 2025 --out FOLDER` sums them by the
HS prefixes above (where two groups hold a code, the longer prefix wins), counts members of the
European Union as one, refuses bad cells, and says which codes, prefixes and countries it did not
find. A scenario takes the file with `data: {{us_imports_2024: us_imports_2025.csv}}`. With
`--market` the data are those of another market's customs; the model itself starts from those of
the United States.
"""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells) + "\n"


def number(value: float | str | None) -> str:
    """A figure as readers write it."""
    return f"{value:,.10g}" if isinstance(value, float) else value or ""


def figure_row(code: str, parameter: str, figure: Figure) -> list[str]:
    """One line of a table of figures."""
    range_ = "" if figure.low is None else f"{number(figure.low)} to {number(figure.high)}"
    named = [code, f"`{parameter}`", number(figure.value) or "none", range_, figure.unit]
    return [*named, figure.source, figure.confidence, figure.note]


def figures_section(figures: FigureTable) -> str:
    """One table of figures with its title and what it rests on."""
    title, sentence = TITLES[figures.name]
    numbers = [figure for figure in figures.figures.values() if isinstance(figure.value, float)]
    counts = Counter(figure.confidence for figure in numbers)
    rests = ", ".join(f"{counts[kind]} {kind}" for kind in ("data", "seen", "assumption"))
    head = ("code", "parameter", "value", "low to high", "unit", "source", "confidence", "note")
    body = table(head, (figure_row(*key, figure) for key, figure in figures.figures.items()))
    name = f"`{figures.name}.csv`"
    return f"## {title}\n\n{name}: {sentence} {len(numbers)} numbers: {rests}.\n\n{body}"


def imports_section(tables: Tables) -> str:
    """US imports of 2024 with the duty ratio the model takes from them."""
    rows = []
    for row in tables.imports:
        value, duty = row.customs_value_usd, row.calculated_duty_usd
        ratio = f"{duty / value:.4f}" if value else ""
        money = [f"{value / 1e6:,.3f}", f"{duty / 1e6:,.3f}", ratio]
        codes = row.hs_codes.replace("+", " ")
        rows.append([row.device, codes, row.origin, *money, row.source, row.confidence])
    measures = ("customs value (million USD)", "calculated duty (million USD)", "duty / value")
    head = ("device", "HS prefixes", "origin", *measures, "source", "confidence")
    intro = (
        "`us_imports_2024.csv`: US imports for consumption in 2024 by device group and country of "
        "assembly; the European Union and the United Kingdom are one origin."
    )
    return f"## US imports 2024\n\n{intro}\n\n{table(head, rows)}"


def scope_words(row: CalendarRow, tables: Tables) -> str:
    """Devices of a calendar row, said the short way."""
    devices = tables.devices.codes
    left = [device for device in devices if device not in row.devices]
    bare = " and unmounted chips" if set(BARE_CHIPS) <= set(row.devices) else ""
    if set(row.devices) <= set(BARE_CHIPS):
        return "unmounted chips"
    if not left:
        return f"all device groups{bare}"
    if len(left) < len(devices) // 2:
        return f"all but {' '.join(left)}{bare}"
    return " ".join(row.devices)


def calendar_section(tables: Tables) -> str:
    """Duties in force, with our reading of each notice."""
    rows = []
    for row in tables.calendar:
        starts, stops = format_moment(row.starts), row.stops
        dates = f"{starts} on" if math.isinf(stops) else f"{starts} to {format_moment(stops)}"
        dates = dates if row.is_law else "never"
        rate = "not announced" if row.rate is None else f"{row.rate:g}"
        rate += ", all-in" if row.all_in else ""
        known = row.announced or ""
        flags = ["yes" if flag else "no" for flag in (row.in_2024_base, row.in_baseline)]
        who = [row.id, dates, row.levied_by, " ".join(row.against), row.instrument, row.base, rate]
        what = [f"{row.coverage:g}", scope_words(row, tables), known, *flags, row.scope]
        rows.append([*who, *what, row.source, row.confidence])
    who_columns = ("id", "in force", "by", "against", "instrument", "base", "rate (fraction)")
    what_columns = ("coverage", "devices", "announced", "in 2024 duties", "in baseline", "scope")
    head = (*who_columns, *what_columns, "source", "confidence")
    intro = (
        "`tariff_calendar.csv`: the level of each instrument from the first day up to, but not "
        "including, the last. A later row of the same instrument (whatever the case and blanks of "
        "its name) "
        "replaces an earlier one for the codes it names, and when it ends nothing comes back; "
        "different instruments add. `coverage` is "
        "the share of the trade named to which the rate applies (1 if empty); an all-in rate "
        "includes the ordinary duty. `base` is `product` (the full value of the devices named, and "
        "of unmounted chips where they are named too) or `bare_chips` (unmounted chips only). What "
        "is inside the duties calculated in 2024 is not added again. A file of your own needs the "
        "columns "
        + ", ".join(f"`{name}`" for name in CalendarRow.columns())
        + "; it may have "
        + ", ".join(f"`{name}`" for name in CalendarRow.optional_columns())
        + ". `date_day` and `ends_day` are days of the months `date` and `ends`, and win over "
        "them; agents know a row from "
        "`announced`, its end in advance where `end_known` is yes, and rows with one "
        "`stacking_group` (or a policy in it) are compared, not added. Until a row is in force "
        "agents give it the probability `belief` (1 if empty), and what it would replace the rest. "
        "From `withdrawn` on, which is not after its first day, nobody expects it, and it never "
        "comes into force. A threat (`enacted` is no) never does either: it has `announced` in "
        "place of dates, and counts at its belief on every later date until it is withdrawn."
    )
    return f"## Duties in force\n\n{intro}\n\n{table(head, rows)}"


def outcomes_section(history: History) -> str:
    """Published outcomes the model is held against."""
    rows = (
        [
            row.name, row.use, row.case, row.quantity, row.place, row.period, row.unit,
            *map(plain, (row.value, row.low, row.high, row.level)), row.source,
        ]
        for row in history.outcomes
    )  # fmt: skip
    head = ("row", "use", "case", "quantity", "place", "period", "unit",
            "value", "low", "high", "level", "source")  # fmt: skip
    intro = (
        "`validation_public.csv`: what was measured in the world, one figure a row. A figure of "
        "the model passes if it lies from low to high; an empty bound is open. Rows marked "
        "`calibration` may be fitted, those marked `test` never, and `data` stands beside them "
        "without a score. `level` is the figure behind a value that is a change."
    )
    assembly = (
        "`assembly_cases.csv` has the imports by country, and the sector's plants by country, of "
        "the cases that assembly is held against (V5, V6, V8, V10; see "
        "`tariffsim.experiments.assembly_moments`); rows with the source `assumption` have shares "
        "that are guesses, but for China's."
    )
    return f"## Published outcomes\n\n{intro}\n\n{table(head, rows)}\n{assembly}\n"


def plain(number: float | None) -> str:
    """A number as in the file, nothing for none."""
    return "" if number is None else f"{number:g}"


def history_section(history: History) -> str:
    """Tables of past imports, which are too long for a page."""
    frames = (history.by_year, history.by_month, history.by_product, history.products,
              history.list_shares, history.collected, history.units_sold)  # fmt: skip
    rows = (
        [f"`{name}.csv`", what, " ".join(f"`{column}`" for column in frame), f"{len(frame):,}", of]
        for (name, (what, of)), frame in zip(HISTORY.items(), frames, strict=True)
    )
    head = ("file", "what", "columns", "rows", "sources")
    intro = (
        "What the United States imported to 2024. Volumes of 2025 are left out on purpose: they "
        "are kept for a test from outside. Imports by device group from CN, VN and MX are general "
        "imports with freight and insurance, those from TW imports for consumption at customs "
        "value (none for 2018 to 2021); in 2024 those from CN are 5 % above `us_imports_2024.csv` "
        "(median of groups; 1 to 14 %), VN 3, MX 1, TW 0, unmounted ICs 1.5 to 1.6 times as large, "
        "as some are exported again. Breaks: smartphones are HS 8517.12 before 2022 and 8517.13 "
        "since; drones have no code of their own before 2022, electric cars none before 2017; "
        "`bare_discrete` holds LEDs and other photosensitive devices since 2022 only. In the "
        "monthly table the EU is the 27 throughout, and OTHER is the total less the eleven. "
        "`fit` says how well a product stands for a group. Units sold are held against those "
        "that the tables imply in [Units](units.md)."
    )
    return f"## Imports of past years\n\n{intro}\n\n{table(head, rows)}"


def page(tables: Tables) -> str:
    """The whole page."""
    first = FIGURE_TABLES["devices"].key
    columns = f"{first} (or {', '.join(spec.key for spec in list(FIGURE_TABLES.values())[1:])})"
    columns += ", parameter, value, low, high, unit, source, confidence, note"
    sections = [
        INTRO,
        *(figures_section(getattr(tables, name)) for name in FIGURE_TABLES),
        imports_section(tables),
        calendar_section(tables),
        outcomes_section(load_history()),
        history_section(load_history()),
        REPLACING.format(columns=columns),
        f"## Sources\n\n{table(('id', 'source'), tables.sources.items())}",
    ]
    return "\n".join(sections)


if __name__ == "__main__":
    PAGE.write_text(page(load_tables()), encoding="utf-8")
