"""`diff` says what differs; `completion` gives scripts and names."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.shell_completion import BashComplete

from tariffsim.cli import commands
from tests.cli.calling import call, json_of


def test_what_differs_between_two_shipped_scenarios() -> None:
    code, out, _ = call("diff", "component_50", "component_late")
    assert code == 0
    assert "From component_50 to component_late, 2 differences:" in out
    assert "- policies.component_tariff.announced (month or day): 2025-07 -> 2028-07" in out
    assert "{2026-01: 0.25, 2027-01: 0.5} -> {2029-01: 0.25" in out


def test_a_policy_that_only_one_has_is_named_with_its_meaning() -> None:
    found = json_of("diff", "baseline", "component_50")
    assert not found["is_equal"]
    (policy,) = (d for d in found["differences"] if d["key"] == "policies.component_tariff")
    assert policy["first"] == ""
    assert policy["second"] == "component_tariff"
    assert policy["meaning"]
    rates = [d for d in found["differences"] if d["key"] == "policies.component_tariff.rate"]
    assert rates[0]["first"] == ""
    assert "0.5" in rates[0]["second"]
    assert not any(d["key"].endswith("free_chips_per_chip") for d in found["differences"])


def test_equal_scenarios_with_other_texts_are_equal(tmp_path: Path) -> None:
    path = tmp_path / "again.yaml"
    path.write_text("schema_version: 1\nextends: component_50\ntitle: Another title\n")
    assert "are equal" in call("diff", "component_50", path)[1]
    changed = tmp_path / "more.yaml"
    changed.write_text("schema_version: 1\nextends: component_50\nsupply: {learning: 0.3}\n")
    out = call("diff", "component_50", changed)[1]
    assert "1 differences" in out
    assert "supply.learning" in out
    assert "-> 0.3" in out


def test_all_problems_of_both_files_at_once(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("schema_version: 1\nextends: baseline\nsuply: {}\n")
    code, _, err = call("diff", tmp_path / "a.yaml", tmp_path / "b.yaml")
    assert code == 3
    assert "a.yaml:3" in err
    assert "b.yaml:3" in err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(shell: str) -> None:
    code, out, _ = call("completion", shell)
    assert code == 0
    assert "_TARIFFSIM_COMPLETE" in out


def offered(*words: str) -> list[str]:
    """What a shell offers for the last word."""
    *before, last = words
    return [str(item.value) for item in BashComplete(
        commands, {}, "tariffsim", "_TARIFFSIM_COMPLETE"
    ).get_completions(before, last)]  # fmt: skip


def test_names_of_scenarios_are_offered() -> None:
    assert "component_50" in offered("compare", "component_5")
    assert "component_50" in offered("compare", "whole_product_china", "component_5")
    assert "baseline" in offered("compare", "component_50", "--baseline", "base")


def test_keys_of_values_are_offered() -> None:
    assert offered("explain", "baseline", "supply.lear") == [
        "supply.learning", "supply.learning_spillover",
    ]  # fmt: skip
