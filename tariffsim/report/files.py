"""Other forms of a report: a workbook, a PDF and slides."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from itertools import count
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from tariffsim.charts import CHARTS
from tariffsim.charts.context import chart_context
from tariffsim.errors import StorageError
from tariffsim.report import headline_sheet, tables
from tariffsim.report.answer import answer, asked, question
from tariffsim.report.experiment import is_experiment
from tariffsim.report.experiment import sheets as tables_of_experiment
from tariffsim.report.limits import CANNOT, limits
from tariffsim.report.page import printable, reproduce
from tariffsim.report.sheets import Sheet
from tariffsim.report.stored import StoredReport

LONGEST_NAME = 31
"""Letters of the name of a sheet of a workbook."""
WIDTHS = (28, 16)
"""Of the first column and the others, letters."""


def sheets(stored: StoredReport) -> list[Sheet]:
    """All tables of a report."""
    results = stored.results
    if is_experiment(results):
        return list(tables_of_experiment(results))
    context = chart_context(results)
    first = [headline_sheet(results, context)] if context.others else []
    return first + [sheet for own in tables(results, context).values() for sheet in own]


def workbook(stored: StoredReport) -> bytes:
    """A workbook: a read-me sheet, and a sheet a table with its units in the second row.

    Raises:
        StorageError: the extra `excel` is not installed.
    """
    try:
        import xlsxwriter
    except ImportError as error:
        raise _lacks("a workbook", "excel", "XlsxWriter") from error
    stream = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
               "strings_to_numbers": False}  # fmt: skip
    with xlsxwriter.Workbook(stream, options) as book:
        book.set_properties({"title": "tariffsim results", "comments": "", "author": "tariffsim"})
        found, styles = sheets(stored), _styles(book)
        _read_me(book.add_worksheet("read me"), stored, found, styles)
        names = _names(found)
        for sheet, name in zip(found, names, strict=True):
            _write(book.add_worksheet(name), sheet, styles)
    return stream.getvalue()


def _styles(book: Any) -> dict[str, Any]:
    return {
        "head": book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1}),
        "unit": book.add_format({"italic": True, "font_color": "#4A4A4A"}),
        "text": book.add_format({"text_wrap": True, "valign": "top"}),
        "title": book.add_format({"bold": True, "font_size": 14, "text_wrap": True}),
    }


def _names(found: list[Sheet]) -> list[str]:
    """Names of sheets: no two are equal."""
    names: list[str] = []
    for sheet in found:
        options = (f"{sheet.key[: LONGEST_NAME - 3]}{n or ''}" for n in count())
        names.append(next(name for name in options if name not in names))
    return names


def _read_me(page: Any, stored: StoredReport, found: list[Sheet], styles: dict[str, Any]) -> None:
    """The question, the answer, what every sheet holds, limits, and how to reproduce it."""
    page.set_column(0, 0, 30)
    page.set_column(1, 1, 110)
    for row, (head, text) in enumerate(_about(stored, found)):
        page.write_string(row, 0, printable(head), styles["head"])
        page.write_string(row, 1, printable(text), styles["title" if row == 0 else "text"])


def _about(stored: StoredReport, found: list[Sheet]) -> Iterator[tuple[str, str]]:
    results, context = stored.results, chart_context(stored.results)
    if is_experiment(results):
        yield "Experiment", str(results.provenance.get("experiment", ""))
        for chart in stored.charts:
            yield "Finding", chart.text.title
    else:
        yield "Question", question(context)
        yield "Compared", asked(results, context)
        for sentence in answer(results, context):
            yield "Answer", sentence
    for sheet, name in zip(found, _names(found), strict=True):
        yield f"Sheet {name}", f"{sheet.title}. {sheet.note}"
    yield (
        "Columns",
        (
            "Units are in the second row. A change has four columns: mean difference from the "
            "baseline, both ends of its 95 % interval, and whether that excludes zero. A "
            "difference that is not significant is not an effect."
        ),
    )
    for limit in (*limits(results, context), *CANNOT):
        yield "Limit", f"{limit.what} {limit.text}"
    yield "To reproduce", f"{reproduce(results)['command']}"
    yield "Made by", f"tariffsim {results.provenance.get('tariffsim', '')}"


def _write(page: Any, sheet: Sheet, styles: dict[str, Any]) -> None:
    """A table: header, units, and a cell for every number; texts are texts."""
    page.set_column(0, 0, WIDTHS[0])
    page.set_column(1, 60, WIDTHS[1])
    page.freeze_panes(2, 1)
    for row, line in enumerate(sheet.flat()):
        for column, value in enumerate(line):
            style = {0: styles["head"], 1: styles["unit"]}.get(row)
            if isinstance(value, bool):
                page.write_boolean(row, column, value, style)
            elif isinstance(value, str):
                page.write_string(row, column, printable(value), style)
            elif value == value:  # an empty cell where there is no number
                page.write_number(row, column, value, style)


def pdf(stored: StoredReport) -> bytes:
    """The page as a PDF with page numbers.

    Raises:
        StorageError: the extra `pdf`, or a library of the system that it needs, is missing.
    """
    try:
        import weasyprint
    except ImportError as error:
        raise _lacks("a PDF", "pdf", "weasyprint") from error
    except OSError as error:
        raise StorageError(
            f"a PDF needs a library of the system that is missing ({error}): on Debian, "
            "apt-get install libpango-1.0-0 libpangoft2-1.0-0"
        ) from error
    return bytes(weasyprint.HTML(string=stored.page(is_short=True).decode()).write_pdf() or b"")


def slides(stored: StoredReport) -> bytes:
    """Pictures in 16:9, each with its sentence, in one HTML file that needs nothing else."""
    environment = Environment(
        loader=PackageLoader("tariffsim.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    results, context = stored.results, chart_context(stored.results)
    shown = [] if is_experiment(results) else answer(results, context)
    headings = {chart.name: chart.title for chart in CHARTS}
    pictures = [
        {"title": headings[chart.name], "alt": chart.text.alt,
         "png": base64.b64encode(results.files[f"charts/{chart.name}.png"]).decode()}
        for chart in stored.charts
    ]  # fmt: skip
    text = environment.get_template("slides.html.j2").render(
        question=printable(
            str(results.provenance.get("experiment", "Results")) if is_experiment(results)
            else question(context)
        ),
        answer=[printable(sentence) for sentence in shown], pictures=pictures,
        source=context.source,
    )  # fmt: skip
    return text.encode()


def _lacks(what: str, extra: str, package: str) -> StorageError:
    return StorageError(
        f"{what} needs {package}, which is not installed: pip install 'tariffsim[{extra}]'"
    )
