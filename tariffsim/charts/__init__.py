"""Charts: pictures of tables, with their text, as SVG, PNG, CSV and alt text.

A `Chart` that a module here defines is found by being there.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any

from tariffsim.charts.picture import (
    SIZES,
    Chart,
    Kind,
    NotApplicable,
    Picture,
    Prepared,
    chart_files,
)
from tariffsim.experiments.engines import second_process
from tariffsim.record.results import Results


def _found() -> Iterator[Chart[Any]]:
    for module in pkgutil.iter_modules(__path__):
        for thing in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
            if isinstance(thing, Chart):
                yield thing


CHARTS: tuple[Chart[Any], ...] = tuple(sorted(_found(), key=lambda chart: chart.name))
"""All charts in the order of their numbers."""

__all__ = [
    "CHARTS",
    "SIZES",
    "Chart",
    "Kind",
    "NotApplicable",
    "Picture",
    "Prepared",
    "drawing",
    "files_of",
    "pictures",
    "prepared",
]


def prepared(results: Results, kind: Kind = "comparison") -> tuple[list[Prepared], dict[str, str]]:
    """Every chart of a kind that applies to these results, and why others do not, by name."""
    found, left_out = [], {}
    for chart in CHARTS:
        if chart.kind == kind:
            try:
                found.append(chart.prepared(results))
            except NotApplicable as reason:
                left_out[chart.name] = str(reason)
    return found, left_out


def pictures(
    results: Results, kind: Kind = "comparison", size: str = "screen"
) -> tuple[list[Picture], dict[str, str]]:
    """Every chart of a kind that applies to these results, drawn, and why others do not apply."""
    found, left_out = prepared(results, kind)
    return [_drawn(one, size) for one in found], left_out


def _drawn(one: Prepared, size: str = "screen") -> Picture:
    (chart,) = (chart for chart in CHARTS if chart.name == one.name)
    return chart.drawn(one, size)


def files_of(one: Prepared, sizes: Iterable[str] = ("screen",)) -> dict[str, bytes]:
    """Draw a chart in some of SIZES: its files in a folder of results, by path."""
    return chart_files([_drawn(one, size) for size in sizes])


@contextmanager
def drawing(
    charts: Sequence[Prepared], is_shared: bool
) -> Iterator[Callable[[], dict[str, bytes]]]:
    """Draw charts while the caller does something else, if shared with a second process.

    What is called when the caller has done draws what the other process has not begun with, and
    gives all files by path, in the order of the charts.
    """
    if not (is_shared and charts):
        yield lambda: _joined(map(files_of, charts))
        return
    waiting, found = deque(charts), dict[str, dict[str, bytes]]()

    def draw_here() -> None:
        with suppress(IndexError):  # none is left
            while True:
                one = waiting.pop()
                found[one.name] = files_of(one)

    def draw_there(process: Connection) -> None:
        with suppress(IndexError):
            while True:
                one = waiting.popleft()
                try:
                    process.send(one)
                    found[one.name] = process.recv()
                except (EOFError, OSError):  # it has ended; `draw_here` says why, if that helps
                    waiting.append(one)
                    return

    def finish() -> dict[str, bytes]:
        draw_here()
        thread.join()
        draw_here()
        return _joined(found[one.name] for one in charts)

    with second_process(_serve) as process:
        thread = Thread(target=draw_there, args=(process,))
        thread.start()
        try:
            yield finish
        finally:
            waiting.clear()
            thread.join()


def _serve(other: Connection) -> None:
    """Draw what another process sends, until it closes the connection or a chart fails."""
    with suppress(Exception):
        while True:
            other.send(files_of(other.recv()))


def _joined(found: Iterable[dict[str, bytes]]) -> dict[str, bytes]:
    return {path: data for files in found for path, data in files.items()}
