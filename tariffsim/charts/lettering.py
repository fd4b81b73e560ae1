"""Text on pictures: how much room it takes, and labels of lines and points that keep clear."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import TextToPath
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

from tariffsim.charts.fonts import FACE, can_draw, families
from tariffsim.typing import Float

LINE = 1.35
"""Height of a line of text over its size."""
SIZE = 8.0
"""Of the text of labels."""
NARROW = "narrow"
"""Label of figures for phones: names of rows go above them, names of lines below the axes."""


def printable(text: str) -> str:
    """The text on one line, with what no font can show replaced."""
    line = " ".join(text.split())
    return line if can_draw(line) else "".join(c if can_draw(c) else "\ufffd" for c in line)


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Width of a line of text in points."""
    face = FontProperties(family=families(text) or FACE, size=size, weight=weight)
    return float(TextToPath().get_text_width_height_descent(text, face, False)[0])


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


def figure_of(ax: Axes) -> Figure:
    """The figure that axes are in."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


def is_narrow(ax: Axes) -> bool:
    """Whether axes are in a figure for a phone."""
    return figure_of(ax).get_label() == NARROW


def room_beside(ax: Axes) -> tuple[float, float]:
    """Points of the figure left and right of axes."""
    figure, box = figure_of(ax), ax.get_window_extent()
    scale = 72 / figure.dpi
    return box.x0 * scale, 72 * float(figure.get_size_inches()[0]) - box.x1 * scale


def write_below(ax: Axes, texts: Sequence[str], colours: Sequence[str]) -> None:
    """Lines of text between axes and the note of their figure, which becomes higher by them."""
    figure = figure_of(ax)
    tall = 72 * float(figure.get_size_inches()[1])
    more = sum(height(text, SIZE) + 2 for text in texts) + 4
    (note,) = (text for text in figure.texts if text.get_verticalalignment() == "bottom")
    x, y = note.get_position()
    top = y * tall + height(note.get_text(), float(note.get_fontsize())) + more
    _grow(figure, more)
    for text, colour in zip(texts, colours, strict=True):
        figure.text(x, top / (tall + more), text, va="top", color=colour, size=SIZE,
                    weight="bold", linespacing=LINE / 1.2)  # fmt: skip
        top -= height(text, SIZE) + 2


def _grow(figure: Figure, more: float) -> None:
    """Put so many points between the note of a figure, at its foot, and all else."""
    wide, tall = (72 * float(x) for x in figure.get_size_inches())
    figure.set_size_inches(wide / 72, (tall + more) / 72)
    lift, scale = more / (tall + more), tall / (tall + more)
    for text in figure.texts:
        x, y = text.get_position()
        text.set_position(
            (x, y * scale + (0 if text.get_verticalalignment() == "bottom" else lift))
        )
    for mark in (*figure.lines, *figure.artists):  # of the legend
        if isinstance(mark, Line2D):
            mark.set_ydata([lift + scale * y for y in np.asarray(mark.get_ydata(), float)])
    for ax in figure.axes:
        box = ax.get_position()
        ax.set_position((box.x0, box.y0 * scale + lift, box.width, box.height * scale))


VALUE = "value"
"""Group id of numbers beside bars: the axis across makes room for them."""


def fit(figure: Figure) -> None:
    """Wrap names of axes across, make room for numbers, and drop names of ticks that overlap."""
    shown = [ax for ax in figure.findobj(Axes) if isinstance(ax, Axes) and ax.axison]
    for ax in shown:
        room = points(ax)[0] + (30 if ax in figure.axes else 4)
        ax.set_xlabel(wrap(ax.get_xlabel(), 8.5, room), loc="right")
        _make_room(ax)
    for _ in range(3):
        figure.draw_without_rendering()
        shown = [ax for ax in shown if _thins_ticks(ax)]
        if not shown:
            return


def _make_room(ax: Axes) -> None:
    """Widen the axis across until numbers beside its bars are inside the axes and the margin."""
    values = [text for text in ax.texts if text.get_label() == VALUE]
    spare = min(room_beside(ax)[1] - 2, 60)
    ax.autoscale_view()  # else places are those of limits that will not stay
    for _ in range(4 if values else 0):
        box, scale = ax.get_window_extent(), figure_of(ax).dpi / 72
        extents = [text.get_window_extent() for text in values]
        left = max(box.x0 - min(e.x0 for e in extents), 0.0)
        right = max(max(e.x1 for e in extents) - box.x1 - spare * scale, 0.0)
        low, high = ax.get_xlim()
        unit = (high - low) / (box.width - min(left + right, 0.7 * box.width))
        ax.set_xlim(low - left * unit, high + right * unit)


def _thins_ticks(ax: Axes) -> bool:
    """Whether names of ticks overlapped, so that there are fewer now."""
    low, high = sorted(ax.get_xlim())
    ticks = ax.xaxis.get_major_ticks()
    boxes = [t.label1.get_window_extent() for t in ticks
             if t.label1.get_text() and low <= t.get_loc() <= high]  # fmt: skip
    gaps = [b.x0 - a.x1 for a, b in pairwise(sorted(boxes, key=lambda box: box.x0))]
    if min(gaps, default=9.0) >= 2:
        return False
    locator = ax.xaxis.get_major_locator()
    if isinstance(locator, MaxNLocator):
        locator.set_params(nbins=max(1, len(boxes) // 2))
        return True
    names = [t.label1.get_text() for t in ticks]
    dropped = [n for n, name in enumerate(names) if name][1::2]
    ax.set_xticks([t.get_loc() for t in ticks],
                  ["" if n in dropped else name for n, name in enumerate(names)])  # fmt: skip
    return True


@dataclass(frozen=True)
class Label:
    """A text beside a point of the data."""

    x: float
    y: float
    text: str
    colour: str
    is_muted: bool = False
    tail: str = ""
    """What is kept when the text is cut."""

    @property
    def weight(self) -> str:
        """Labels of grey lines are not bold."""
        return "normal" if self.is_muted else "bold"


def spread(wanted: Sequence[float], sizes: Sequence[float], top: float) -> list[float]:
    """Centres from high to low, as near as may be to those wanted, that do not overlap.

    Args:
        wanted: centres from high to low.
        sizes: heights of the boxes, in all at most `top`.
        top: the upper edge; the lower one is zero.
    """
    found: list[float] = []
    ceiling = top
    for centre, size in zip(wanted, sizes, strict=True):
        found.append(min(max(centre, size / 2), ceiling - size / 2))
        ceiling = found[-1] - size / 2
    floor = 0.0
    for i in reversed(range(len(found))):
        found[i] = max(found[i], floor + sizes[i] / 2)
        floor = found[i] + sizes[i] / 2
    return found


def label_ends(ax: Axes, labels: Sequence[Label], room: float) -> None:
    """Labels right of the axes, level with the ends of their lines, in `room` points.

    On a phone they are below the axes, in the same order.
    """
    _, tall = points(ax)
    most = int(tall / (SIZE * LINE + 2))  # with more, grey ones go without a name
    labels = sorted(labels, key=lambda label: label.is_muted)[:most]
    labels = sorted(labels, key=lambda label: -label.y)
    if is_narrow(ax):
        inner = points(ax)[0] + sum(room_beside(ax)) - 20
        texts = [wrap(f"\u2014 {e.text}", SIZE, inner, "bold", 2, e.tail) for e in labels]
        write_below(ax, texts, [label.colour for label in labels])
        box, right = ax.get_position(), 1 - 14 / (72 * figure_of(ax).get_size_inches()[0])
        ax.set_position((box.x0, box.y0, right - box.x0, box.height))
        return
    room = min(room, room_beside(ax)[1])
    for lines in (3, 2, 1):
        texts = [wrap(e.text, SIZE, room - 32, e.weight, lines, e.tail) for e in labels]
        sizes = [height(text, SIZE) + 2 for text in texts]
        if sum(sizes) <= tall:
            break
    low, high = ax.get_ylim()
    wanted = [tall * (e.y - low) / (high - low) for e in labels]
    centres = spread(wanted, sizes, tall)
    for label, text, centre, level in zip(labels, texts, centres, wanted, strict=True):
        _annotate(ax, label, text, (20, centre - level), (0, 0.5))


def _annotate(
    ax: Axes, label: Label, text: str, shift: tuple[float, float],
    from_box: tuple[float, float] | None,
) -> None:  # fmt: skip
    """Text `shift` points from its point, and a thin line from the box of the text to it."""
    arrow = {"arrowstyle": "-", "color": "#ABABAB", "lw": 0.7, "shrinkA": 2, "shrinkB": 3}
    ax.annotate(
        text, (label.x, label.y), xytext=shift, textcoords="offset points", va="center",
        color=label.colour, size=SIZE, weight=label.weight, annotation_clip=False,
        linespacing=LINE / 1.2, arrowprops=arrow | {"relpos": from_box} if from_box else None,
    )  # fmt: skip


def label_points(ax: Axes, labels: Sequence[Label], room: float) -> None:
    """Labels near their points, clear of each other and of what is drawn.

    Args:
        ax: axes on which all is drawn.
        labels: the labels, the most important first.
        room: points right of the axes that labels may use.
    """
    ax.autoscale_view()  # else places in data are those of limits that will not stay
    wide, tall = points(ax)
    room = min(room, room_beside(ax)[1] - 6)
    inside, marks = Bbox.from_bounds(0, 0, wide + room, tall), _marks(ax)
    texts: list[Bbox] = []
    for label in labels:
        at = _in_points(ax, ax.transData.transform((label.x, label.y)))
        text = wrap(label.text, SIZE, min(170, 0.6 * (wide + room)), "bold", 3)
        size = max(text_width(row, SIZE, "bold") for row in text.split("\n")), height(text, SIZE)
        box = min(_places(at, size), key=lambda box: _cost(at, box, inside, texts, marks))
        texts.append(box.padded(2))
        near = np.clip(at, box.min, box.max)
        is_far = np.hypot(*(near - at)) > 12
        x, y = (near - box.min) / box.size
        shift = (box.x0 - at[0], (box.y0 + box.y1) / 2 - at[1])
        _annotate(ax, label, text, shift, (x, y) if is_far else None)


def _in_points(ax: Axes, pixels: Float) -> Float:
    """(N, 2) places on the canvas, in points from the lower left corner of the axes."""
    return np.asarray(ax.transAxes.inverted().transform(pixels) * points(ax))


def _marks(ax: Axes) -> Float:
    """(N, 2) places along all lines, in points."""
    paths = [line.get_transform().transform_path(line.get_path()) for line in ax.lines]
    for lines in ax.collections:
        paths += [lines.get_transform().transform_path(path) for path in lines.get_paths()]
    return _in_points(ax, np.vstack([path.interpolated(40).vertices for path in paths]))


def _places(at: Float, size: tuple[float, float]) -> Iterator[Bbox]:
    """Boxes of a text around its point, from near to far."""
    for distance in (9, 16, 26, 40, 60, 85, 115, 150, 190):
        for angle in np.radians(np.arange(0, 360, 30)):
            way = np.array([np.cos(angle), np.sin(angle)])
            corner = at + way * distance + (way - 1) * np.divide(size, 2)
            yield Bbox([corner, corner + size])


def _cost(at: Float, box: Bbox, inside: Bbox, texts: Sequence[Bbox], marks: Float) -> float:
    """How bad a place is: far, left, outside, on others, or with a line to it across others."""
    near = np.clip(at, box.min, box.max)
    way = np.linspace(at, near, 8)
    return float(
        np.hypot(*(near - at))
        + 0.1 * max(at[0] - box.x0, 0)
        + 1000 * (4 - inside.count_contains(box.corners()))
        + 1000 * box.count_overlaps(texts)
        + 12 * box.padded(4).count_contains(marks)
        + 60 * sum(text.count_contains(way) > 0 for text in texts)
    )
