"""How much room text takes: wrapping by measured width."""

from __future__ import annotations

from functools import lru_cache

from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

LINE = 1.35
"""Height of a line of text over its size."""


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


def points(ax: Axes) -> tuple[float, float]:
    """Width and height of axes in points."""
    box = ax.get_window_extent()
    dpi = ax.get_figure(root=True).dpi  # type: ignore[union-attr]
    return box.width * 72 / dpi, box.height * 72 / dpi
