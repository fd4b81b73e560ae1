"""A chart with its words, and the files it is saved as."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Generic, TypeVar

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tariffsim.charts import style
from tariffsim.errors import TariffsimError

_NOISE = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>", re.DOTALL)
_DIGITS = re.compile(r"\b([1-9]\d*\.\d\d)\d+")
"""Digits that nobody sees: a hundredth of a point is enough."""

Source = TypeVar("Source")
"""What a chart is made from: results of a comparison, or one agent explained."""

_LETTER = re.compile(r'<path id="c\w\w-(DejaVu[^"]+)"([^>]*/>\n?)')
_USE = re.compile(r'href="#c\w\w-(DejaVu[^"]+)"(?: transform="translate\(([-.\d]+) 0\)")?')


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


class LeftOut(TariffsimError):
    """A chart does not apply to these results; the message says why."""


@dataclass(frozen=True)
class Words:
    """All that is written around a chart."""

    title: str
    subtitle: str
    note: str
    alt: str
    unit: str
    keys: Sequence[style.Key] = ()


@dataclass(frozen=True)
class Picture:
    """A chart drawn for some results: figure, words and the numbers it shows."""

    name: str
    figure: Figure
    words: Words
    table: pd.DataFrame

    def files(self) -> dict[str, bytes]:
        """SVG, PNG, CSV and alt text by file name."""
        with style.in_style():
            svg, png = io.BytesIO(), io.BytesIO()
            self.figure.savefig(svg, format="svg", metadata={"Date": None})
            self.figure.savefig(png, format="png", metadata={"Software": None})
        return {
            f"{self.name}.svg": self._labelled(svg.getvalue().decode()).encode(),
            f"{self.name}.png": png.getvalue(),
            f"{self.name}.csv": self.csv(),
            f"{self.name}.txt": f"{self.words.alt}\n".encode(),
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
        words = (
            f'<title id="{mark}title">{escape(self.words.title)}</title>'
            f'<desc id="{mark}desc">{escape(self.words.alt)}</desc>'
        )
        svg = svg.replace("<svg ", f'<svg role="img" aria-labelledby="{mark}title {mark}desc" ', 1)
        return re.sub(r"(<svg [^>]*>)", lambda m: m[1] + "\n " + words, svg, count=1) + "\n"


@dataclass(frozen=True)
class Chart(Generic[Source]):
    """One chart: what it takes from its source, how it is put into words, how it is drawn."""

    number: int
    key: str
    title: str
    shows: str
    table: Callable[[Source], pd.DataFrame]
    words: Callable[[pd.DataFrame, Source], Words]
    draw: Callable[[pd.DataFrame, Axes | None], Axes]
    body: Callable[[pd.DataFrame], float]
    left: float = 60.0
    right: float = 60.0
    below: float = 34.0

    @property
    def name(self) -> str:
        """Name of its files."""
        return f"{self.number:02d}_{self.key}"

    def picture(self, source: Source) -> Picture:
        """The chart of these results, or of this agent.

        Raises:
            LeftOut: it does not apply to them.
        """
        with style.in_style():
            table = self.table(source)
            words = self.words(table, source)
            figure, ax = style.page(
                words.title, words.subtitle, words.note, words.keys,
                self.body(table), self.left, self.right, self.below,
            )  # fmt: skip
            self.draw(table, ax)
        return Picture(self.name, figure, words, table)
