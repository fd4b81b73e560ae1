"""What all charts share: colours with fixed meanings, text that is ensemble, the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import matplotlib
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

TEXT, QUIET, FAINT = "#262626", "#4A4A4A", "#8C8C8C"
WIDTH = 648.0
"""Width of a figure in points (9 inches)."""
EDGE = 16.0
"""Free margin around everything, points."""
LINE = 1.35
"""Height of a line of text over its size."""
MOST_IN_COLOUR = 4


@dataclass(frozen=True)
class Look:
    """How everything of one scenario is drawn."""

    colour: str
    text: str
    marker: str
    dash: Any
    face: str
    width: float = 2.0


FAMILIES: dict[str, tuple[str, str, str, Any]] = {
    "no policy": ("#3D3D3D", "#3D3D3D", "d", "-"),
    "component": ("#12436D", "#12436D", "o", (0, (9, 1.5))),
    "whole-product": ("#F46A25", "#B04A10", "s", (0, (4, 1.2))),
    "bare chip": ("#009988", "#00756A", "^", (0, (6, 1.5, 1.2, 1.5))),
    "several": ("#BD1F01", "#BD1F01", "X", (0, (2, 1))),
    "other": ("#A285D1", "#6B4BA3", "v", (0, (1, 1))),
}
"""Kinds of scenario: colour, darker colour for text, marker, dash."""


def looks(families: Mapping[str, str], most: int = MOST_IN_COLOUR) -> dict[str, Look]:
    """A look for every scenario: one of each family in colour first, then others up to `most`."""
    rank: dict[str, int] = {}
    seen: dict[str, int] = {}
    for scenario, family in families.items():
        rank[scenario] = seen[family] = seen.get(family, -1) + 1
    order = sorted(
        (s for s, family in families.items() if family != "no policy"), key=rank.__getitem__
    )
    in_colour = {*order[:most], *(s for s, family in families.items() if family == "no policy")}
    found = {}
    for scenario, family in families.items():
        colour, text, marker, dash = FAMILIES[family]
        face = "white" if rank[scenario] else colour
        if family == "no policy" and rank[scenario]:
            dash = (0, (1.2, 1.2))
        if scenario not in in_colour:
            found[scenario] = Look("#A6A6A6", "#6A6A6A", marker, dash, "white", 1.2)
        else:
            found[scenario] = Look(colour, text, marker, dash, face)
    return found


def is_muted(look: Look) -> bool:
    """Whether a scenario is one of those kept grey because there are too many."""
    return look.width < 2


def in_style() -> Any:
    """Context in which charts are made and written: our style file and nothing of the user's."""
    path = resources.files("tariffsim.charts").joinpath("tariffsim.mplstyle")
    return matplotlib.rc_context(fname=str(path))


@lru_cache(maxsize=1)
def _known_characters() -> frozenset[int]:
    path = font_manager.findfont(FontProperties(family="DejaVu Sans"))
    return frozenset(font_manager.get_font(path).get_charmap())


def printable(text: str) -> str:
    """The text on one line, with what the font cannot show replaced."""
    known = _known_characters()
    return "".join(c if ord(c) in known else "\ufffd" for c in " ".join(text.split()))


@lru_cache(maxsize=4096)
def _advance(character: str, weight: str) -> float:
    face = FontProperties(family="DejaVu Sans", size=100, weight=weight)
    both = TextToPath().get_text_width_height_descent(f"n{character}n", face, False)[0]
    return float(both - TextToPath().get_text_width_height_descent("nn", face, False)[0]) / 100


