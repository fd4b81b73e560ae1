"""What is wrong with a picture: the faults a reader would see, found by measuring."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import combinations
from typing import Any, cast

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.collections import Collection, LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from tariffsim.charts.picture import SHOWN, Picture, house_style

SMALLEST = 7.5
"""Least size of text in points."""
DIGITS = 9
"""Significant digits to which what is drawn equals the table."""


def lint(picture: Picture) -> list[str]:
    """All faults of a picture, one line each."""
    with house_style():
        boxes = _text_boxes(picture.figure)
    faults = [*_text_faults(boxes), *_placing_faults(picture.figure, boxes)]
    faults += [*_tick_faults(picture.figure), *_word_faults(picture, boxes)]
    return faults + list(_data_faults(picture.figure, picture.csv()))


def _axis_of(figure: Figure) -> Iterator[Axis]:
    for ax in figure.findobj(Axes):  # panels inside axes too
        if isinstance(ax, Axes):
            yield from (ax.xaxis, ax.yaxis)


def _text_boxes(figure: Figure) -> list[tuple[Text, Bbox]]:
    """All texts that are seen, with their boxes in pixels."""
    renderer = cast(Any, RendererAgg)(figure.bbox.width, figure.bbox.height, figure.dpi)
    figure.draw_without_rendering()
    hidden: set[Text] = set()
    for axis in _axis_of(figure):
        low, high = sorted(axis.get_view_interval())
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            is_seen = axis.get_visible() and axis.axes.axison
            if not is_seen or not low - 1e-9 <= tick.get_loc() <= high + 1e-9:
                hidden |= {tick.label1, tick.label2}
    texts = [t for t in figure.findobj(Text) if isinstance(t, Text) and t not in hidden]
    return [(t, Text.get_window_extent(t, renderer)) for t in texts  # without arrows
            if t.get_visible() and t.get_text().strip()]  # fmt: skip


def _text_faults(boxes: list[tuple[Text, Bbox]]) -> Iterator[str]:
    for text, _ in boxes:
        if float(text.get_fontsize()) < SMALLEST:
            yield f"small text: {text.get_fontsize():g} pt: {_short(text)}"
        if text.get_rotation() % 360:
            yield f"text is not horizontal: {_short(text)}"


def _placing_faults(figure: Figure, boxes: list[tuple[Text, Bbox]]) -> Iterator[str]:
    edge = figure.bbox
    for text, box in boxes:
        if box.x0 < -1 or box.y0 < -1 or box.x1 > edge.x1 + 1 or box.y1 > edge.y1 + 1:
            yield f"text cut off: {_short(text)}"
    for (one, a), (other, b) in combinations(boxes, 2):
        if a.x0 < b.x1 - 1 and b.x0 < a.x1 - 1 and a.y0 < b.y1 - 1 and b.y0 < a.y1 - 1:
            yield f"texts overlap: {_short(one)} and {_short(other)}"


def _tick_faults(figure: Figure) -> Iterator[str]:
    for axis in _axis_of(figure):
        low, high = sorted(axis.get_view_interval())
        seen: dict[str, float] = {}
        places = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=False)
        for place, label in places:
            if not low <= place <= high or not label.get_text():
                continue
            if label.get_text() in seen:
                yield f"tick label twice: {_short(label)}"
            seen[label.get_text()] = float(place)


def _word_faults(picture: Picture, boxes: list[tuple[Text, Bbox]]) -> Iterator[str]:
    text = picture.text
    shown = " ".join(" ".join(text.get_text().split()) for text, _ in boxes)
    axes = [axis.get_label_text() for axis in _axis_of(picture.figure)]
    units = set(picture.table.get("unit", ()))
    if not any(unit in place for unit in units for place in (text.subtitle, *axes)):
        yield "no unit in subtitle or axis name"
    for what in ("title", "subtitle", "note"):
        if not " ".join(getattr(text, what).split()):
            yield f"no {what}"
    if text.title and text.title.split()[0] not in shown:
        yield "title is not on the picture"
    if len(text.alt.split()) < 8:
        yield "no alt text"


def _data_faults(figure: Figure, csv: bytes) -> Iterator[str]:
    """Differences between the numbers drawn and those of the CSV file."""
    table = pd.read_csv(io.BytesIO(csv))
    shown: dict[str, set[float]] = {}
    for artist in figure.findobj(lambda a: str(a.get_label()).startswith(SHOWN)):
        columns = str(artist.get_label()).removeprefix(SHOWN).split("|")
        for names, values in zip(columns, _points(artist).T, strict=True):
            if names:
                shown.setdefault(names, set()).update(_rounded(values))
    if not shown:
        yield "nothing drawn says which column it shows"
    for names, values in shown.items():
        columns = names.split()
        if missing := [c for c in columns if c not in table]:
            yield f"CSV lacks what is drawn: {' '.join(missing)}"
        elif values != _rounded(table[columns].to_numpy(dtype=float).ravel()):
            yield f"CSV unlike what is drawn: {names}"
    for column in table.select_dtypes("float"):
        if not table[column].isna().all() and column not in " ".join(shown).split():
            yield f"CSV column is not drawn: {column}"


def _points(artist: Artist) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Where an artist is in data coordinates."""
    if isinstance(artist, Line2D):
        return np.column_stack([np.asarray(v, float) for v in artist.get_data(orig=True)])
    if isinstance(artist, Rectangle):
        return artist.get_bbox().get_points()
    if isinstance(artist, LineCollection):
        return np.concatenate(
            [np.empty((0, 2)), *(s.reshape(-1, 2) for s in artist.get_segments())]
        )
    if isinstance(artist, PathCollection):
        return np.asarray(artist.get_offsets(), float)
    if isinstance(artist, Collection):
        return np.concatenate([path.vertices for path in artist.get_paths()])
    return np.empty((0, 2))


def _rounded(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> set[float]:
    return {float(f"{v:.{DIGITS - 1}e}") for v in values if np.isfinite(v)}


def _short(text: Text) -> str:
    words = " ".join(text.get_text().split())
    return f"“{words[:40]}{'…' if len(words) > 40 else ''}”"
