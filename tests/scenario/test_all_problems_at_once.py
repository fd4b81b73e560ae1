"""All problems of a file in one report: none hides another, and none follows from another."""

from __future__ import annotations

from pathlib import Path

import pytest

from tariffsim.errors import Problem, ScenarioError
from tariffsim.scenario import load_scenario


def problems(folder: Path, text: str) -> list[Problem]:
    path = folder / "own.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    return list(caught.value.problems)


def keys(found: list[Problem]) -> set[str]:
    return {problem.key for problem in found}


def under(name: str, *fields: str) -> set[str]:
    return {f"policies.{name}.{field}" if field else f"policies.{name}" for field in fields}


FIELDS = "markets: [USA], devices: [fridge], deemed_share: 3, start: 2026, end: 2025"
WRONG = ("markets[0]", "devices[0]", "deemed_share", "end")


@pytest.mark.parametrize(
    ("start", "wrong"),
    [
        ("kind: component_tariff, rate: abc", "rate"),
        ("kind: component_tariff, rate: {2026-01: x}", "rate.2026-01"),
        ("kind: component_tariff, rate: 300", "rate"),
        ("kind: component_tariff", "rate"),
        ("kind: component_tarif, rate: 0.3", "kind"),
        ("kind: duty, rate: 0.3", "kind"),
        ("kind: 7, rate: 0.3", "kind"),
        ("rate: 0.3", "kind"),
        ("kind: null, rate: 0.3", "kind"),
    ],
)
def test_one_wrong_field_hides_no_other(tmp_path: Path, start: str, wrong: str) -> None:
    found = problems(tmp_path, f"policies:\n  a: {{{start}, {FIELDS}}}\n")
    assert keys(found) == under("a", wrong, *WRONG)
    assert len(found) == len(WRONG) + 1


def test_fields_that_no_kind_has_are_told_under_an_unknown_kind(tmp_path: Path) -> None:
    text = (
        "policies:\n  a: {kind: levy, rate: 0.3, start: 2026, foo: 1, denied: 1, markets: [XX]}\n"
    )
    assert keys(problems(tmp_path, text)) == under("a", "kind", "foo", "markets[0]")


def test_fields_of_other_kinds_are_not_missed_under_an_unknown_kind(tmp_path: Path) -> None:
    text = "policies:\n  a: {kind: levy, start: 2026, quota: 1, in_quota_rate: 7}\n"
    assert keys(problems(tmp_path, text)) == under("a", "kind", "in_quota_rate")


def test_other_policies_may_name_one_that_is_wrong(tmp_path: Path) -> None:
    text = (
        "policies:\n  a: {kind: component_tariff, rate: abc, start: 2026}\n"
        "  b: {kind: price_cut, points: 0.1, when: a in force}\n"
    )
    assert keys(problems(tmp_path, text)) == under("a", "rate")


def test_a_wrong_first_date_is_not_missed_as_well(tmp_path: Path) -> None:
    text = "policies:\n  a: {kind: component_tariff, rate: 0.1, start: soon}\n"
    assert keys(problems(tmp_path, text)) == under("a", "start")


def test_a_source_with_one_wrong_field_is_checked_for_the_rest(tmp_path: Path) -> None:
    text = "sources:\n  s: {quality: good, keys: [supply.learnin]}\n"
    wrong = {f"sources.s.{field}" for field in ("cite", "quality", "keys[0]")}
    assert keys(problems(tmp_path, text)) == wrong


FIVE = """run: {seeds: many}
compliance: {detection: 60}
policies:
  component_tariff: {rate: {2026-01: 300}, markets: [USA]}
"""


def test_a_misspelt_base_hides_nothing(tmp_path: Path) -> None:
    right = keys(problems(tmp_path, f"extends: component_50\n{FIVE}"))
    found = problems(tmp_path, f"extends: component_5\n{FIVE}")
    assert keys(found) == right | {"extends"}
    assert len(found) == 5
    assert found[0].hint == "did you mean component_50?"
    assert keys(problems(tmp_path, f"combine: [baseline, component_5]\n{FIVE}")) == right | {
        "combine[1]"
    }


@pytest.mark.parametrize("base", ["./none.yaml", "nothing_at_all_like_it", "./broken.yaml"])
def test_what_a_base_may_hold_is_not_missed_while_it_cannot_be_read(
    tmp_path: Path, base: str
) -> None:
    (tmp_path / "broken.yaml").write_text("title: [", encoding="utf-8")
    text = (
        f"extends: {base}\nrun: {{seeds: many}}\npolicies:\n"
        "  a: {rate: 0.3, markets: [USA], source: mine}\n"
        "  b: {kind: component_tariff, when: c in force}\n"
    )
    found = keys([p for p in problems(tmp_path, text) if "YAML" not in p.message])
    assert found - {"extends"} == {"run.seeds", *under("a", "markets[0]")}