def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Width of a line of text in points, letter by letter."""
    return size * sum(_advance(character, weight) for character in text)


def wrap(
    text: str, size: float, width: float, weight: str = "normal", lines: int = 99, tail: str = ""
) -> str:
    """The text in lines no wider than `width` points; what is too much is cut before the tail."""
    rows = _rows(text + tail, size, width, weight)
    if len(rows) > lines:
        *rows, last = _rows(text, size, width, weight)[:lines]
        while last and text_width(f"{last}…{tail}", size, weight) > width:
            last = last[:-1]
        rows.append(f"{last.rstrip(' ,:;')}…{tail}")
    return "\n".join(rows)


def _rows(text: str, size: float, width: float, weight: str) -> list[str]:
    rows = [""]
    for word in printable(text).replace(" %", "\u00a0%").split(" "):
        while text_width(word, size, weight) > width and len(word) > 1:
            fits = next(n for n in range(len(word) - 1, 0, -1)
                        if n == 1 or text_width(word[:n], size, weight) <= width)  # fmt: skip
            rows.append(word[:fits])
            word = word[fits:]
        longer = f"{rows[-1]} {word}".strip()
        if text_width(longer, size, weight) <= width:
            rows[-1] = longer
        else:
            rows.append(word)
    return [row for row in rows if row]


def height(text: str, size: float) -> float:
    """Height of wrapped text in points."""
    return (text.count("\n") + 1) * size * LINE if text else 0.0


@dataclass(frozen=True)
class Key:
    """A line above the axes that names what is drawn, in its colour, behind its marker."""

    text: str
    look: Look


def page(
    title: str, subtitle: str, note: str, keys: Sequence[Key], body: float, left: float,
    right: float, below: float = 34.0,
) -> tuple[Figure, Axes]:  # fmt: skip
    """A figure with its words around axes `body` points high; it grows with its words."""
    inner = WIDTH - 2 * EDGE
    title, subtitle = wrap(title, 13, inner, "bold", 4), wrap(subtitle, 9, inner, lines=4)
    note = wrap(note, 7.5, inner, lines=5)
    names = [wrap(key.text, 8.5, inner - 16, "bold", 2) for key in keys]
    parts = [(title, 13.0), (subtitle, 9.0), *((name, 8.5) for name in names)]
    above = sum(height(text, size) + 5 for text, size in parts[:2])
    above += sum(height(text, size) + 1 for text, size in parts[2:])
    total = EDGE + above + 16 + body + below + height(note, 7.5) + EDGE
    figure = Figure(figsize=(WIDTH / 72, total / 72))
    y = total - EDGE
    for i, (text, size) in enumerate(parts):
        x, colour, weight = EDGE, QUIET if i == 1 else TEXT, "normal" if i == 1 else "bold"
        if i > 1:
            look = keys[i - 2].look
            x, colour = EDGE + 16, look.text
            _marker(figure, look, (EDGE + 5) / WIDTH, (y - 0.55 * size) / total)
        figure.text(x / WIDTH, y / total, text, size=size, weight=weight, color=colour, va="top",
                    linespacing=LINE / 1.2)  # fmt: skip
        y -= height(text, size) + (5 if i < 2 else 1)
    figure.text(EDGE / WIDTH, EDGE / total, note, size=7.5, color="#5F5F5F", va="bottom",
                linespacing=LINE / 1.2)  # fmt: skip
    bottom = EDGE + height(note, 7.5) + below
    box = (left / WIDTH, bottom / total, (WIDTH - left - right) / WIDTH, body / total)
    return figure, figure.add_axes(box)


def _marker(figure: Figure, look: Look, x: float, y: float) -> None:
    from matplotlib.lines import Line2D

    figure.add_artist(
        Line2D([x], [y], marker=look.marker, markersize=6.5, color=look.colour,
               markerfacecolor=look.face, markeredgewidth=1.4, linestyle="none",
               transform=figure.transFigure)
    )  # fmt: skip


def own_axes(ax: Axes | None, body: float = 300.0, left: float = 60.0, right: float = 60.0) -> Axes:
    """The axes given, or those of a figure without words."""
    return ax if ax is not None else page("", "", "", (), body, left, right)[1]


def points(ax: Axes) -> tuple[float, float]:
    """Width and height of axes in points."""
    box = ax.get_window_extent()
    dpi = ax.get_figure(root=True).dpi  # type: ignore[union-attr]
    return box.width * 72 / dpi, box.height * 72 / dpi


def drawn(*columns: str, axis: str = "y") -> str:
    """Label that says which columns of its table an artist shows, for the linter."""
    return f"_drawn {axis} {' '.join(columns)}"


def number(value: float, decimals: int = 1, sign: bool = False) -> str:
    """A number with a true minus, and no minus before a zero."""
    text = f"{abs(value):,.{decimals}f}"
    if not float(text.replace(",", "")):
        return text
    return ("\u2212" if value < 0 else "+" if sign else "") + text


def tick(value: float, _: object = None) -> str:
    """A change on an axis, with its sign and as many digits as it has."""
    sign = "\u2212" if value < 0 else "+" if value > 0 else ""
    return f"{sign}{abs(value):g}"


def precise(value: float, decimals: int = 1, sign: bool = False) -> str:
    """A number with more decimals where it would be shown as zero."""
    while decimals < 6 and value and abs(value) < 0.5 * 10.0**-decimals:
        decimals += 1
    return number(value, decimals, sign)
