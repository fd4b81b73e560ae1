"""Direct labels that keep clear of each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from tariffsim.charts.style import LINE, height, points, text_width, wrap

SIZE = 8.0


@dataclass(frozen=True)
class Entry:
    """A text beside a point of the data."""

    x: float
    y: float
    text: str
    colour: str
    is_quiet: bool = False
    tail: str = ""
    """What is kept when the text is cut."""


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


def at_the_end(ax: Axes, entries: Sequence[Entry], room: float) -> None:
    """Labels right of the axes, level with the ends of their lines, in `room` points."""
    _, tall = points(ax)
    most = int(tall / (SIZE * LINE + 2))  # with more, quiet ones go without a name
    entries = sorted(entries, key=lambda entry: entry.is_quiet)[:most]
    entries = sorted(entries, key=lambda entry: -entry.y)
    for lines in (3, 2, 1):
        texts = [wrap(e.text, SIZE, room - 32, _weight(e), lines, e.tail) for e in entries]
        sizes = [height(text, SIZE) + 2 for text in texts]
        if sum(sizes) <= tall:
            break
    low, high = ax.get_ylim()
    wanted = [tall * (e.y - low) / (high - low) for e in entries]
    for entry, text, centre, level in zip(
        entries, texts, spread(wanted, sizes, tall), wanted, strict=True
    ):
        ax.annotate(
            text, (entry.x, entry.y), xytext=(20, centre - level), textcoords="offset points",
            va="center", color=entry.colour, size=SIZE, weight=_weight(entry),
            annotation_clip=False, linespacing=LINE / 1.2,
            arrowprops={"arrowstyle": "-", "color": "#BFBFBF", "lw": 0.7, "shrinkA": 2,
                        "shrinkB": 2, "relpos": (0, 0.5)},
        )  # fmt: skip


def _weight(entry: Entry) -> str:
    return "normal" if entry.is_quiet else "bold"


def beside(ax: Axes, entries: Sequence[Entry], blocked: Sequence[Bbox], room: float) -> None:
    """Labels near their points, clear of each other and of what is blocked (in points)."""
    wide, tall = points(ax)
    texts: list[Bbox] = []
    (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
    for entry in entries:
        x, y = wide * (entry.x - x0) / (x1 - x0), tall * (entry.y - y0) / (y1 - y0)
        text = wrap(entry.text, SIZE, 170, "bold", 3)
        w = max(text_width(row, SIZE, "bold") for row in text.split("\n"))
        h = height(text, SIZE)
        best, cost = Bbox.from_bounds(x + 8, y - h / 2, w, h), math.inf
        for radius in (9, 16, 26, 40, 60, 85, 115, 150, 190):
            if radius >= cost:
                break
            for angle in range(0, 360, 15):
                box = _box(x, y, w, h, radius, math.radians(angle))
                price = radius + 10 * (1 - math.cos(math.radians(angle)))  # rather to the right
                price += 1000 * _outside(box, wide + room, tall)
                price += 1000 * _overlap(box, texts) + 12 * _overlap(box, blocked)
                if price < cost:
                    price += 60 * _crossed(x, y, box, texts) + 15 * _crossed(x, y, box, blocked)
                if price < cost:
                    best, cost = box, price
        texts.append(best.padded(2))
        far = math.hypot(max(best.x0 - x, 0, x - best.x1), max(best.y0 - y, 0, y - best.y1)) > 12
        arrow = {"arrowstyle": "-", "color": "#9A9A9A", "lw": 0.7, "shrinkA": 1, "shrinkB": 4}
        ax.annotate(
            text, (entry.x, entry.y), xytext=(best.x0 - x, (best.y0 + best.y1) / 2 - y),
            textcoords="offset points", va="center", color=entry.colour, size=SIZE, weight="bold",
            annotation_clip=False, linespacing=LINE / 1.2,
            arrowprops=arrow | {"relpos": _nearest(best, x, y)} if far else None,
        )  # fmt: skip


def _box(x: float, y: float, w: float, h: float, radius: float, angle: float) -> Bbox:
    """Box of a text seen from a point in some direction."""
    dx, dy = math.cos(angle), math.sin(angle)
    centre = x + radius * dx + dx * w / 2, y + radius * dy + dy * h / 2
    return Bbox.from_bounds(centre[0] - w / 2, centre[1] - h / 2, w, h)


def _outside(box: Bbox, wide: float, tall: float) -> float:
    """Points by which a box runs over the edge."""
    return float(max(-box.x0, 0, box.x1 - wide) + max(-box.y0, 0, box.y1 - tall))


def _overlap(box: Bbox, others: Sequence[Bbox]) -> float:
    """Points by which a box runs into others."""
    found = 0.0
    for other in others:
        wide = min(box.x1, other.x1) - max(box.x0, other.x0)
        tall = min(box.y1, other.y1) - max(box.y0, other.y0)
        found += 1 + min(wide, tall) if wide > 0 and tall > 0 else 0
    return found


def _crossed(x: float, y: float, box: Bbox, taken: Sequence[Bbox]) -> int:
    """How many others the line from a point to its label runs through."""
    fx, fy = _nearest(box, x, y)
    dx, dy = box.x0 + fx * box.width - x, box.y0 + fy * box.height - y
    along = [(x + t * dx, y + t * dy) for t in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)]
    return sum(
        any(other.contains(*at) for at in along)
        for other in taken
        if not other.contains(x, y)  # its own mark
    )


def _nearest(box: Bbox, x: float, y: float) -> tuple[float, float]:
    """Where on a box, as fractions, the point is nearest."""
    return (min(max((x - box.x0) / box.width, 0), 1), min(max((y - box.y0) / box.height, 0), 1))
