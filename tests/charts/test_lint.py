"""The chart linter: a sound picture, and one broken for each rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tariffsim.charts import Picture, buys_and_costs
from tariffsim.charts.picture import SHOWN
from tests.charts.chart_results import PAIR, part
from tests.charts.lint import lint


def _sound() -> Picture:
    return buys_and_costs.CHART.picture(part(PAIR))


def _cut_off(p: Picture) -> Picture:
    p.figure.text(0.95, 0.5, "far too long to fit on the page")
    return p


def _overlapping(p: Picture) -> Picture:
    p.figure.text(0.5, 0.5, "one text")
    p.figure.text(0.5, 0.505, "another text")
    return p


def _small(p: Picture) -> Picture:
    p.figure.text(0.5, 0.5, "fine print", size=6)
    return p


def _upright(p: Picture) -> Picture:
    p.figure.text(0.9, 0.5, "upright", rotation=90)
    return p


def _same_ticks(p: Picture) -> Picture:
    p.figure.axes[0].set_xticks([0.1, 0.2], ["1", "1"])
    return p


def _no_unit(p: Picture) -> Picture:
    return replace(p, table=p.table.assign(unit="kg"))


def _no_alt(p: Picture) -> Picture:
    return replace(p, text=replace(p.text, alt=" "))


def _no_title(p: Picture) -> Picture:
    return replace(p, text=replace(p.text, title=""))


def _other_numbers(p: Picture) -> Picture:
    return replace(p, table=p.table.assign(price_rise=p.table["price_rise"] * 1.001))


def _column_missing(p: Picture) -> Picture:
    return replace(p, table=p.table.drop(columns="price_rise"))


def _column_too_many(p: Picture) -> Picture:
    return replace(p, table=p.table.assign(secret=0.5))


def _unlabelled(p: Picture) -> Picture:
    for artist in p.figure.findobj(lambda a: str(a.get_label()).startswith(SHOWN)):
        artist.set_label("")
    return p


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (_cut_off, "text cut off"),
        (_overlapping, "texts overlap"),
        (_small, "small text: 6 pt"),
        (_upright, "text is not horizontal"),
        (_same_ticks, "tick label twice"),
        (_no_unit, "no unit"),
        (_no_alt, "no alt text"),
        (_no_title, "no title"),
        (_other_numbers, "CSV unlike what is drawn: price_rise"),
        (_column_missing, "CSV lacks what is drawn: price_rise"),
        (_column_too_many, "CSV column is not drawn: secret"),
        (_unlabelled, "nothing drawn says"),
    ],
)
def test_the_linter_catches(broken: Callable[[Picture], Picture], fault: str) -> None:
    faults = lint(broken(_sound()))
    assert any(found.startswith(fault) for found in faults), faults
