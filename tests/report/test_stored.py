"""`tariffsim report`: every stored result in one form, read back and never run again."""

from __future__ import annotations

import dataclasses
import io
import json
import sys
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tariffsim.record.results import Results, load_results
from tariffsim.report.experiment import experiment_page
from tariffsim.report.stored import NEEDED, StoredReport
from tests.charts.chart_results import drawn, part
from tests.charts.experiment_results import decomposition, frontier, results, timing
from tests.cli.calling import call, json_of
from tests.report.test_report import Page

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
PIXEL = b"\x89PNG"
DRAWING = (
    b'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="c-t">'
    b'<title id="c-t">Drawing</title></svg>'
)


def solved() -> Results:
    """A search that found a value."""
    row = {"metric": "cn_share", "unit": "%", "n": 4}
    near = {"tried": 0.1, "gap": 2.0, "low": 1.5, "high": 2.5, "is_answer": False}
    met = {"tried": 0.37, "gap": 0.01, "low": -0.2, "high": 0.22, "is_answer": True}
    rows = [row | near, row | met]
    return results({"solve": pd.DataFrame(rows)})


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a comparison of nothing but the baseline, its charts not drawn."""
    monkeypatch.setattr("tariffsim.report.stored.files_of", lambda chart: {
        f"charts/{chart.name}.svg": DRAWING.replace(b"c-t", chart.name.encode()),
        f"charts/{chart.name}.png": PIXEL, f"charts/{chart.name}.csv": b"a\n1\n",
    })  # fmt: skip
    return part(["component_50"]).save(tmp_path / "results")


@pytest.mark.parametrize("made", [timing, decomposition, frontier, solved])
def test_every_experiment_has_a_report(
    made: Callable[[], Results], tmp_path: Path, stored: Path
) -> None:
    found = made()
    titles = {name: found.titles[name] for name in found.scenarios}
    folder = dataclasses.replace(found, titles=titles).save(tmp_path / "experiment")
    page = Page(StoredReport(folder).page().decode())
    text = " ".join(page.text.split())
    assert page.all("h1")
    assert "?" in text
    assert "How to reproduce" in text
    assert "Assumptions and their sources" in text
    assert "Limits of these results" in text
    assert page.all("table")
    assert [link for link in page.all("a") if "download" in link]


def test_the_sentence_of_a_search_is_its_answer() -> None:
    text = experiment_page(solved(), []).decode()
    assert "Chinese share of chips meets its aim at 0.37" in text
    assert "+0.01 % (−0.20 to +0.22)" in text


def test_a_report_is_written_beside_the_results(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load_results(stored).provenance
    monkeypatch.chdir(stored.parent)
    found = json_of("report", "results")
    assert found == {"files": ["results-report.html"]}
    source = Path("results-report.html").read_text()
    assert "component_50" in source
    assert (
        "tariffsim compare scenarios/component_50.yaml --baseline scenarios/baseline.yaml" in source
    )
    assert load_results(stored).provenance == before  # their folder stays as it is


def test_a_workbook_has_units_frozen_headers_and_no_formulas(stored: Path, tmp_path: Path) -> None:
    pytest.importorskip("xlsxwriter")
    code, _, err = call(
        "report", stored, "--out", tmp_path / "r.html", "--xlsx", tmp_path / "r.xlsx"
    )
    assert code == 0, err
    with zipfile.ZipFile(io.BytesIO((tmp_path / "r.xlsx").read_bytes())) as book:
        names = [
            s.get("name") for s in ET.fromstring(book.read("xl/workbook.xml")).iter(f"{SHEET}sheet")
        ]
        parts = [
            ET.fromstring(book.read(f"xl/worksheets/sheet{i + 1}.xml")) for i in range(len(names))
        ]
        strings = [
            "".join(text.text or "" for text in entry.iter(f"{SHEET}t"))
            for entry in ET.fromstring(book.read("xl/sharedStrings.xml"))
        ]
    assert names[0] == "read me"
    assert {"headline", "duty_revenue", "dollars_by_device"} <= set(names)
    assert not any(list(sheet.iter(f"{SHEET}f")) for sheet in parts)
    for sheet in parts[1:]:
        (pane,) = sheet.iter(f"{SHEET}pane")
        assert (pane.get("ySplit"), pane.get("state")) == ("2", "frozen")
    headline = parts[names.index("headline")]
    rows = [[strings[int(c.findtext(f"{SHEET}v") or 0)] if c.get("t") == "s"
             else float(c.findtext(f"{SHEET}v") or "nan") for c in row.iter(f"{SHEET}c")]
            for row in headline.iter(f"{SHEET}row")]  # fmt: skip
    table = load_results(stored).tables["headline"].set_index(["scenario", "metric"])
    assert rows[0][2] == "Chinese share of chips"
    assert rows[1][2] == "%"
    assert rows[2][2:5] == pytest.approx(
        list(table.loc[("component_50", "cn_share"), ["difference", "low", "high"]])
    )


def test_slides_are_one_file_with_a_sentence_to_each_picture(stored: Path, tmp_path: Path) -> None:
    code, _, err = call(
        "report", stored, "--out", tmp_path / "r.html", "--slides", tmp_path / "s.html"
    )
    assert code == 0, err
    page = Page((tmp_path / "s.html").read_text())
    pictures = page.all("img")
    assert len(page.all("section")) == len(pictures) + 1 > 3
    assert all(p["src"].startswith("data:image/png;base64,") and p["alt"] for p in pictures)


@pytest.mark.parametrize(
    ("option", "module", "extra"),
    [("--xlsx", "xlsxwriter", "excel"), ("--pdf", "weasyprint", "pdf")],
)
def test_a_missing_extra_is_named(
    option: str, module: str, extra: str, stored: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setitem(sys.modules, module, None)
    code, _, err = call("report", stored, "--out", tmp_path / "r.html", option, tmp_path / "x")
    assert code == 5
    assert f"pip install 'tariffsim[{extra}]'" in err
    assert not (tmp_path / "r.html").exists()  # all or nothing


def test_damaged_and_older_results_are_refused_in_one_line(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = load_results(stored)
    for name in ("welfare_end", "device_end"):
        assert name in NEEDED
    del old.tables["welfare_end"]
    code, _, err = call("report", old.save(tmp_path / "old"))
    assert code == 5
    assert len(err.splitlines()) == 1
    assert "lacks the table welfare_end" in err
    assert "run it again" in err
    (stored / "headline.csv").write_text("scenario\n")
    code, _, err = call("report", stored)
    assert (code, len(err.splitlines())) == (5, 1)
    code, _, err = call("report", tmp_path / "nothing")
    assert (code, len(err.splitlines())) == (5, 1)


def test_drawings_that_are_stored_are_not_drawn_again(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = drawn("baseline alone")
    own = part([])
    own.files |= {f"charts/{name}": data for p in made for name, data in p.files().items()}
    monkeypatch.setattr("tariffsim.report.stored.files_of", lambda chart: json.loads("not drawn"))
    page = StoredReport(own.save(tmp_path / "drawn")).page().decode()
    assert "01_chinese_share" in page
