"""`report`: what stored results say, as a page, a workbook, a PDF or slides."""

from __future__ import annotations

from pathlib import Path

import click

from tariffsim.cli.screen import Command, Screen
from tariffsim.errors import StorageError

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(cls=Command, order=85, short_help="Report what stored results say.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("-o", "--out", metavar="FILE", type=FILE, help="Page; default: DIR-report.html.")
@click.option("--xlsx", metavar="FILE", type=FILE, help="A workbook too, with the extra `excel`.")
@click.option("--pdf", metavar="FILE", type=FILE, help="A PDF too, with the extra `pdf`.")
@click.option("--slides", metavar="FILE", type=FILE, help="Slides too: one HTML file, 16:9.")
def report(
    screen: Screen, folder: Path, out: Path | None, xlsx: Path | None, pdf: Path | None,
    slides: Path | None,
) -> None:  # fmt: skip
    """Write a report of a folder of results: one HTML file that needs nothing else.

    The results are read, never run again, and their folder stays as it is. They may be of a
    comparison, or of sweep, solve, timing, frontier, decompose or sensitivity. Damaged results, and
    those of versions with other tables, are refused.

    Examples:
      tariffsim report results/first
      tariffsim report results/first --out first.html --xlsx first.xlsx
      tariffsim report results/first --pdf first.pdf --slides slides.html
    """
    from tariffsim.report import files
    from tariffsim.report.stored import StoredReport

    stored = StoredReport(folder)
    target = out or folder.with_name(f"{folder.resolve().name}-report.html")
    written = {target: stored.page()}
    if xlsx:
        written[xlsx] = files.workbook(stored)
    if slides:
        written[slides] = files.slides(stored)
    if pdf:
        written[pdf] = files.pdf(stored)
    for path, data in written.items():
        _write(path, data)
    screen.show("\n".join(map(str, written)), {"files": [str(path) for path in written]})


def _write(path: Path, data: bytes) -> None:
    from tariffsim.record.disk import write_whole

    try:
        write_whole(path, data)
    except OSError as error:
        raise StorageError(f"{path}: cannot write: {error.strerror or error}") from error
