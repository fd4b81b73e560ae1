"""A chart with its text, and the files it is saved as."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib import resources
from typing import Any, Generic, Literal, NamedTuple, TypeVar

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tariffsim.charts.fonts import families
from tariffsim.charts.lettering import LINE, height, wrap
from tariffsim.charts.style import QUIET, TEXT, SeriesStyle, one_line
from tariffsim.errors import TariffsimError

_NOISE = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>", re.DOTALL)
_DIGITS = re.compile(r"\b([1-9]\d*\.\d\d)\d+")
"""Digits that nobody sees: a hundredth of a point is enough."""
_LETTER = re.compile(r'<path id="c\w\w-(DejaVu[^"]+)"([^>]*/>\n?)')
_USE = re.compile(r'href="#c\w\w-(DejaVu[^"]+)"(?: transform="translate\(([-.\d]+) 0\)")?')

WIDTH = 648.0
"""Width of a figure in points (9 inches)."""
EDGE = 16.0
"""Free margin around everything, points."""

Kind = Literal["comparison", "experiment", "agent"]
"""What a chart shows: scenarios against a baseline, an experiment, or one agent explained."""
Source = TypeVar("Source")
"""What a chart is made from: results, or one agent explained."""


def house_style(text: ChartText | None = None, table: pd.DataFrame | None = None) -> Any:
    """Context in which charts are made and written: our style file and nothing of the user's.

    With the fonts for all that is written in a text and a table.
    """
    path = resources.files("tariffsim.charts").joinpath("tariffsim.mplstyle")
    written = [] if text is None else [text.title, text.subtitle, text.note, *text.legend]
    if table is not None:
        written += [str(cell) for column in table for cell in table[column].unique()]
    found = dict.fromkeys(face for line in ["", *written] for face in families(one_line(line)))
    return matplotlib.rc_context({"font.family": [*found]}, str(path))


SHOWN = "_shows "


def shows(x: str = "", y: str = "") -> str:
    """Label that says which columns of its table an artist shows along each axis.

    Several columns are separated by spaces. Tests compare what is drawn with them.
    """
    return f"{SHOWN}{x}|{y}"


class NotApplicable(TariffsimError):
    """A chart does not apply to these results; the message says why."""


@dataclass(frozen=True)
class ChartText:
    """All that is written around a chart."""

    title: str = ""
    subtitle: str = ""
    note: str = ""
    alt: str = ""
    legend: Mapping[str, SeriesStyle] = field(default_factory=dict)
    """Styles by name: lines above the axes, behind their markers."""


def page(
    text: ChartText, body: float, left: float, right: float, below: float = 34.0
) -> tuple[Figure, Axes]:
    """A figure with its text around axes `body` points high; it grows with its text."""
    inner = WIDTH - 2 * EDGE
    title, subtitle = wrap(text.title, 13, inner, "bold"), wrap(text.subtitle, 9, inner)
    note = wrap(text.note, 7.5, inner)
    names = [wrap(name, 8.5, inner - 16, "bold", 2) for name in text.legend]
    above = height(title, 13) + height(subtitle, 9) + 10
    above += sum(height(name, 8.5) + 1 for name in names)
    bottom = EDGE + height(note, 7.5) + below
    total = bottom + body + 16 + above + EDGE
    figure = Figure(figsize=(WIDTH / 72, total / 72))
    y = total - EDGE
    _write(figure, title, EDGE, y, size=13, weight="bold", color=TEXT)
    y -= height(title, 13) + 5
    _write(figure, subtitle, EDGE, y, size=9, color=QUIET)
    y -= height(subtitle, 9) + 5
    for name, style in zip(names, text.legend.values(), strict=True):
        _marker(figure, style, EDGE + 5, y - 0.55 * 8.5)
        _write(figure, name, EDGE + 16, y, size=8.5, weight="bold", color=style.text)
        y -= height(name, 8.5) + 1
    _write(figure, note, EDGE, EDGE, size=7.5, color="#5F5F5F", va="bottom")
    box = (left / WIDTH, bottom / total, (WIDTH - left - right) / WIDTH, body / total)
    return figure, figure.add_axes(box)


def _write(figure: Figure, text: str, x: float, y: float, va: str = "top", **font: Any) -> None:
    """Text at a place in points."""
    wide, tall = 72 * figure.get_size_inches()
    figure.text(x / wide, y / tall, text, va=va, linespacing=LINE / 1.2, **font)


def _marker(figure: Figure, style: SeriesStyle, x: float, y: float) -> None:
    """The marker of a line of the legend, at a place in points."""
    wide, tall = 72 * figure.get_size_inches()
    figure.add_artist(
        Line2D([x / wide], [y / tall], marker=style.marker, ms=6.5, color=style.colour,
               mfc=style.fill, mew=1.4, ls="none", transform=figure.transFigure)
    )  # fmt: skip


class Prepared(NamedTuple):
    """A chart before it is drawn: its name and all that the drawing depends on."""

    name: str
    table: pd.DataFrame
    text: ChartText


@dataclass(frozen=True)
class Picture:
    """A chart drawn for some results: figure, text and the numbers it shows."""

    name: str
    figure: Figure
    text: ChartText
    table: pd.DataFrame

    def files(self) -> dict[str, bytes]:
        """SVG, PNG, CSV and alt text by file name."""
        with house_style(self.text, self.table):
            svg, png = io.BytesIO(), io.BytesIO()
            self.figure.savefig(svg, format="svg", metadata={"Date": None})
            self.figure.savefig(png, format="png", metadata={"Software": None})
        return {
            f"{self.name}.svg": self._labelled(svg.getvalue().decode()).encode(),
            f"{self.name}.png": png.getvalue(),
            f"{self.name}.csv": self.csv(),
            f"{self.name}.txt": f"{self.text.alt}\n".encode(),
        }

    def csv(self) -> bytes:
        """The numbers drawn."""
        return self.table.to_csv(index=False, lineterminator="\n").encode()

    def _labelled(self, svg: str) -> str:
        """The drawing with its alt text, and ids that are unique among all charts of a page."""
        svg = _NOISE.sub("", svg).strip()
        svg = re.sub(r"\s*\n\s*", "\n", _DIGITS.sub(r"\1", svg))
        mark = f"c{self.name[:2]}-"
        svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{mark}", svg)
        text = (
            f'<title id="{mark}title">{escape(self.text.title)}</title>'
            f'<desc id="{mark}desc">{escape(self.text.alt)}</desc>'
        )
        svg = svg.replace("<svg ", f'<svg role="img" aria-labelledby="{mark}title {mark}desc" ', 1)
        return re.sub(r"(<svg [^>]*>)", lambda m: m[1] + "\n " + text, svg, count=1) + "\n"


def chart_files(made: Iterable[Picture]) -> dict[str, bytes]:
    """Files of pictures in a folder of results: `charts/01_chinese_share.svg`, `.png` and so on."""
    return {f"charts/{name}": data for one in made for name, data in one.files().items()}


@dataclass(frozen=True)
class Chart(Generic[Source]):
    """One chart: the table it takes from its source, the text around it, how it is drawn.

    Attributes:
        number: first part of the names of its files.
        key: second part of them.
        kind: what it shows; decides which command draws it.
        title: heading in lists and in the report.
        table: the numbers drawn; raises `NotApplicable` if the source has none.
        text: title, subtitle, note and alternative text, computed from the table.
        plot: draws the table into axes.
        body: height of the axes in points.
        left: room on their left in points.
        right: room on their right in points.
        below: room for the names of the axis below, in points.
    """

    number: int
    key: str
    kind: Kind
    title: str
    table: Callable[[Source], pd.DataFrame]
    text: Callable[[pd.DataFrame, Source], ChartText]
    plot: Callable[[pd.DataFrame, Axes], None]
    body: Callable[[pd.DataFrame], float]
    left: float
    right: float
    below: float = 38.0

    @property
    def name(self) -> str:
        """Name of its files."""
        return f"{self.number:02d}_{self.key}"

    def draw(self, table: pd.DataFrame, ax: Axes | None = None) -> Axes:
        """Draw a table into the axes given, or into those of a figure without text."""
        if ax is None:
            ax = page(ChartText(), self.body(table), self.left, self.right, self.below)[1]
        self.plot(table, ax)
        return ax

    def picture(self, source: Source) -> Picture:
        """The chart of these results, or of this agent.

        Raises:
            NotApplicable: it does not apply to them.
        """
        return self.drawn(self.prepared(source))

    def prepared(self, source: Source) -> Prepared:
        """The numbers and the text of the chart of these results, or of this agent.

        Raises:
            NotApplicable: it does not apply to them.
        """
        with house_style():
            table = self.table(source)
            return Prepared(self.name, table, self.text(table, source))

    def drawn(self, prepared: Prepared) -> Picture:
        """The chart of numbers and text."""
        _, table, text = prepared
        with house_style(text, table):
            figure, ax = page(text, self.body(table), self.left, self.right, self.below)
            self.plot(table, ax)
        return Picture(self.name, figure, text, table)


def on_one_page(drawings: Sequence[str]) -> list[str]:
    """SVG for one page: the shape of a letter is drawn once, by a short name, and used by all.

    Places of letters are in hundredths of their size, so that a whole number is exact enough.
    """
    short: dict[str, str] = {}

    def drawn_once(found: re.Match[str]) -> str:
        if found[1] in short:
            return ""
        short[found[1]] = f"l{len(short)}"
        return f'<path id="{short[found[1]]}"{found[2]}'

    def used(found: re.Match[str]) -> str:
        place = f' x="{float(found[2]):.0f}"' if found[2] else ""
        return f'href="#{short[found[1]]}"{place}'

    return [_USE.sub(used, _LETTER.sub(drawn_once, svg)) for svg in drawings]
