"""What scenarios are called on charts: labels, long titles, and scripts that need a font."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.text import Text

from tariffsim.charts import CHARTS, fonts
from tariffsim.charts.context import chart_context, drawable
from tariffsim.charts.lettering import text_width
from tariffsim.charts.picture import ChartText, page
from tariffsim.record.results import Results
from tests.charts.chart_results import PAIR, part

(SHARES,) = [chart for chart in CHARTS if chart.key == "chinese_share"]
CHINESE = "对芯片的关税 25"


def labelled(results: Results, label: str) -> Results:
    """The same results with a label for one scenario."""
    texts = dict(results.scenarios)
    texts["component_50"] = texts["component_50"].replace('label: ""', f"label: {label}")
    assert label in texts["component_50"]
    return replace(results, scenarios=texts)


def test_long_titles_are_not_cut_inside_a_sentence() -> None:
    names = ["component_50", "component_late"]
    long = part(names, {"component_50": "A duty on chips that goes on and on " * 5})
    assert chart_context(long).in_sentence("component_50") == "“component_50”"
    assert chart_context(long).labels["component_50"].endswith(" goes on and on")
    context = chart_context(labelled(long, "Chips 50"))
    assert context.in_sentence("component_50") == "“Chips 50”"
    assert context.labels["component_50"] == "Chips 50"
    assert not context.unshown


def test_sentences_around_charts_are_never_cut() -> None:
    words = "one two three four " * 60
    figure, _ = page(ChartText(words, words, words, "", {}), 100, 40, 40)
    texts = [text.get_text() for text in figure.texts]
    assert [" ".join(text.split()) for text in texts] == [words.strip()] * 3


def test_titles_without_a_font_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_others", lambda: iter(()))
    fonts.families.cache_clear()
    other = chart_context(part(PAIR)).labels["whole_product_china"]
    for title in (CHINESE, "תעריף", "شحنة", "शुल्क", "Tariff 🚢"):
        picture = SHARES.picture(part(PAIR, {"component_50": title}))
        assert set(picture.table["label"]) == {"Baseline", "component_50", other}
        note = "No font on this machine can show the title of component_50: charts use its name."
        assert note in picture.text.note
        written = [text.get_text() for text in picture.figure.findobj(Text)]
        assert not [text for text in written if "\ufffd" in text or title in text]
    fonts.families.cache_clear()


def test_names_without_a_font_are_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_others", lambda: iter(()))
    fonts.families.cache_clear()
    assert drawable(CHINESE, "关税", 2) == "scenario 2"
    assert drawable(CHINESE, "levy", 2) == "levy"
    assert drawable("Zölle 25 %", "levy", 2) == "Zölle 25 %"
    fonts.families.cache_clear()


def test_other_scripts_are_drawn_with_a_font_that_has_them(tmp_path: Path) -> None:
    path = font_with(CHINESE, tmp_path / "font.ttf")
    known = list(font_manager.fontManager.ttflist)
    font_manager.fontManager.addfont(path)
    fonts.families.cache_clear()
    try:
        picture = SHARES.picture(part(PAIR, {"component_50": CHINESE}))
        assert CHINESE in set(picture.table["label"])
        assert "No font" not in picture.text.note
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of glyphs that are missing
            assert picture.files()
        assert text_width(CHINESE, 10) > text_width(" 25", 10) + 50
    finally:
        font_manager.fontManager.ttflist[:] = known
        fonts.families.cache_clear()


def font_with(text: str, path: Path) -> Path:
    """A font that has a square for each character of a text that is not ASCII."""
    characters = sorted({c for c in text if not c.isascii()})
    names = {c: f"uni{ord(c):04X}" for c in characters}
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", *names.values()])
    builder.setupCharacterMap({ord(c): name for c, name in names.items()})
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for point in ((100, 800), (900, 800), (900, 0)):
        pen.lineTo(point)
    pen.closePath()
    glyph = pen.glyph()
    builder.setupGlyf(dict.fromkeys([".notdef", *names.values()], glyph))
    builder.setupHorizontalMetrics(dict.fromkeys([".notdef", *names.values()], (1000, 100)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Noto Sans CJK Test", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, usWeightClass=400)
    builder.setupPost()
    builder.save(path)
    return path
