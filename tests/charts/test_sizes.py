"""Charts in three sizes: layout, text that can be selected, Cyrillic titles."""

from __future__ import annotations

import re

import pytest

from tariffsim.charts import CHARTS, SIZES, files_of
from tariffsim.charts.picture import Chart
from tests.charts.chart_results import PAIR, part
from tests.charts.experiment_results import frontier, timing
from tests.charts.lint import lint

MADE_UP = {"early_or_late": timing, "frontier": frontier, "best_rate": frontier}
"""Charts whose results need no run."""
BY_KEY = {chart.key: chart for chart in CHARTS}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("key", MADE_UP)
def test_a_chart_has_the_width_of_its_size_and_no_fault(key: str, size: str) -> None:
    picture = BY_KEY[key].picture(MADE_UP[key](), size)
    assert 72 * picture.figure.get_size_inches()[0] == pytest.approx(SIZES[size].width)
    assert lint(picture) == []


def test_sizes_are_those_of_a_phone_and_of_paper() -> None:
    assert SIZES["phone"].width * 96 / 72 == pytest.approx(360)
    assert SIZES["print"].width / 72 * 2.54 == pytest.approx(16, abs=0.01)


def test_names_of_lines_are_below_the_axes_on_a_phone_and_none_is_lost() -> None:
    picture = BY_KEY["best_rate"].picture(frontier(), "phone")
    (axes,) = picture.figure.axes
    texts = {text.get_text(): text for text in picture.figure.texts}
    for name in ("The component tariff: 150\u00a0%", "The whole-product tariff: 0\u00a0%"):
        (text,) = [t for words, t in texts.items() if name in words]
        assert text.get_position()[1] < axes.get_position().y0


def test_files_of_other_sizes_are_drawings_beside_the_same_numbers() -> None:
    one = BY_KEY["early_or_late"].prepared(timing())
    files = files_of(one, ("screen", "phone"))
    stem = "charts/08_early_or_late"
    ends = (".svg", ".png", ".csv", ".txt", "_phone.svg", "_phone.png")
    assert list(files) == [f"{stem}{end}" for end in ends]
    drawn = files[f"{stem}_phone.svg"].decode()
    assert re.search(r'width="270(\.\d+)?pt"', drawn)
    ids = [set(re.findall(r'id="([^"]+)"', files[f"{stem}{end}.svg"].decode()))
           for end in ("", "_phone")]  # fmt: skip
    assert not ids[0] & ids[1], "both sizes may stand on one page"


def test_text_of_a_drawing_can_be_selected_and_has_a_font_on_every_machine() -> None:
    chart: Chart[object] = BY_KEY["early_or_late"]
    svg = chart.picture(timing()).files()[f"{chart.name}.svg"].decode()
    written = re.findall(r"<text[^>]*>([^<]+)</text>", svg)
    assert "Reduction of exposure, pp-years" in written
    fonts = re.findall(r'(font-family: [^;"]+)', svg)
    assert len(fonts) >= len(written)
    assert all(font.endswith("'DejaVu Sans', Verdana, sans-serif") for font in fonts)


def test_cyrillic_titles_are_drawn_as_they_are() -> None:
    title = "Пошлина на чипы"
    results = part(PAIR, {"component_50": title})
    for size in SIZES:
        picture = BY_KEY["device_prices"].picture(results, size)
        assert any(title in name for name in picture.text.legend)
        assert lint(picture) == []
