"""A chart with its text, and the files it is saved as."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Mapping
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
from tariffsim.charts.lettering import LINE, NARROW, fit, height, wrap
from tariffsim.charts.style import QUIET, TEXT, SeriesStyle, one_line
from tariffsim.errors import TariffsimError

_NOISE = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>", re.DOTALL)
_DIGITS = re.compile(r"\b([1-9]\d*\.\d\d)\d+")
"""Digits that nobody sees: a hundredth of a point is enough."""
_FONTS = re.compile(r"(font-family: [^;\"]*)")
FALLBACK = ", Verdana, sans-serif"
"""Fonts for readers who lack that of charts: Verdana is as wide, others are narrower."""

WIDTH = 648.0
"""Width of a figure on a screen, in points (9 inches)."""


class Size(NamedTuple):
    """For what a picture is made: all texts have the same size in points in each."""

    width: float
    """Points."""
    dpi: float
    """Dots an inch of the PNG."""
    edge: float
    """Free margin around everything, points."""
    left: float = 1e9
    """Most room left of the axes, points."""
    right: float = 1e9
    """Most room right of the axes, points."""
    rows: float = 1.0
    """Height of rows with names against that on a screen."""
    suffix: str = ""
    """Last part of the names of files."""

    @property
    def is_narrow(self) -> bool:
        """Whether names of rows go above them, and names of lines below the axes."""
        return self.width < 300


SIZES: dict[str, Size] = {
    "screen": Size(WIDTH, 160, 16.0),
    "phone": Size(270.0, 288, 8.0, 42.0, 48.0, 1.75, "_phone"),
    "print": Size(453.5, 300, 10.0, 168.0, 150.0, 1.15, "_print"),
}
"""A screen; 360 px of a phone (270 pt); 16 cm on paper."""
ROWS = 100.0
"""Room left of axes, in points, from which on it is that of names of rows."""
EDGE = SIZES["screen"].edge
"""Free margin around everything on a screen, points."""

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
    text: ChartText, body: float, left: float, right: float, below: float = 34.0,
    size: Size = SIZES["screen"],
) -> tuple[Figure, Axes]:  # fmt: skip
    """A figure with its text around axes `body` points high; it grows with its text."""
    width, edge = size.width, size.edge
    inner = width - 2 * edge
    title, subtitle = wrap(text.title, 13, inner, "bold"), wrap(text.subtitle, 9, inner)
    note = wrap(text.note, 7.5, inner)
    names = [wrap(name, 8.5, inner - 16, "bold", 2) for name in text.legend]
    above = height(title, 13) + height(subtitle, 9) + 10
    above += sum(height(name, 8.5) + 1 for name in names)
    bottom = edge + height(note, 7.5) + below
    total = bottom + body + (28 if size.is_narrow else 16) + above + edge
    figure = Figure(figsize=(width / 72, total / 72))
    figure.set_label(NARROW if size.is_narrow else "")
    y = total - edge
    _write(figure, title, edge, y, size=13, weight="bold", color=TEXT)
    y -= height(title, 13) + 5
    _write(figure, subtitle, edge, y, size=9, color=QUIET)
    y -= height(subtitle, 9) + 5
    for name, style in zip(names, text.legend.values(), strict=True):
        _marker(figure, style, edge + 5, y - 0.55 * 8.5)
        _write(figure, name, edge + 16, y, size=8.5, weight="bold", color=style.text)
        y -= height(name, 8.5) + 1
    _write(figure, note, edge, edge, size=7.5, color="#5F5F5F", va="bottom")
    left, right = min(left, size.left), min(right, size.right)
    box = (left / width, bottom / total, (width - left - right) / width, body / total)
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
    size: Size = SIZES["screen"]

    def files(self) -> dict[str, bytes]:
        """SVG, PNG, CSV and alt text by file name; of other sizes than a screen SVG and PNG."""
        with house_style(self.text, self.table):
            svg, png = io.BytesIO(), io.BytesIO()
            self.figure.savefig(svg, format="svg", metadata={"Date": None})
            self.figure.savefig(png, format="png", metadata={"Software": None}, dpi=self.size.dpi)
        name = self.name + self.size.suffix
        drawn = {
            f"{name}.svg": self._labelled(svg.getvalue().decode()).encode(),
            f"{name}.png": png.getvalue(),
        }
        if self.size.suffix:
            return drawn
        return drawn | {f"{name}.csv": self.csv(), f"{name}.txt": f"{self.text.alt}\n".encode()}

    def csv(self) -> bytes:
        """The numbers drawn."""
        return self.table.to_csv(index=False, lineterminator="\n").encode()

    def _labelled(self, svg: str) -> str:
        """The drawing with its alt text, and ids that are unique among all charts of a page."""
        svg = _NOISE.sub("", svg).strip()
        svg = re.sub(r"\s*\n\s*", "\n", _DIGITS.sub(r"\1", svg))
        svg = _FONTS.sub(rf"\g<1>{FALLBACK}", svg)
        mark = f"c{self.name[:2]}{self.size.suffix}-"
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
        on_phone: height of the axes on a phone against that on a screen, besides that of rows.
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
    on_phone: float = 1.0

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

    def picture(self, source: Source, size: str = "screen") -> Picture:
        """The chart of these results, or of this agent, in one of SIZES.

        Raises:
            NotApplicable: it does not apply to them.
        """
        return self.drawn(self.prepared(source), size)

    def prepared(self, source: Source) -> Prepared:
        """The numbers and the text of the chart of these results, or of this agent.

        Raises:
            NotApplicable: it does not apply to them.
        """
        with house_style():
            table = self.table(source)
            return Prepared(self.name, table, self.text(table, source))

    def drawn(self, prepared: Prepared, size: str = "screen") -> Picture:
        """The chart of numbers and text, in one of SIZES."""
        (_, table, text), how = prepared, SIZES[size]
        with house_style(text, table):
            body = self.body(table) * (how.rows if self.left >= ROWS else 1.0)
            body *= self.on_phone if how.is_narrow else 1.0
            figure, ax = page(text, body, self.left, self.right, self.below, how)
            self.plot(table, ax)
            if how.suffix:
                fit(figure)
        return Picture(self.name, figure, text, table, how)
