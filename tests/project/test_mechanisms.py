"""Charts of mechanisms: script, page and pictures belong together, and titles follow numbers."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.charts.lint import lint

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCRIPT = DOCS / "mechanisms" / "make_charts.py"
sys.path.insert(0, str(SCRIPT.parent))
import assembly  # noqa: E402  the script and its parts stand beside the page
import importers as of_importers  # noqa: E402
import make_charts  # noqa: E402
import rivals  # noqa: E402
from runs import Runs  # noqa: E402

PAGE = (DOCS / "mechanisms.md").read_text(encoding="utf-8")
NAMES = list(make_charts.MECHANISMS)
TITLES_TESTED = ("pass_through", "front_loading", "whole_products", "answers")
"""Drawn by tests of their own."""


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(seeds=1, makers=120, store=tmp_path_factory.mktemp("mechanisms") / "runs")


def test_every_mechanism_has_its_picture_and_nothing_else_has() -> None:
    assert sorted(path.stem for path in SCRIPT.parent.glob("*.svg")) == sorted(NAMES)
    assert len(NAMES) == 15


def test_every_mechanism_has_its_section_in_the_order_of_the_script() -> None:
    assert re.findall(r"^!\[[^\]]+\]\(mechanisms/(\w+)\.svg\)$", PAGE, re.MULTILINE) == NAMES
    sections = re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]
    assert len(sections) == len(NAMES)
    for section in sections:
        assert section.count("![") == 1
        assert "](model.md#" in section
        assert "*Caveats.*" in section


def test_links_lead_to_sections_of_the_model() -> None:
    heads = re.findall(r"^#+ (.+)$", (DOCS / "model.md").read_text(encoding="utf-8"), re.MULTILINE)
    known = {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
    assert set(re.findall(r"\]\(model\.md#([^)]+)\)", PAGE)) <= known


@pytest.mark.parametrize("name", NAMES)
def test_pictures_say_what_they_are(name: str) -> None:
    svg = (SCRIPT.parent / f"{name}.svg").read_text(encoding="utf-8")
    assert svg.startswith('<svg role="img"')
    title = re.search(r"<title [^>]*>(.+?)</title>", svg)
    assert title
    assert re.search(r"\d", title[1]), "the finding is a number"
    assert "<text" not in svg


def test_the_script_lists_what_it_draws(capsys: pytest.CaptureFixture[str]) -> None:
    assert make_charts.main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert [line.split()[0] for line in listed.splitlines()] == NAMES
    assert all(len(line.split()) > 4 for line in listed.splitlines())
    with pytest.raises(SystemExit) as ended:
        make_charts.main(["evasions"])
    assert ended.value.code == 2
    assert "evasion" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in NAMES if n not in TITLES_TESTED])
def test_every_other_picture_can_be_drawn(toy: Runs, name: str) -> None:
    picture = make_charts.MECHANISMS[name](toy)
    assert picture.name == name
    assert lint(picture) == []


def test_a_pass_through_is_that_of_its_title(toy: Runs) -> None:
    picture = of_importers.pass_through(toy)
    assert lint(picture) == []
    retail = picture.table[picture.table["series"] == of_importers.RETAIL].set_index("at")
    border = picture.table[picture.table["series"] == of_importers.BORDER].set_index("at")
    assert border.loc[0.0, "share"] == pytest.approx(95.0)  # a border pass-through of 0.95
    closed = [100 * 0.9 * (1 - (1 - 1 / 18) ** n) for n in (1, 6)]  # while trade has not moved
    assert [retail.loc[n - 1.0, "share"] for n in (1, 6)] == pytest.approx(closed, rel=0.05)
    still = 100 * retail.loc[47.0, "value"] / retail.loc[35.0, "value"]
    assert f"; {retail.loc[5.0, 'share']:.0f} % of it" in picture.text.title
    assert f"{retail.loc[23.0, 'share']:.0f} % after 24" in picture.text.title
    assert f"its end {still:.0f} % of that" in picture.text.title
    assert picture.files() == of_importers.pass_through(toy).files()  # to the last byte


def test_front_loading_is_that_of_its_title(toy: Runs) -> None:
    picture = of_importers.front_loading(toy)
    assert lint(picture) == []
    wide = picture.table.pivot(index="at", columns="series", values="imports")
    change = 100 * (wide["With front-loading"] / wide["Without front-loading"] - 1)
    before, after = change["2025-10":"2025-12"], change["2026-01":"2026-03"]
    assert change[:"2025-09"].abs().max() < 1  # before the three months of front-loading
    assert before.min() > 50
    assert after.max() < 0
    assert f"buy {before.max():.0f} % more" in picture.text.title
    assert f"{-after.min():.0f} % less" in picture.text.title


def test_rates_on_whole_products_are_those_of_their_title(toy: Runs) -> None:
    picture = assembly.whole_products(toy)
    assert lint(picture) == []
    by = picture.table.set_index(["series", "at"])
    assert (by.xs(0.0, level="at")[["assembly", "chips", "cost"]] == 0).all(axis=None)
    mean = picture.table.groupby("at")[["assembly", "cost"]].mean()
    assert -mean.loc[50.0, "assembly"] > -mean.loc[5.0, "assembly"] > 0
    for rate, verb in ((25.0, "25 % on products assembled in China moves"), (50.0, "50 % moves")):
        assert f"{verb} {-mean.loc[rate, 'assembly']:.1f} pp" in picture.text.title
    fall = sorted(-by.xs(50.0, level="at")["chips"])
    assert f"by {fall[0]:.1f} to {fall[1]:.1f} pp" in picture.text.title


def test_responses_are_those_of_their_title(toy: Runs) -> None:
    picture = rivals.answers(toy)
    assert lint(picture) == []
    by = picture.table.set_index("label").drop(columns="unit")
    assert by.loc["Ban of US chips by China", "us_share"] == 0.0
    taxed, none = by.loc["50 % duty on US chips by China"], by.loc["50 % duty, no response"]
    assert taxed["us_share"] < none["us_share"]
    offset = (by.loc["Counter-subsidy of half of it"] - none)["cn_share"]
    offset *= 100 / (by.loc["No policy"] - none)["cn_share"]
    assert f"offsets {offset:.0f} % of" in picture.text.title
    assert f"by {rivals._signed(taxed['us_profit'])} bn USD" in picture.text.title
